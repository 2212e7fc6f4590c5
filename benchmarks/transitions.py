"""What transitions are worth where the truth is known: what is published as supported, beside maps that differ.

Simulated places of 2.5 km² with five years each, in which nothing happens but a clearing of 2 % before the fourth. Told
are unchanged ground that is taken for change, how much of the clearing is found, and how much of what is found is the
clearing: by annual modes that differ, by classes of the largest mean probability that differ, and by the rule that is
published, with the Δ that each place's own years choose as ``report_transitions`` does. A clearing in July fills a part
of its year only: it is found between the year before and the year after, as with a baseline year, and by the patch that
is told of.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from benchmarks.alarms import watch
from benchmarks.rows import Bar, Row
from benchmarks.world import AREA_M2, BARE, CELL_HA, LASTING_NOISE, NOISE, UNSEEN, Place, Year
from shared.change.connected import patches
from shared.change.leaving import smallest_patch_ha
from shared.change.transitions import LEAST_MOVES, LEAST_PATCH_M2, QUIET_SHARE

_AREA = "transitions (simulated)"
_FIRST, _YEARS, _CLEARED_BEFORE = 2018, 5, 3
_CLEARED = 0.02
MODES, MEANS, SUPPORTED = "annual modes differ", "mean probabilities' classes differ", "supported"
STEADY_NOISE: Mapping[str, float] = {**NOISE, "cell": 0.54, "year": 0.04, "spell": 0.05, "view": 0.11}
KINDS: dict[str, tuple[bool, Mapping[str, float]]] = {
    "evergreen": (False, NOISE), "seasonal": (True, NOISE),
    "evergreen, lasting errors doubled": (False, LASTING_NOISE), "evergreen, errors that stay": (False, STEADY_NOISE),
}  # fmt: skip
_PLACES = {"evergreen": 40, "seasonal": 40}
_FEWER = 20
_JULY = 7


class Picture(NamedTuple):
    """A year: the commonest label, the mean probabilities (9, rows, columns), and which cells were seen."""

    mode: np.ndarray
    mean: np.ndarray
    seen: np.ndarray


class Case(NamedTuple):
    """One pair of years by one rule: shares of the area that changed, of the clearing found, of change that is it."""

    changed: float
    found: float
    right: float


class Tally(NamedTuple):
    """Pairs of years without change and with the clearing by rule, the Δ of each place, and clearings in July: shares
    found by their own year, between the years around it, and by the patch that is told of.
    """

    quiet: dict[str, list[Case]]
    cleared: dict[str, list[Case]]
    least_moves: list[float]
    in_july: list[tuple[float, float, float]]


def rows() -> Iterator[Row]:
    """The table: unchanged ground taken for change, the clearing found, what of the change is right, each by rule."""
    for kind in KINDS:
        tally = simulated(kind, _PLACES.get(kind, _FEWER))
        chosen = {move: tally.least_moves.count(move) for move in LEAST_MOVES}
        moves = ", ".join(f"Δ {move}: {count}" for move, count in chosen.items() if count)
        for rule in (SUPPORTED, MEANS, MODES):
            ours = rule == SUPPORTED
            changed = 100 * float(np.mean([case.changed for case in tally.quiet[rule]]))
            found = 100 * float(np.mean([case.found for case in tally.cleared[rule]]))
            right = 100 * float(np.mean([case.right for case in tally.cleared[rule] if case.changed]))
            areas = float(np.mean([case.changed for case in tally.cleared[rule]])) / _CLEARED
            what, pairs = f"{kind}: {rule}", f"{len(tally.quiet[rule])} pairs of years"
            yield Row(
                _AREA, f"{what}, of unchanged ground", "%", changed, bar=Bar(0.3) if ours else None, reading=pairs
            )
            limit = Bar(78, at_least=True) if ours else None
            yield Row(_AREA, f"{what}, of a clearing of 2 %", "%", found, bar=limit, reading=moves if ours else "")
            yield Row(_AREA, f"{what}, of it the clearing", "%", right, reading=f"{areas:.2f} of the true area in all")
        own, around, told = (100 * float(np.mean(each)) for each in zip(*tally.in_july, strict=True))
        what = f"{kind}: cleared in July, found"
        yield Row(_AREA, f"{what} as supported in that year", "%", own, reading="most views were before it")
        yield Row(_AREA, f"{what} as supported between the years around it", "%", around)
        bar = Bar(75, at_least=True)
        yield Row(_AREA, f"{what} in the patch that is told of", "%", told, bar=bar, reading="benchmarks/alarms.py")


def simulated(kind: str, places: int, seed: int = 20_260_201) -> Tally:
    """So many places of a kind, five years each."""
    seasonal, noise = KINDS[kind]
    tally = Tally(defaultdict(list), defaultdict(list), [], [])
    for number in range(places):
        place = Place(seed + number, seasonal, noise)
        before = [place.year(_FIRST + n) for n in range(_CLEARED_BEFORE)]
        blob = place.clearing(_CLEARED)
        as_it_was = place.base
        place.base = np.where(blob, BARE, as_it_was)
        years = [*before, *(place.year(_FIRST + n) for n in range(_CLEARED_BEFORE, _YEARS))]
        pictures = [picture(year) for year in years]
        least_move = calibrated(pictures)
        tally.least_moves.append(least_move)
        for later in range(1, _YEARS):
            into = tally.cleared if later == _CLEARED_BEFORE else tally.quiet
            for rule, changed in rules(pictures[later - 1], pictures[later], least_move).items():
                into[rule].append(_case(changed, blob))
        place.base = as_it_was
        tally.in_july.append(_in_july(before, place, blob, least_move))
    return tally


def picture(year: Year) -> Picture:
    """The picture of all views of a year."""
    votes = np.stack([(year.labels == c).sum(0) for c in range(9)])
    seen = (year.labels != UNSEEN).any(0)
    mean = np.nansum(year.probabilities, 0) / np.maximum(1, (year.labels != UNSEEN).sum(0))
    return Picture(votes.argmax(0), mean, seen)


def rules(earlier: Picture, later: Picture, least_move: float) -> dict[str, np.ndarray]:
    """Which cells changed between two years, by rule."""
    seen = earlier.seen & later.seen
    was, became = earlier.mean.argmax(0), later.mean.argmax(0)
    return {
        MODES: seen & (earlier.mode != later.mode),
        MEANS: seen & (was != became),
        SUPPORTED: supported(earlier, later, least_move),
    }


def supported(earlier: Picture, later: Picture, least_move: float) -> np.ndarray:
    """Cells in patches of half a hectare or more on which both classes moved by Δ."""
    was, became = earlier.mean.argmax(0)[None], later.mean.argmax(0)[None]
    fell = np.take_along_axis(earlier.mean, was, 0) - np.take_along_axis(later.mean, was, 0)
    rose = np.take_along_axis(later.mean, became, 0) - np.take_along_axis(earlier.mean, became, 0)
    moved = (earlier.seen & later.seen & (was != became) & (np.minimum(fell, rose) >= least_move))[0]
    large = patches(moved, round(LEAST_PATCH_M2 / (CELL_HA * 10_000))).masks
    return np.any(large, axis=0) if large else np.zeros_like(moved)


def calibrated(pictures: Sequence[Picture]) -> float:
    """The least Δ whose patches between the two most alike consecutive years are quiet, or else the largest."""

    def differs(pair: tuple[Picture, Picture]) -> float:
        return float(rules(*pair, LEAST_MOVES[0])[MEANS].mean())

    alike = min(pairwise(pictures), key=differs)
    quiet = [move for move in LEAST_MOVES if supported(*alike, move).mean() < QUIET_SHARE]
    return quiet[0] if quiet else LEAST_MOVES[-1]


def _case(changed: np.ndarray, blob: np.ndarray) -> Case:
    hit = np.count_nonzero(changed & blob)
    return Case(float(changed.mean()), hit / np.count_nonzero(blob), hit / max(1, np.count_nonzero(changed)))


def _in_july(before: Sequence[Year], place: Place, blob: np.ndarray, least_move: float) -> tuple[float, float, float]:
    """Shares of a clearing found by its own year, between the years around it, and by the patch that is told of."""
    intact = place.year(_FIRST + _CLEARED_BEFORE)
    late = np.array([moment.month >= _JULY for moment in intact.moments])[:, None, None] & blob
    cleared = intact._replace(
        labels=np.where(late, intact.bare, intact.labels),
        probabilities=np.where(late[:, None], intact.bare_probabilities, intact.probabilities),
    )
    place.base = np.where(blob, BARE, place.base)
    after = place.year(_FIRST + _CLEARED_BEFORE + 1)
    last, own, following = (picture(year) for year in (before[-1], cleared, after))
    told = watch([*before, cleared, after], len(before), smallest_patch_ha(AREA_M2)).patches
    patch = np.any([each.cells for each in told if each.confirmed is not None] or [np.zeros_like(blob)], axis=0)
    own_year, around, in_patch = (
        np.count_nonzero(cells & blob) / np.count_nonzero(blob)
        for cells in (supported(last, own, least_move), supported(last, following, least_move), patch)
    )
    return own_year, around, in_patch
