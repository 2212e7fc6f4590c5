"""acquisitions → measurements: which AOIs the new images' overpass has to be measured over."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent
from shapely import union_all
from shapely.errors import ShapelyError
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from shared.aois.name_spaces import by_client
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.errors import InvalidMessageError
from shared.geometry.cutting import pixels
from shared.geometry.grids import is_near_tile
from shared.imagery.footprints import footprint_shape
from shared.imagery.names import SceneName, parse_scene_name, sensing_time
from shared.measurement.budgets import Budget, chunked, observation_budget
from shared.messages.bodies import AcquiredImage, Acquisition, AoiRef, Lane, MeasurementRequest, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse

# What the geometry library raises for what is none.
_NOT_GEOJSON = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
    ShapelyError,
)


@functions_framework.cloud_event
def dispatch(event: CloudEvent) -> None:
    """Handle the announced images of one overpass."""
    handle(event, "dispatch", Topic.ACQUISITIONS, Acquisition, _dispatch)


def _dispatch(message: Acquisition, settings: Settings) -> dict[str, Any]:
    overpass_id = _overpass_of(message)
    outlines = [outline for image in message.images() for outline in _outlines(image, settings)]
    rows = _aois_under(union_all(outlines), Warehouse(settings)) if outlines else []
    requests = list(_requests(overpass_id, rows, settings))
    publish(settings, Topic.MEASUREMENTS, requests, {"lane": Lane.LIVE})
    return {"overpass": overpass_id, "images": len(outlines), "aoi_count": len(rows), "messages": len(requests)}


def _aois_under(footprint: BaseGeometry, warehouse: Warehouse) -> list[dict[str, Any]]:
    west, south, east, north = footprint.bounds
    return warehouse.query(
        "aois_touching",
        footprint=json.dumps(mapping(footprint)),
        west_deg=west,
        south_deg=south,
        east_deg=east,
        north_deg=north,
    )


def _overpass_of(message: Acquisition) -> str:
    found = {parse_scene_name(image.image_id).sensing_stamp for image in message.images()}
    if len(found) > 1:
        raise InvalidMessageError(f"expected images of one overpass, found {', '.join(sorted(found))}")
    (overpass_id,) = found
    sensing_time(overpass_id)
    return overpass_id


def _outlines(image: AcquiredImage, settings: Settings) -> list[BaseGeometry]:
    """The footprint as it was announced, where it lies at its tile; anybody may publish, so any other is looked up."""
    name = parse_scene_name(image.image_id)
    if image.footprint is not None:
        try:
            outline = footprint_shape(image.footprint)
        except _NOT_GEOJSON as error:
            raise InvalidMessageError(f"{image.image_id}: the footprint is not a GeoJSON geometry: {error}") from None
        if is_near_tile(outline, name.tile):
            return [outline]
    return [footprint_shape(footprint) for footprint in _look_up(name, settings)]


def _look_up(name: SceneName, settings: Settings) -> list[dict[str, Any]]:
    """Footprints of what Earth Engine has of a scene that somebody else announced; none if it is not there yet."""
    connect(settings, "dispatch")
    start = sensing_time(name.sensing_stamp)
    listed = list_images(settings, start - timedelta(minutes=30), start + timedelta(hours=1))
    return [i.footprint for i in listed if (i.name.sensing_stamp, i.name.tile) == (name.sensing_stamp, name.tile)]


def _requests(overpass_id: str, rows: list[dict[str, Any]], settings: Settings) -> Iterator[MeasurementRequest]:
    def cost(row: dict[str, Any]) -> Budget:
        return Budget(0, 1, pixels(row["area_m2"]), row["geometry_bytes"])

    for of_one_client in by_client(rows, lambda row: str(row["aoi_id"]), settings):
        for run in chunked(of_one_client, observation_budget(settings), cost):
            refs = [AoiRef(aoi_id=row["aoi_id"], aoi_version=row["aoi_version"]) for row in run]
            yield MeasurementRequest(overpass_ids=[overpass_id], aois=refs, announce=True)
