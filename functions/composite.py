"""ticks → composites: recompute the mode composite of every month and year whose observations changed."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois import current_aois
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.handling import handle
from shared.measuring import Job, measure_jobs
from shared.messages import AoiRef, Tick, Topic
from shared.observations import composite_row, provenance
from shared.planning import Aoi, overpasses_by_aoi, region_of
from shared.publishing import publish
from shared.settings import Settings
from shared.touches import touch, touched_since
from shared.warehouse.client import Warehouse

# Stop taking new AOIs well before the platform's 540 s and hand the rest on.
_WORK_SECONDS = 300.0
_ROWS_PER_QUERY = 1_000
# Some ten requests of a month's composites, so that a batch begun in time also ends in time.
_ROWS_PER_LISTING = 200
# A square degree has some 250 images a year: what is listed stays well within the function's memory.
_CELL_YEARS_PER_LISTING = 100


@functions_framework.cloud_event
def composite(event: CloudEvent) -> None:
    """Handle one tick."""
    handle(event, "composite", Topic.TICKS, Tick, _composite)


def _composite(tick: Tick, settings: Settings) -> dict[str, Any]:
    if tick.job != "composite":
        return {"ignored": tick.job}
    deadline = time.monotonic() + _WORK_SECONDS
    warehouse = Warehouse(settings)
    since = touched_since(warehouse, datetime.now(UTC).date())
    stale = warehouse.query("stale_composites", period=tick.period or "", since=since, most=_ROWS_PER_QUERY)
    refs = {AoiRef(aoi_id=row["aoi_id"], aoi_version=row["aoi_version"]) for row in stale}
    aois = {aoi.aoi_id: aoi for aoi in current_aois(refs, warehouse)} if refs else {}
    connect(settings, "composite")
    written = 0
    left_over = len(stale) >= _ROWS_PER_QUERY
    for batch in _batches([row for row in stale if row["aoi_id"] in aois], aois):
        if time.monotonic() > deadline:
            left_over = True
            break
        written += _recompute(batch, aois, settings, warehouse)
    if left_over and written:
        publish(settings.project, Topic.TICKS, [tick], {"job": "composite"})
    return {"stale": len(stale), "composites": written}


def _batches(rows: list[dict[str, Any]], aois: dict[str, Aoi]) -> Iterator[list[dict[str, Any]]]:
    """Runs of rows whose AOIs lie near each other, so that one listing of images serves them."""

    def cell(row: dict[str, Any]) -> tuple[int, int]:
        west, south, _, _ = aois[row["aoi_id"]].outline.bounds
        return int(south // 1), int(west // 1)

    batch: list[dict[str, Any]] = []
    cells: set[tuple[int, int]] = set()
    for row in sorted(rows, key=lambda row: (cell(row), row["aoi_id"], row["period_start"])):
        starts = [r["period_start"] for r in (*batch, row)]
        years = (max(starts) - min(starts)).days // 365 + 1
        if batch and (len(batch) >= _ROWS_PER_LISTING or len(cells | {cell(row)}) * years > _CELL_YEARS_PER_LISTING):
            yield batch
            batch, cells = [], set()
        batch.append(row)
        cells.add(cell(row))
    if batch:
        yield batch


def _recompute(rows: list[dict[str, Any]], aois: dict[str, Aoi], settings: Settings, warehouse: Warehouse) -> int:
    start = _midnight(min(row["period_start"] for row in rows))
    end = _midnight(max(_end(row["period"], row["period_start"]) for row in rows))
    batch = [aois[aoi_id] for aoi_id in sorted({row["aoi_id"] for row in rows})]
    listed_at = datetime.now(UTC)
    images = list_images(settings.collection, start, end + timedelta(days=1), region_of(batch))
    overpasses = overpasses_by_aoi(batch, images)
    jobs = []
    for row in rows:
        period, first = row["period"], row["period_start"]
        stamps = (f"{first:%Y%m%d}", f"{_end(period, first):%Y%m%d}")
        inside = [o for o in overpasses[row["aoi_id"]] if stamps[0] <= o.overpass_id[:8] < stamps[1]]
        if inside:
            key = f"{row['aoi_id']}|{period}|{first.isoformat()}"
            jobs.append(Job(key, aois[row["aoi_id"]], inside, with_probabilities=False))
    results = []
    for job, areas in measure_jobs(jobs, settings):
        _, period, first_day = job.key.split("|")
        used = [image for overpass in job.overpasses for image in overpass.used]
        listed = sum(len(overpass.listed) for overpass in job.overpasses)
        results.append(
            composite_row(
                job.aoi.aoi_id,
                job.aoi.aoi_version,
                period,
                first_day,
                areas,
                provenance(used, listed, listed_at),
                len(job.overpasses),
            )
        )
    warehouse.append("composites", results)
    for period in {row["period"] for row in results}:
        starts = [row["period_start"] for row in results if row["period"] == period]
        touch(warehouse, starts, listed_at.date(), period)
    return len(results)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)


def _end(period: str, first: date) -> date:
    if period == "year":
        return date(first.year + 1, 1, 1)
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
