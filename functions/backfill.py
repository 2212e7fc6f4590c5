"""aoi-registrations → measurements: the history of new AOI versions, in messages that fit one request each."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois import current_aois
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.errors import RetryLaterError
from shared.handling import handle
from shared.measuring import aoi_cost, request_budget
from shared.messages import AoiRef, AoiRegistration, Lane, MeasurementRequest, NewAoi, Topic
from shared.planning import Aoi, Budget, PlannedOverpass, chunked, overpasses_by_aoi, pixels, region_of
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
    images = list_images(settings.collection, first, datetime.now(UTC) + timedelta(days=1), region_of(aois))
    together: dict[tuple[str, ...], list[Aoi]] = defaultdict(list)
    for aoi_id, overpasses in overpasses_by_aoi(aois, images).items():
        together[_since(overpasses, starts[aoi_id])].append(by_id[aoi_id])
    requests = [
        request for overpass_ids, group in together.items() for request in _requests(group, overpass_ids, settings)
    ]
    publish(settings.project, Topic.MEASUREMENTS, requests, {"lane": Lane.BACKFILL})
    pairs = sum(len(overpass_ids) * len(group) for overpass_ids, group in together.items())
    return {"superseded": superseded, "overpasses": pairs, "messages": len(requests)}


def _superseded(wanted: list[NewAoi], found: list[Aoi], warehouse: Warehouse) -> int:
    """How many were replaced or deleted since. Raises RetryLaterError for one that no query shows yet."""
    missing = {new.aoi_id for new in wanted} - {aoi.aoi_id for aoi in found}
    if missing:
        known = {row["aoi_id"] for row in warehouse.query("versions_by_aoi", aoi_ids=sorted(missing))}
        if unknown := sorted(missing - known):
            raise RetryLaterError(f"AOI {unknown[0]} is not in the register yet ({len(unknown)} AOIs are not)")
    return len(missing)


def _since(overpasses: list[PlannedOverpass], start: date) -> tuple[str, ...]:
    return tuple(o.overpass_id for o in overpasses if sensing_time(o.overpass_id).date() >= start)


def _requests(group: list[Aoi], overpass_ids: tuple[str, ...], settings: Settings) -> Iterator[MeasurementRequest]:
    """Every AOI of the group at every overpass: as many AOIs as one request holds, then as many overpasses."""
    budget = request_budget(settings)
    for aois in chunked(group, budget, aoi_cost):
        refs = [AoiRef(aoi_id=aoi.aoi_id, aoi_version=aoi.aoi_version) for aoi in aois]
        # geometries travel once a request, however many overpasses share them
        cost = Budget(sum(pixels(aoi.area_m2) for aoi in aois), len(aois), 0)
        for run in chunked(overpass_ids, budget, lambda _, cost=cost: cost):  # type: ignore[misc]
            yield MeasurementRequest(overpass_ids=run, aois=refs)
