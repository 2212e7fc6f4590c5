"""aoi-registrations → measurements: the history of new AOI versions, in messages that fit one invocation each."""

from collections import defaultdict
from collections.abc import Iterator
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
from shared.errors import RetryLaterError
from shared.handling import handle
from shared.measuring import REQUESTS_PER_INVOCATION
from shared.messages import AoiRef, AoiRegistration, Lane, MeasurementRequest, NewAoi, Topic
from shared.planning import Aoi, PlannedOverpass, overpasses_by_aoi
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
    superseded = _superseded(message.aois, aois, warehouse)
    if not aois:
        return {"superseded": superseded, "messages": 0}
    connect(settings, "backfill")
    by_id = {aoi.aoi_id: aoi for aoi in aois}
    starts = {new.aoi_id: new.backfill_start for new in message.aois}
    first = datetime.combine(min(starts[aoi.aoi_id] for aoi in aois), time.min, UTC)
    region = region_around([aoi.outline for aoi in aois])
    images = list_images(settings, first, datetime.now(UTC) + timedelta(days=1), region)
    together: dict[tuple[str, ...], list[Aoi]] = defaultdict(list)
    for aoi_id, overpasses in overpasses_by_aoi(aois, images).items():
        together[_since(overpasses, starts[aoi_id])].append(by_id[aoi_id])
    requests = [
        request for overpass_ids, group in together.items() for request in _requests(group, overpass_ids, settings)
    ]
    publish(settings, Topic.MEASUREMENTS, requests, {"lane": Lane.BACKFILL})
    pairs = sum(len(overpass_ids) * len(group) for overpass_ids, group in together.items())
    return {"superseded": superseded, "overpasses": pairs, "messages": len(requests)}


def _superseded(wanted: list[NewAoi], found: list[Aoi], warehouse: Warehouse) -> int:
    """How many were replaced or deleted since. Raises RetryLaterError for one that no query shows yet: rows that were
    streamed into the register show after seconds.
    """
    missing = {new.aoi_id: new.aoi_version for new in wanted}
    for aoi in found:
        del missing[aoi.aoi_id]
    if missing:
        known: dict[str, int] = defaultdict(int)
        for row in warehouse.query("versions_by_aoi", aoi_ids=sorted(missing)):
            known[row["aoi_id"]] = max(known[row["aoi_id"]], row["aoi_version"])
        if unknown := sorted(aoi_id for aoi_id, version in missing.items() if known[aoi_id] < version):
            raise RetryLaterError(f"AOI {unknown[0]} is not in the register yet ({len(unknown)} AOIs are not)")
    return len(missing)


def _since(overpasses: list[PlannedOverpass], start: date) -> tuple[str, ...]:
    return tuple(o.overpass_id for o in overpasses if sensing_time(o.overpass_id).date() >= start)


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
