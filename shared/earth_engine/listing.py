"""Which Dynamic World images exist: Earth Engine is the one source of truth for that."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import ee

from shared.earth_engine.client import compute
from shared.errors import TooBigError
from shared.scenes import SceneImage, parse_scene_name, sensing_time

_SHORTEST_SLICE = timedelta(minutes=10)
# A datatake lasts up to some 40 minutes, and an image's own time is that of its tile within it.
_DATATAKE_BEFORE = timedelta(minutes=30)
_DATATAKE_AFTER = timedelta(hours=1)


def list_images(
    collection: str,
    start: datetime,
    end: datetime,
    region: dict[str, Any] | None = None,
    ingested_since_us: int | None = None,
) -> list[SceneImage]:
    """Images acquired in [start, end), that touch the region (GeoJSON, WGS84), sorted by id.

    ``ingested_since_us`` keeps what appeared in the collection since then. A listing over Earth Engine's limit of
    5,000 elements is split in time until it fits.
    """
    features = _list(collection, _describe, start, end, region, ingested_since_us)
    found = [
        SceneImage(**{k: v for k, v in feature["properties"].items() if v is not None}, footprint=feature["geometry"])
        for feature in features
    ]
    return sorted(found, key=lambda image: image.image_id)


def list_overpasses(collection: str, overpass_ids: list[str], region: dict[str, Any]) -> list[SceneImage]:
    """All images of the named overpasses that touch the region, in one request when they fit."""
    moments = sorted(sensing_time(overpass_id) for overpass_id in overpass_ids)
    wanted = set(overpass_ids)
    listed = list_images(collection, moments[0] - _DATATAKE_BEFORE, moments[-1] + _DATATAKE_AFTER, region)
    return [image for image in listed if image.overpass_id in wanted]


class Scene(NamedTuple):
    """A Sentinel-2 scene, whether or not Dynamic World has an image of it. Cloud is 0 to 100, footprint GeoJSON."""

    scene_id: str
    overpass_id: str
    cloud_percent: float | None
    footprint: dict[str, Any]


class Pass(NamedTuple):
    """A Sentinel-2 overpass of a region and the cloud share, 0 to 100, of its clearest scene."""

    overpass_id: str
    least_cloud_percent: float | None


def list_scenes(collection: str, start: datetime, end: datetime, region: dict[str, Any]) -> list[Scene]:
    """Scenes sensed in [start, end) that touch the region, by the collection of all scenes, sorted by id."""
    found = {
        feature["properties"]["image_id"]: feature
        for feature in _list(collection, _describe_scene, start, end, region, None)
    }
    return [
        Scene(
            scene_id,
            parse_scene_name(scene_id).sensing_stamp,
            feature["properties"].get("cloud_percent"),
            feature["geometry"],
        )
        for scene_id, feature in sorted(found.items())
    ]


def list_passes(collection: str, start: datetime, end: datetime, region: dict[str, Any]) -> list[Pass]:
    """Overpasses of a region in [start, end), oldest first."""
    clouds: dict[str, list[float]] = {}
    for scene in list_scenes(collection, start, end, region):
        percents = clouds.setdefault(scene.overpass_id, [])
        if scene.cloud_percent is not None:
            percents.append(scene.cloud_percent)
    return [Pass(overpass_id, min(percents, default=None)) for overpass_id, percents in sorted(clouds.items())]


def _list(
    collection: str,
    describe: Callable[[Any], Any],
    start: datetime,
    end: datetime,
    region: dict[str, Any] | None,
    ingested_since_us: int | None,
) -> list[dict[str, Any]]:
    images = ee.ImageCollection(collection).filterDate(_millis(start), _millis(end))
    if region is not None:
        images = images.filterBounds(ee.Geometry(region, None, False))
    if ingested_since_us is not None:
        images = images.filter(ee.Filter.gte("system:version", ingested_since_us))
    try:
        return list(compute(ee.FeatureCollection(images.map(describe)))["features"])
    except TooBigError:
        if end - start <= _SHORTEST_SLICE:
            raise
        middle = start + (end - start) / 2
        return [
            *_list(collection, describe, start, middle, region, ingested_since_us),
            *_list(collection, describe, middle, end, region, ingested_since_us),
        ]


def _describe(image: Any) -> Any:
    image = ee.Image(image)
    return ee.Feature(
        image.geometry(),
        {
            "image_id": image.get("system:index"),
            "version_us": image.get("system:version"),
            "crs": image.select([0]).projection().crs(),
            "bands": image.bandNames(),
            "algorithm_version": image.get("dynamicworld_algorithm_version"),
            "qa_version": image.get("qa_algorithm_version"),
        },
    )


def _describe_scene(image: Any) -> Any:
    image = ee.Image(image)
    described = {"image_id": image.get("system:index"), "cloud_percent": image.get("CLOUDY_PIXEL_PERCENTAGE")}
    return ee.Feature(image.geometry(), described)


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
