"""ticks → composites: recompute the mode composite of every month and year whose observations changed."""

import time
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
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
from shared.planning import Aoi, overpasses_over, region_of
from shared.publishing import publish
from shared.settings import Settings
from shared.warehouse.client import Warehouse

# Stop taking new AOIs well before the platform's 540 s and hand the rest on.
_WORK_SECONDS = 300.0
_ROWS_PER_QUERY = 1_000


@functions_framework.cloud_event
def composite(event: CloudEvent) -> None:
    """Handle one tick."""
    handle(event, "composite", Topic.TICKS, Tick, _composite)


def _composite(tick: Tick, settings: Settings) -> dict[str, Any]:
    if tick.job != "composite":
        return {"ignored": tick.job}
    deadline = time.monotonic() + _WORK_SECONDS
    warehouse = Warehouse(settings)
    stale = warehouse.query("stale_composites", period=tick.period or "", most=_ROWS_PER_QUERY)
    refs = [AoiRef(aoi_id=row["aoi_id"], aoi_version=row["aoi_version"]) for row in stale]
    aois = {aoi.aoi_id: aoi for aoi in current_aois(refs, warehouse)} if refs else {}
    connect(settings, "composite")
    written = 0
    left_over = len(stale) >= _ROWS_PER_QUERY
    for aoi_id, rows in groupby(stale, key=lambda row: str(row["aoi_id"])):
        if time.monotonic() > deadline:
            left_over = True
            break
        if aoi_id in aois:
            written += _recompute(aois[aoi_id], list(rows), settings, warehouse)
    if left_over and written:
        publish(settings.project, Topic.TICKS, [tick], {"job": "composite"})
    return {"stale": len(stale), "composites": written}


def _recompute(aoi: Aoi, rows: list[dict[str, Any]], settings: Settings, warehouse: Warehouse) -> int:
    periods = {(row["period"], row["period_start"]): _end(row["period"], row["period_start"]) for row in rows}
    start = datetime.combine(min(first for _, first in periods), datetime.min.time(), UTC)
    end = datetime.combine(max(periods.values()), datetime.min.time(), UTC)
    listed_at = datetime.now(UTC)
    overpasses = overpasses_over(
        aoi, list_images(settings.collection, start, end + timedelta(days=1), region_of([aoi]))
    )
    jobs = []
    for (period, first), last in periods.items():
        stamps = (f"{first:%Y%m%d}", f"{last:%Y%m%d}")
        inside = [o for o in overpasses if stamps[0] <= o.overpass_id[:8] < stamps[1]]
        if inside:
            jobs.append(Job(f"{period}|{first.isoformat()}", aoi, inside, with_probabilities=False))
    results = []
    for job, areas in measure_jobs(jobs, settings):
        period, first_day = job.key.split("|")
        used = [image for overpass in job.overpasses for image in overpass.used]
        listed = sum(len(overpass.listed) for overpass in job.overpasses)
        results.append(
            composite_row(
                aoi.aoi_id,
                aoi.aoi_version,
                period,
                first_day,
                areas,
                provenance(used, listed, listed_at),
                len(job.overpasses),
            )
        )
    warehouse.append("composites", results)
    return len(results)


def _end(period: str, first: date) -> date:
    if period == "year":
        return date(first.year + 1, 1, 1)
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
