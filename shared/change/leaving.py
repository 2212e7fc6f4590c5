"""The rule of alarms: a connected patch of pixels that left their usual class for several clear views in a row.

One view of a pixel is wrong a quarter of the time, and errors last; four clear views in a row over a patch of more than
a hectare are not. Which figures the rule reaches is shown by ``benchmarks/alarms.py``. Pure: masks and labels as
arrays, rows by columns of one grid, views oldest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import log10

import numpy as np

from shared.change.connected import patches

WATER, TREES, BUILT, SNOW = 0, 1, 6, 8
# Classes that stay for years where they are; the others come and go with the season.
LASTING = (WATER, TREES, BUILT)
UNSEEN, NONE = 255, 255

_USUAL_SHARE = 0.8
_FEWEST_VOTES = 10
SHOWN_AFTER, CONFIRMED_AFTER, RETURNED_AFTER = 3, 4, 3
# A row of views that takes longer than this is no row.
LONGEST_ROW = timedelta(days=240)

# False alarms grow with the area, and fall tenfold for each 0.6 ha more.
_LIMIT_HA, _LIMIT_STEP_HA, _LIMIT_AREA_M2 = 1.5, 0.6, 2.5e6
_LEAST_LIMIT_HA = 0.5
# A patch of an earlier year that went back was noise; news must be so much larger.
NOISE_FACTOR = 1.5


class State(StrEnum):
    """What is known of a patch: three views say so, four say so, or the ground is as it was."""

    PROVISIONAL = "provisional"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


@dataclass(eq=False)
class Patch:
    """A patch as the last view leaves it: its cells (a mask) and those that are still gone, classes, indexes of views.

    It happened between the views ``last_usual`` (-1: before the first) and ``first_other``: medians over its cells.
    """

    state: State
    cells: np.ndarray
    still: np.ndarray
    from_class: int
    to_class: int
    last_usual: int
    first_other: int
    confirmed: int | None = None
    withdrawn: int | None = None


@dataclass(eq=False)
class Found:
    """What a year's views give: patches, and the cells of the largest at any view, under the limit or not."""

    patches: list[Patch] = field(default_factory=list)
    largest: int = 0


def smallest_patch_ha(area_m2: float) -> float:
    """The least patch that is told of in an area of this size, before its own past is asked."""
    return max(_LEAST_LIMIT_HA, _LIMIT_HA + _LIMIT_STEP_HA * log10(area_m2 / _LIMIT_AREA_M2))


def usual_class(votes: np.ndarray, views: np.ndarray) -> np.ndarray:
    """The class that a pixel has in nearly all of its snow-free views, or NONE.

    ``votes`` counts the views of each class of LASTING (3, rows, columns), ``views`` all without snow.
    """
    best = votes.argmax(0)
    firm = (votes.max(0) >= _USUAL_SHARE * views) & (views >= _FEWEST_VOTES)
    return np.where(firm, np.array(LASTING, np.uint8)[best], np.uint8(NONE))


def follow(
    usual: np.ndarray,
    before: np.ndarray,
    labels: np.ndarray,
    moments: Sequence[datetime],
    until: datetime,
    fewest: int,
) -> Found:
    """The patches, of at least ``fewest`` cells, of pixels that left their usual class before ``until``.

    ``before`` is the last clear snow-free label before the first view, UNSEEN where there was none: ground that had
    left by then is a change of an earlier year. ``labels`` (views, rows, columns) are UNSEEN under cloud; views from
    ``until`` on show whether pixels that left before stayed away.
    """
    walk = _Walk(usual, before, labels, moments, until)
    found = Found()
    for view in range(len(moments)):
        walk.step(view)
        left = patches(walk.row >= CONFIRMED_AFTER, fewest)
        found.largest = max(found.largest, left.largest)
        for cells in left.masks:
            _keep(found.patches, cells, walk, view)
        _look_back(found.patches, walk, view)
    last = len(moments) - 1
    for cells in patches(walk.row >= SHOWN_AFTER, fewest).masks:
        if not any((known.cells & cells).any() for known in _open(found.patches)):
            found.patches.append(_patch(State.PROVISIONAL, cells, walk, last))
    return found


class _Walk:
    """What is known of each pixel after some views: how many in a row were unusual, since when, how many are again."""

    def __init__(
        self, usual: np.ndarray, before: np.ndarray, labels: np.ndarray, moments: Sequence[datetime], until: datetime
    ) -> None:
        self.usual, self.labels = usual, labels
        self._moments, self._until = moments, until
        self._taken = usual != NONE
        self._gone_before = self._taken & (before != UNSEEN) & (before != usual)
        self.row = np.zeros(usual.shape, np.uint8)
        self.back = np.zeros(usual.shape, np.uint8)
        self.last_usual = np.full(usual.shape, -1, np.int16)
        self.first_other = np.full(usual.shape, -1, np.int16)

    def step(self, view: int) -> None:
        label = self.labels[view]
        seen = self._taken & (label != UNSEEN) & (label != SNOW)
        again, other = seen & (label == self.usual), seen & (label != self.usual)
        self._gone_before &= ~again
        other &= ~self._gone_before
        self.row[again] = 0
        self.back[other] = 0
        self.back[again] = np.minimum(self.back[again] + 1, RETURNED_AFTER)
        self.last_usual[again] = view
        begins = other & ((self.row == 0) | self._too_old(view))
        self.row[begins] = 0
        if self._moments[view] < self._until:
            self.first_other[begins] = view
        else:
            other &= ~begins
        self.row[other] = np.minimum(self.row[other] + 1, CONFIRMED_AFTER)

    def _too_old(self, view: int) -> np.ndarray:
        oldest = next(n for n, m in enumerate(self._moments) if self._moments[view] - m <= LONGEST_ROW)
        return (self.row < CONFIRMED_AFTER) & (self.first_other < oldest)


def _keep(known: list[Patch], cells: np.ndarray, walk: _Walk, view: int) -> None:
    """A patch that meets a known one is that one, grown; two that grow together are the older one."""
    met = [patch for patch in _open(known) if (patch.cells & cells).any()]
    if not met:
        known.append(_patch(State.CONFIRMED, cells, walk, view))
        return
    oldest = met[0]
    if not (cells & ~oldest.cells).any():
        return
    for patch in met[1:]:
        cells = cells | patch.cells
        known.remove(patch)
    grown = _patch(State.CONFIRMED, cells | oldest.cells, walk, view)
    grown.confirmed = oldest.confirmed
    known[known.index(oldest)] = grown


def _look_back(known: list[Patch], walk: _Walk, view: int) -> None:
    for patch in _open(known):
        patch.still = patch.cells & (walk.back < RETURNED_AFTER)
        if 2 * np.count_nonzero(patch.still) < np.count_nonzero(patch.cells):
            patch.state, patch.withdrawn = State.WITHDRAWN, view


def _open(known: list[Patch]) -> list[Patch]:
    return [patch for patch in known if patch.state is State.CONFIRMED]


def _patch(state: State, cells: np.ndarray, walk: _Walk, view: int) -> Patch:
    usual = np.bincount(walk.usual[cells], minlength=NONE + 1)
    usual[NONE] = 0
    first = walk.first_other[cells]
    since = max(0, int(first.min()))
    shown = walk.labels[since : view + 1][:, cells]
    later = np.arange(since, view + 1)[:, None] >= first
    others = shown[later & (shown != UNSEEN) & (shown != SNOW) & (shown != walk.usual[cells])]
    return Patch(
        state,
        cells,
        cells.copy(),
        int(usual.argmax()),
        int(np.bincount(others).argmax()),
        _median(walk.last_usual[cells]),
        _median(first),
        view if state is State.CONFIRMED else None,
    )


def _median(values: np.ndarray) -> int:
    """The lower median, which is one of the values: for each cell the first comes before the second, so for medians."""
    return int(np.sort(values)[(values.size - 1) // 2])
