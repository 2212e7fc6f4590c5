"""What registering AOIs costs, before it is done: ranges, each with what it rests on.

How many overpasses there are is either listed (``shared/workload.py``), or what is usual by Sentinel-2's orbits: the
webhook answers at once, has no right to ask Earth Engine, and needs none.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from shared.aois.feature import RegisteredAoi, outline_of
from shared.aois.neighbours import registrations_of
from shared.cost.orbits import overpasses_in, usual_overpasses
from shared.cost.prices import OBSERVATION_BYTES, PRICE, Size, dollars_a_month, dollars_of_history
from shared.geometry.cells import cells_of
from shared.geometry.cutting import pixels
from shared.measurement.budgets import Budget, composite_budget, observation_budget
from shared.measurement.composing import YEARS_PER_LISTING
from shared.measurement.jobs import REQUESTS_PER_INVOCATION
from shared.settings import Settings

# EECU-hours for 10⁹ pixels × bands. No page tells and no request was measured for it: a guess over a factor of five, to
# be replaced by what ``landcover probe --write`` measures.
_GUESSED_RATE = (0.1, 0.5)
OBSERVED_BANDS = 10  # nine probabilities and the label; a composite reads the label alone
_DAYS_A_YEAR, _MONTHS_A_YEAR = 365, 12


class Work(NamedTuple):
    """What a history takes: rows of observations (``overpasses``, one for each AOI and overpass) and of composites,
    requests to Earth Engine that list or compute, and AOI pixels × overpasses of observations and of composites.
    """

    overpasses: int = 0
    composites: int = 0
    listings: int = 0
    computations: int = 0
    pixels: int = 0
    label_pixels: int = 0

    def plus(self, other: "Work") -> "Work":
        """Both together."""
        return Work(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def requests(self) -> int:
        """Earth Engine requests."""
        return self.listings + self.computations

    @property
    def rows(self) -> int:
        """Rows of observations and composites."""
        return self.overpasses + self.composites

    @property
    def band_pixels(self) -> int:
        """Pixels × bands that Earth Engine reads."""
        return self.pixels * OBSERVED_BANDS + self.label_pixels


class Rate(NamedTuple):
    """EECU-hours for 10⁹ pixels × bands, from and to, and where that is from."""

    low: float
    high: float
    source: str


GUESS = Rate(*_GUESSED_RATE, "a guess that nobody measured; landcover probe --write measures")


def eecu_hours(work: tuple[Work, Work], rate: Rate) -> tuple[float, float]:
    """EECU-hours of work that lies between two amounts, from and to."""
    low, high = work
    return low.band_pixels / 1e9 * rate.low, high.band_pixels / 1e9 * rate.high


class Estimate(NamedTuple):
    """A history between two amounts of work, and a month after it by two rates of usable views."""

    aoi_count: int
    area_m2: float
    tiles: int
    history: tuple[Work, Work]
    month: tuple[Work, Work]
    rate: Rate
    overpasses_from: str

    def document(self) -> dict[str, Any]:
        """As JSON: each number is a range of two, equal where it is known."""
        return {
            "aoi_count": self.aoi_count,
            "area_km2": self.area_m2 / 1e6,
            "history": {
                "earth_engine_requests": [work.requests for work in self.history],
                **self._amounts(self.history),
                "dollars": [_dollars(self._history_dollars(work)) for work in self.history],
            },
            "month": {
                **self._amounts(self.month),
                "dollars": [_dollars(self._month_dollars(work)) for work in self.month],
            },
            "assumptions": {
                "overpasses": self.overpasses_from,
                "eecu_hours_for_1e9_band_pixels": [self.rate.low, self.rate.high],
                "eecu_hours_from": self.rate.source,
                "dollars": "list prices, without Earth Engine; earth_engine_dollars are a commercial project's",
            },
        }

    def _amounts(self, work: tuple[Work, Work]) -> dict[str, Any]:
        hours_range = eecu_hours(work, self.rate)
        return {
            "overpasses": [each.overpasses for each in work],
            "composites": [each.composites for each in work],
            "eecu_hours": [_rounded(hours) for hours in hours_range],
            "rows": [each.rows for each in work],
            "bytes": [each.rows * OBSERVATION_BYTES for each in work],
            "earth_engine_dollars": [_dollars(hours * PRICE["EECU hour"]) for hours in hours_range],
        }

    def _history_dollars(self, work: Work) -> float:
        return sum(dollars_of_history(self.aoi_count, work.listings, work.computations, work.rows).values())

    def _month_dollars(self, work: Work) -> float:
        views = work.overpasses / max(1, self.aoi_count)
        return sum(dollars_a_month(Size(self.aoi_count, self.tiles), views).values())


def usual_estimate(aois: Sequence[RegisteredAoi], today: date, settings: Settings, rate: Rate = GUESS) -> Estimate:
    """What these AOIs cost by the overpasses that are usual where they lie."""
    return estimate(
        aois,
        usual_history(aois, today, settings),
        rate,
        "usual for the place and time by Sentinel-2's orbits; a fifth to all of the passes are clear enough",
    )


def estimate(aois: Sequence[RegisteredAoi], history: tuple[Work, Work], rate: Rate, overpasses_from: str) -> Estimate:
    """What these AOIs cost when their history is so much work; the month after it is by usual overpasses."""
    cells = {cell for aoi in aois for cell in cells_of(outline_of(aoi))}
    return Estimate(
        len(aois),
        math.fsum(aoi.area_m2 for aoi in aois),
        len(cells),
        history,
        (_usual_month(aois, 0), _usual_month(aois, 1)),
        rate,
        overpasses_from,
    )


def usual_history(aois: Sequence[RegisteredAoi], today: date, settings: Settings) -> tuple[Work, Work]:
    """The work of the history of these AOIs by the overpasses that are usual where they lie, from and to."""
    return _usual_history(aois, today, settings, 0), _usual_history(aois, today, settings, 1)


def history_row(aoi: RegisteredAoi) -> dict[str, Any]:
    """As ``histories_wanted.sql`` answers for an AOI that is new."""
    west_deg, south_deg, _, _ = aoi.bounds_deg
    return {
        "aoi_id": aoi.aoi_id,
        "aoi_version": 1,
        "backfill_start": aoi.backfill_start,
        "south_deg": south_deg,
        "west_deg": west_deg,
    }


def _usual_history(aois: Sequence[RegisteredAoi], today: date, settings: Settings, end: int) -> Work:
    """The work of a history at the lower (0) or upper (1) end of what is usual; requests are those of full budgets."""
    by_id = {aoi.aoi_id: aoi for aoi in aois}
    work = Work()
    for message in registrations_of([history_row(aoi) for aoi in aois]):
        work = work.plus(_together([by_id[new.aoi_id] for new in message.aois], today, settings, end))
    return work


def _together(aois: Sequence[RegisteredAoi], today: date, settings: Settings, end: int) -> Work:
    """The work of neighbours, who share overpasses."""
    counts = [usual_overpasses(aoi, aoi.backfill_start, today)[end] for aoi in aois]
    if not any(counts):
        return Work(listings=1)
    years = max(today.year - aoi.backfill_start.year + 1 for aoi in aois)
    months = [(today.year - aoi.backfill_start.year) * 12 + today.month - aoi.backfill_start.month + 1 for aoi in aois]
    composites = sum(min(count, each + math.ceil(each / 12)) for count, each in zip(counts, months, strict=True))
    area_pixels = [pixels(aoi.area_m2) for aoi in aois]
    used = sum(each * count for each, count in zip(area_pixels, counts, strict=True))
    computing = _requests(Budget(max(counts), sum(counts), used, 0), observation_budget(settings))
    composing = _requests(Budget(max(months) + years, composites, 2 * used, 0), composite_budget(settings))
    eras = math.ceil(years / YEARS_PER_LISTING) + 1
    return Work(
        sum(counts),
        composites,
        1 + math.ceil(computing / REQUESTS_PER_INVOCATION) + 2 * eras,
        computing + max(composing, 2 * eras),
        used,
        2 * used,  # once in its month, once in its year
    )


def _requests(use: Budget, budget: Budget) -> int:
    return max(math.ceil(used / limit) for used, limit in zip(use, budget, strict=True))


def _usual_month(aois: Iterable[RegisteredAoi], end: int) -> Work:
    """A month's work but its requests: each view is measured and renews its month's composite; the year's is made once,
    of half a year's views or, in January, of all.
    """
    work = Work()
    for aoi in aois:
        year = overpasses_in(aoi, _DAYS_A_YEAR, satellites=2)[end]
        views = year / _MONTHS_A_YEAR
        composed = views * (views + 1) / 2 + year * (0.5, 1.0)[end]
        area_pixels = pixels(aoi.area_m2)
        work = work.plus(
            Work(
                overpasses=round(views),
                composites=round(views) + 1,
                pixels=round(area_pixels * views),
                label_pixels=round(area_pixels * composed),
            )
        )
    return work


def _rounded(value: float) -> float:
    """Two digits that mean something, of a guess."""
    return float(f"{value:.3g}")


def _dollars(value: float) -> float:
    return round(value, 2)
