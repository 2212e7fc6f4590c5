"""aoi-registrations → measurements: what is missing of the history of AOI versions, in messages that fit one invocation
each.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois import current_aois
from shared.budgets import Budget, chunked, observation_budget
from shared.cells import region_around
from shared.cutting import pixels
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.handling import handle
from shared.measurements import jobs_of, not_yet_measured
from shared.measuring import REQUESTS_PER_INVOCATION, Job
from shared.messages import AoiRef, AoiRegistration, Lane, MeasurementRequest, Topic
from shared.planning import Aoi, overpasses_by_aoi
from shared.publishing import publish
from shared.scenes import sensing_time
from shared.settings import Settings
from shared.warehouse.client import Warehouse


@functions_framework.cloud_event
def backfill(event: CloudEvent) -> None:
    """Handle the registration of some AOIs."""
    handle(event, "backfill", Topic.AOI_REGISTRATIONS, AoiRegistration, _backfill)


def _backfill(message: AoiRegistration, settings: Settings) -> dict[str, Any]:
    warehouse = Warehouse(settings)
    aois = current_aois([new.ref() for new in message.aois], warehouse)
    superseded = len(message.aois) - len(aois)
    if not aois:
        return {"superseded": superseded, "messages": 0}
    connect(settings, "backfill")
    by_id = {aoi.aoi_id: aoi for aoi in aois}
    starts = {new.aoi_id: new.backfill_start for new in message.aois}
    first = datetime.combine(min(starts[aoi.aoi_id] for aoi in aois), time.min, UTC)
    region = region_around([aoi.outline for aoi in aois])
    images = list_images(settings, first, datetime.now(UTC) + timedelta(days=1), region)
    together: dict[tuple[str, ...], list[Aoi]] = defaultdict(list)
    lacking = not_yet_measured(jobs_of(aois, overpasses_by_aoi(aois, images)), warehouse)
    for aoi_id, overpass_ids in _since(lacking, starts).items():
        together[tuple(overpass_ids)].append(by_id[aoi_id])
    requests = [
        request for overpass_ids, group in together.items() for request in _requests(group, overpass_ids, settings)
    ]
    publish(settings, Topic.MEASUREMENTS, requests, {"lane": Lane.BACKFILL})
    pairs = sum(len(overpass_ids) * len(group) for overpass_ids, group in together.items())
    return {"superseded": superseded, "overpasses": pairs, "messages": len(requests)}


def _since(jobs: Iterable[Job], starts: dict[str, date]) -> dict[str, list[str]]:
    """The overpasses of each AOI since its first day, oldest first."""
    found: dict[str, list[str]] = defaultdict(list)
    for job in jobs:
        overpass_id = job.overpasses[0].overpass_id
        if sensing_time(overpass_id).date() >= starts[job.aoi.aoi_id]:
            found[job.aoi.aoi_id].append(overpass_id)
    return found


def _requests(group: list[Aoi], overpass_ids: tuple[str, ...], settings: Settings) -> Iterator[MeasurementRequest]:
    """Every AOI of the group at every overpass: as many AOIs as one request holds, then as many overpasses as the
    requests of one invocation, which share one listing.
    """
    budget = observation_budget(settings)

    def alone(aoi: Aoi) -> Budget:
        return Budget(0, 1, pixels(aoi.area_m2), aoi.payload_bytes)

    for aois in chunked(group, budget, alone):
        refs = [AoiRef(aoi_id=aoi.aoi_id, aoi_version=aoi.aoi_version) for aoi in aois]
        # geometries travel once a request, however many overpasses share them
        each = Budget(1, len(aois), sum(pixels(aoi.area_m2) for aoi in aois), 0)
        for run in chunked(overpass_ids, budget.times(REQUESTS_PER_INVOCATION), lambda _, each=each: each):  # type: ignore[misc]
            yield MeasurementRequest(overpass_ids=run, aois=refs)
