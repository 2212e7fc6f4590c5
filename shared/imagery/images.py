"""Dynamic World images and the overpasses they belong to.

A reprocessed scene keeps its id and gets a new ``system:version``; two ids with one first stamp and tile are two
datastrips of one datatake, which complement each other.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.classes import CLASS_NAMES
from shared.imagery.names import SceneName, parse_scene_name

# Dynamic World leaves out scenes cloudier than this (Brown et al. 2022, p. 8).
MOST_CLOUD_PERCENT = 35.0


class SceneImage(BaseModel):
    """One Dynamic World image as Earth Engine lists it.

    ``footprint`` is a GeoJSON geometry in WGS84, ``version_us`` the ingestion time in microseconds
    (``system:version``), ``crs`` the code of the image's own grid.
    """

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    image_id: str
    version_us: int
    footprint: dict[str, Any]
    crs: str
    bands: tuple[str, ...]
    algorithm_version: str | None = None
    qa_version: str | None = None

    @property
    def name(self) -> SceneName:
        return parse_scene_name(self.image_id)

    @property
    def overpass_id(self) -> str:
        return self.name.sensing_stamp

    @property
    def has_probabilities(self) -> bool:
        return set(CLASS_NAMES) <= set(self.bands)


def by_overpass(images: Iterable[SceneImage]) -> dict[str, list[SceneImage]]:
    """Group images by the datatake they belong to, in order of time and then of image id."""
    groups: dict[str, list[SceneImage]] = defaultdict(list)
    for image in sorted(images, key=lambda image: image.image_id):
        groups[image.overpass_id].append(image)
    return dict(groups)
