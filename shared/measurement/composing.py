"""Composites to be: which message plans which of them, and of which overpasses each is made."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

from shared.aois.aoi import Aoi
from shared.aois.name_spaces import by_client
from shared.geometry.cells import region_around
from shared.geometry.cutting import pixels
from shared.measurement.backfilling import Window
from shared.measurement.budgets import Budget, chunked, composite_budget
from shared.measurement.jobs import Job
from shared.measurement.overpasses import PlannedOverpass
from shared.messages.bodies import CompositeRef, CompositeRequest
from shared.settings import Settings

# Stale composites that one message plans; what is behind the last AOI among them is planned by the next.
ROWS_PER_QUERY = 10_000
# All composites of a message share one listing of images: those of one cell lie together, and a span of years is short.
YEARS_PER_LISTING = 4
# Ties and gaps of a month are settled by so many before it.
SETTLED_BY_MONTHS = 12


def whole_aois(stale: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], bool]:
    """The rows of a full answer without those of its last AOI, which may have more; and whether others are left."""
    if len(stale) < ROWS_PER_QUERY or stale[0]["aoi_id"] == stale[-1]["aoi_id"]:
        return stale, False
    return [row for row in stale if row["aoi_id"] != stale[-1]["aoi_id"]], True


def composite_requests(stale: Iterable[dict[str, Any]], settings: Settings) -> Iterator[CompositeRequest]:
    """Messages that hold about a request's worth each, so that an area that is too large keeps no other waiting, and of
    one client each.

    The rows are those of ``stale_composites.sql``.
    """

    def era(row: dict[str, Any]) -> tuple[int, int, str]:
        return row["cell"], row["period_start"].year // YEARS_PER_LISTING, row["period"]

    def cost(row: dict[str, Any]) -> Budget:
        read = row["overpass_count"] + row["earlier_count"]
        return Budget(0, 1, pixels(row["area_m2"]) * read, row["geometry_bytes"])

    fields = CompositeRef.model_fields
    for of_one_client in by_client(stale, lambda row: str(row["aoi_id"]), settings):
        ordered = sorted(of_one_client, key=lambda row: (era(row), row["period_start"], row["aoi_id"]))
        for (_, _, period), near in groupby(ordered, key=era):
            for rows in chunked(near, composite_budget(settings, years=period == "year"), cost):
                yield CompositeRequest(
                    composites=[CompositeRef.model_validate({name: row[name] for name in fields}) for row in rows]
                )


def composite_window(refs: Sequence[CompositeRef], aois: Sequence[Aoi]) -> Window:
    """What composites are made from: all images of their periods and of what settles them, and a day more."""
    start = _midnight(min(_settled_from(ref) for ref in refs))
    end = _midnight(max(_end(ref) for ref in refs))
    return Window(start, end + timedelta(days=1), region_around([aoi.outline for aoi in aois]))


def composite_jobs(
    refs: Iterable[CompositeRef], aois: Mapping[str, Aoi], overpasses: Mapping[str, list[PlannedOverpass]]
) -> Iterator[Job]:
    """One job for each composite of which there are images; by period, since AOIs of one period share layers."""
    for ref in sorted(refs, key=lambda ref: (ref.period, ref.period_start, key_of(ref))):
        since, first, last = (f"{day:%Y%m%d}" for day in (_settled_from(ref), ref.period_start, _end(ref)))
        inside = [o for o in overpasses[ref.aoi_id] if first <= o.overpass_id[:8] < last]
        earlier = [o for o in overpasses[ref.aoi_id] if since <= o.overpass_id[:8] < first]
        if inside:
            yield Job(key_of(ref), aois[ref.aoi_id], inside, ref.period == "year", earlier)


def budget_of(refs: Iterable[CompositeRef], settings: Settings) -> Budget:
    """What one request may hold of the composites of a message."""
    return composite_budget(settings, years=any(ref.period == "year" for ref in refs))


def key_of(ref: CompositeRef) -> str:
    """The key of a composite's job."""
    return f"{ref.aoi_id}|{ref.period}|{ref.period_start.isoformat()}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)


def _settled_from(ref: CompositeRef) -> date:
    """The first day of what settles ties and gaps: of a month the twelve before it, of a year the year itself."""
    if ref.period == "year":
        return ref.period_start
    months = ref.period_start.year * 12 + ref.period_start.month - 1 - SETTLED_BY_MONTHS
    return date(months // 12, months % 12 + 1, 1)


def _end(ref: CompositeRef) -> date:
    if ref.period == "year":
        return date(ref.period_start.year + 1, 1, 1)
    return date(ref.period_start.year + ref.period_start.month // 12, ref.period_start.month % 12 + 1, 1)
