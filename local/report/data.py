"""The numbers of a report, read from the warehouse once."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.errors import UserInputError
from shared.warehouse.client import Warehouse


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


def read_report(warehouse: Warehouse, aoi_id: str, year: int) -> ReportData:
    """Raises UserInputError when the warehouse has nothing on that AOI and year."""
    monthly = warehouse.query("report_year", aoi_id=aoi_id, year=year)
    annual = warehouse.query("report_annual", aoi_id=aoi_id, year=year)
    if not monthly or not annual:
        raise UserInputError(f"the warehouse has no summary of AOI {aoi_id!r} for {year}")
    first = monthly[0]
    return ReportData(aoi_id, first["aoi_label"] or aoi_id, year, first["aoi_area_ha"], monthly, annual)
