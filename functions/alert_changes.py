"""ticks → events: tell of each flagged change once.

Publish first, then log: a crash repeats news under the same event id, never loses it.
"""

from datetime import UTC, date, datetime
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.messages.bodies import Event, EventType, Tick, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse
from shared.webhooks.news import change_flagged

# A change is news in its month and the two after it, while late scenes may still show it. Older ones, such as those
# in the history of a new AOI, stand in report_change and wake nobody.
_MONTHS_BACK = 2


@functions_framework.cloud_event
def alert_changes(event: CloudEvent) -> None:
    """Handle one tick."""
    handle(event, "alert_changes", Topic.TICKS, Tick, _alert)


def _alert(tick: Tick, settings: Settings) -> dict[str, Any]:
    if tick.job != "alert-changes":
        return {"ignored": tick.job}
    warehouse = Warehouse(settings)
    now = datetime.now(UTC)
    since = _first_month(tick.run_date or now.date())
    rows = warehouse.query("flagged_changes", since=since)
    events = [change_flagged(row, now) for row in rows]
    publish(settings, Topic.EVENTS, events, {"type": EventType.CHANGE_FLAGGED})
    warehouse.append("change_alerts", [_log_row(event, row) for event, row in zip(events, rows, strict=True)])
    return {"changes": len(events)}


def _first_month(day: date) -> date:
    months = day.year * 12 + day.month - 1 - _MONTHS_BACK
    return date(months // 12, months % 12 + 1, 1)


def _log_row(event: Event, change: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "aoi_id": change["aoi_id"],
        "aoi_version": change["aoi_version"],
        "month": change["month"].isoformat(),
        "class_id": change["class_id"],
        "published_at": event.timestamp.isoformat(),
    }
