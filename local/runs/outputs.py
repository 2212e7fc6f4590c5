"""What a run leaves in its folder: CSV files, patches, and the table for the terminal."""

import csv
import json
from collections import defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from shared.classes import CLASSES
from shared.warehouse.client import Warehouse

_EXPORTS = {
    "observations.csv": "export_observations",
    "monthly_summary.csv": "export_monthly",
    "annual_summary.csv": "export_annual",
    "transitions.csv": "export_transitions",
}
COLUMNS = {
    "observations.csv": (
        "aoi_id", "aoi_version", "overpass_id", "acquired_at", "class_id", "class_name", "label_area_m2",
        "probability_area_m2", "valid_area_m2", "aoi_area_m2", "measured_aoi_area_m2", "coverage", "image_ids",
        "source",
    ),
    "monthly_summary.csv": (
        "aoi_id", "aoi_version", "month", "class_id", "class_name", "observation_count", "mean_coverage", "mean_share",
        "mean_area_m2", "min_share", "max_share", "probability_share", "composite_share", "composite_area_m2",
        "settled_share", "settled_area_m2", "filled_share", "mean_seen_share", "mean_seen_area_m2", "seen_share",
        "effective_views",
    ),
    "annual_summary.csv": (
        "aoi_id", "aoi_version", "year", "months_observed", "class_id", "class_name", "observation_count",
        "mean_coverage", "mean_share", "mean_area_m2", "min_share", "max_share", "probability_share",
        "composite_share", "composite_area_m2", "settled_share", "settled_area_m2", "months_filled", "mean_seen_share",
        "mean_seen_area_m2", "seen_share", "effective_views",
    ),
    "transitions.csv": (
        "aoi_id", "aoi_version", "from_period", "to_period", "from_class_id", "from_class_name", "to_class_id",
        "to_class_name", "mapped_area_m2", "supported_area_m2", "seen_in_both_m2", "aoi_area_m2",
        "measured_aoi_area_m2",
    ),
}  # fmt: skip

# What the table with a row a month needs, in characters.
_WIDE = 154


def write_csv(warehouse: Warehouse, folder: Path) -> None:
    """Write the CSV files, header included even when there is no row. An absent value is an empty field."""
    for name, query in _EXPORTS.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS[name], lineterminator="\n")
            writer.writeheader()
            for row in warehouse.query(query):
                writer.writerow({column: _text(row[column]) for column in COLUMNS[name]})


def write_patches(warehouse: Warehouse, path: Path) -> None:
    """Write the patches of changed ground as a GeoJSON FeatureCollection, a Feature each, empty when there is none."""
    features = []
    for row in warehouse.query("export_patches"):
        geometry = json.loads(row.pop("outline"))
        about = {name: _text(value) if isinstance(value, datetime) else value for name, value in row.items()}
        features.append({"type": "Feature", "id": about["patch_id"], "properties": about, "geometry": geometry})
    text = json.dumps({"type": "FeatureCollection", "features": features}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value


def monthly_table(warehouse: Warehouse, aoi_id: str, year: int, width: int = 200) -> Table:
    """Shares in percent of the ground seen, of the mode composite and the mean: a row a month and one for the year.

    Where ``width`` (characters) is too little for that, a row a class instead, whole percents of the composite.
    """
    months: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in warehouse.query("report_year", aoi_id=aoi_id, year=year):
        months[row["month"]].append(row)
    columns = [(f"{month:%b}", rows) for month, rows in months.items()]
    annual = warehouse.query("report_annual", aoi_id=aoi_id, year=year)
    make = _row_a_period if width >= _WIDE else _row_a_class
    return make(f"{aoi_id} {year}", columns, annual)


def _row_a_period(name: str, months: list[tuple[str, list[dict[str, Any]]]], annual: list[dict[str, Any]]) -> Table:
    table = Table(
        title=f"{name}: mode composite share, % of the ground seen / mean share, % of the area", title_justify="left"
    )
    table.add_column("")
    table.add_column("views", justify="right")
    table.add_column("cover", justify="right")
    for c in CLASSES:
        table.add_column(c.name.replace("_", " "), justify="right", style=f"#{c.colour}")
    for month, rows in months:
        table.add_row(month, *_cells(rows))
    if annual:
        table.add_section()
        table.add_row("Year", *_cells(annual))
    return table


def _row_a_class(name: str, months: list[tuple[str, list[dict[str, Any]]]], annual: list[dict[str, Any]]) -> Table:
    table = Table(
        title=f"{name}: mode composite share, % of the ground seen", title_justify="left", box=None, padding=0
    )
    periods = [*months, ("Year", annual)] if annual else months
    table.add_column("")
    for period, _ in periods:
        table.add_column(f" {period}", justify="right", no_wrap=True)
    for c in CLASSES:
        shares = [rows[c.class_id]["composite_share"] for _, rows in periods]
        table.add_row(c.name.replace("_", " "), *map(_whole_percent, shares), style=f"#{c.colour}")
    table.add_section()
    table.add_row("views", *(str(rows[0]["observation_count"]) for _, rows in periods))
    table.add_row("cover", *(_whole_percent(rows[0]["mean_coverage"]) for _, rows in periods))
    return table


def _cells(rows: list[dict[str, Any]]) -> list[str]:
    by_class = {row["class_id"]: row for row in rows}
    first = rows[0]
    cover = "–" if first["mean_coverage"] is None else f"{first['mean_coverage'] * 100:.0f}"
    shares = (
        f"{_percent(r['composite_share'])} / {_percent(r['mean_share'])}" for r in map(by_class.__getitem__, range(9))
    )
    return [str(first["observation_count"]), cover, *shares]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f}"


def _whole_percent(share: float | None) -> str:
    if share is None:
        return "–"
    return "<1" if 0 < share < 0.005 else f"{share * 100:.0f}"
