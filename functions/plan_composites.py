"""ticks → composite-requests: which months and years changed since their composite was computed, in messages that hold
about a request's worth each, so that an area that is too large keeps no other waiting.
"""

from datetime import UTC, datetime
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.measurement.composing import ROWS_PER_QUERY, composite_requests, whole_aois
from shared.messages.bodies import Tick, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse
from shared.warehouse.touches import touched_since


@functions_framework.cloud_event
def plan_composites(event: CloudEvent) -> None:
    """Handle one tick."""
    handle(event, "plan_composites", Topic.TICKS, Tick, _plan)


def _plan(tick: Tick, settings: Settings) -> dict[str, Any]:
    if tick.job != "composite":
        return {"ignored": tick.job}
    warehouse = Warehouse(settings)
    since = touched_since(warehouse, tick.run_date or datetime.now(UTC).date())
    stale = warehouse.query(
        "stale_composites",
        period=tick.period or "",
        since=since,
        after_aoi=tick.after_aoi,
        aoi_ids=[],
        most=ROWS_PER_QUERY,
    )
    stale, rest = whole_aois(stale)
    requests = list(composite_requests(stale, settings))
    publish(settings, Topic.COMPOSITE_REQUESTS, requests)
    if rest:
        following = tick.model_copy(update={"after_aoi": stale[-1]["aoi_id"]})
        publish(settings, Topic.TICKS, [following], {"job": tick.job})
    return {"stale": len(stale), "messages": len(requests)}
