"""The numbers of a report, read from the warehouse once."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np

from local.report.choices import Language
from local.report.judging import Kind, Seen, kind_of, seen_of
from local.report.repeatability import spread
from local.report.seasons import Seasons, seasons
from local.report.sentences import month_sentence, unseen_reason, year_sentence
from local.report.words import MONTH_WORDS
from shared.classes import CLASSES
from shared.errors import UserInputError
from shared.warehouse.client import Warehouse

_MOST_NAMED = 10

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class ReportData:
    """What the ``report_*`` views say of one AOI and year: nine rows a month and nine of the year; nine of each year
    there is (``history``); the same months of earlier years (``baseline``); patches of changed ground of all years
    (``changes``) and where they were looked for (``watched``); what became what between years (``flows``); what became
    of each pass (``fates``); what each usable overpass saw (``views``); areas from a reference sample (``estimates``).
    """

    aoi_id: str
    aoi_version: int
    label: str
    year: int
    area_ha: float
    monthly: Rows
    annual: Rows
    history: Rows = field(default_factory=list)
    baseline: Rows = field(default_factory=list)
    changes: Rows = field(default_factory=list)
    watched: Rows = field(default_factory=list)
    flows: Rows = field(default_factory=list)
    fates: Rows = field(default_factory=list)
    views: Rows = field(default_factory=list)
    estimates: Rows = field(default_factory=list)

    @property
    def months(self) -> list[date]:
        """The months that the warehouse has rows of."""
        return sorted({row["month"] for row in self.monthly})

    def month(self, month: date) -> Rows:
        """The nine rows of a month, by class; none where the warehouse has none."""
        return [row for row in self.monthly if row["month"] == month]

    def seen(self, month: int) -> Seen:
        """What one month (1 to 12) shows, whether or not there is anything."""
        return seen_of(self.month(date(self.year, month, 1)), self.area_ha)

    def thin_views(self, month: int) -> int:
        """How many views one month (1 to 12) has where they are little to go by; 0 where they are not."""
        rows = self.month(date(self.year, month, 1))
        return int(rows[0]["observation_count"]) if rows and rows[0]["quality"] == "thin" else 0

    @property
    def seen_year(self) -> Seen:
        """What the year's composite shows."""
        return seen_of(self.annual, self.area_ha)

    def fates_of(self, month: int | None = None) -> Counter[str]:
        """How many passes of a month, or of the year, became what."""
        return Counter(row["fate"] for row in self.fates if month in {None, row["month_of_year"]})

    def month_sentences(self, language: Language) -> dict[int, str]:
        """A sentence for each of the twelve months, by its number."""
        sentences: dict[int, str] = {}
        before: tuple[str, Seen] | None = None
        said: tuple[Kind, Seen] | None = None
        for month in range(1, 13):
            now = self.seen(month)
            reason = unseen_reason(self.fates_of(month), language)
            kind = kind_of(now, said)
            sentences[month] = month_sentence(month, now, before, reason, language, kind, self.thin_views(month))
            if now.by_class is not None:
                before, said = (MONTH_WORDS[language][month - 1], now), (kind, now)
        return sentences

    def year_sentence(self, language: Language) -> str:
        """The sentence of the year."""
        means = tuple(row["mean_share"] for row in self.annual)
        reason = unseen_reason(self.fates_of(), language)
        return year_sentence(self.year, self.seen_year, means, self.months_observed, reason, language)

    @property
    def months_observed(self) -> int:
        return int(self.annual[0]["months_observed"])

    def of_year(self, rows: Rows) -> Rows:
        """Those rows that are of the year of the report."""
        return [row for row in rows if row["year"] == self.year]

    def ever(self, class_id: int) -> float:
        """The largest share that a class has in any month or in the year, in a composite or in the mean."""
        shares = (
            row[column]
            for row in (*self.monthly, *self.annual)
            if row["class_id"] == class_id
            for column in ("composite_share", "mean_share")
        )
        return max((share for share in shares if share is not None), default=0.0)

    def seasons(self) -> Seasons | None:
        """What the months say of the season; None when too few were seen."""
        seen = {month.month: tuple(row["mean_share"] for row in self.month(month)) for month in self.months}
        return seasons({month: shares for month, shares in seen.items() if None not in shares})

    def repeatability(self) -> list[float] | None:
        """By class, how far the year's mean shares would have come out elsewhere under other cloud and haze, 0..1."""
        months: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for row in self.views:
            months[row["month_of_year"]][row["overpass_id"]].append(row["label_area_m2"])
        found = spread([np.array(list(views.values())) for _, views in sorted(months.items())])
        return None if found is None else found.tolist()

    @property
    def measured_at(self) -> datetime | None:
        """When the newest of the year's observations was measured."""
        return max((row["processed_at"] for row in self.fates if row["processed_at"]), default=None)


def read_report(warehouse: Warehouse, aoi_id: str, year: int) -> ReportData:
    """Raises UserInputError when the warehouse has nothing on that AOI and year, and says what there is."""
    monthly = warehouse.query("report_year", aoi_id=aoi_id, year=year)
    history = warehouse.query("report_history", aoi_id=aoi_id)
    annual = [row for row in history if row["year"] == year]
    if not monthly or len(annual) != len(CLASSES):
        there = what_there_is(warehouse, aoi_id)
        raise UserInputError(f"the warehouse has no summary of AOI {aoi_id!r} for {year}; {there}")
    first = monthly[0]
    of_aoi = {"aoi_id": aoi_id}
    of_version = {"aoi_id": aoi_id, "aoi_version": first["aoi_version"]}
    of_year = {"aoi_id": aoi_id, "year": year}
    usable = {**of_version, "year": year, "coverage_floor": warehouse.settings.coverage_floor}
    return ReportData(
        aoi_id=aoi_id,
        aoi_version=first["aoi_version"],
        label=first["aoi_label"] or aoi_id,
        year=year,
        area_ha=first["aoi_area_ha"],
        monthly=monthly,
        annual=annual,
        history=history,
        baseline=warehouse.query("report_baseline", **of_year),
        changes=warehouse.query("report_changes", **of_aoi),
        watched=warehouse.query("report_watched", **of_version),
        flows=warehouse.query("report_flows", **of_aoi),
        fates=warehouse.query("report_fates", **usable),
        views=warehouse.query("report_views", **usable),
        estimates=warehouse.query("report_estimates", **of_year),
    )


def what_there_is(warehouse: Warehouse, aoi_id: str) -> str:
    """Which years of an AOI have a summary, or which other AOIs have one, for a person who asked for something else."""
    years = [str(row["year"]) for row in warehouse.query("years_summarised", aoi_ids=[aoi_id])]
    if years:
        return f"of that area there is {', '.join(years)}"
    others = sorted({row["aoi_id"] for row in warehouse.query("years_summarised", aoi_ids=[])})
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return f"there are {', '.join(others[:_MOST_NAMED])}{more}" if others else "nothing is summarised there yet"
