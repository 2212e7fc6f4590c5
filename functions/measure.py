"""measurements → observations: ask Earth Engine for the class areas and append one row for each AOI and overpass.

What is measured is always the images that exist now, not those somebody announced, so the order in which messages
arrive does not matter. Rows are appended request by request, so that an invocation that is cut off keeps what it has;
what does not fit one invocation goes on as messages of its own.
"""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois import current_aois
from shared.budgets import halved_by_attempt, observation_budget
from shared.cells import region_around
from shared.earth_engine.areas import measure_pieces
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_overpasses
from shared.events import observation_created
from shared.handling import delivery_attempt, handle
from shared.measurements import follow_ups, jobs_of, not_yet_measured
from shared.measuring import measure_jobs
from shared.messages import EventType, Lane, MeasurementRequest, Topic
from shared.name_spaces import workload_tag
from shared.observations import observation_row, provenance
from shared.planning import overpasses_by_aoi
from shared.publishing import publish
from shared.settings import Settings
from shared.touches import touch
from shared.warehouse.client import Warehouse


@functions_framework.cloud_event
def measure(event: CloudEvent) -> None:
    """Handle one measurement request."""
    handle(event, "measure", Topic.MEASUREMENTS, MeasurementRequest, _measure)


def _measure(request: MeasurementRequest, settings: Settings) -> dict[str, Any]:
    warehouse = Warehouse(settings)
    aois = current_aois(request.aois, warehouse)
    outcome = {"aoi_count": len(request.aois), "superseded": len(request.aois) - len(aois)}
    if not aois:
        return {**outcome, "observations": 0}
    connect(settings, workload_tag("measure", (aoi.aoi_id for aoi in aois), settings))
    listed_at = datetime.now(UTC)
    images = list_overpasses(settings, request.overpass_ids, region_around([aoi.outline for aoi in aois]))
    jobs = jobs_of(aois, overpasses_by_aoi(aois, images))
    if not request.announce:
        # news is told again when it comes again, since nobody may have heard it; history need not be
        jobs = not_yet_measured(jobs, warehouse)
    attempt = 1 if request.progress else delivery_attempt()
    observations = messages = 0
    for batch in measure_jobs(
        jobs,
        partial(measure_pieces, settings),
        observation_budget(settings),
        halved_by_attempt(request.divisor, attempt),
        request.progress,
    ):
        rows = [
            observation_row(
                job.aoi, job.overpasses[0].overpass_id, areas, provenance(job.overpasses[0].images, listed_at)
            )
            for job, areas in batch.done
        ]
        _keep(rows, request, settings, warehouse)
        observations += len(rows)
        again = [message for work in batch.handed_on for message in follow_ups(work, request)]
        lane = Lane.LIVE if request.announce else Lane.BACKFILL
        messages += publish(settings, Topic.MEASUREMENTS, again, {"lane": lane})
    return {**outcome, "observations": observations, "handed_on": messages}


def _keep(rows: list[dict[str, Any]], request: MeasurementRequest, settings: Settings, warehouse: Warehouse) -> None:
    touch(warehouse, (row["acquired_date"] for row in rows))
    warehouse.append("observations", rows)
    if request.announce:
        events = [observation_created(row, datetime.now(UTC)) for row in rows]
        publish(settings, Topic.EVENTS, events, {"type": EventType.OBSERVATION_CREATED})
