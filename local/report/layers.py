"""The report's numbers as a GeoPackage for a GIS and as an XLSX workbook, both written by GDAL.

``months`` and ``year`` have the rows of the CSV, ``about`` says what it all is and whom to name, ``changes`` has the
patches of changed ground of all years. In a GeoPackage ``area`` and ``changes`` have shapes (WGS84), and the area
carries its year: a column of hectares and one of percent for each class.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from pyogrio.raw import write
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from local.report.choices import Language
from local.report.data import ReportData
from local.report.exports import CSV_COLUMNS, periods
from local.report.findings import findings
from shared.classes import ATTRIBUTION, CLASS_NAMES
from shared.version import __version__

_PATCH_COLUMNS = (
    "year", "patch_id", "state", "alarm", "from_class", "to_class", "area_ha", "still_area_ha", "limit_ha",
    "happened_after", "happened_before", "confirmed_at", "withdrawn_at", "supported_area_ha", "longitude", "latitude",
)  # fmt: skip
_CRS = "EPSG:4326"


class _Layer(NamedTuple):
    """A table: its rows in the order of ``columns``, and a shape for each where it has any."""

    name: str
    columns: Sequence[str]
    rows: list[dict[str, Any]]
    shapes: list[BaseGeometry] | None = None


def write_xlsx(data: ReportData, path: Path, language: Language) -> None:
    """A sheet for each table."""
    _write(path, "XLSX", [_about(data, language), *_numbers(data), _changes(data)._replace(shapes=None)])


def write_gpkg(data: ReportData, outline: BaseGeometry, path: Path, language: Language) -> None:
    """A layer for each table; ``outline`` is the area in lon/lat."""
    _write(path, "GPKG", [_area(data, outline), _changes(data), *_numbers(data), _about(data, language)])


def _write(path: Path, driver: str, layers: list[_Layer]) -> None:
    path.unlink(missing_ok=True)
    written = False
    for layer in layers:
        if not layer.rows:
            continue
        geometry = None if layer.shapes is None else np.array(shapely.to_wkb(layer.shapes), dtype=object)
        write(
            str(path),
            geometry,
            [_array([row[name] for row in layer.rows]) for name in layer.columns],
            np.array(layer.columns),
            layer=layer.name,
            driver=driver,
            geometry_type=None if layer.shapes is None else "Unknown",
            crs=None if layer.shapes is None else _CRS,
            append=written,
        )
        written = True


def _array(values: list[Any]) -> np.ndarray:
    """A column as GDAL takes it: whole numbers only where none is absent."""
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, bool) for value in there):
        return np.array(values, dtype=bool)
    if there and all(isinstance(value, int) for value in there) and len(there) == len(values):
        return np.array(values, dtype=np.int64)
    if there and all(isinstance(value, int | float) for value in there):
        return np.array([np.nan if value is None else float(value) for value in values])
    return np.array([value.isoformat() if isinstance(value, datetime) else value for value in values], dtype=object)


def _about(data: ReportData, language: Language) -> _Layer:
    found = findings(data, language)
    said = {
        "aoi_id": data.aoi_id,
        "aoi_version": str(data.aoi_version),
        "label": data.label,
        "area_ha": f"{data.area_ha:.4f}",
        "year": str(data.year),
        "finding": found.headline,
        "more": " ".join(found.below),
        "year_in_words": data.year_sentence(language),
        "attribution": ATTRIBUTION.format(years=data.year),
        "made_by": f"landcover-watch {__version__}",
    }
    return _Layer("about", ("name", "value"), [{"name": name, "value": value} for name, value in said.items()])


def _numbers(data: ReportData) -> list[_Layer]:
    of_months, of_year = periods(data)
    return [_Layer("months", CSV_COLUMNS, of_months), _Layer("year", CSV_COLUMNS, of_year)]


def _changes(data: ReportData) -> _Layer:
    rows = [
        patch | {"from_class": CLASS_NAMES[patch["from_class_id"]], "to_class": CLASS_NAMES[patch["to_class_id"]]}
        for patch in data.changes
    ]
    return _Layer("changes", _PATCH_COLUMNS, rows, [shape(json.loads(patch["outline"])) for patch in data.changes])


def _area(data: ReportData, outline: BaseGeometry) -> _Layer:
    row: dict[str, Any] = {
        "aoi_id": data.aoi_id,
        "label": data.label,
        "area_ha": data.area_ha,
        "year": data.year,
        "months_observed": data.months_observed,
        "seen_ha": data.seen_year.seen_ha,
    }
    for of_class in data.annual:
        name, share = of_class["class_name"], of_class["composite_share"]
        row[f"{name}_ha"] = of_class["composite_area_ha"]
        row[f"{name}_percent"] = None if share is None else share * 100
    row["attribution"] = ATTRIBUTION.format(years=data.year)
    return _Layer("area", tuple(row), [row], [outline])
