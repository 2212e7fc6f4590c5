"""ticks → change-requests: which areas and years have images that their patches were not found in, in messages of
neighbours, which share a listing.
"""

from datetime import UTC, datetime
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.change.planning import change_requests
from shared.measurement.composing import ROWS_PER_QUERY, whole_aois
from shared.messages.bodies import Tick, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse
from shared.warehouse.touches import touched_since


@functions_framework.cloud_event
def plan_changes(event: CloudEvent) -> None:
    """Handle one tick."""
    handle(event, "plan_changes", Topic.TICKS, Tick, _plan)


def _plan(tick: Tick, settings: Settings) -> dict[str, Any]:
    if tick.job != "find-changes":
        return {"ignored": tick.job}
    warehouse = Warehouse(settings)
    stale = warehouse.query(
        "stale_changes",
        since=touched_since(warehouse, tick.run_date or datetime.now(UTC).date()),
        after_aoi=tick.after_aoi,
        most_m2=settings.max_watched_km2 * 1e6,
        aoi_ids=[],
        most=ROWS_PER_QUERY,
    )
    stale, rest = whole_aois(stale)
    requests = list(change_requests(stale, settings))
    publish(settings, Topic.CHANGE_REQUESTS, requests)
    if rest:
        following = tick.model_copy(update={"after_aoi": stale[-1]["aoi_id"]})
        publish(settings, Topic.TICKS, [following], {"job": tick.job})
    return {"stale": len(stale), "messages": len(requests)}
