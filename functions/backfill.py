"""aoi-registrations → measurements: what is missing of the history of AOI versions, in messages that fit one invocation
each.
"""

from datetime import UTC, datetime
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois.current import current_aois
from shared.aois.name_spaces import workload_tag
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.measurement.backfilling import history_requests, history_window
from shared.measurement.measured import not_yet_measured
from shared.measurement.overpasses import overpasses_by_aoi
from shared.measurement.pairs import jobs_of
from shared.messages.bodies import AoiRegistration, Lane, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import handle
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
    connect(settings, workload_tag("backfill", (aoi.aoi_id for aoi in aois), settings))
    starts = {new.aoi_id: new.backfill_start for new in message.aois}
    images = list_images(settings, *history_window(aois, starts, datetime.now(UTC)))
    lacking = not_yet_measured(jobs_of(aois, overpasses_by_aoi(aois, images)), warehouse)
    requests = list(history_requests(lacking, starts, settings))
    publish(settings, Topic.MEASUREMENTS, requests, {"lane": Lane.BACKFILL})
    pairs = sum(len(request.overpass_ids) * len(request.aois) for request in requests)
    return {"superseded": superseded, "overpasses": pairs, "messages": len(requests)}
