"""What alarms are worth where the truth is known: the shipped rule beside the one that it replaced, simulated.

False alarms an area-year where nothing happens, asked after every view; the share of clearings of 1, 2 and 5 % of
2.5 km² that is confirmed, and how long that takes. The rule before compared a month's shares with the same month of
earlier years.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from benchmarks.rows import Bar, Row
from benchmarks.world import AREA_M2, CELL_HA, LASTING_NOISE, NOISE, SIDE, SNOW, UNSEEN, Place, Year
from shared.change.leaving import (
    LASTING,
    LONGEST_ROW,
    NOISE_FACTOR,
    Found,
    State,
    follow,
    smallest_patch_ha,
    usual_class,
)

_AREA = "alarms (simulated)"
BASELINE, WATCHED = 2, 6
_FIRST = 2018
CLEARED = (0.01, 0.02, 0.05)
_JUDGED = 0.02
KINDS: dict[str, tuple[bool, Mapping[str, float]]] = {
    "evergreen": (False, NOISE), "seasonal": (True, NOISE), "evergreen, lasting errors doubled": (False, LASTING_NOISE)
}  # fmt: skip
_PLACES = {"evergreen": 60, "seasonal": 60, "evergreen, lasting errors doubled": 30}


class Clearing(NamedTuple):
    """What came of one: days, and months with views after its own, until it was confirmed (None when it was not), share
    of its cells found, whether it happened in the interval that is told, and whether the rule before flagged anything.
    """

    days: int | None
    months: int
    found: float
    in_interval: bool
    before: bool


class Tally(NamedTuple):
    """Area-years without change: of each, whether the rule and the one before alarmed; and clearings by their share."""

    alarms: list[bool]
    alarms_before: list[bool]
    clearings: dict[float, list[Clearing]]


def rows() -> Iterator[Row]:
    """The table: false alarms, detection, delay, each beside the rule before."""
    for kind, places in _PLACES.items():
        tally = simulated(kind, places)
        bar = Bar(0.01) if kind in {"evergreen", "seasonal"} else None
        years, name = len(tally.alarms), "range of earlier years' shares"
        reading = f"{years} area-years, asked after every view"
        false, before = float(np.mean(tally.alarms)), float(np.mean(tally.alarms_before))
        yield Row(_AREA, f"{kind}: false alarms", "an area-year", false, bar=bar, reading=reading)
        yield Row(_AREA, f"{kind}: false alarms before", "an area-year", before, reading=name)
        for share, cases in tally.clearings.items():
            what = f"{kind}: clearing of {100 * share:.0f} %"
            told = [case.days for case in cases if case.days is not None]
            confirmed = len(told) / len(cases)
            bar = Bar(0.95, at_least=True) if share == _JUDGED and kind in {"evergreen", "seasonal"} else None
            yield Row(_AREA, f"{what}, confirmed", "of 1", confirmed, bar=bar, reading=f"{len(cases)} clearings")
            seen = float(np.mean([case.before for case in cases]))
            yield Row(_AREA, f"{what}, flagged before", "of 1", seen, reading=name)
            if told:
                months = float(np.median([case.months for case in cases if case.days is not None]))
                bar = Bar(2.0) if share == _JUDGED else None
                days = f"{np.median(told):.0f} days in the median, months without a view counted"
                yield Row(
                    _AREA,
                    f"{what}, median months with views behind its own until confirmed",
                    "",
                    months,
                    bar=bar,
                    reading=days,
                )
                of_it = float(np.mean([case.found for case in cases if case.days is not None]))
                held = float(np.mean([case.in_interval for case in cases if case.days is not None]))
                yield Row(_AREA, f"{what}, of its ground found", "of 1", of_it)
                yield Row(_AREA, f"{what}, in the interval that is told", "of 1", held)


def simulated(kind: str, places: int, seed: int = 20_260_101) -> Tally:
    """So many places of a kind: six watched years each, in the last of which clearings of each size are planted; one
    year more shows whether pixels stay away.
    """
    seasonal, noise = KINDS[kind]
    tally = Tally([], [], {share: [] for share in CLEARED})
    for number in range(places):
        place = Place(seed + number, seasonal, noise)
        years = [place.year(_FIRST + n) for n in range(BASELINE + WATCHED + 1)]
        largest_noise = 0.0
        for watched in range(BASELINE, BASELINE + WATCHED):
            limit = max(smallest_patch_ha(AREA_M2), NOISE_FACTOR * largest_noise)
            found = watch(years, watched, smallest_patch_ha(AREA_M2))
            confirmed = [p for p in found.patches if p.confirmed is not None]
            alarms = [p for p in confirmed if np.count_nonzero(p.cells) * CELL_HA >= limit]
            tally.alarms.append(bool(alarms))
            back = [np.count_nonzero(p.cells) * CELL_HA for p in confirmed if p.state is State.WITHDRAWN]
            largest_noise = max(largest_noise, *back, 0.0)
            tally.alarms_before.append(flagged(years[:watched], years[watched].labels, years[watched].moments))
        month, blob = int(place.random.integers(4, 10)), place.clearing(max(CLEARED))
        for share in CLEARED:
            tally.clearings[share].append(_cleared(years, share, month, blob, largest_noise))
    return tally


def watch(years: list[Year], watched: int, limit_ha: float) -> Found:
    """The rule on one of the years, from those before it, and with views of the next."""
    past = np.concatenate([year.labels for year in years[watched - BASELINE : watched]])
    votes = np.stack([(past == c).sum(0) for c in LASTING])
    usual = usual_class(votes, ((past != UNSEEN) & (past != SNOW)).sum(0))
    before = np.full((SIDE, SIDE), UNSEEN, np.uint8)
    for label in past:
        clear = (label != UNSEEN) & (label != SNOW)
        before[clear] = label[clear]
    until = datetime(years[watched].moments[0].year + 1, 1, 1, tzinfo=UTC)
    moments = years[watched].moments + [m for m in years[watched + 1].moments if m < until + LONGEST_ROW]
    labels = np.concatenate([years[watched].labels, years[watched + 1].labels])[: len(moments)]
    return follow(usual, before, labels, moments, until, int(np.ceil(limit_ha / CELL_HA - 1e-9)))


def _cleared(years: list[Year], share: float, month: int, largest: np.ndarray, noise_ha: float) -> Clearing:
    rows, columns = np.nonzero(largest)
    middle = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
    chosen = np.argsort(middle, kind="stable")[: round(share * SIDE**2)]
    blob = np.zeros_like(largest)
    blob[rows[chosen], columns[chosen]] = True
    *past, year, following = years
    since = datetime(year.moments[0].year, month, 1, tzinfo=UTC)
    late = np.array([moment >= since for moment in year.moments])
    cleared = year._replace(labels=np.where(late[:, None, None] & blob, year.bare, year.labels))
    after = following._replace(labels=np.where(blob, following.bare, following.labels))
    limit = max(smallest_patch_ha(AREA_M2), NOISE_FACTOR * noise_ha)
    found = watch([*past, cleared, after], len(past), limit)
    hits = [p for p in found.patches if p.confirmed is not None and (p.cells & blob).any()]
    before = flagged(past, cleared.labels, year.moments, month)
    if not hits:
        return Clearing(None, 0, 0.0, False, before)
    hit = max(hits, key=lambda patch: np.count_nonzero(patch.cells & blob))
    assert hit.confirmed is not None
    first, moments = int(np.argmax(late)), year.moments + following.moments
    return Clearing(
        (moments[hit.confirmed] - since).days,
        len({(m.year, m.month) for m in moments[first : hit.confirmed + 1]} - {(since.year, since.month)}),
        np.count_nonzero(hit.cells & blob) / np.count_nonzero(blob),
        hit.last_usual < first <= hit.first_other,
        before,
    )


def flagged(earlier: list[Year], labels: np.ndarray, moments: list[datetime], since_month: int = 1) -> bool:
    """Whether the rule before flags any class in any month: a share beyond the range of the same month of earlier years
    by more than its width, and two points or more from their mean. Probabilities follow labels here.
    """
    past = [_monthly(year.labels, year.moments) for year in earlier]
    now = _monthly(labels, moments)
    for month in range(since_month, 13):
        known = np.array([shares[month] for shares in past if month in shares])
        if month not in now or len(known) < 2:
            continue
        low, high = known.min(0), known.max(0)
        beyond = (now[month] > high + (high - low)) | (now[month] < low - (high - low))
        if (beyond & (np.abs(now[month] - known.mean(0)) >= 0.02)).any():
            return True
    return False


def _monthly(labels: np.ndarray, moments: list[datetime]) -> dict[int, np.ndarray]:
    """Shares of the mode composite by month, of those months whose views saw half of the area or more."""
    shares = {}
    for month in range(1, 13):
        views = labels[[moment.month == month for moment in moments]]
        if len(views) and (views != UNSEEN).mean() >= 0.5:
            votes = np.stack([(views == c).sum(0) for c in range(9)])
            shares[month] = np.bincount(votes.argmax(0)[votes.sum(0) > 0], minlength=9) / (votes.sum(0) > 0).sum()
    return shares
