"""Putting a report together: numbers, charts and map into one self-contained HTML file."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from local.report.charts import annual_bars, monthly_bars
from local.report.data import ReportData
from local.report.maps import YearMap
from shared.classes import ATTRIBUTION, CLASSES

_SCALE_BARS_M = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


def write_report(data: ReportData, year_map: YearMap | None, path: Path) -> None:
    """Render and write the file."""
    environment = Environment(
        loader=PackageLoader("local.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["percent"] = lambda share: "–" if share is None else f"{share * 100:.2f}"
    environment.filters["hectares"] = lambda area: "–" if area is None else f"{area:,.1f}"
    snow = next(row for row in data.annual if row["class_id"] == 8)
    page = environment.get_template(
        "report.html.j2"
    ).render(
        data=data,
        classes=CLASSES,
        monthly_svg=Markup(monthly_bars(data)),  # noqa: S704 — drawn by us from numbers
        annual_svg=Markup(annual_bars(data)),  # noqa: S704
        map=year_map,
        scale_bar_m=_scale_bar(year_map) if year_map else 0,
        snow=snow,
        leading=sorted(
            (row for row in data.annual if row["composite_share"] is not None),
            key=lambda row: -row["composite_share"],
        )[:3],
        attribution=ATTRIBUTION.format(years=data.year),
    )
    path.write_text(page, encoding="utf-8")


def _scale_bar(year_map: YearMap) -> int:
    """The longest round length under a third of the map's width, in metres."""
    third = year_map.width * year_map.metres_per_pixel / 3
    return max((length for length in _SCALE_BARS_M if length <= third), default=_SCALE_BARS_M[0])
