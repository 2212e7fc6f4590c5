"""ticks → acquisitions: announce the Dynamic World images that appeared over any AOI.

There is no watermark to lose: each full tick lists the whole window, and SQL drops what the log already has.
Publish first, then log: a crash repeats work, never loses it.
"""

import json
import logging
from datetime import UTC, datetime, time, timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.geometry.cells import region_of_cells, slices
from shared.imagery.boxes import bounding_boxes
from shared.imagery.images import SceneImage
from shared.imagery.names import month_number, sensing_time
from shared.logs import log
from shared.measurement.discovery import FREQUENT_WINDOW, is_late, messages, settled
from shared.messages.bodies import Tick, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse

# A frequent tick looks back further than its period, so that a lost tick is made up by the next, and further than
# images wait for the other tiles of their overpass.
_FREQUENT_LOOKBACK = timedelta(hours=6)
# A full tick over many cells takes many listings: each message makes so many.
_LISTINGS_PER_MESSAGE = 8
# A box is some 170 bytes in a query's parameters, and BigQuery takes 10 MB a request.
_BOXES_PER_QUERY = 10_000


@functions_framework.cloud_event
def discover(event: CloudEvent) -> None:
    """Handle one tick: list what it names, or hand on a window that is too long for one invocation."""
    handle(event, "discover", Topic.TICKS, Tick, _discover)


def _discover(tick: Tick, settings: Settings) -> dict[str, Any]:
    if tick.job != "discover":
        return {"ignored": tick.job}
    warehouse = Warehouse(settings)
    cells = [row["cell"] for row in warehouse.query("aoi_cells")]
    if not cells:
        return {"listed": 0, "announced": 0}
    region = region_of_cells(cells)
    now = datetime.now(UTC)
    start, end = _window(tick, now, settings)
    spans = list(slices(start, end, region))
    if tick.scope == "full" and len(spans) > _LISTINGS_PER_MESSAGE:
        parts = [spans[first : first + _LISTINGS_PER_MESSAGE] for first in range(0, len(spans), _LISTINGS_PER_MESSAGE)]
        ticks = [tick.model_copy(update={"start": part[0][0], "end": part[-1][1]}) for part in parts]
        publish(settings, Topic.TICKS, ticks, {"job": tick.job})
        return {"messages": len(ticks)}
    since_us = _micros(now - _FREQUENT_LOOKBACK) if tick.scope == "frequent" else None
    connect(settings, "discover")
    listed = announced = late = 0
    for since, until in [(start, end)] if since_us is not None else spans:
        images = {image.image_id: image for image in list_images(settings, since, until, region, since_us)}
        expected = _unannounced(list(images.values()), since, warehouse)
        new = [images[image_id] for image_id in sorted(expected)]
        ready = settled(new, _micros(now - timedelta(minutes=settings.discover_settle_minutes)))
        _announce(ready, settings, warehouse)
        listed, announced = listed + len(images), announced + len(ready)
        late += sum(expected[image.image_id] and is_late(image, now, settings) for image in ready)
    if late and tick.scope == "full":
        log(logging.ERROR, "found late", images=late, expected="frequent ticks announce what appears within days")
    return {"listed": listed, "announced": announced, "late": late}


def _window(tick: Tick, now: datetime, settings: Settings) -> tuple[datetime, datetime]:
    """What was acquired when: the tick's own span, or the window that ends on its day."""
    if tick.start is not None and tick.end is not None:
        return tick.start, tick.end
    end = datetime.combine(tick.run_date, time.max, UTC) if tick.run_date else now
    window = timedelta(days=settings.discover_window_days)
    return end - (min(window, FREQUENT_WINDOW) if tick.scope == "frequent" else window), end


def _announce(images: list[SceneImage], settings: Settings, warehouse: Warehouse) -> None:
    publish(settings, Topic.ACQUISITIONS, messages(images))
    published_at = datetime.now(UTC).isoformat()
    warehouse.append("acquisitions", [_log_row(image, published_at) for image in images])


def _unannounced(images: list[SceneImage], start: datetime, warehouse: Warehouse) -> dict[str, bool]:
    """The images to announce, and whether an AOI under each was registered before the image appeared."""
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
    return {row["image_id"]: bool(row["aoi_was_there"]) for row in rows}


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)


def _log_row(image: SceneImage, published_at: str) -> dict[str, Any]:
    acquired_at = sensing_time(image.overpass_id)
    return {
        "image_id": image.image_id,
        "version_us": image.version_us,
        "overpass_id": image.overpass_id,
        "acquired_date": acquired_at.date().isoformat(),
        "acquired_month": month_number(acquired_at),
        "published_at": published_at,
    }
