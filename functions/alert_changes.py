"""ticks → events: tell of each patch of changed ground once when it is confirmed, and once when it is withdrawn.

Publish first, then log: a crash repeats news under the same event id, never loses it.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.change.telling import confirmed_news, withdrawn_news
from shared.messages.bodies import ChangedPatch, Event, EventType, Tick, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse
from shared.webhooks.news import patch_told

# A change is news for some weeks after the view that confirmed it, while late images may still come. Older ones, such
# as those in the history of a new AOI, stand in report_patches and wake nobody.
_NEWS = timedelta(days=62)


@functions_framework.cloud_event
def alert_changes(event: CloudEvent) -> None:
    """Handle one tick."""
    handle(event, "alert_changes", Topic.TICKS, Tick, _alert)


def _alert(tick: Tick, settings: Settings) -> dict[str, Any]:
    if tick.job != "alert-changes":
        return {"ignored": tick.job}
    warehouse = Warehouse(settings)
    now = datetime.now(UTC)
    since = datetime.combine(tick.run_date or now.date(), time.min, UTC) - _NEWS
    confirmed = confirmed_news(warehouse.query("recent_alarms", since=since))
    withdrawn = withdrawn_news(warehouse.query("denied_alarms"))
    for kind, patches in ((EventType.CHANGE_CONFIRMED, confirmed), (EventType.CHANGE_WITHDRAWN, withdrawn)):
        events = [patch_told(patch, kind, now) for patch in patches]
        publish(settings, Topic.EVENTS, events, {"type": kind})
        rows = [_log_row(event, patch) for event, patch in zip(events, patches, strict=True)]
        warehouse.append("change_alerts", rows)
    return {"confirmed": len(confirmed), "withdrawn": len(withdrawn)}


def _log_row(event: Event, patch: ChangedPatch) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "aoi_id": patch.aoi_id,
        "aoi_version": patch.aoi_version,
        "patch_id": patch.patch_id,
        "state": event.type.removeprefix("change."),
        "body": patch.model_dump_json(),
        "published_at": event.timestamp.isoformat(),
    }
