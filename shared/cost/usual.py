"""How much work is usual for AOIs where they lie, nothing listed: of their history, and of a month after it.

Each is from and to: ``end`` 0 is the lower end, 1 the upper.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date

from shared.aois.feature import RegisteredAoi
from shared.aois.neighbours import registrations_of
from shared.change.pairing import pairs_of_years
from shared.change.planning import CHANGES_PER_MESSAGE
from shared.change.watching import window_side
from shared.classes import CLASSES
from shared.cost.orbits import box_pixels, overpasses_in, unpublished_in, usual_overpasses
from shared.cost.work import OBSERVED_BANDS, Work, Workload, history_row, network_tile
from shared.geometry.cutting import pixels
from shared.measurement.budgets import Budget, composite_budget, observation_budget, transition_budget
from shared.measurement.composing import SETTLED_BY_MONTHS, YEARS_PER_LISTING
from shared.measurement.jobs import REQUESTS_PER_INVOCATION
from shared.measurement.unseen import WINDOW_DAYS
from shared.network.tiling import CORE_PIXELS, MARGIN_PIXELS
from shared.settings import DYNAMIC_WORLD_START, Settings

_DAYS_A_YEAR, _MONTHS_A_YEAR = 365, 12
_DAYS_A_MONTH = _DAYS_A_YEAR / _MONTHS_A_YEAR
# From 2018 on, two whole years of images lie before a year.
_FIRST_WATCHED_YEAR = DYNAMIC_WORLD_START.year + 3
# Finding the patches of a year reads the two years before it, itself, and 240 days after it.
_YEARS_WATCHED = 1 + 240 / 365
# A view asks for its own year again, of which half has passed on average, and in its first 240 days for the one before.
YEARS_FOUND_FOR_A_VIEW = 1 + 240 / 365
_YEARS_WATCHED_SO_FAR = (0.5 + 240 / 365 * (1 + 240 / 365 / 2)) / YEARS_FOUND_FOR_A_VIEW
# Tiles of Sentinel-2 overlap, so that one or two scenes see a place.
_SCENES = (1, 2)


def usual_history(aois: Sequence[RegisteredAoi], today: date, settings: Settings) -> tuple[Workload, Workload]:
    """The work of the history of these AOIs by the overpasses that are usual where they lie, from and to."""
    return _usual_history(aois, today, settings, 0), _usual_history(aois, today, settings, 1)


def usual_month(aois: Sequence[RegisteredAoi], settings: Settings) -> tuple[Workload, Workload]:
    """A month's work: each view is measured, renews its month's composite, which the year before settles, and has the
    patches of its year found anew; the year's composite is made once, of half a year's views or, in January, of all,
    and compared with the year before and the baseline year; the network classifies passes of which there is no image.
    """
    return _usual_month(aois, settings, 0), _usual_month(aois, settings, 1)


def a_month_of_the_network(aois: Sequence[RegisteredAoi], settings: Settings) -> tuple[Work, Work]:
    """What the network is asked for in a month, as the setting ``classify`` is."""
    return _classified(aois, _DAYS_A_MONTH, settings, 0), _classified(aois, _DAYS_A_MONTH, settings, 1)


def _classified(aois: Iterable[RegisteredAoi], days: float, settings: Settings, end: int) -> Work:
    work = Work()
    if settings.classify == "off":
        return work
    for aoi in aois:
        passes = unpublished_in(aoi, days, 2, waiting=settings.classify == "gaps")[end]
        scenes = _SCENES[end]
        once = Work(overpasses=1, listings=1, computations=scenes).plus(_network_tiles(aoi).times(scenes))
        work = work.plus(once.times(passes))
    return work


def _network_tiles(aoi: RegisteredAoi) -> Work:
    sides = box_pixels(aoi)
    counts = [math.ceil(side / CORE_PIXELS) for side in sides]
    height, width = (side // count + 2 * MARGIN_PIXELS for side, count in zip(sides, counts, strict=True))
    return network_tile(height, width).times(counts[0] * counts[1])


def _usual_history(aois: Sequence[RegisteredAoi], today: date, settings: Settings, end: int) -> Workload:
    """The work of a history at the lower (0) or upper (1) end of what is usual; requests are those of full budgets."""
    by_id = {aoi.aoi_id: aoi for aoi in aois}
    measuring = finding = Work()
    for message in registrations_of([history_row(aoi) for aoi in aois]):
        neighbours = [by_id[new.aoi_id] for new in message.aois]
        measuring = measuring.plus(_measured_together(neighbours, today, settings, end))
        finding = finding.plus(_found_together(neighbours, today, settings, end))
    return Workload(measuring, _classified(aois, WINDOW_DAYS, settings, end), finding)


def _measured_together(aois: Sequence[RegisteredAoi], today: date, settings: Settings, end: int) -> Work:
    """The work of neighbours, who share overpasses."""
    counts = [usual_overpasses(aoi, aoi.backfill_start, today)[end] for aoi in aois]
    if not any(counts):
        return Work(listings=1)
    years = max(today.year - aoi.backfill_start.year + 1 for aoi in aois)
    months = [(today.year - aoi.backfill_start.year) * 12 + today.month - aoi.backfill_start.month + 1 for aoi in aois]
    of_months = sum(min(count, each) for count, each in zip(counts, months, strict=True))
    of_years = sum(min(count, math.ceil(each / 12)) for count, each in zip(counts, months, strict=True))
    area_pixels = [pixels(aoi.area_m2) for aoi in aois]
    used = sum(each * count for each, count in zip(area_pixels, counts, strict=True))
    computing = _requests(Budget(max(counts), sum(counts), used, 0), observation_budget(settings))
    of_each = 1 + SETTLED_BY_MONTHS  # a view's label is read for its month, and for those that it settles
    composing = _requests(Budget(max(months), of_months, of_each * used, 0), composite_budget(settings))
    composing += _requests(Budget(years, of_years, used, 0), composite_budget(settings, years=True))
    eras = math.ceil(years / YEARS_PER_LISTING) + 1
    measured = Work(
        overpasses=sum(counts),
        composites=of_months + of_years,
        listings=1 + math.ceil(computing / REQUESTS_PER_INVOCATION) + 2 * eras,
        computations=computing + max(composing, 2 * eras),
        pixels=used,
        label_pixels=(of_each + OBSERVED_BANDS) * used,
    )
    return measured.plus(_compared_together(aois, counts, today, settings))


def _compared_together(aois: Sequence[RegisteredAoi], counts: Sequence[int], today: date, settings: Settings) -> Work:
    """Comparing the years of neighbours with so many overpasses: a pair reads the nine probabilities of two years."""
    pairs = reads = most = 0
    for aoi, count in zip(aois, counts, strict=True):
        years = range(aoi.backfill_start.year, today.year + 1)
        of_aoi = len(list(pairs_of_years(years, settings.baseline_year))) if count else 0
        pairs, most = pairs + of_aoi, max(most, of_aoi)
        reads += round(of_aoi * 2 * count / len(years) * pixels(aoi.area_m2))
    if not pairs:
        return Work()
    comparing = max(most, _requests(Budget(most, pairs, reads, 0), transition_budget(settings)))
    return Work(pairs=pairs, listings=2 * most, computations=comparing, label_pixels=len(CLASSES) * reads)


def _requests(use: Budget, budget: Budget) -> int:
    return max(math.ceil(used / limit) for used, limit in zip(use, budget, strict=True))


def _found_together(aois: Sequence[RegisteredAoi], today: date, settings: Settings, end: int) -> Work:
    """The patches of all years of neighbours, those that are not too large; a message has a year of some of them."""
    work = Work()
    for aoi in aois:
        if aoi.area_m2 > settings.max_watched_km2 * 1e6 or not usual_overpasses(aoi, aoi.backfill_start, today)[end]:
            continue
        years = range(aoi.backfill_start.year, today.year + 1)
        watched = sum(year >= _FIRST_WATCHED_YEAR for year in years)
        a_year = overpasses_in(aoi, _DAYS_A_YEAR, satellites=2)[end]
        once = _windows(aoi, 2 * a_year, round(a_year * _YEARS_WATCHED), settings, end)
        work = work.plus(Work(years=len(years))).plus(once.times(watched))
    return work._replace(listings=math.ceil(work.years / CHANGES_PER_MESSAGE))


def _windows(aoi: RegisteredAoi, baseline: int, views: int, settings: Settings, end: int) -> Work:
    """Fetching the labels of one year once: from the AOI's own pixels to those of the box around it."""
    side = window_side(baseline, views, settings.label_pixel_budget)
    height, width = box_pixels(aoi)
    own = pixels(aoi.area_m2)
    fetches = (math.ceil(own / side**2), math.ceil(height / side) * math.ceil(width / side))[end]
    return Work(fetches=fetches, label_pixels=(own, height * width)[end] * (baseline + views))


def _usual_month(aois: Iterable[RegisteredAoi], settings: Settings, end: int) -> Workload:
    measuring = finding = Work()
    for aoi in aois:
        year = overpasses_in(aoi, _DAYS_A_YEAR, satellites=2)[end]
        views = year / _MONTHS_A_YEAR
        so_far = (0.5, 1.0)[end]
        pairs = 2 if settings.baseline_year else 1
        composed = views * (views + 1) / 2 + views * year
        composed += year * (OBSERVED_BANDS * so_far + pairs * len(CLASSES) * (so_far + 1))
        area_pixels = pixels(aoi.area_m2)
        measuring = measuring.plus(
            Work(
                overpasses=round(views),
                composites=round(views) + 1,
                pairs=pairs,
                pixels=round(area_pixels * views),
                label_pixels=round(area_pixels * composed),
            )
        )
        if aoi.area_m2 <= settings.max_watched_km2 * 1e6:
            once = _windows(aoi, 2 * year, round(year * _YEARS_WATCHED_SO_FAR), settings, end)
            found = round(views * YEARS_FOUND_FOR_A_VIEW)
            finding = finding.plus(once.plus(Work(years=1, listings=1)).times(found))
    return Workload(measuring, _classified(aois, _DAYS_A_MONTH, settings, end), finding)
