"""composite-requests → composites: compute the composites of months and years, and append their areas.

Rows are appended request by request; what does not fit one invocation goes on as messages of its own.
"""

from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois.current import current_aois
from shared.aois.name_spaces import workload_tag
from shared.earth_engine.client import connect
from shared.earth_engine.composites import measure_composites
from shared.earth_engine.listing import list_images
from shared.measurement.budgets import halved_by_attempt
from shared.measurement.composing import budget_of, composite_jobs, composite_window, key_of
from shared.measurement.jobs import HandOn, measure_jobs
from shared.measurement.overpasses import overpasses_by_aoi
from shared.measurement.rows import composite_row, provenance
from shared.messages.bodies import AoiRef, CompositeRef, CompositeRequest, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import delivery_attempt, handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse
from shared.warehouse.touches import touch


@functions_framework.cloud_event
def composite(event: CloudEvent) -> None:
    """Handle one request for composites."""
    handle(event, "composite", Topic.COMPOSITE_REQUESTS, CompositeRequest, _composite)


def _composite(request: CompositeRequest, settings: Settings) -> dict[str, Any]:
    warehouse = Warehouse(settings)
    wanted = _still_stale(request.composites, warehouse)
    aois = {aoi.aoi_id: aoi for aoi in current_aois({_aoi_ref(ref) for ref in wanted}, warehouse)} if wanted else {}
    wanted = [ref for ref in wanted if ref.aoi_id in aois]
    outcome = {"asked": len(request.composites), "stale": len(wanted)}
    if not wanted:
        return {**outcome, "composites": 0}
    connect(settings, workload_tag("composite", aois, settings))
    listed_at = datetime.now(UTC)
    images = list_images(settings, *composite_window(wanted, list(aois.values())))
    refs = {key_of(ref): ref for ref in wanted}
    jobs = list(composite_jobs(wanted, aois, overpasses_by_aoi(list(aois.values()), images)))
    attempt = 1 if request.progress else delivery_attempt()
    written = messages = 0
    for batch in measure_jobs(
        jobs,
        partial(measure_composites, settings),
        budget_of(wanted, settings),
        halved_by_attempt(request.divisor, attempt),
        request.progress,
    ):
        rows = []
        for job, areas in batch.done:
            ref = refs[job.key]
            used = [image for overpass in job.overpasses for image in overpass.images]
            made_of = provenance(used, listed_at)
            rows.append(composite_row(job.aoi, ref.period, ref.period_start, areas, made_of, len(job.overpasses)))
        _keep(rows, warehouse)
        written += len(rows)
        follow_ups = [_follow_up(work, refs) for work in batch.handed_on]
        messages += publish(settings, Topic.COMPOSITE_REQUESTS, follow_ups)
    return {**outcome, "composites": written, "handed_on": messages}


def _still_stale(refs: list[CompositeRef], warehouse: Warehouse) -> list[CompositeRef]:
    """What was not computed since it was asked for: a message may come twice, or wait while the next day's comes."""
    stale = warehouse.query(
        "stale_composites",
        period="",
        since=date(min(ref.period_start for ref in refs).year, 1, 1),
        after_aoi="",
        aoi_ids=sorted({ref.aoi_id for ref in refs}),
        most=100_000,
    )
    named = {(row["aoi_id"], row["aoi_version"], row["period"], row["period_start"]) for row in stale}
    return [ref for ref in refs if (ref.aoi_id, ref.aoi_version, ref.period, ref.period_start) in named]


def _keep(rows: list[dict[str, Any]], warehouse: Warehouse) -> None:
    for period in sorted({row["period"] for row in rows}):
        starts = [row["period_start"] for row in rows if row["period"] == period]
        touch(warehouse, starts, period)
    warehouse.append("composites", rows)


def _follow_up(work: HandOn, refs: dict[str, CompositeRef]) -> CompositeRequest:
    return CompositeRequest(
        composites=[refs[job.key] for job in work.jobs], divisor=work.divisor, progress=work.progress
    )


def _aoi_ref(ref: CompositeRef) -> AoiRef:
    return AoiRef(aoi_id=ref.aoi_id, aoi_version=ref.aoi_version)
