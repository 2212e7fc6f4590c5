"""What registering AOIs costs, before it is done: ranges, each with what it rests on.

How many overpasses there are is either listed (``shared/cost/workload.py``), or what is usual by Sentinel-2's orbits
(``usual.py``): the webhook answers at once, has no right to ask Earth Engine, and needs none.
"""

import math
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from shared.aois.feature import RegisteredAoi, outline_of
from shared.cost.prices import (
    MEMORY_GIB,
    OBSERVATION_BYTES,
    PRICE,
    Size,
    classifying_seconds,
    dollars_a_month,
    dollars_of_history,
    dollars_of_pixels,
    finding_seconds,
)
from shared.cost.usual import a_month_of_the_network, usual_history, usual_month
from shared.cost.work import GUESS, Rate, Work, Workload, eecu_hours
from shared.geometry.cells import cells_of
from shared.settings import Settings

_CLASSIFY = ("off", "gaps", "always")


class Estimate(NamedTuple):
    """A history between two amounts of work, and a month after it by two rates of usable views; a month of the network
    by each value of the setting ``classify``.
    """

    aoi_count: int
    area_m2: float
    tiles: int
    history: tuple[Workload, Workload]
    month: tuple[Workload, Workload]
    classify: dict[str, tuple[Work, Work]]
    rate: Rate
    overpasses_from: str

    def document(self) -> dict[str, Any]:
        """As JSON: each number is a range of two, equal where it is known."""
        return {
            "aoi_count": self.aoi_count,
            "area_km2": self.area_m2 / 1e6,
            "history": {
                "earth_engine_requests": [work.together.requests for work in self.history],
                **self._amounts(self.history),
                "dollars": [_dollars(self._history_dollars(work)) for work in self.history],
            },
            "month": {
                **self._amounts(self.month),
                "dollars": [_dollars(self._month_dollars(work)) for work in self.month],
            },
            "classify": {setting: self._of_the_network(work) for setting, work in self.classify.items()},
            "assumptions": {
                "overpasses": self.overpasses_from,
                "eecu_hours_for_1e9_band_pixels": [self.rate.low, self.rate.high],
                "eecu_hours_from": self.rate.source,
                "dollars": "list prices, without Earth Engine; earth_engine_dollars are a commercial project's",
            },
        }

    def _amounts(self, work: tuple[Workload, Workload]) -> dict[str, Any]:
        together = [each.together for each in work]
        hours_range = eecu_hours((together[0], together[1]), self.rate)
        return {
            "overpasses": [each.measuring.overpasses for each in work],
            "composites": [each.measuring.composites for each in work],
            "pairs_of_years": [each.measuring.pairs for each in work],
            "classifications": [each.classifying.overpasses for each in work],
            "years_of_patches": [each.finding.years for each in work],
            "pixel_requests": [each.fetches for each in together],
            "classify_seconds": [round(classifying_seconds(each.classifying)) for each in work],
            "find_changes_seconds": [round(finding_seconds(each.finding)) for each in work],
            "eecu_hours": [_rounded(hours) for hours in hours_range],
            "rows": [each.rows for each in together],
            "bytes": [each.rows * OBSERVATION_BYTES for each in together],
            "earth_engine_dollars": [_dollars(hours * PRICE["EECU hour"]) for hours in hours_range],
        }

    def _of_the_network(self, work: tuple[Work, Work]) -> dict[str, Any]:
        return {
            "classifications": [each.overpasses for each in work],
            "pixel_requests": [each.fetches for each in work],
            "seconds": [round(classifying_seconds(each)) for each in work],
            "memory_gib": MEMORY_GIB["classify"],
            "eecu_hours": [_rounded(hours) for hours in eecu_hours(work, self.rate)],
            "dollars": [_dollars(sum(dollars_of_pixels(each, Work()).values())) for each in work],
        }

    def _history_dollars(self, work: Workload) -> float:
        return sum(dollars_of_history(self.aoi_count, work).values())

    def _month_dollars(self, work: Workload) -> float:
        views = work.measuring.overpasses / max(1, self.aoi_count)
        of_pixels = dollars_of_pixels(work.classifying, work.finding)
        return sum(dollars_a_month(Size(self.aoi_count, self.tiles), views).values()) + sum(of_pixels.values())


def usual_estimate(aois: Sequence[RegisteredAoi], today: date, settings: Settings, rate: Rate = GUESS) -> Estimate:
    """What these AOIs cost by the overpasses that are usual where they lie."""
    return estimate(
        aois,
        usual_history(aois, today, settings),
        settings,
        rate,
        "usual for the place and time by Sentinel-2's orbits; a fifth to all of the passes are clear enough",
    )


def estimate(
    aois: Sequence[RegisteredAoi],
    history: tuple[Workload, Workload],
    settings: Settings,
    rate: Rate,
    overpasses_from: str,
) -> Estimate:
    """What these AOIs cost when their history is so much work; the month after it is by usual overpasses."""
    cells = {cell for aoi in aois for cell in cells_of(outline_of(aoi))}
    return Estimate(
        len(aois),
        math.fsum(aoi.area_m2 for aoi in aois),
        len(cells),
        history,
        usual_month(aois, settings),
        {each: a_month_of_the_network(aois, settings.model_copy(update={"classify": each})) for each in _CLASSIFY},
        rate,
        overpasses_from,
    )


def _rounded(value: float) -> float:
    """Two digits that mean something, of a guess."""
    return float(f"{value:.3g}")


def _dollars(value: float) -> float:
    return round(value, 2)
