"""Sentinel-2 L1C scenes with pixels, from a folder, and what Google computes beside them: cloud probability, Cloud
Score+.

``sentinel2/ID/`` in the scenes folder holds one scene: GeoTIFFs whose bands are described by their names (a file for
each pixel size), in DN without offset, and ``scene.json``, its properties. ``cloud_probability.tif`` and
``cloud_score_plus.tif`` are the images of the other two collections with the same id; they may be missing, as they are
for hours after a real scene.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import shapely
from rasterio.warp import transform_geom
from shapely.geometry import mapping, shape

from local.earth_engine.catalog import file_reader, mean_sensing_time_ms, opened_raster
from local.earth_engine.errors import asset_not_found
from local.earth_engine.geotiff import open_geotiff
from local.earth_engine.values import Band, Collection, Geometry, Image
from shared.errors import UserInputError
from shared.imagery.names import parse_scene_name

SCENES_FOLDER = "sentinel2"
PROPERTIES_FILE = "scene.json"
CLOUD_PROBABILITY_FILE, CLOUD_SCORE_FILE = "cloud_probability.tif", "cloud_score_plus.tif"
_EDGE_POINTS = 8
# Bytes of a value as the collections store it: DN are 16-bit, percentages 8-bit, scores doubles.
_VALUE_BYTES = {"uint8": 1, "uint16": 2, "int16": 2}


class Sentinel2Catalog:
    """One of the three collections: the scenes themselves, or the files of one name beside them."""

    def __init__(self, collection: str, folder: Path, partner: str | None = None) -> None:
        self.collection_id = collection
        self._folder = folder / SCENES_FOLDER
        self._partner = partner

    def collection(self, asset_id: str) -> Collection:
        """All images as they are now, by id."""
        return Collection([self._image(name) for name in self.names()], asset_id=self.collection_id)

    def names(self) -> list[str]:
        """Ids of the scenes that have an image in this collection."""
        if not self._folder.is_dir():
            return []
        return sorted(each.name for each in self._folder.iterdir() if each.is_dir() and self._files(each.name))

    def image(self, asset_id: str) -> Image:
        """One image by its full asset id. Raises EngineError when it is not there."""
        name = asset_id.rpartition("/")[2]
        if not name or "\\" in name or name.startswith(".") or not self._files(name):
            raise asset_not_found("Image", asset_id)
        return self._image(name)

    def _files(self, name: str) -> tuple[Path, ...]:
        folder = self._folder / name
        if self._partner is not None:
            path = folder / self._partner
            return (path,) if path.is_file() else ()
        partners = {CLOUD_PROBABILITY_FILE, CLOUD_SCORE_FILE}
        return tuple(sorted(path for path in folder.glob("*.tif") if path.name not in partners))

    def _image(self, name: str) -> Image:
        files = self._files(name)
        described = self._folder / name / PROPERTIES_FILE
        properties = json.loads(described.read_text(encoding="utf-8")) if self._partner is None else {}
        stamps = tuple(path.stat().st_mtime_ns for path in files)
        image = _load(self.collection_id, name, files, stamps)
        return image.with_properties(**properties)  # type: ignore[no-any-return]


@lru_cache(maxsize=512)
def _load(collection: str, name: str, files: tuple[Path, ...], stamps_ns: tuple[int, ...]) -> Image:
    if not parse_scene_name(name).datastrip_stamp:
        raise UserInputError(f"{name}: expected an image id as folder name, found a product id")
    bands = [band for path, stamp_ns in zip(files, stamps_ns, strict=True) for band in _bands(path, stamp_ns)]
    acquired_ms = mean_sensing_time_ms(name)
    properties = {
        "system:index": name,
        "system:time_start": acquired_ms,
        "system:time_end": acquired_ms,
        "system:version": max(stamps_ns) // 1000,
    }
    return Image(properties, Geometry(_footprint(files[0]), False), tuple(bands), f"{collection}/{name}")


def _bands(path: Path, stamp_ns: int) -> list[Band]:
    with open_geotiff(path) as dataset:
        names, dtypes, size = dataset.descriptions, dataset.dtypes, (dataset.width, dataset.height)
    if None in names:
        raise UserInputError(f"{path}: expected bands described by their names, found {names}")
    return [
        Band(
            name,
            opened_raster(path, stamp_ns).projection,
            file_reader(path, stamp_ns, number),
            size,
            _data_type(dtype),
            leaves=frozenset([(f"{path.parent.name}/{name}", _VALUE_BYTES.get(dtype, 8))]),
            value_bytes=_VALUE_BYTES.get(dtype, 8),
        )
        for number, (name, dtype) in enumerate(zip(names, dtypes, strict=True), 1)
    ]


def _data_type(dtype: str) -> dict[str, Any]:
    if dtype in _VALUE_BYTES:
        return {"type": "PixelType", "precision": "int", "min": 0, "max": 255 if dtype == "uint8" else 65_535}
    return {"type": "PixelType", "precision": "double"}


def _footprint(path: Path) -> shapely.Geometry:
    with open_geotiff(path) as dataset:
        outline = shapely.segmentize(
            shapely.box(*dataset.bounds), max(dataset.width, dataset.height) * dataset.transform.a / _EDGE_POINTS
        )
        return shape(transform_geom(dataset.crs, "EPSG:4326", mapping(outline)))
