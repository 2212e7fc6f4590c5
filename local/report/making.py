"""Making one report of one area and year, in any of its forms."""

import json
from pathlib import Path

from local.report.charts import report_png
from local.report.choices import Language, ReportForm
from local.report.data import read_report
from local.report.exports import report_csv, report_json
from local.report.findings import alarms
from local.report.html import write_report
from local.report.maps import year_maps
from shared.aois.current import current_aois
from shared.messages.bodies import AoiRef
from shared.warehouse.client import Warehouse


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
            path.write_bytes(report_png(data, language, [data.year_sentence(language)]))
        case ReportForm.HTML:
            aoi = current_aois([AoiRef(aoi_id=aoi_id, aoi_version=data.aoi_version)], warehouse)[0]
            changed = [json.loads(patch["outline"]) for patch in alarms(data)]
            write_report(data, aoi.outline, year_maps(aoi, year, warehouse.settings, changed), path, language)
