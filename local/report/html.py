"""Putting a report together: numbers, words and maps into one self-contained HTML file."""

import base64
from datetime import date
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from shapely.geometry.base import BaseGeometry

from local.report import numbers
from local.report.bands import bands
from local.report.choices import Language
from local.report.data import ReportData, Rows
from local.report.exports import report_csv, report_json
from local.report.findings import alarms, findings
from local.report.labels import TEXTS
from local.report.locator import coordinates, locator
from local.report.maps import YearMaps
from local.report.sentences import CLASS_WORDS, MONTH_WORDS, SNOW, SNOW_SEEN, unseen_reason
from local.report.strips import INKS, Strip, strip
from shared.classes import ATTRIBUTION, CLASSES
from shared.version import __version__

_MOST_PATCHES = 12


class Month(NamedTuple):
    """One of the twelve months as the page shows it, whether or not anything was seen."""

    number: int
    name: str
    short: str
    sentence: str
    strip: Strip
    seen_share: float
    views: int
    network: int


class Period(NamedTuple):
    """A row of the table of all numbers; ``reason`` stands where nothing was seen."""

    key: str
    name: str
    is_year: bool
    views: int
    seen_share: float
    rows: Rows
    reason: str


def environment() -> Environment:
    """Templates of this package, with the filters by which all pages write numbers."""
    made = Environment(
        loader=PackageLoader("local.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "percent": numbers.percent,
        "hectares": numbers.hectares,
        "cell_percent": numbers.cell_percent,
        "cell_hectares": numbers.cell_hectares,
        "whole": lambda share: f"{share * 100:.0f} %",
    }
    return made


def write_report(
    data: ReportData, outline: BaseGeometry, maps: YearMaps | None, path: Path, language: Language
) -> None:
    """Render and write the file. ``outline`` is the area in lon/lat."""
    t = TEXTS[language]
    place = locator(outline)
    downloads = {
        f"{data.aoi_id}-{data.year}.csv": _uri("text/csv", report_csv(data)),
        f"{data.aoi_id}-{data.year}.json": _uri("application/json", report_json(data, language)),
    }
    page = (
        environment()
        .get_template("report.html.j2")
        .render(
            t=t,
            language=language,
            data=data,
            found=findings(data, language),
            classes=CLASSES,
            inks=INKS,
            class_words=CLASS_WORDS[language],
            month_words=MONTH_WORDS[language],
            months=months(data, language),
            patches=_patches(data)[:_MOST_PATCHES],
            patches_more=max(len(alarms(data)) - _MOST_PATCHES, 0),
            bands=bands(data, language),
            periods=_periods(data, language),
            maps=maps,
            no_map=t["no_map"].format(year=data.year),
            place=place,
            coordinates=coordinates(place.longitude, place.latitude),
            year_sentence=data.year_sentence(language),
            seasons=data.seasons(),
            ranges=_ranges(data),
            estimates={row["class_id"]: row for row in data.estimates},
            snow_there=data.ever(SNOW) >= SNOW_SEEN,
            sources=_sources(data, t),
            made_on=date.today(),
            version=__version__,
            downloads=downloads,
            attribution=ATTRIBUTION.format(years=data.year),
        )
    )
    path.write_text(page, encoding="utf-8")


def months(data: ReportData, language: Language) -> list[Month]:
    """The twelve months."""
    made = []
    for number, sentence in data.month_sentences(language).items():
        seen, rows = data.seen(number), data.month(date(data.year, number, 1))
        name = MONTH_WORDS[language][number - 1]
        views, network = (rows[0]["observation_count"], rows[0]["network_count"]) if rows else (0, 0)
        short = name[:3] if language is Language.EN else str(number)
        made.append(Month(number, name, short, sentence, strip(seen), seen.seen_share, views, network))
    return made


def _periods(data: ReportData, language: Language) -> list[Period]:
    found = []
    for number, name in enumerate(MONTH_WORDS[language], 1):
        rows, seen = data.month(date(data.year, number, 1)), data.seen(number)
        reason = unseen_reason(data.fates_of(number), language)
        views = rows[0]["observation_count"] if rows else 0
        found.append(Period(f"{data.year}-{number:02d}", name, False, views, seen.seen_share, rows, reason))
    reason = unseen_reason(data.fates_of(), language)
    views = data.annual[0]["observation_count"]
    year = Period(str(data.year), TEXTS[language]["year"], True, views, data.seen_year.seen_share, data.annual, reason)
    return [*found, year]


def _patches(data: ReportData) -> Rows:
    return [patch | {"where": coordinates(patch["longitude"], patch["latitude"], 4)} for patch in alarms(data)]


def _ranges(data: ReportData) -> dict[int, tuple[float, float] | None]:
    """The lowest and the highest share of each class over single views of the year."""
    found: dict[int, tuple[float, float] | None] = {}
    for c in CLASSES:
        rows = [row for row in data.monthly if row["class_id"] == c.class_id and row["min_share"] is not None]
        found[c.class_id] = (
            (min(row["min_share"] for row in rows), max(row["max_share"] for row in rows)) if rows else None
        )
    return found


def _sources(data: ReportData, t: dict[str, str]) -> str:
    network = data.annual[0]["network_count"]
    counts = {"dynamic_world": data.annual[0]["observation_count"] - network, "network": network}
    return "; ".join(t[f"source_{name}"].format(count=count) for name, count in counts.items() if count) or "–"


def _uri(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"
