"""measurements → observations: ask Earth Engine for the class areas and append one row for each AOI and overpass.

What is measured is always the images that exist now, not those somebody announced, so the order in which messages
arrive does not matter.
"""

from datetime import UTC, datetime
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois import current_aois
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_overpasses
from shared.events import observation_created
from shared.handling import handle
from shared.measuring import Job, measure_jobs
from shared.messages import EventType, MeasurementRequest, Topic
from shared.observations import observation_row, provenance
from shared.planning import overpasses_by_aoi, region_of
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
    connect(settings, "measure")
    listed_at = datetime.now(UTC)
    images = list_overpasses(settings.collection, request.overpass_ids, region_of(aois))
    overpasses = overpasses_by_aoi(aois, images)
    jobs = [
        Job(f"{aoi.aoi_id}|{overpass.overpass_id}", aoi, [overpass], with_probabilities=True)
        for aoi in aois
        for overpass in overpasses[aoi.aoi_id]
    ]
    rows = [
        observation_row(
            job.aoi.aoi_id,
            job.aoi.aoi_version,
            job.overpasses[0].overpass_id,
            areas,
            provenance(job.overpasses[0].used, len(job.overpasses[0].listed), listed_at),
        )
        for job, areas in measure_jobs(jobs, settings)
    ]
    warehouse.append("observations", rows)
    touch(warehouse, (row["acquired_date"] for row in rows), listed_at.date())
    if request.announce:
        events = [observation_created(row, datetime.now(UTC)) for row in rows]
        publish(settings.project, Topic.EVENTS, events, {"type": EventType.OBSERVATION_CREATED})
    return {**outcome, "observations": len(rows)}
