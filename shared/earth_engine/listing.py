"""Which Dynamic World images exist: Earth Engine is the one source of truth for that."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import ee
from pydantic import ValidationError

from shared.earth_engine.client import compute
from shared.errors import InvalidMessageError, TooBigError
from shared.geometry.cells import slices
from shared.imagery.boxes import bounding_boxes
from shared.imagery.images import SceneImage
from shared.imagery.names import moments_of, parse_scene_name, sensing_time
from shared.imagery.scenes import Scene
from shared.logs import log
from shared.settings import Settings

_SHORTEST_SLICE = timedelta(minutes=10)
_INGESTED = "ingested_us"

T = TypeVar("T")


def list_images(
    settings: Settings,
    start: datetime,
    end: datetime,
    region: dict[str, Any] | None = None,
    ingested_since_us: int | None = None,
) -> list[SceneImage]:
    """Images acquired in [start, end), that touch the region (GeoJSON, WGS84), sorted by id.

    ``ingested_since_us`` keeps what appeared in the collection since then. A long time is listed in slices that stay
    under Earth Engine's limit of 5,000 elements. An image that is not as documented is left out and logged.
    """
    moments = [(start, end)] if ingested_since_us is not None else slices(start, end, region)
    images = {
        image.image_id: image
        for since, until in moments
        for image in _read(
            _list(settings, settings.collection, describe_image, since, until, region, ingested_since_us), _image
        )
    }
    return [images[image_id] for image_id in sorted(images)]


def _image(feature: dict[str, Any]) -> SceneImage:
    properties = {k: v for k, v in feature["properties"].items() if v is not None}
    image = SceneImage(**properties, footprint=feature["geometry"])
    sensing_time(image.overpass_id)
    bounding_boxes(image.footprint)
    return image


def _read(features: list[dict[str, Any]], read: Callable[[dict[str, Any]], T]) -> Iterator[T]:
    for feature in features:
        try:
            yield read(feature)
        except (ValidationError, InvalidMessageError, KeyError, TypeError, ValueError, IndexError) as error:
            log(
                logging.WARNING,
                "image left out",
                image=str(feature.get("properties", {}).get("image_id")),
                reason=f"{type(error).__name__}: {error}"[:500],
            )


def list_overpasses(settings: Settings, overpass_ids: list[str], region: dict[str, Any]) -> list[SceneImage]:
    """All images of the named overpasses that touch the region, in one request when they fit."""
    wanted = set(overpass_ids)
    listed = list_images(settings, *moments_of(overpass_ids), region)
    return [image for image in listed if image.overpass_id in wanted]


class Pass(NamedTuple):
    """A Sentinel-2 overpass of a region and the cloud share, 0 to 100, of its clearest scene."""

    overpass_id: str
    least_cloud_percent: float | None


def list_scenes(
    settings: Settings, start: datetime, end: datetime, region: dict[str, Any] | None = None
) -> list[Scene]:
    """Scenes sensed in [start, end) that touch the region, by the collection of all scenes, sorted by id."""
    found = {
        scene.scene_id: scene
        for since, until in slices(start, end, region)
        for scene in _read(
            _list(settings, settings.pass_collection, _describe_scene, since, until, region, None), _scene
        )
    }
    return [found[scene_id] for scene_id in sorted(found)]


def _scene(feature: dict[str, Any]) -> Scene:
    properties, footprint = feature["properties"], feature["geometry"]
    overpass_id = parse_scene_name(properties["image_id"]).sensing_stamp
    sensing_time(overpass_id)
    bounding_boxes(footprint)
    return Scene(
        properties["image_id"],
        overpass_id,
        properties.get("cloud_percent"),
        footprint,
        properties.get("version_us") or 0,
        properties.get("band_count", 0) > 0,
    )


def list_passes(settings: Settings, start: datetime, end: datetime, region: dict[str, Any]) -> list[Pass]:
    """Overpasses of a region in [start, end), oldest first."""
    clouds: dict[str, list[float]] = {}
    for scene in list_scenes(settings, start, end, region):
        percents = clouds.setdefault(scene.overpass_id, [])
        if scene.cloud_percent is not None:
            percents.append(scene.cloud_percent)
    return [Pass(overpass_id, min(percents, default=None)) for overpass_id, percents in sorted(clouds.items())]


def _list(
    settings: Settings,
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
        # what a filter on the stored property does is documented nowhere: it may pass nothing, and no news would come
        # until the next full tick, or everything
        images = images.map(_with_ingestion_time).filter(ee.Filter.gte(_INGESTED, ingested_since_us))
    try:
        answer = compute(ee.FeatureCollection(images.map(describe)), settings.earth_engine_patience_seconds)
        return list(answer["features"])
    except TooBigError:
        if end - start <= _SHORTEST_SLICE:
            raise
        middle = start + (end - start) / 2
        return [
            *_list(settings, collection, describe, start, middle, region, ingested_since_us),
            *_list(settings, collection, describe, middle, end, region, ingested_since_us),
        ]


def _with_ingestion_time(image: Any) -> Any:
    return image.set(_INGESTED, image.get("system:version"))


def describe_image(image: Any) -> Any:
    """A Dynamic World image as the feature that its listing answers."""
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
    described = {
        "image_id": image.get("system:index"),
        "cloud_percent": image.get("CLOUDY_PIXEL_PERCENTAGE"),
        "version_us": image.get("system:version"),
        "band_count": image.bandNames().size(),
    }
    return ee.Feature(image.geometry(), described)


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
