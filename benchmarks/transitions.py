"""What transitions are worth where the truth is known: what is published as supported, beside maps that differ.

Simulated places of 2.5 km² with five years each, in which nothing happens but a clearing of 2 % before the fourth. Told
are unchanged ground that is taken for change, how much of the clearing is found, and how much of what is found is the
clearing: by annual modes that differ, by classes of the largest mean probability that differ, and by the rule that is
published, with the Δ that each place's own years choose as ``report_transitions`` does, and a stricter choice of it. A
clearing in July fills a part of its year only: it is found between the year before and the year after, as with a
baseline year, by the patch that is told of, and by the months before and after that (``shared/change/supporting.py``).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from benchmarks.alarms import watch
from benchmarks.rows import Bar, Row
from benchmarks.world import AREA_M2, BARE, CELL_HA, CELL_M, LASTING_NOISE, NOISE, UNSEEN, Place, Year
from shared.change.connected import patches
from shared.change.leaving import LONGEST_ROW, Patch, State, smallest_patch_ha
from shared.change.supporting import MARGIN_PIXELS, sides
from shared.change.supporting import supported as supported_on
from shared.change.transitions import LEAST_MOVES, LEAST_PATCH_M2, QUIET_SHARE
from shared.change.watching import PIXEL_M
from shared.imagery.names import sensing_time
from shared.measurement.overpasses import PlannedOverpass

_AREA = "transitions (simulated)"
_FIRST, _YEARS, _CLEARED_BEFORE = 2018, 5, 3
_CLEARED = 0.02
MODES, MEANS, SUPPORTED = "annual modes differ", "mean probabilities' classes differ", "supported"
STRICTER = "supported, Δ by 0.1 % of quiet years"
_STRICTER_SHARE = 0.001
STEADY_NOISE: Mapping[str, float] = {**NOISE, "cell": 0.54, "year": 0.04, "spell": 0.05, "view": 0.11}
KINDS: dict[str, tuple[bool, Mapping[str, float]]] = {
    "evergreen": (False, NOISE), "seasonal": (True, NOISE),
    "evergreen, lasting errors doubled": (False, LASTING_NOISE), "evergreen, errors that stay": (False, STEADY_NOISE),
}  # fmt: skip
_PLACES = {"evergreen": 40, "seasonal": 40}
_FEWER = 20
_JULY = 7
_FEWEST_CELLS = round(LEAST_PATCH_M2 / (CELL_HA * 10_000))
_MARGIN_CELLS = round(MARGIN_PIXELS * PIXEL_M / CELL_M)


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


class InJuly(NamedTuple):
    """A clearing in July: shares found by its own year, between the years around it, by the patch that is told of, and
    by the months before and after that; and ground beside it that these take for it, as a share of it.
    """

    own_year: float
    around: float
    told: float
    by_months: float
    beside: float


class Tally(NamedTuple):
    """Pairs of years without change and with the clearing by rule, the Δ of each place, and clearings in July."""

    quiet: dict[str, list[Case]]
    cleared: dict[str, list[Case]]
    least_moves: list[float]
    in_july: list[InJuly]


def rows() -> Iterator[Row]:
    """The table: unchanged ground taken for change, the clearing found, what of the change is right, each by rule."""
    for kind in KINDS:
        tally = simulated(kind, _PLACES.get(kind, _FEWER))
        chosen = {move: tally.least_moves.count(move) for move in LEAST_MOVES}
        moves = ", ".join(f"Δ {move}: {count}" for move, count in chosen.items() if count)
        for rule in (SUPPORTED, STRICTER, MEANS, MODES):
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
        own, around, told, by_months, beside = (100 * float(np.mean(each)) for each in zip(*tally.in_july, strict=True))
        what = f"{kind}: cleared in July, found"
        yield Row(_AREA, f"{what} as supported in that year", "%", own, reading="most views were before it")
        yield Row(_AREA, f"{what} as supported between the years around it", "%", around)
        bar = Bar(75, at_least=True)
        yield Row(_AREA, f"{what} in the patch that is told of", "%", told, bar=bar, reading="benchmarks/alarms.py")
        reading = f"{beside:.1f} % of its size beside it"
        bar = Bar(78, at_least=True)
        yield Row(_AREA, f"{what} by the months before and after that", "%", by_months, bar=bar, reading=reading)


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
        least_move, stricter = calibrated(pictures), calibrated(pictures, _STRICTER_SHARE)
        tally.least_moves.append(least_move)
        for later in range(1, _YEARS):
            into = tally.cleared if later == _CLEARED_BEFORE else tally.quiet
            for rule, changed in rules(pictures[later - 1], pictures[later], least_move, stricter).items():
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


def rules(earlier: Picture, later: Picture, least_move: float, stricter: float) -> dict[str, np.ndarray]:
    """Which cells changed between two years, by rule."""
    seen = earlier.seen & later.seen
    was, became = earlier.mean.argmax(0), later.mean.argmax(0)
    return {
        MODES: seen & (earlier.mode != later.mode),
        MEANS: seen & (was != became),
        SUPPORTED: supported(earlier, later, least_move),
        STRICTER: supported(earlier, later, stricter),
    }


def supported(earlier: Picture, later: Picture, least_move: float) -> np.ndarray:
    """Cells in patches of half a hectare or more on which both classes moved by Δ."""
    large = patches(moved(earlier, later) >= least_move, _FEWEST_CELLS).masks
    return np.any([np.zeros(earlier.seen.shape, bool), *large], axis=0)


def moved(earlier: Picture, later: Picture) -> np.ndarray:
    """By how much both classes moved on each cell; 0 where the class is the same or was not seen in both."""
    was, became = earlier.mean.argmax(0)[None], later.mean.argmax(0)[None]
    fell = np.take_along_axis(earlier.mean, was, 0) - np.take_along_axis(later.mean, was, 0)
    rose = np.take_along_axis(later.mean, became, 0) - np.take_along_axis(earlier.mean, became, 0)
    return np.asarray(np.where(earlier.seen & later.seen & (was != became), np.minimum(fell, rose), 0.0)[0])


def calibrated(pictures: Sequence[Picture], quiet_share: float = QUIET_SHARE) -> float:
    """The least Δ whose patches between the two most alike consecutive years are quiet, or else the largest."""

    def differs(pair: tuple[Picture, Picture]) -> float:
        earlier, later = pair
        return float((earlier.seen & later.seen & (earlier.mean.argmax(0) != later.mean.argmax(0))).mean())

    alike = min(pairwise(pictures), key=differs)
    quiet = [move for move in LEAST_MOVES if supported(*alike, move).mean() < quiet_share]
    return quiet[0] if quiet else LEAST_MOVES[-1]


def _case(changed: np.ndarray, blob: np.ndarray) -> Case:
    hit = np.count_nonzero(changed & blob)
    return Case(float(changed.mean()), hit / np.count_nonzero(blob), hit / max(1, np.count_nonzero(changed)))


def _in_july(before: Sequence[Year], place: Place, blob: np.ndarray, least_move: float) -> InJuly:
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
    confirmed = [each for each in told if each.state is State.CONFIRMED]
    nothing = np.zeros_like(blob)
    patch = np.any([nothing, *(each.cells for each in confirmed)], axis=0)
    by_months = np.any([nothing, *(by_sides(each, [*before, cleared, after]) for each in confirmed)], axis=0)
    found = (supported(last, own, least_move), supported(last, following, least_move), patch, by_months)
    shares = [np.count_nonzero(cells & blob) / np.count_nonzero(blob) for cells in found]
    return InJuly(*shares, np.count_nonzero(by_months & ~blob) / np.count_nonzero(blob))


def by_sides(patch: Patch, years: Sequence[Year]) -> np.ndarray:
    """Which cells the months before and after a patch support; ``years`` end with that of the patch and the next."""
    watched = [*years[-2].moments, *years[-1].moments]
    after = watched[patch.last_usual] if patch.last_usual >= 0 else None
    until = datetime(years[-1].moments[0].year, 1, 1, tzinfo=UTC) + LONGEST_ROW
    views = {f"{moment:%Y%m%dT%H%M%S}": (year, n) for year in years for n, moment in enumerate(year.moments)}
    overpasses = [PlannedOverpass(name, ()) for name in views if sensing_time(name) < until]
    compared = sides(after, watched[patch.first_other], overpasses)
    if compared is None:
        return np.zeros_like(patch.cells)
    earlier, later = (_of([views[o.overpass_id] for o in side]) for side in compared)
    rows, columns = (np.flatnonzero(patch.cells.any(axis)) for axis in (1, 0))
    near = tuple(slice(max(0, n[0] - _MARGIN_CELLS), n[-1] + 1 + _MARGIN_CELLS) for n in (rows, columns))
    far = np.ones(patch.cells.shape, bool)
    far[near] = False
    return supported_on(~far & (moved(earlier, later) >= LEAST_MOVES[0]), patch.cells, _FEWEST_CELLS)


def _of(views: Sequence[tuple[Year, int]]) -> Picture:
    """The picture of some views."""
    labels = np.stack([year.labels[n] for year, n in views])
    probabilities = np.stack([year.probabilities[n] for year, n in views])
    return picture(views[0][0]._replace(labels=labels, probabilities=probabilities))
