"""Many areas on one page: a table that sorts, with the year of each as a small chart; and a few side by side."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from local.report.choices import Language
from local.report.html import environment
from local.report.labels import TEXTS
from local.report.sentences import CLASS_WORDS, MONTH_WORDS
from local.report.strips import INKS
from shared.classes import ATTRIBUTION, CLASSES
from shared.errors import UserInputError
from shared.warehouse.client import Warehouse

MOST_COMPARED = 6
# Slices thinner than this would not be seen in a small chart.
_LEAST_DRAWN = 0.01
_BAR, _GAP, _HEIGHT = 8, 1, 40


class AreaYear(NamedTuple):
    """One AOI in one year: shares by class for each month that was seen, and for the year."""

    aoi_id: str
    label: str
    area_ha: float
    year: int
    months: dict[int, tuple[float, ...]]
    coverage: dict[int, float]
    annual: tuple[float | None, ...]
    mean: tuple[float | None, ...]
    overpasses: int
    months_observed: int


def read_years(warehouse: Warehouse, years: Sequence[int], aoi_ids: Sequence[str]) -> list[AreaYear]:
    """Every AOI (or those named) in each of the years, by id. Raises UserInputError for one that is not there."""
    found = []
    for year in years:
        parameters = {"year": year, "aoi_ids": list(aoi_ids)}
        monthly: dict[str, list[dict[str, Any]]] = defaultdict(list)
        annual: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in warehouse.query("report_index", **parameters):
            monthly[row["aoi_id"]].append(row)
        for row in warehouse.query("report_index_annual", **parameters):
            annual[row["aoi_id"]].append(row)
        missing = sorted(set(aoi_ids) - annual.keys())
        if missing or not annual:
            raise UserInputError(f"the warehouse has no summary of {', '.join(missing) or 'any AOI'} for {year}")
        found += [_area_year(monthly[aoi_id], rows, year) for aoi_id, rows in annual.items() if monthly[aoi_id]]
    return sorted(found, key=lambda area: (area.aoi_id, area.year))


def _area_year(monthly: list[dict[str, Any]], annual: list[dict[str, Any]], year: int) -> AreaYear:
    months: dict[int, list[float]] = defaultdict(list)
    coverage = {}
    for row in monthly:
        if row["composite_share"] is not None:
            months[row["month"].month].append(row["composite_share"])
            coverage[row["month"].month] = row["mean_coverage"] or 0.0
    first = monthly[0]
    return AreaYear(
        aoi_id=first["aoi_id"],
        label=first["aoi_label"] or first["aoi_id"],
        area_ha=first["aoi_area_ha"],
        year=year,
        months={month: tuple(shares) for month, shares in months.items()},
        coverage=coverage,
        annual=tuple(row["composite_share"] for row in annual),
        mean=tuple(row["mean_share"] for row in annual),
        overpasses=annual[0]["observation_count"],
        months_observed=annual[0]["months_observed"],
    )


def write_index(areas: Sequence[AreaYear], path: Path, language: Language) -> None:
    """One self-contained page with a row for each."""
    _write(areas, path, language, "index.html.j2")


def write_comparison(areas: Sequence[AreaYear], path: Path, language: Language) -> None:
    """Up to six areas or years side by side. Raises UserInputError for more, or fewer than two."""
    if not 2 <= len(areas) <= MOST_COMPARED:
        raise UserInputError(f"{len(areas)} to compare; expected two to {MOST_COMPARED} areas or years")
    _write(areas, path, language, "compare.html.j2")


def _write(areas: Sequence[AreaYear], path: Path, language: Language, template: str) -> None:
    years = sorted({area.year for area in areas})
    page = (
        environment()
        .get_template(template)
        .render(
            t=TEXTS[language],
            language=language,
            areas=areas,
            years=years,
            classes=CLASSES,
            inks=INKS,
            class_words=CLASS_WORDS[language],
            month_words=MONTH_WORDS[language],
            year_bars={(area.aoi_id, area.year): Markup(year_bars(area)) for area in areas},  # noqa: S704 — numbers
            attribution=ATTRIBUTION.format(years=", ".join(map(str, years))),
        )
    )
    path.write_text(page, encoding="utf-8")


def year_bars(area: AreaYear) -> str:
    """Twelve stacked bars as one small SVG, a path for each class; thin where little was seen."""
    strokes: dict[int, list[str]] = defaultdict(list)
    for month, shares in area.months.items():
        width = max(1.0, round(_BAR * area.coverage[month], 1))
        left = (month - 1) * (_BAR + _GAP) + (_BAR - width) / 2
        below = 0.0
        for class_id, share in enumerate(shares):
            if share >= _LEAST_DRAWN:
                top = _HEIGHT * (1 - below - share)
                strokes[class_id].append(f"M{left:g} {top:.1f}h{width:g}v{_HEIGHT * share:.1f}h-{width:g}z")
            below += share
    paths = "".join(f'<path class="c{class_id}" d="{"".join(parts)}"/>' for class_id, parts in sorted(strokes.items()))
    return f'<svg viewBox="0 0 {12 * (_BAR + _GAP)} {_HEIGHT}" aria-hidden="true">{paths}</svg>'
