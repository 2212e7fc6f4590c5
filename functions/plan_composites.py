"""ticks → composite-requests: which months and years changed since their composite was computed, in messages that hold
about a request's worth each, so that an area that is too large keeps no other waiting.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.budgets import Budget, chunked, composite_budget
from shared.cutting import pixels
from shared.handling import handle
from shared.messages import CompositeRef, CompositeRequest, Tick, Topic
from shared.publishing import publish
from shared.settings import Settings
from shared.touches import touched_since
from shared.warehouse.client import Warehouse

# Stale composites that one message plans; what is behind the last AOI among them is planned by the next.
_ROWS_PER_QUERY = 10_000
# All composites of a message share one listing of images: those of one cell lie together, and a span of years is short.
_YEARS_PER_LISTING = 4


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
        most=_ROWS_PER_QUERY,
    )
    rest = len(stale) >= _ROWS_PER_QUERY and stale[0]["aoi_id"] != stale[-1]["aoi_id"]
    if rest:
        # the last AOI may have more of them than were read
        stale = [row for row in stale if row["aoi_id"] != stale[-1]["aoi_id"]]
    requests = list(_requests(stale, settings))
    publish(settings, Topic.COMPOSITE_REQUESTS, requests)
    if rest:
        following = tick.model_copy(update={"after_aoi": stale[-1]["aoi_id"]})
        publish(settings, Topic.TICKS, [following], {"job": tick.job})
    return {"stale": len(stale), "messages": len(requests)}


def _requests(stale: list[dict[str, Any]], settings: Settings) -> Iterator[CompositeRequest]:
    def place(row: dict[str, Any]) -> tuple[int, str, date]:
        return row["cell"], row["period"], row["period_start"]

    def era(row: dict[str, Any]) -> tuple[int, int]:
        return row["cell"], row["period_start"].year // _YEARS_PER_LISTING

    def cost(row: dict[str, Any]) -> Budget:
        return Budget(0, 1, pixels(row["area_m2"]) * row["overpass_count"], row["geometry_bytes"])

    for _, near in groupby(sorted(stale, key=lambda row: (era(row), place(row), row["aoi_id"])), key=era):
        for rows in chunked(near, composite_budget(settings), cost):
            fields = CompositeRef.model_fields
            yield CompositeRequest(
                composites=[CompositeRef.model_validate({name: row[name] for name in fields}) for row in rows]
            )
