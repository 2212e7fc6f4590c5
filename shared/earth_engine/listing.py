"""Which Dynamic World images exist: Earth Engine is the one source of truth for that."""

from datetime import datetime, timedelta
from typing import Any

import ee

from shared.earth_engine.client import compute
from shared.errors import TooBigError
from shared.scenes import SceneImage, sensing_time

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
    images = ee.ImageCollection(collection).filterDate(_millis(start), _millis(end))
    if region is not None:
        images = images.filterBounds(ee.Geometry(region, None, False))
    if ingested_since_us is not None:
        images = images.filter(ee.Filter.gte("system:version", ingested_since_us))
    try:
        features = compute(ee.FeatureCollection(images.map(_describe)))["features"]
    except TooBigError:
        if end - start <= _SHORTEST_SLICE:
            raise
        middle = start + (end - start) / 2
        return [
            *list_images(collection, start, middle, region, ingested_since_us),
            *list_images(collection, middle, end, region, ingested_since_us),
        ]
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


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
