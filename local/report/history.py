"""All years of one area on one page: what changed in them, their maps, and their numbers."""

from dataclasses import dataclass
from pathlib import Path

from shapely.geometry.base import BaseGeometry

from local.report.cards import Card, card
from local.report.choices import Language
from local.report.data import Rows, what_there_is
from local.report.findings import CONFIRMED, Findings, history_findings
from local.report.flows import flows
from local.report.html import page_context, patches_of, write_page
from local.report.judging import FEWEST_MONTHS, SNOW, SNOW_SEEN, Seen, seen_of
from local.report.labels import TEXTS
from local.report.maps import YearMaps
from local.report.sentences import year_sentence
from shared.classes import ATTRIBUTION
from shared.errors import UserInputError
from shared.warehouse.client import Warehouse


@dataclass(frozen=True)
class History:
    """Nine rows of ``report_annual`` for each year, oldest first; patches, where they were looked for, flows."""

    aoi_id: str
    aoi_version: int
    label: str
    area_ha: float
    rows: Rows
    changes: Rows
    watched: Rows
    flows: Rows

    @property
    def years(self) -> list[int]:
        """From the first year that was seen to the last there is."""
        seen = [row["year"] for row in self.rows if row["composite_share"] is not None]
        return list(range(min(seen), max(row["year"] for row in self.rows) + 1)) if seen else []

    def year(self, year: int) -> Rows:
        """The nine rows of a year."""
        return [row for row in self.rows if row["year"] == year]

    def seen(self, year: int) -> Seen:
        """What the composite of a year shows."""
        return seen_of(self.year(year), self.area_ha)

    @property
    def last_seen(self) -> int:
        """The last year that has a composite."""
        return max(year for year in self.years if self.seen(year).by_class is not None)


def read_history(warehouse: Warehouse, aoi_id: str) -> History:
    """Raises UserInputError when no year of that AOI was seen."""
    rows = warehouse.query("report_history", aoi_id=aoi_id)
    if all(row["composite_share"] is None for row in rows):
        there = what_there_is(warehouse, aoi_id)
        raise UserInputError(f"the warehouse has no year of AOI {aoi_id!r} that was seen; {there}")
    first = rows[0]
    return History(
        aoi_id=aoi_id,
        aoi_version=first["aoi_version"],
        label=first["aoi_label"] or aoi_id,
        area_ha=first["aoi_area_ha"],
        rows=rows,
        changes=warehouse.query("report_changes", aoi_id=aoi_id),
        watched=warehouse.query("report_watched", aoi_id=aoi_id, aoi_version=first["aoi_version"]),
        flows=warehouse.query("report_flows", aoi_id=aoi_id),
    )


def write_history(
    history: History, outline: BaseGeometry, maps: YearMaps | None, path: Path, language: Language
) -> None:
    """Render and write the file. ``outline`` is the area in lon/lat; ``maps`` has a map for each year."""
    last = history.last_seen
    context = page_context(outline, history.area_ha, maps) | {
        "history": history,
        "found": found(history, language),
        "cards": year_cards(history, language),
        "totals": [],
        "last_year": last,
        "last_seen": history.seen(last),
        "patches": patches_of([p for p in history.changes if p["alarm"] and p["state"] == CONFIRMED]),
        "flows": flows(history.flows, last, "baseline", language) or flows(history.flows, last, "previous", language),
        "snow_there": any(row["class_id"] == SNOW and (row["mean_share"] or 0) >= SNOW_SEEN for row in history.rows),
        "attribution": ATTRIBUTION.format(years=f"{history.years[0]}–{history.years[-1]}"),
    }
    write_page("history.html.j2", path, language, context)


def found(history: History, language: Language) -> Findings:
    """The headline of all years."""
    judged = [row["year"] for row in history.watched if row["watched_area_ha"]]
    last = history.last_seen
    return history_findings(history.changes, judged, history.area_ha, last, history.seen(last), language)


def year_cards(history: History, language: Language) -> list[Card]:
    """Each year, beside the last one before it that was seen as well."""
    cards, before = [], None
    for year in history.years:
        rows, seen = history.year(year), history.seen(year)
        means = [row["mean_share"] for row in rows]
        months = rows[0]["months_observed"] if rows else 0
        reason = TEXTS[language]["year_unseen"]
        sentence = year_sentence(year, seen, means, months, reason, language, before)
        cards.append(card(str(year), year, str(year), str(year), sentence, seen, rows, reason))
        before = (str(year), seen) if months >= FEWEST_MONTHS and seen.by_class is not None else before
    return cards
