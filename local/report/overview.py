"""Many areas on one page: a table that sorts, with the year of each as a small chart; and a few side by side."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from local.report.cards import Card, card
from local.report.choices import Language
from local.report.html import write_page
from local.report.judging import Seen, seen_of
from local.report.labels import TEXTS
from local.report.sentences import comparison, composition
from local.report.strips import strip
from local.report.words import MONTH_WORDS
from shared.classes import ATTRIBUTION
from shared.errors import UserInputError
from shared.warehouse.client import Warehouse

MOST_COMPARED = 6
_BAR, _GAP, _HEIGHT = 8, 1, 40
Rows = list[dict[str, Any]]


class AreaYear(NamedTuple):
    """One AOI in one year: what was seen of it in each month that was seen, and over the year; the means by class;
    hectares of change that are told of, None where no earlier year says what is usual.
    """

    aoi_id: str
    label: str
    area_ha: float
    year: int
    months: dict[int, Seen]
    annual: Seen
    mean: tuple[float | None, ...]
    changed_ha: float | None
    overpasses: int
    months_observed: int


def read_years(warehouse: Warehouse, years: Sequence[int], aoi_ids: Sequence[str]) -> list[AreaYear]:
    """Every AOI (or those named) in each of the years, by id. Raises UserInputError for one that is not there."""
    found = []
    for year in years:
        parameters = {"year": year, "aoi_ids": list(aoi_ids)}
        monthly = _by_aoi(warehouse.query("report_index", **parameters))
        annual = _by_aoi(warehouse.query("report_index_annual", **parameters))
        changed = {row["aoi_id"]: row for row in warehouse.query("report_index_changes", **parameters)}
        missing = sorted(set(aoi_ids) - annual.keys())
        if missing or not annual:
            raise UserInputError(f"the warehouse has no summary of {', '.join(missing) or 'any AOI'} for {year}")
        found += [
            _area_year(monthly[aoi_id], rows, changed.get(aoi_id), year)
            for aoi_id, rows in annual.items()
            if monthly[aoi_id]
        ]
    return sorted(found, key=lambda area: (area.aoi_id, area.year))


def _by_aoi(rows: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = defaultdict(list)
    for row in rows:
        found[row["aoi_id"]].append(row)
    return found


def _area_year(monthly: Rows, annual: Rows, changed: dict[str, Any] | None, year: int) -> AreaYear:
    by_month: dict[int, Rows] = defaultdict(list)
    for row in monthly:
        by_month[row["month"].month].append(row)
    first = monthly[0]
    area_ha = first["aoi_area_ha"]
    months = {month: seen_of(rows, area_ha) for month, rows in by_month.items()}
    return AreaYear(
        aoi_id=first["aoi_id"],
        label=first["aoi_label"] or first["aoi_id"],
        area_ha=area_ha,
        year=year,
        months={month: seen for month, seen in months.items() if seen.by_class is not None},
        annual=seen_of(annual, area_ha),
        mean=tuple(row["mean_share"] for row in annual),
        changed_ha=changed["told_area_ha"] if changed and changed["watched_area_ha"] else None,
        overpasses=annual[0]["observation_count"],
        months_observed=annual[0]["months_observed"],
    )


def write_index(
    areas: Sequence[AreaYear], path: Path, language: Language, reports: Mapping[tuple[str, int], str] | None = None
) -> None:
    """One self-contained page with a row for each, linked to its report: what ``reports`` names by AOI and year, or
    else ``report-ID-YEAR.html`` where that lies beside it.
    """
    beside = {(area.aoi_id, area.year): f"report-{area.aoi_id}-{area.year}.html" for area in areas}
    links = {key: name for key, name in beside.items() if (path.parent / name).is_file()} | dict(reports or {})
    bars = {(area.aoi_id, area.year): Markup(year_bars(area)) for area in areas}  # noqa: S704 — numbers
    write_page("index.html.j2", path, language, _context(areas) | {"links": links, "year_bars": bars})


def write_comparison(areas: Sequence[AreaYear], path: Path, language: Language) -> None:
    """Up to six areas or years side by side. Raises UserInputError for more, or fewer than two."""
    if not 2 <= len(areas) <= MOST_COMPARED:
        raise UserInputError(f"{len(areas)} to compare; expected two to {MOST_COMPARED} areas or years")
    first, *others = areas
    said = [comparison(_name(o, areas), o.annual, _name(first, areas), first.annual, language) for o in others]
    cards = [_cards(area, language) for area in areas]
    write_page("compare.html.j2", path, language, _context(areas) | {"said": said, "cards": cards})


def _name(area: AreaYear, among: Sequence[AreaYear]) -> str:
    """What tells an area and year from the others."""
    if len({other.aoi_id for other in among}) == 1:
        return str(area.year)
    return area.label if len({other.year for other in among}) == 1 else f"{area.label} {area.year}"


def _context(areas: Sequence[AreaYear]) -> dict[str, Any]:
    years = sorted({area.year for area in areas})
    return {
        "areas": areas,
        "ids": sorted({area.aoi_id for area in areas}),
        "years": years,
        "attribution": ATTRIBUTION.format(years=", ".join(map(str, years))),
    }


def _cards(area: AreaYear, language: Language) -> list[Card]:
    cards = []
    for number, name in enumerate(MONTH_WORDS[language], 1):
        seen = area.months.get(number, Seen(None, 0.0, 0.0))
        said = composition(seen, language) if seen.by_class else TEXTS[language]["no_view"]
        short = name[0] if language is Language.EN else str(number)
        cards.append(card(f"{area.year}-{number:02d}", number, name, short, f"{name}: {said}", seen, [], ""))
    return cards


def year_bars(area: AreaYear) -> str:
    """Twelve stacked bars of the height of the area as one small SVG: a path for the frames, and one for each class.

    All that was seen is drawn, however thin; what was not leaves its part of the frame empty.
    """
    strokes: dict[int, list[str]] = defaultdict(list)
    frames = "".join(f"M{(month - 1) * (_BAR + _GAP)} 0h{_BAR}v{_HEIGHT}h-{_BAR}z" for month in range(1, 13))
    for month, seen in area.months.items():
        left, below = (month - 1) * (_BAR + _GAP), 0.0
        for part in strip(seen).parts:
            high = part.of_area_percent / 100 * _HEIGHT
            strokes[part.class_id].append(f"M{left} {_HEIGHT - below - high:.2f}h{_BAR}v{high:.2f}h-{_BAR}z")
            below += high
    paths = "".join(f'<path class="c{class_id}" d="{"".join(parts)}"/>' for class_id, parts in sorted(strokes.items()))
    width = 12 * (_BAR + _GAP)
    return f'<svg viewBox="0 0 {width} {_HEIGHT}" aria-hidden="true"><path class="frame" d="{frames}"/>{paths}</svg>'
