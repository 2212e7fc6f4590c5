"""The nine Dynamic World land-cover classes: value, band name and official colour.

Source: Brown et al. 2022 (doi 10.1038/s41597-022-01307-4) and the Earth Engine catalogue entry of
``GOOGLE/DYNAMICWORLD/V1``. A class is always addressed by its value, never by its position in a result.
"""

from typing import NamedTuple


class LandCoverClass(NamedTuple):
    """One class: the pixel value of the ``label`` band, the probability band's name, its colour as RRGGBB."""

    class_id: int
    name: str
    colour: str


CLASSES: tuple[LandCoverClass, ...] = (
    LandCoverClass(0, "water", "419BDF"),
    LandCoverClass(1, "trees", "397D49"),
    LandCoverClass(2, "grass", "88B053"),
    LandCoverClass(3, "flooded_vegetation", "7A87C6"),
    LandCoverClass(4, "crops", "E49635"),
    LandCoverClass(5, "shrub_and_scrub", "DFC35A"),
    LandCoverClass(6, "built", "C4281B"),
    LandCoverClass(7, "bare", "A59B8F"),
    LandCoverClass(8, "snow_and_ice", "B39FE1"),
)
CLASS_NAMES: tuple[str, ...] = tuple(c.name for c in CLASSES)
LABEL_BAND = "label"

ATTRIBUTION = (
    "This dataset is produced for the Dynamic World Project by Google in partnership with "
    "National Geographic Society and the World Resources Institute. "
    "Contains modified Copernicus Sentinel data {years}. CC BY 4.0. "
    "Brown et al. 2022, doi 10.1038/s41597-022-01307-4."
)
