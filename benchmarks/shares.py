"""What shares and composites are worth where the truth is known: what is published beside what it replaced, simulated.

The truth of a month is what the same classifier would have seen of the whole area at every pass without cloud, so what
is told here is the harm of cloud, gaps and ties, not the classifier's own bias. ``misplaced`` is half the sum of the
absolute errors of all classes: the share of the area that is counted under another class than it should be.

Sentences of a report are judged where nothing happens: of how many months it is said that a class gained or lost ten
points since the month before, or that snow came or went; by any two months, by the ground that both saw twice, and by
the rule of ``local/report/judging.py``, which knows of each month only how much it saw.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from benchmarks.rows import Bar, Row
from benchmarks.world import AREA_M2, SIDE, SNOW, TREES, UNSEEN, Place, Year
from local.report.choices import Language
from local.report.judging import Seen, comparable
from local.report.repeatability import spread
from local.report.sentences import month_sentence

_AREA = "shares (simulated)"
_FIRST, _YEARS, _PLACES = 2018, 4, 40
_TRAILING = 12
_FLOOR = 0.2
_LEANING, _SEASONAL = "cloud leans to the forest", "seasonal, cloud leans"
KINDS: dict[str, dict[str, Any]] = {
    "cloud anywhere": {"lean": 0.0},
    "cloud leans a little": {"lean": 0.25},
    _LEANING: {},
    _SEASONAL: {"seasonal": True},
    "half of the passes see 45 %": {"lean": 0.0, "strips": True},
}
_BARS = {_LEANING: 0.5, _SEASONAL: 0.6}
BEFORE, STRATA, PIXELS = "mean over views", "post-stratified by last year's composite", "pixel by pixel"
ANY, TWICE, SAID = "any two months", "ground that both saw twice", "as said"
_CHANGED, _BOTH_SEEN, _SNOW_CROSSED = 0.10, 0.80, 0.05
_CLASSES = np.arange(9)[:, None, None]


class Month(NamedTuple):
    """One month: votes (9, rows, columns), its views' coverage, the class of its last view of each cell (UNSEEN where
    none), the nine shares by each estimator (None where there was no usable view), and the shares without cloud; the
    settled class of each cell; and what each usable view saw of each class, cells.
    """

    votes: np.ndarray
    coverage: np.ndarray
    last: np.ndarray
    shares: dict[str, np.ndarray] | None
    truth: np.ndarray
    settled: np.ndarray
    views: np.ndarray


class Composite(NamedTuple):
    """Of one month: how many views, what share of the cells seen is wrong, and the net lean to smaller class numbers
    against the composite of the year: of all cells, and of those that were tied.
    """

    views: int
    wrong: float
    lean: float
    tied_lean: float


class Said(NamedTuple):
    """Of one month and the one before it that was seen: whether they were compared, whether some class is said to have
    gained or lost ten points, and whether snow is said to have come or gone.
    """

    compared: bool
    changed: bool
    snow: bool


class Repeated(NamedTuple):
    """How far the share of trees is from what a sky without cloud would have given, and how far draws of overpasses
    spread, 0..1.
    """

    error: float
    spread: float


class Tally(NamedTuple):
    """Errors (cases, 9) of months and of years by estimator, what composites were like by rule, what is said of months
    by what is compared, and what the repeatability of months and years is worth.
    """

    months: dict[str, np.ndarray]
    years: dict[str, np.ndarray]
    composites: dict[str, list[Composite]]
    said: dict[str, list[Said]]
    repeated: dict[str, list[Repeated]]


def rows() -> Iterator[Row]:
    """The table: error of months and years, wrong and leaning composites, each beside what was before."""
    for kind in KINDS:
        tally = simulated(kind, _PLACES)
        bar = Bar(_BARS.get(kind, 1.0))
        for period, errors in (("month", tally.months), ("year", tally.years)):
            for what, measure in _MEASURES.items():
                ours, before = measure(errors[PIXELS]), measure(errors[BEFORE])
                strata = f"{measure(errors[STRATA]):.2f} {STRATA}, {len(errors[PIXELS])} {period}s"
                judged = bar if what == "trees, RMSE" else Bar(1.0)
                yield Row(_AREA, f"{kind}: {period}, {what}", "points", ours, BEFORE, before, judged, strata)
            bias = [float(errors[rule][:, TREES].mean()) for rule in (PIXELS, BEFORE, STRATA)]
            reading = f"{bias[1]:+.2f} {BEFORE}, {bias[2]:+.2f} {STRATA}"
            yield Row(_AREA, f"{kind}: {period}, trees, bias", "points", bias[0], reading=reading)
        for views in (1, 2, 3) if kind == _LEANING else ():
            settled, mode = ([c for c in tally.composites[rule] if c.views == views] for rule in ("settled", "mode"))
            what = f"{kind}: composite of a month with {views} view{'s' if views > 1 else ''}"
            reading = f"{len(settled)} months"
            yield Row(
                _AREA, f"{what}, wrong", "%", _mean(settled, "wrong"), "mode", _mean(mode, "wrong"), Bar(1.0), reading
            )
            bar_of_lean = Bar(1.5) if views == 2 else None
            lean = abs(_mean(settled, "lean"))
            reading = f"mode {_mean(mode, 'lean'):+.2f}; of tied cells {_mean(settled, 'tied_lean'):+.2f}, mode "
            reading += f"{_mean(mode, 'tied_lean'):+.2f}"
            yield Row(_AREA, f"{what}, net lean", "points", lean, bar=bar_of_lean, reading=reading)
        if kind != _SEASONAL:
            yield from _of_sentences(kind, tally.said)
        for period, cases in tally.repeated.items():
            held = 100 * float(np.mean([abs(case.error) <= case.spread for case in cases]))
            width = 100 * float(np.mean([case.spread for case in cases]))
            reading = f"{width:.1f} points to each side, {len(cases)} {period}s"
            what = f"{kind}: {period}, repeatability holds the trees of a sky without cloud"
            yield Row(_AREA, what, "%", held, bar=Bar(89, at_least=True), reading=reading)


def _of_sentences(kind: str, said: dict[str, list[Said]]) -> Iterator[Row]:
    def share(rule: str, name: str) -> float:
        return 100 * float(np.mean([getattr(month, name) for month in said[rule]]))

    reading = f"{share(ANY, 'changed'):.1f} % by {ANY}, of {len(said[SAID])} months in which nothing happens"
    what = f"{kind}: said to gain or lose ten points"
    yield Row(_AREA, what, "% of months", share(SAID, "changed"), bar=Bar(0.1), reading=reading)
    compared, changed = share(TWICE, "compared"), share(TWICE, "changed")
    reading = f"{compared:.0f} % on {TWICE}, of which {changed:.1f} % are said to have changed"
    yield Row(_AREA, f"{kind}: months compared with the one before", "%", share(SAID, "compared"), reading=reading)
    what, peer = f"{kind}: snow said to come or go", "5 % of the composite"
    yield Row(_AREA, what, "% of months", share(SAID, "snow"), peer, share(ANY, "snow"), Bar(1.0))


def _rmse(class_id: int) -> Any:
    return lambda errors: float(np.sqrt((errors[:, class_id] ** 2).mean()))


_MEASURES: dict[str, Any] = {
    "trees, RMSE": _rmse(TREES),
    "snow, RMSE": _rmse(SNOW),
    "misplaced": lambda errors: float(np.abs(errors).sum(1).mean() / 2),
}


def simulated(kind: str, places: int, seed: int = 20_260_201) -> Tally:
    """So many places of a kind, four years each, of which the first is only what came before."""
    months, years = defaultdict(list), defaultdict(list)
    composites: dict[str, list[Composite]] = defaultdict(list)
    said: dict[str, list[Said]] = defaultdict(list)
    repeated: dict[str, list[Repeated]] = defaultdict(list)
    for number in range(places):
        place = Place(seed + number, **KINDS[kind])
        seen = [place.year(_FIRST + n, every_pass=True) for n in range(_YEARS)]
        told: list[Month] = []
        for n, year in enumerate(seen):
            strata = sum(m.votes for m in told[-12:]).argmax(0) if n else np.zeros((SIDE, SIDE), int)
            mean = np.nanmean(year.probabilities[[(view != UNSEEN).any() for view in year.labels]], 0)
            of_year = settled_year(mean)
            for month in range(1, 13):
                told.append(_month(year, month, told[-_TRAILING:], strata))
                if n:
                    for rule, composite in _composites(told[-_TRAILING - 1 :], of_year, place.base):
                        composites[rule].append(composite)
        for n in range(1, _YEARS):
            this, earlier = told[12 * n : 12 * n + 12], told[: 12 * n]
            truth = np.mean([m.truth for m in this], 0)
            for m in this:
                for name, shares in (m.shares or {}).items():
                    months[name].append(shares - m.truth)
            shown = [m for m in this if m.shares]
            for period, cases in (("month", [[m] for m in shown]), ("year", [shown])):
                repeated[period] += [case for months_of in cases if (case := _repeated(months_of))]
            for name in (BEFORE, STRATA, PIXELS):
                given = [m.shares[name] if m.shares else None for m in this]
                past = [m.shares[name] if m.shares else None for m in earlier]
                whole = given if name == BEFORE else filled_year(given, past)
                years[name].append(np.mean([shares for shares in whole if shares is not None], 0) - truth)
        for then, now in pairwise(m for m in told[12:] if m.shares):
            for rule, of_month in _said(then, now):
                said[rule].append(of_month)
    return Tally(_in_points(months), _in_points(years), composites, said, repeated)


def settled_month(votes: np.ndarray, last: np.ndarray, trailing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class of each cell of a month (UNSEEN where it was never seen), and its class shares (9, rows, columns).

    A cell that was not seen has its last class of the trailing twelve months; ties go to their votes.
    """
    unseen = votes.sum(0) == 0
    own = np.where(unseen, last == _CLASSES, votes).astype(float)
    known = own.sum(0) > 0
    score = own + trailing / (trailing.sum(0) + 1)
    return np.where(known, score.argmax(0), UNSEEN), own / np.maximum(own.sum(0), 1)


def settled_year(mean_probabilities: np.ndarray) -> np.ndarray:
    """The class of each cell of a year."""
    return np.asarray(mean_probabilities.argmax(0))


def filled_year(months: Sequence[np.ndarray | None], earlier: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
    """A year's months; those not seen are as in earlier years, moved by what the months seen in both differ by."""
    usual = []
    for number in range(12):
        past = [shares for shares in earlier[number::12] if shares is not None]
        usual.append(np.mean(past, 0) if past else None)
    differences = [m - u for m, u in zip(months, usual, strict=True) if m is not None and u is not None]
    filled: list[np.ndarray | None] = []
    for month, as_usual in zip(months, usual, strict=True):
        if month is None and as_usual is not None and differences:
            moved = np.maximum(0, as_usual + np.mean(differences, 0))
            filled.append(moved / moved.sum())
        else:
            filled.append(month)
    return filled


def _month(year: Year, number: int, before: Sequence[Month], strata: np.ndarray) -> Month:
    these = [moment.month == number for moment in year.moments]
    truth = _shares(year.cloudless[these])
    views = year.labels[these]
    views = views[(views != UNSEEN).any((1, 2))]
    votes = np.stack([(views == c).sum(0) for c in range(9)])
    coverage = (views != UNSEEN).mean((1, 2))
    last = np.full((SIDE, SIDE), UNSEEN)
    for view in [*(m.last for m in before), *views]:
        last = np.where(view == UNSEEN, last, view)
    own_last = np.full((SIDE, SIDE), UNSEEN)
    for view in views:
        own_last = np.where(view == UNSEEN, own_last, view)
    classes, of_cells = settled_month(votes, last, sum((m.votes for m in before), votes))
    usable = np.array([_shares(view[view != UNSEEN]) * (view != UNSEEN).sum() for view in views[coverage >= _FLOOR]])
    if not (coverage >= _FLOOR).any():
        return Month(votes, coverage, own_last, None, truth, classes, usable)
    pooled, stratified = votes.sum((1, 2)) / votes.sum(), np.zeros(9)
    for stratum in np.unique(strata):
        inside = votes[:, strata == stratum].sum(1)
        stratified += (strata == stratum).mean() * (inside / inside.sum() if inside.sum() else pooled)
    shares = {
        BEFORE: np.mean([_shares(view[view != UNSEEN]) for view in views[coverage >= _FLOOR]], 0),
        STRATA: stratified,
        PIXELS: of_cells[:, classes != UNSEEN].mean(1),
    }
    return Month(votes, coverage, own_last, shares, truth, classes, usable)


def _said(then: Month, now: Month) -> Iterator[tuple[str, Said]]:
    for rule, times in ((ANY, 0), (TWICE, 2)):
        both = (then.votes.sum(0) >= times) & (now.votes.sum(0) >= times)
        one, two = (_shares(m.votes.argmax(0)[(m.votes.sum(0) > 0) & both]) for m in (then, now))
        compared = bool(both.mean() >= _BOTH_SEEN)
        crossed = (one[SNOW] < _SNOW_CROSSED) != (two[SNOW] < _SNOW_CROSSED)
        yield rule, Said(compared, compared and bool((np.abs(two - one) >= _CHANGED).any()), bool(crossed))
    text = month_sentence(2, _seen(now), ("January", _seen(then)), "", Language.EN)
    changed, snow = ("gained" in text or "lost" in text), ("snow appears" in text or "no more snow" in text)
    yield SAID, Said(comparable(_seen(then), _seen(now)), changed, snow)


def _repeated(months: Sequence[Month]) -> Repeated | None:
    """Of one month, or of those of a year that were seen; None where there is nothing to draw from."""
    found = spread([month.views for month in months])
    errors = [month.shares[PIXELS][TREES] - month.truth[TREES] for month in months if month.shares]
    return None if found is None else Repeated(float(np.mean(errors)), float(found[TREES]))


def _seen(month: Month) -> Seen:
    """A month as a report has it."""
    seen, usable = month.votes.sum(0) > 0, month.coverage[month.coverage >= _FLOOR]
    shares = (_shares(month.votes.argmax(0)[seen]), _shares(month.settled[month.settled != UNSEEN]))
    composite, settled = (tuple(map(float, of)) for of in shares)
    views = float(usable.sum() ** 2 / (usable**2).sum())
    return Seen(composite, seen.mean() * AREA_M2 / 1e4, float(seen.mean()), settled, views)


def _composites(months: Sequence[Month], of_year: np.ndarray, truth: np.ndarray) -> Iterator[tuple[str, Composite]]:
    *before, month = months
    seen = month.votes.sum(0) > 0
    if not seen.any():
        return
    tied = (month.votes == month.votes.max(0)).sum(0) > 1
    settled, _ = settled_month(month.votes, month.last, sum((m.votes for m in before), month.votes))
    for rule, classes in (("mode", month.votes.argmax(0)), ("settled", settled)):
        lean = (classes < of_year).astype(float) - (classes > of_year)
        wrong = 100 * float((classes != truth)[seen].mean())
        of_tied = 100 * float((lean * tied)[seen].mean())
        yield rule, Composite(len(month.coverage), wrong, 100 * float(lean[seen].mean()), of_tied)


def _shares(labels: np.ndarray) -> np.ndarray:
    return np.bincount(labels.ravel(), minlength=9)[:9] / max(1, labels.size)


def _mean(composites: list[Composite], name: str) -> float:
    return float(np.mean([getattr(composite, name) for composite in composites]))


def _in_points(errors: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: 100 * np.array(found) for name, found in errors.items()}
