"""Putting a report together: numbers, words, charts and maps into one self-contained HTML file."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from local.report.charts import annual_svg, class_labels, monthly_svg
from local.report.choices import Language
from local.report.data import ReportData
from local.report.labels import TEXTS
from local.report.maps import Map, YearMaps
from local.report.sentences import CLASS_WORDS, MONTH_WORDS
from shared.classes import ATTRIBUTION, CLASSES

_SCALE_BARS_M = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


def environment() -> Environment:
    """Templates of this package, with the filters by which all pages write numbers."""
    made = Environment(
        loader=PackageLoader("local.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters["percent"] = lambda share: "–" if share is None else f"{share * 100:.2f}"
    made.filters["hectares"] = lambda area: "–" if area is None else f"{area:,.1f}"
    return made


def write_report(data: ReportData, maps: YearMaps | None, path: Path, language: Language) -> None:
    """Render and write the file."""
    leading = sorted(
        (row for row in data.annual if row["composite_share"] is not None), key=lambda row: -row["composite_share"]
    )
    page = (
        environment()
        .get_template("report.html.j2")
        .render(
            t=TEXTS[language],
            language=language,
            data=data,
            classes=CLASSES,
            class_words=CLASS_WORDS[language],
            class_labels=class_labels(language),
            month_words=MONTH_WORDS[language],
            monthly_svg=Markup(monthly_svg(data, language)),  # noqa: S704 — drawn by us from numbers
            annual_svg=Markup(annual_svg(data, language)),  # noqa: S704
            maps=maps,
            scale_bar_m=scale_bar_m(maps.annual) if maps else 0,
            sentences=data.month_sentences(language),
            year_sentence=data.year_sentence(language),
            seasons=data.seasons(),
            snow=next(row for row in data.annual if row["class_id"] == 8),
            leading=leading[:3],
            attribution=ATTRIBUTION.format(years=data.year),
        )
    )
    path.write_text(page, encoding="utf-8")


def scale_bar_m(shown: Map) -> int:
    """The longest round length under a third of a map's width, in metres."""
    third = shown.width * shown.metres_per_pixel / 3
    return max((length for length in _SCALE_BARS_M if length <= third), default=_SCALE_BARS_M[0])
