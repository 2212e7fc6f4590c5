"""The report's numbers for other programs: the rows of the views as CSV, the whole report as JSON."""

import csv
import io
import json
from typing import Any

from local.report.choices import Language
from local.report.data import ReportData

CSV_COLUMNS = (
    "aoi_id", "aoi_version", "period", "class_id", "class_name", "observation_count", "skipped_count", "mean_coverage",
    "composite_share", "composite_area_ha", "mean_share", "mean_area_ha", "probability_share",
)  # fmt: skip


def report_csv(data: ReportData) -> str:
    """Nine rows for each month (``2021-01``) and nine for the year (``2021``)."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for period, row in _periods(data):
        writer.writerow({name: _field(row, name, period) for name in CSV_COLUMNS})
    return buffer.getvalue()


def report_json(data: ReportData, language: Language) -> str:
    """Numbers, sentences and seasons."""
    sentences = data.month_sentences(language)
    found = data.seasons()
    document = {
        "aoi_id": data.aoi_id,
        "label": data.label,
        "area_ha": data.area_ha,
        "year": data.year,
        "language": language,
        "months": [
            {"month": f"{month:%Y-%m}", "sentence": sentences[month.month], **_period(data.month(month))}
            for month in data.months
        ],
        "annual": {"sentence": data.year_sentence(language), **_period(data.annual)},
        "seasons": None if found is None else found._asdict(),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _periods(data: ReportData) -> list[tuple[str, dict[str, Any]]]:
    months = [(f"{row['month']:%Y-%m}", row) for row in data.monthly]
    return [*months, *((str(data.year), row) for row in data.annual)]


def _field(row: dict[str, Any], name: str, period: str) -> Any:
    value = period if name == "period" else row[name]
    return "" if value is None else value


def _period(rows: list[dict[str, Any]]) -> dict[str, Any]:
    shared = ("observation_count", "skipped_count", "mean_coverage")
    own = (*(name for name in CSV_COLUMNS[3:] if name not in shared),)
    return {
        **{name: rows[0][name] for name in shared},
        "classes": [{name: row[name] for name in own} for row in rows],
    }
