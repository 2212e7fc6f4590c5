"""ticks → passes, classifications: when Sentinel-2 passed over each AOI, and how cloudy it was, image or none.

This is what tells an AOI that nobody measured from one that nobody could see, and when the next view is due.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent
from shapely.geometry import mapping

from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_scenes
from shared.geometry.cells import region_of_cells
from shared.imagery.boxes import bounding_boxes
from shared.imagery.footprints import footprint_shape
from shared.imagery.names import sensing_time
from shared.imagery.scenes import Scene
from shared.measurement.asking import requests_by_overpass
from shared.measurement.budgets import classification_budget
from shared.measurement.rows import pass_row
from shared.measurement.unseen import WINDOW_DAYS, is_for_the_network, waited_for_until
from shared.messages.bodies import ClassificationRequest, Tick, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse

# A datatake that begins before midnight ends within the hour.
_LONGEST_DATATAKE = timedelta(hours=1)
# A scene is some 900 bytes in a query's parameters, and BigQuery takes 10 MB a request.
_SCENES_PER_QUERY = 4_000


@functions_framework.cloud_event
def record_passes(event: CloudEvent) -> None:
    """Handle one tick: publish one for each day of the window, or record the day it names."""
    handle(event, "record_passes", Topic.TICKS, Tick, _record)


def _record(tick: Tick, settings: Settings) -> dict[str, Any]:
    if tick.job != "record-passes":
        return {"ignored": tick.job}
    if tick.day is None:
        last = tick.run_date or datetime.now(UTC).date()
        days = [last - timedelta(days=back) for back in range(WINDOW_DAYS)]
        ticks = [Tick(job="record-passes", day=day) for day in days]
        publish(settings, Topic.TICKS, ticks, {"job": "record-passes"})
        return {"days": len(days)}
    warehouse = Warehouse(settings)
    cells = [row["cell"] for row in warehouse.query("aoi_cells")]
    if not cells:
        return {"scenes": 0, "passes": 0}
    connect(settings, "record_passes")
    scenes = _scenes_of(tick.day, region_of_cells(cells), settings)
    recorded_at = datetime.now(UTC).isoformat()
    found: list[dict[str, Any]] = []
    for batch in _batches(scenes):
        rows = warehouse.query("new_passes", day=tick.day, scenes=json.dumps(list(_parameters(batch))))
        warehouse.append("passes", [pass_row(row, recorded_at) for row in rows])
        found += rows
    asked = _ask_the_network(tick.day, found, warehouse)
    return {"day": tick.day.isoformat(), "scenes": len(scenes), "passes": len(found), "classifications": asked}


def _ask_the_network(day: date, new: list[dict[str, Any]], warehouse: Warehouse) -> int:
    """Have passes classified of which Dynamic World makes nothing, or has made nothing for long: those before, and
    those just found, which no query sees for some seconds.
    """
    settings = warehouse.settings
    if settings.classify == "off":
        return 0
    until = waited_for_until(settings, datetime.now(UTC))
    unseen = warehouse.query("unseen_passes", day=day, unpublished_before=until)
    unseen += [row for row in new if is_for_the_network(row["overpass_id"], row["least_cloud_percent"], until)]
    requests = requests_by_overpass(ClassificationRequest, unseen, classification_budget(settings), settings)
    return publish(settings, Topic.CLASSIFICATIONS, requests)


def _scenes_of(day: date, region: dict[str, Any], settings: Settings) -> list[Scene]:
    """The scenes of the datatakes that began on a day."""
    start = datetime.combine(day, time.min, UTC)
    listed = list_scenes(settings, start, start + timedelta(days=1) + _LONGEST_DATATAKE, region)
    return [scene for scene in listed if sensing_time(scene.overpass_id).date() == day]


def _batches(scenes: list[Scene]) -> Iterator[list[Scene]]:
    """Runs of whole overpasses, each small enough for one query: an AOI's scenes of one overpass stay together."""
    batch: list[Scene] = []
    for _, group in groupby(scenes, key=lambda scene: scene.overpass_id):
        overpass = list(group)
        if batch and len(batch) + len(overpass) > _SCENES_PER_QUERY:
            yield batch
            batch = []
        batch += overpass
    if batch:
        yield batch


def _parameters(scenes: list[Scene]) -> Iterator[dict[str, Any]]:
    for scene in scenes:
        outline = footprint_shape(scene.footprint)
        for west, south, east, north in bounding_boxes(scene.footprint):
            yield {
                "scene_id": scene.scene_id,
                "overpass_id": scene.overpass_id,
                "cloud_percent": scene.cloud_percent,
                "footprint": json.dumps(mapping(outline)),
                "west_deg": west,
                "south_deg": south,
                "east_deg": east,
                "north_deg": north,
            }
