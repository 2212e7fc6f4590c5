"""acquisitions → measurements: which AOIs the new image's overpass has to be measured over."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent
from shapely.geometry import mapping

from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.handling import handle
from shared.measuring import request_budget
from shared.messages import Acquisition, AoiRef, Lane, MeasurementRequest, Topic
from shared.planning import Budget, chunked, footprint_shape, pixels
from shared.publishing import publish
from shared.scenes import SceneName, parse_scene_name, sensing_time
from shared.settings import Settings
from shared.warehouse.client import Warehouse


@functions_framework.cloud_event
def dispatch(event: CloudEvent) -> None:
    """Handle one announced image."""
    handle(event, "dispatch", Topic.ACQUISITIONS, Acquisition, _dispatch)


def _dispatch(message: Acquisition, settings: Settings) -> dict[str, Any]:
    name = parse_scene_name(message.image_id)
    footprints = [message.footprint] if message.footprint else _look_up(name, settings)
    aois: dict[str, dict[str, Any]] = {}
    for footprint in footprints:
        outline = footprint_shape(footprint)
        west, south, east, north = outline.bounds
        for row in Warehouse(settings).query(
            "aois_touching",
            footprint=json.dumps(mapping(outline)),
            west_deg=west,
            south_deg=south,
            east_deg=east,
            north_deg=north,
        ):
            aois[row["aoi_id"]] = row
    requests = list(_requests(name.sensing_stamp, list(aois.values()), settings))
    publish(settings.project, Topic.MEASUREMENTS, requests, {"lane": Lane.LIVE})
    return {
        "overpass": name.sensing_stamp,
        "images": len(footprints),
        "aoi_count": len(aois),
        "messages": len(requests),
    }


def _look_up(name: SceneName, settings: Settings) -> list[dict[str, Any]]:
    """Footprints of what Earth Engine has of a scene that somebody else announced; none if it is not there yet."""
    connect(settings, "dispatch")
    start = sensing_time(name.sensing_stamp)
    listed = list_images(settings.collection, start - timedelta(minutes=30), start + timedelta(hours=1))
    return [i.footprint for i in listed if (i.name.sensing_stamp, i.name.tile) == (name.sensing_stamp, name.tile)]


def _requests(overpass_id: str, rows: list[dict[str, Any]], settings: Settings) -> Iterator[MeasurementRequest]:
    def cost(row: dict[str, Any]) -> Budget:
        return Budget(pixels(row["area_m2"]), 1, row["geometry_bytes"])

    for run in chunked(rows, request_budget(settings), cost):
        refs = [AoiRef(aoi_id=row["aoi_id"], aoi_version=row["aoi_version"]) for row in run]
        yield MeasurementRequest(overpass_ids=[overpass_id], aois=refs, announce=True)
