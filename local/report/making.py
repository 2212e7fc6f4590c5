"""Making one report of one area and year, in any of its forms."""

import json
from pathlib import Path
from typing import Any

from shapely import Polygon, get_parts, union_all
from shapely.geometry import mapping, shape

from local.report.charts import report_png
from local.report.choices import Language, ReportForm
from local.report.data import read_report
from local.report.exports import report_csv, report_json
from local.report.findings import CONFIRMED, alarms
from local.report.history import read_history, write_history
from local.report.html import write_report
from local.report.layers import write_gpkg, write_xlsx
from local.report.maps import history_maps, year_maps
from shared.aois.aoi import Aoi
from shared.aois.current import current_aois
from shared.messages.bodies import AoiRef
from shared.warehouse.client import Warehouse


def render_history(warehouse: Warehouse, aoi_id: str, path: Path, language: Language = Language.EN) -> None:
    """All years of one area on one page."""
    history = read_history(warehouse, aoi_id)
    aoi = _registered(warehouse, aoi_id, history.aoi_version)
    changed = [_without_holes(p) for p in history.changes if p["alarm"] and p["state"] == CONFIRMED]
    maps = history_maps(aoi, history.years, history.last_seen, warehouse.settings, changed)
    write_history(history, aoi.outline, maps, path, language)


def _without_holes(patch: dict[str, Any]) -> dict[str, Any]:
    """The outline of a patch without its holes, which on a map only blur it."""
    parts = get_parts(shape(json.loads(patch["outline"])))
    return dict(mapping(union_all([Polygon(part.exterior) for part in parts])))


def _registered(warehouse: Warehouse, aoi_id: str, version: int) -> Aoi:
    (aoi,) = current_aois([AoiRef(aoi_id=aoi_id, aoi_version=version)], warehouse)
    return aoi


def render_report(
    warehouse: Warehouse,
    aoi_id: str,
    year: int,
    path: Path,
    language: Language = Language.EN,
    form: ReportForm = ReportForm.HTML,
) -> None:
    """One report. Only HTML needs Earth Engine, real or local, for its maps."""
    data = read_report(warehouse, aoi_id, year)
    match form:
        case ReportForm.CSV:
            path.write_text(report_csv(data), encoding="utf-8")
        case ReportForm.JSON:
            path.write_text(report_json(data, language), encoding="utf-8")
        case ReportForm.PNG:
            path.write_bytes(report_png(data, language))
        case ReportForm.XLSX:
            write_xlsx(data, path, language)
        case ReportForm.GPKG:
            write_gpkg(data, _registered(warehouse, aoi_id, data.aoi_version).outline, path, language)
        case ReportForm.HTML:
            aoi = _registered(warehouse, aoi_id, data.aoi_version)
            changed = [_without_holes(patch) for patch in alarms(data)]
            write_report(data, aoi.outline, year_maps(aoi, year, warehouse.settings, changed), path, language)
