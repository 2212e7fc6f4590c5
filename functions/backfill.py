"""aoi-registrations → measurements: the history of a new AOI version, in messages that fit one request each."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois import current_aois
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.errors import RetryLaterError
from shared.handling import handle
from shared.measuring import request_budget
from shared.messages import AoiRef, AoiRegistration, Lane, MeasurementRequest, Topic
from shared.planning import Aoi, Budget, chunked, overpasses_over, pixels, region_of
from shared.publishing import publish
from shared.settings import Settings
from shared.warehouse.client import Warehouse


@functions_framework.cloud_event
def backfill(event: CloudEvent) -> None:
    """Handle one registration."""
    handle(event, "backfill", Topic.AOI_REGISTRATIONS, AoiRegistration, _backfill)


def _backfill(message: AoiRegistration, settings: Settings) -> dict[str, Any]:
    warehouse = Warehouse(settings)
    ref = AoiRef(aoi_id=message.aoi_id, aoi_version=message.aoi_version)
    found = current_aois([ref], warehouse)
    if not found:
        if not warehouse.query("versions_by_aoi", aoi_ids=[message.aoi_id]):
            raise RetryLaterError(f"AOI {message.aoi_id} is not in the register yet")
        return {"superseded": True, "messages": 0}
    aoi = found[0]
    connect(settings, "backfill")
    start = datetime.combine(message.backfill_start, time.min, UTC)
    images = list_images(settings.collection, start, datetime.now(UTC) + timedelta(days=1), region_of([aoi]))
    overpass_ids = [overpass.overpass_id for overpass in overpasses_over(aoi, images)]
    requests = list(_requests(aoi, ref, overpass_ids, settings))
    publish(settings.project, Topic.MEASUREMENTS, requests, {"lane": Lane.BACKFILL})
    return {"overpasses": len(overpass_ids), "messages": len(requests)}


def _requests(aoi: Aoi, ref: AoiRef, overpass_ids: list[str], settings: Settings) -> Iterator[MeasurementRequest]:
    # the geometry travels once a request, however many overpasses share it
    cost = Budget(pixels(aoi.area_m2), 1, 0)
    for run in chunked(overpass_ids, request_budget(settings), lambda _: cost):
        yield MeasurementRequest(overpass_ids=run, aois=[ref])
