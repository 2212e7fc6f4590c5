"""The picture of a year: each pixel's class by the mean of its probabilities, or by the mode of its labels.

Of several rules the mean of probabilities is right most often and leans least, and it takes ties as good as never; it
also says by how much a pixel moved between two years.
"""

from collections.abc import Sequence
from typing import Any

import ee

from shared.classes import CLASS_NAMES, LABEL_BAND

# For each overpass its image ids, bottom to top.
Stacks = Sequence[Sequence[str]]


def annual_label(collection: str, stacks: Stacks, with_probabilities: bool) -> Any:
    """Band ``label``: the class of the year. Without probabilities the mode, of equals the smallest."""
    if with_probabilities:
        return likeliest(mean_probabilities(collection, stacks))
    return mosaics(collection, stacks, [LABEL_BAND]).mode()


def mean_probabilities(collection: str, stacks: Stacks) -> Any:
    """Nine bands: the mean probability of each class over the overpasses that saw the pixel."""
    return mosaics(collection, stacks, list(CLASS_NAMES)).mean()


def likeliest(probabilities: Any) -> Any:
    """Band ``label``: the class of the largest of nine bands, in the order of classes; of equals the first."""
    return probabilities.toArray().arrayArgmax().arrayGet([0]).rename([LABEL_BAND])


def mosaics(collection: str, stacks: Stacks, bands: list[str]) -> Any:
    """An ImageCollection: each overpass as the mosaic of its images, in the order of the stacks."""
    return ee.ImageCollection(
        [
            ee.ImageCollection([ee.Image(f"{collection}/{image_id}") for image_id in stack]).mosaic().select(bands)
            for stack in stacks
        ]
    )
