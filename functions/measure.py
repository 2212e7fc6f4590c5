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

from shared.aois.current import current_aois
from shared.aois.name_spaces import workload_tag
from shared.earth_engine.client import connect
from shared.earth_engine.expressions import measure_pieces
from shared.earth_engine.listing import list_overpasses
from shared.geometry.cells import region_around
from shared.measurement.budgets import halved_by_attempt, observation_budget
from shared.measurement.jobs import measure_jobs
from shared.measurement.keeping import keep_observations
from shared.measurement.measured import not_yet_measured
from shared.measurement.overpasses import overpasses_by_aoi
from shared.measurement.pairs import follow_ups, jobs_of
from shared.measurement.rows import observation_row, provenance
from shared.messages.bodies import Lane, MeasurementRequest, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import delivery_attempt, handle
from shared.settings import Settings
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
        keep_observations(rows, request.announce, warehouse)
        observations += len(rows)
        again = [message for work in batch.handed_on for message in follow_ups(work, request)]
        lane = Lane.LIVE if request.announce else Lane.BACKFILL
        messages += publish(settings, Topic.MEASUREMENTS, again, {"lane": lane})
    return {**outcome, "observations": observations, "handed_on": messages}
