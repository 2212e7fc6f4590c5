"""The report's numbers for other programs: the rows of the views as CSV, the whole report as JSON.

Both carry the attribution that the data are under, the CSV in each row, so that no part of it comes without.
"""

import csv
import io
import json
from typing import Any

from local.report.choices import Language
from local.report.data import ReportData, Rows
from local.report.findings import findings
from shared.classes import ATTRIBUTION
from shared.version import __version__

CSV_COLUMNS = (
    "aoi_id", "aoi_version", "period", "class_id", "class_name", "observation_count", "skipped_count", "network_count",
    "mean_coverage", "composite_share", "composite_area_ha", "mean_share", "mean_area_ha", "probability_share",
    "attribution",
)  # fmt: skip
_OF_PERIOD = ("observation_count", "skipped_count", "network_count", "mean_coverage")
_OF_CLASS = (
    "class_id", "class_name", "composite_share", "composite_area_ha", "mean_share", "mean_area_ha", "probability_share",
)  # fmt: skip
_OF_PATCH = (
    "patch_id",
    "state",
    "alarm",
    "from_class_id",
    "to_class_id",
    "area_ha",
    "supported_area_ha",
    "longitude",
    "latitude",
)


def report_csv(data: ReportData) -> str:
    """Nine rows for each month (``2021-01``) and nine for the year (``2021``)."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for rows in periods(data):
        writer.writerows({name: "" if row[name] is None else row[name] for name in CSV_COLUMNS} for row in rows)
    return buffer.getvalue()


def report_json(data: ReportData, language: Language) -> str:
    """Finding, numbers, sentences, patches of the year and seasons."""
    sentences, found, seasons = data.month_sentences(language), findings(data, language), data.seasons()
    document = {
        "aoi_id": data.aoi_id,
        "aoi_version": data.aoi_version,
        "label": data.label,
        "area_ha": data.area_ha,
        "year": data.year,
        "language": language,
        "finding": found.headline,
        "below": found.below,
        "months": [
            {"month": f"{month:%Y-%m}", "sentence": sentences[month.month], **_period(data.month(month))}
            for month in data.months
        ],
        "annual": {
            "sentence": data.year_sentence(language),
            **_period(data.annual),
            "repeatability_by_class": data.repeatability(),
        },
        "changes": [_patch(patch) for patch in data.of_year(data.changes)],
        "seasons": None if seasons is None else seasons._asdict(),
        "attribution": ATTRIBUTION.format(years=data.year),
        "made_by": f"landcover-watch {__version__}",
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def periods(data: ReportData) -> tuple[Rows, Rows]:
    """The rows of the months and of the year in the columns of the CSV."""
    attribution = {"attribution": ATTRIBUTION.format(years=data.year)}

    def of(row: dict[str, Any], period: str) -> dict[str, Any]:
        whole = row | attribution | {"period": period}
        return {name: whole[name] for name in CSV_COLUMNS}

    months = [of(row, f"{row['month']:%Y-%m}") for row in data.monthly]
    return months, [of(row, str(data.year)) for row in data.annual]


def _period(rows: Rows) -> dict[str, Any]:
    return {
        **{name: rows[0][name] for name in _OF_PERIOD},
        "classes": [{name: row[name] for name in _OF_CLASS} for row in rows],
    }


def _patch(patch: dict[str, Any]) -> dict[str, Any]:
    moments = {
        name: patch[name] and patch[name].isoformat() for name in ("happened_after", "happened_before", "confirmed_at")
    }
    return {name: patch[name] for name in _OF_PATCH} | moments | {"outline": json.loads(patch["outline"])}
