"""ticks → acquisitions: announce the Dynamic World images that appeared over any AOI.

There is no watermark to lose: each full tick lists the whole window, and SQL drops what the log already has.
Publish first, then log: a crash repeats work, never loses it.
"""

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.extent import extent_of_aois
from shared.handling import handle
from shared.messages import Acquisition, Tick, Topic
from shared.publishing import publish
from shared.scenes import SceneImage, bounding_boxes, sensing_time
from shared.settings import Settings
from shared.warehouse.client import Warehouse

# A frequent tick looks back further than its period, so that one lost tick is made up by the next.
_FREQUENT_LOOKBACK = timedelta(hours=6)
# A box is some 170 bytes in a query's parameters, and BigQuery takes 10 MB a request.
_BOXES_PER_QUERY = 10_000


@functions_framework.cloud_event
def discover(event: CloudEvent) -> None:
    """Handle one tick."""
    handle(event, "discover", Topic.TICKS, Tick, _discover)


def _discover(tick: Tick, settings: Settings) -> dict[str, Any]:
    if tick.job != "discover":
        return {"ignored": tick.job}
    warehouse = Warehouse(settings)
    extent = extent_of_aois(warehouse)
    if extent is None:
        return {"listed": 0, "announced": 0}
    now = datetime.now(UTC)
    end = datetime.combine(tick.run_date, time.max, UTC) if tick.run_date else now
    start = end - timedelta(days=settings.discover_window_days)
    since_us = round((now - _FREQUENT_LOOKBACK).timestamp() * 1e6) if tick.scope == "frequent" else None
    connect(settings, "discover")
    listed = {image.image_id: image for image in list_images(settings.collection, start, end, extent, since_us)}
    new = [listed[image_id] for image_id in _unannounced(list(listed.values()), start, warehouse)]
    published_at = datetime.now(UTC).isoformat()
    publish(
        settings.project,
        Topic.ACQUISITIONS,
        [Acquisition(image_id=i.image_id, version_us=i.version_us, footprint=i.footprint) for i in new],
    )
    warehouse.append("acquisitions", [_log_row(image, published_at) for image in new])
    return {"listed": len(listed), "announced": len(new)}


def _unannounced(images: list[SceneImage], start: datetime, warehouse: Warehouse) -> list[str]:
    boxes = [
        {
            "image_id": image.image_id,
            "version_us": image.version_us,
            "west_deg": west,
            "south_deg": south,
            "east_deg": east,
            "north_deg": north,
        }
        for image in images
        for west, south, east, north in bounding_boxes(image.footprint)
    ]
    since = (start - timedelta(days=1)).date()
    rows = [
        row
        for first in range(0, len(boxes), _BOXES_PER_QUERY)
        for row in warehouse.query(
            "new_acquisitions", boxes=json.dumps(boxes[first : first + _BOXES_PER_QUERY]), since=since
        )
    ]
    return sorted({row["image_id"] for row in rows})


def _log_row(image: SceneImage, published_at: str) -> dict[str, Any]:
    return {
        "image_id": image.image_id,
        "version_us": image.version_us,
        "overpass_id": image.overpass_id,
        "acquired_date": sensing_time(image.overpass_id).date().isoformat(),
        "published_at": published_at,
    }
