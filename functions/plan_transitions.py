"""ticks → transition-requests: of which pairs of years a composite is newer than what became what between them."""

from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.change.pairing import transition_requests
from shared.measurement.composing import ROWS_PER_QUERY, whole_aois
from shared.messages.bodies import Tick, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse


@functions_framework.cloud_event
def plan_transitions(event: CloudEvent) -> None:
    """Handle one tick."""
    handle(event, "plan_transitions", Topic.TICKS, Tick, _plan)


def _plan(tick: Tick, settings: Settings) -> dict[str, Any]:
    if tick.job != "transition":
        return {"ignored": tick.job}
    stale = Warehouse(settings).query(
        "stale_transitions",
        baseline_year=settings.baseline_year,
        after_aoi=tick.after_aoi,
        aoi_ids=[],
        most=ROWS_PER_QUERY,
    )
    stale, rest = whole_aois(stale)
    requests = list(transition_requests(stale, settings))
    publish(settings, Topic.TRANSITION_REQUESTS, requests)
    if rest:
        following = tick.model_copy(update={"after_aoi": stale[-1]["aoi_id"]})
        publish(settings, Topic.TICKS, [following], {"job": tick.job})
    return {"stale": len(stale), "messages": len(requests)}
