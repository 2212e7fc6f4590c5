"""Putting a report together: numbers, words and maps into one self-contained HTML file."""

import base64
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from shapely.geometry.base import BaseGeometry

from local.report import numbers
from local.report.bands import bands
from local.report.cards import best_seen, month_cards, year_card
from local.report.choices import Language
from local.report.data import ReportData, Rows
from local.report.exports import report_csv, report_json
from local.report.findings import alarms, findings
from local.report.flows import flows
from local.report.judging import SNOW, SNOW_SEEN
from local.report.labels import TEXTS
from local.report.locator import coordinates, locator
from local.report.maps import YearMaps
from local.report.numbers import NOTHING
from local.report.strips import INKS
from local.report.words import CLASS_WORDS, MONTH_WORDS, listed
from shared.classes import ATTRIBUTION, CLASSES
from shared.version import __version__


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
        "exact_hectares": numbers.exact_hectares,
        "signed_points": numbers.signed_points,
        "whole": lambda share: f"{share * 100:.0f} %",
    }
    return made


def page_context(outline: BaseGeometry, area_ha: float, maps: YearMaps | None) -> dict[str, Any]:
    """What every page of one area shows. ``outline`` is the area in lon/lat."""
    place = locator(outline)
    return {
        "area_ha": area_ha,
        "maps": maps,
        "place": place,
        "coordinates": coordinates(place.longitude, place.latitude),
        "made_on": date.today(),
        "version": __version__,
    }


def write_page(template: str, path: Path, language: Language, context: dict[str, Any]) -> None:
    """Render a template with what all pages have, and write the file."""
    common = {
        "t": TEXTS[language],
        "language": language,
        "classes": CLASSES,
        "inks": INKS,
        "class_words": CLASS_WORDS[language],
        "month_words": MONTH_WORDS[language],
    }
    path.write_text(environment().get_template(template).render(common | context), encoding="utf-8")


def write_report(
    data: ReportData, outline: BaseGeometry, maps: YearMaps | None, path: Path, language: Language
) -> None:
    """Render and write the report of a year. ``outline`` is the area in lon/lat."""
    downloads = {
        f"{data.aoi_id}-{data.year}.csv": _uri("text/csv", report_csv(data)),
        f"{data.aoi_id}-{data.year}.json": _uri("application/json", report_json(data, language)),
    }
    cards = month_cards(data, language)
    context = page_context(outline, data.area_ha, maps) | {
        "data": data,
        "found": findings(data, language),
        "cards": cards,
        "best_seen": best_seen(cards),
        "thin": any(map(data.thin_views, range(1, 13))),
        "totals": [year_card(data, language)],
        "patches": patches_of(alarms(data)),
        "flows": flows(data.flows, data.year, "previous", language),
        "bands": bands(data, language),
        "seasons": data.seasons(),
        "ranges": _ranges(data),
        "repeated": _repeated(data, language),
        "estimates": {row["class_id"]: row for row in data.estimates},
        "snow_there": data.ever(SNOW) >= SNOW_SEEN,
        "sources": _sources(data, TEXTS[language]),
        "downloads": downloads,
        "attribution": ATTRIBUTION.format(years=data.year),
    }
    write_page("report.html.j2", path, language, context)


def patches_of(told: Rows) -> Rows:
    """Patches with the place of each in words."""
    return [patch | {"where": coordinates(patch["longitude"], patch["latitude"], 4)} for patch in told]


def _ranges(data: ReportData) -> dict[int, tuple[float, float] | None]:
    """The lowest and the highest share of each class over single views of the year."""
    found: dict[int, tuple[float, float] | None] = {}
    for c in CLASSES:
        rows = [row for row in data.monthly if row["class_id"] == c.class_id and row["min_share"] is not None]
        found[c.class_id] = (
            (min(row["min_share"] for row in rows), max(row["max_share"] for row in rows)) if rows else None
        )
    return found


def _repeated(data: ReportData, language: Language) -> str | None:
    """How far the means of classes that are there would have come out elsewhere under other cloud, in words."""
    spread = data.repeatability()
    if spread is None:
        return None
    named = [
        f"{CLASS_WORDS[language][row['class_id']]} {spread[row['class_id']] * 100:.1f}"
        for row in sorted(data.annual, key=lambda row: -(row["mean_share"] or 0))
        if (row["mean_share"] or 0) >= SNOW_SEEN
    ]
    return TEXTS[language]["repeated"].format(named=listed(named, language))


def _sources(data: ReportData, t: dict[str, str]) -> str:
    network = data.annual[0]["network_count"]
    counts = {"dynamic_world": data.annual[0]["observation_count"] - network, "network": network}
    return "; ".join(t[f"source_{name}"].format(count=count) for name, count in counts.items() if count) or NOTHING


def _uri(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"
