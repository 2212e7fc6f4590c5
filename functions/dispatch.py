"""acquisitions → measurements, classifications: which AOIs the new images' overpass has to be measured over."""

import json
from datetime import timedelta
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent
from shapely import union_all
from shapely.errors import ShapelyError
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.errors import InvalidMessageError
from shared.geometry.grids import is_near_tile
from shared.geometry.tiles import tile_outline
from shared.imagery.footprints import footprint_shape
from shared.imagery.names import SceneName, parse_scene_name, sensing_time
from shared.measurement.asking import requests_for
from shared.measurement.budgets import classification_budget, observation_budget
from shared.messages.bodies import AcquiredImage, Acquisition, ClassificationRequest, Lane, MeasurementRequest, Topic
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
    requests = list(requests_for(MeasurementRequest, overpass_id, rows, observation_budget(settings), settings))
    publish(settings, Topic.MEASUREMENTS, requests, {"lane": Lane.LIVE})
    classifications = list(_classifications(overpass_id, message, outlines, settings))
    publish(settings, Topic.CLASSIFICATIONS, classifications)
    return {
        "overpass": overpass_id,
        "images": len(outlines),
        "aoi_count": len(rows),
        "messages": len(requests),
        "classifications": len(classifications),
    }


def _classifications(
    overpass_id: str, message: Acquisition, published: list[BaseGeometry], settings: Settings
) -> list[ClassificationRequest]:
    """What a product of which Dynamic World has no image yet asks of the network, as soon as it is heard of: the scene
    itself comes to Earth Engine later, and is waited for there.
    """
    names = (parse_scene_name(image.image_id) for image in message.images())
    tiles = sorted({name.tile for name in names if not name.datastrip_stamp})
    outlines = [outline for tile in tiles if (outline := tile_outline(tile)) is not None]
    if settings.classify == "off" or published or not outlines:
        return []
    rows = _aois_under(union_all(outlines), Warehouse(settings))
    return list(requests_for(ClassificationRequest, overpass_id, rows, classification_budget(settings), settings))


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
