"""Which stratum each pixel belongs to: by its class in one composite, or by how it changed between two.

Pure rules on arrays of an AOI's pixels: ``labels`` are class values or NOT_SEEN, ``areas_m2`` true areas, mean
probabilities have nine bands.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import label as connected

from local.accuracy.maps import NOT_SEEN
from shared.classes import CLASSES

# Classes that cover less than this share of the AOI are one stratum together.
RARE_SHARE = 0.01
# A supported change: the old class's mean probability fell and the new one's rose by so much, in patches of half a
# hectare; ground that moved by half of it, or merely has another class, is doubtful (docs/accuracy.md).
SUPPORTED_BY = 0.2
DOUBTFUL_BY = 0.1
SMALLEST_PATCH_M2 = 5_000.0
SUPPORTED, DOUBTFUL, REST, UNSEEN = "supported change", "doubtful", "rest", "not seen in both"


class Strata(NamedTuple):
    """The stratum of each pixel as a number, and the strata's names by it."""

    number: np.ndarray
    names: list[str]


def class_name(class_id: int) -> str:
    """The name of a class value; "not seen" for ground without one."""
    return "not seen" if class_id == NOT_SEEN else CLASSES[class_id].name


def class_strata(labels: np.ndarray, areas_m2: np.ndarray) -> Strata:
    """A stratum for each class of at least RARE_SHARE of the area, the others together; ground not seen is one too."""
    shares = {int(c): float(areas_m2[labels == c].sum() / areas_m2.sum()) for c in np.unique(labels)}
    common = [c for c, share in shares.items() if share >= RARE_SHARE]
    rare = [c for c in shares if c not in common]
    names = [class_name(c) for c in common] + ([" or ".join(map(class_name, rare))] if rare else [])
    number = np.full(labels.shape, len(common), np.int16)
    for position, c in enumerate(common):
        number[labels == c] = position
    return Strata(number, names)


def change_strata(
    labels: tuple[np.ndarray, np.ndarray],
    probabilities: tuple[np.ndarray, np.ndarray] | None,
    inside: np.ndarray,
    areas_m2: np.ndarray,
) -> np.ndarray:
    """Which of SUPPORTED, DOUBTFUL, REST, UNSEEN (0 to 3) each pixel of a raster is, from two years' composites.

    Without probabilities no change is supported, and wherever the composites differ is doubtful.
    """
    before, after = labels
    seen = inside & (before != NOT_SEEN) & (after != NOT_SEEN)
    differs = seen & (before != after)
    supported, doubtful = np.zeros_like(seen), differs
    if probabilities is not None:
        moved = _moved(*probabilities)
        supported = _in_patches(seen & (moved >= SUPPORTED_BY), areas_m2)
        doubtful = differs | (seen & (moved >= DOUBTFUL_BY))
    return np.select([supported, doubtful, seen], [0, 1, 2], 3).astype(np.int16)


def _moved(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How far the most probable class gave way to another: the lesser of its fall and the other's rise, 0 where it is
    the same.
    """
    old, new = before.argmax(0)[None], after.argmax(0)[None]
    fall = np.take_along_axis(before - after, old, 0)[0]
    rise = np.take_along_axis(after - before, new, 0)[0]
    return np.where(old[0] != new[0], np.minimum(fall, rise), 0.0)


def _in_patches(changed: np.ndarray, areas_m2: np.ndarray) -> np.ndarray:
    """Only what hangs together, by pixels' sides, over SMALLEST_PATCH_M2 or more."""
    patches, count = connected(changed)
    sizes = np.bincount(patches.ravel(), areas_m2.ravel(), count + 1)
    sizes[0] = 0
    return np.asarray(sizes[patches] >= SMALLEST_PATCH_M2)
