"""Sentinel-2 scenes, whether or not Dynamic World has an image of them."""

from typing import Any, NamedTuple

from shared.geometry.tiles import crs_of_tile
from shared.imagery.names import parse_scene_name


class Scene(NamedTuple):
    """A scene of the collection of all. Cloud is 0 to 100, footprint GeoJSON, version the ingestion time in
    microseconds.
    """

    scene_id: str
    overpass_id: str
    cloud_percent: float | None
    footprint: dict[str, Any]
    version_us: int = 0
    has_pixels: bool = False


def crs_of(scene_id: str) -> str:
    """The UTM zone of a scene's tile."""
    return crs_of_tile(parse_scene_name(scene_id).tile)
