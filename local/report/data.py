"""The numbers of a report, read from the warehouse once."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from local.report.choices import Language
from local.report.seasons import Seasons, seasons
from local.report.sentences import SNOW, month_sentence, shares_of, year_sentence
from shared.errors import UserInputError
from shared.warehouse.client import Warehouse

_MOST_NAMED = 10


@dataclass(frozen=True)
class ReportData:
    """Rows of ``report_monthly`` and ``report_annual`` for one AOI and year."""

    aoi_id: str
    label: str
    year: int
    area_ha: float
    monthly: list[dict[str, Any]]
    annual: list[dict[str, Any]]

    @property
    def months(self) -> list[date]:
        return sorted({row["month"] for row in self.monthly})

    def month(self, month: date) -> list[dict[str, Any]]:
        """The nine rows of a month, by class."""
        return [row for row in self.monthly if row["month"] == month]

    def month_sentences(self, language: Language) -> dict[int, str]:
        """A sentence for each month, by its number."""
        sentences, before = {}, None
        for month in self.months:
            now = shares_of(self.month(month))
            sentences[month.month] = month_sentence(month.month, now, before, language)
            before = now if now.by_class is not None else before
        return sentences

    def year_sentence(self, language: Language) -> str:
        """The sentence of the year."""
        mean_snow = next(row["mean_share"] for row in self.annual if row["class_id"] == SNOW)
        return year_sentence(self.year, shares_of(self.annual), mean_snow, language)

    def seasons(self) -> Seasons | None:
        """What the months say of the season; None when too few were seen."""
        seen = {month.month: tuple(row["mean_share"] for row in self.month(month)) for month in self.months}
        return seasons({month: shares for month, shares in seen.items() if None not in shares})


def _what_there_is(warehouse: Warehouse, aoi_id: str) -> str:
    years = [str(row["year"]) for row in warehouse.query("years_summarised", aoi_ids=[aoi_id])]
    if years:
        return f"of that area there is {', '.join(years)}"
    others = sorted({row["aoi_id"] for row in warehouse.query("years_summarised", aoi_ids=[])})
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return f"there are {', '.join(others[:_MOST_NAMED])}{more}" if others else "nothing is summarised there yet"


def read_report(warehouse: Warehouse, aoi_id: str, year: int) -> ReportData:
    """Raises UserInputError when the warehouse has nothing on that AOI and year."""
    monthly = warehouse.query("report_year", aoi_id=aoi_id, year=year)
    annual = warehouse.query("report_annual", aoi_id=aoi_id, year=year)
    if not monthly or not annual:
        raise UserInputError(
            f"the warehouse has no summary of AOI {aoi_id!r} for {year}; {_what_there_is(warehouse, aoi_id)}"
        )
    first = monthly[0]
    return ReportData(aoi_id, first["aoi_label"] or aoi_id, year, first["aoi_area_ha"], monthly, annual)
