"""What the months before and after an event say of its ground: supported change, as between years, of one patch.

The year in which something happened shows both what was and what became, and the next one tells it late. So a patch is
compared by its own time: the twelve months up to its last view as usual with the twelve from its first view as
something else, as far as its year is watched, which is 240 days beyond its end. That something happened the patch
itself says, so of the Δ between years the least will do. ``benchmarks/transitions.py`` shows what it finds. Always from
all images of the year that exist, so in any order of arrival.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from shared.change.connected import patches
from shared.change.transitions import LEAST_PATCH_M2
from shared.change.watching import PIXEL_M, Frame, part_of
from shared.imagery.names import sensing_time
from shared.measurement.overpasses import PlannedOverpass

LONGEST_SIDE, SHORTEST_AFTER = timedelta(days=365), timedelta(days=180)
# What the four views in a row missed lies around a patch; what lies farther away is not its event.
MARGIN_PIXELS = 10
# Each patch is a request of its own: the largest of a year are compared.
MOST_COMPARED = 8
_FEWEST_PIXELS = round(LEAST_PATCH_M2 / PIXEL_M**2)


class Sides(NamedTuple):
    """The overpasses before an event and after it, oldest first."""

    before: list[PlannedOverpass]
    after: list[PlannedOverpass]


def sides(after: datetime | None, before: datetime, overpasses: Sequence[PlannedOverpass]) -> Sides | None:
    """What to compare of an event that happened between two moments (the first unknown where the ground was not seen
    before), of all ``overpasses`` of its year, oldest first. None while less than half a year after it was watched,
    where a side has none, or where scenes carry labels only.
    """
    first = [o for o in overpasses if _is_before(sensing_time(o.overpass_id), after, before)]
    then = [o for o in overpasses if before <= sensing_time(o.overpass_id) < before + LONGEST_SIDE]
    if not first or not then or sensing_time(then[-1].overpass_id) < before + SHORTEST_AFTER:
        return None
    images = [image for overpass in (*first, *then) for image in overpass.images]
    return Sides(first, then) if all(image.has_probabilities for image in images) else None


def _is_before(moment: datetime, after: datetime | None, before: datetime) -> bool:
    if after is None:
        return before - LONGEST_SIDE <= moment < before
    return after - LONGEST_SIDE < moment <= after


def around(cells: np.ndarray, frame: Frame) -> Frame:
    """The pixels of a frame on and around a patch, which is a mask of it."""
    rows, columns = (np.flatnonzero(cells.any(axis)) for axis in (1, 0))
    top, left = (max(0, int(n[0]) - MARGIN_PIXELS) for n in (rows, columns))
    bottom = min(frame.height, int(rows[-1]) + 1 + MARGIN_PIXELS)
    right = min(frame.width, int(columns[-1]) + 1 + MARGIN_PIXELS)
    return part_of(frame, top, left, bottom - top, right - left)


def supported(moved: np.ndarray, cells: np.ndarray, fewest: int = _FEWEST_PIXELS) -> np.ndarray:
    """Of the pixels that moved those in connected groups of ``fewest`` or more that meet a patch; masks alike."""
    groups = [group for group in patches(moved, fewest).masks if (group & cells).any()]
    return np.asarray(np.any([np.zeros_like(cells), *groups], axis=0))
