"""A folder of GeoTIFFs as an image collection: one file an image, the file's stem its id."""

import resource
import threading
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import shapely
from rasterio.warp import transform_geom
from shapely.geometry import mapping, shape

from local.earth_engine.errors import asset_not_found
from local.earth_engine.geotiff import open_geotiff
from local.earth_engine.raster import RasterFile
from local.earth_engine.values import Band, Collection, Geometry, Image, Pixels, Window
from shared.classes import CLASS_NAMES, LABEL_BAND
from shared.errors import InvalidMessageError, UserInputError
from shared.imagery.names import parse_scene_name, sensing_time

_MOST_FILES, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
# That stay open: a few years of an area, so that they are not opened for every request.
_OPEN_FILES = 1000 if _MOST_FILES == resource.RLIM_INFINITY else min(1000, _MOST_FILES // 2)
_EDGE_POINTS = 8
_LONGEST_DATATAKE_SECONDS = 25 * 60


class SceneFile(NamedTuple):
    """What the index keeps of one file."""

    path: Path
    stamp_ns: int
    band_names: tuple[str, ...]


def read_scene(path: Path) -> SceneFile:
    """Check one scene file and name its bands. Raises UserInputError with one plain sentence."""
    try:
        name = parse_scene_name(path.stem)
    except InvalidMessageError as error:
        raise UserInputError(f"{path.name}: the file name is not an image id: {error}") from None
    if not name.datastrip_stamp:
        raise UserInputError(f"{path.name}: expected a Dynamic World image id as file name, found a product id")
    with open_geotiff(path) as dataset:
        if dataset.crs is None:
            raise UserInputError(f"{path.name}: the raster has no coordinate reference system")
        if dataset.transform.b or dataset.transform.d:
            raise UserInputError(f"{path.name}: the raster's grid is rotated; expected rows along the x axis")
        names = _band_names(path, dataset)
    return SceneFile(path, path.stat().st_mtime_ns, names)


def _band_names(path: Path, dataset: Any) -> tuple[str, ...]:
    described = tuple(description or "" for description in dataset.descriptions)
    if LABEL_BAND in described:
        return tuple(name or f"b{i}" for i, name in enumerate(described, 1))
    if dataset.count == 1:
        if not dataset.dtypes[0].startswith(("uint", "int")):
            raise UserInputError(f"{path.name}: expected whole class numbers 0 to 8, found {dataset.dtypes[0]} values")
        return (LABEL_BAND,)
    found = ", ".join(name or "unnamed" for name in described)
    raise UserInputError(
        f"{path.name}: expected one band of labels, or bands described as '{LABEL_BAND}' and the nine classes "
        f"({', '.join(CLASS_NAMES[:2])}, …); found {dataset.count} bands ({found}). Is it a coloured (RGB) export?"
    )


@lru_cache(maxsize=_OPEN_FILES)
def opened_raster(path: Path, stamp_ns: int) -> RasterFile:
    """A file as it was at a moment; the most recent ones stay open."""
    return RasterFile(path)


class SceneCatalog:
    """The collections that are served: a collection id and the folder with its scenes."""

    def __init__(self, collection: str, folder: Path) -> None:
        self.collection_id = collection
        self.folder = folder
        self._images: dict[str, tuple[int, Image]] = {}
        self._lock = threading.Lock()

    def collection(self, asset_id: str) -> Collection:
        """All images of the folder as they are now, by id. Raises EngineError when there is no such collection."""
        if asset_id.strip("/") != self.collection_id:
            raise asset_not_found("ImageCollection", asset_id)
        return Collection([self._image(path) for path in self._paths()], asset_id=self.collection_id)

    def image(self, asset_id: str) -> Image:
        """One image by its full asset id. Raises EngineError when it is not there."""
        parent, _, index = asset_id.rpartition("/")
        path = self.folder / f"{index}.tif"
        if parent != self.collection_id or not index or "\\" in index or not path.is_file():
            raise asset_not_found("Image", asset_id)
        return self._image(path)

    def _paths(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.tif") if not path.name.startswith("."))

    def _image(self, path: Path) -> Image:
        stamp_ns = path.stat().st_mtime_ns
        with self._lock:
            known = self._images.get(path.name)
            if known is None or known[0] != stamp_ns:
                known = (stamp_ns, _load(self.collection_id, read_scene(path)))
                self._images[path.name] = known
            return known[1]


def _load(collection: str, scene: SceneFile) -> Image:
    with open_geotiff(scene.path) as dataset:
        tags = dataset.tags()
        dimensions = (dataset.width, dataset.height)
        dtypes = dataset.dtypes
        outline = shapely.segmentize(
            shapely.box(*dataset.bounds), max(dimensions) * abs(dataset.transform.a) / _EDGE_POINTS
        )
        footprint = shape(transform_geom(dataset.crs, "EPSG:4326", mapping(outline)))
        source = opened_raster(scene.path, scene.stamp_ns)
    bands = tuple(
        Band(
            name,
            source.projection,
            file_reader(scene.path, scene.stamp_ns, index),
            dimensions,
            _data_type(name, dtypes[index - 1]),
            leaves=frozenset([(f"{scene.path.stem}/{name}", _value_bytes(name))]),
            value_bytes=_value_bytes(name),
        )
        for index, name in enumerate(scene.band_names, 1)
    )
    acquired_ms = mean_sensing_time_ms(scene.path.stem)
    properties = {
        "system:index": scene.path.stem,
        "system:time_start": acquired_ms,
        "system:time_end": acquired_ms,
        "system:version": scene.stamp_ns // 1000,
        "dynamicworld_algorithm_version": tags.get("dynamicworld_algorithm_version", "unknown"),
        "qa_algorithm_version": tags.get("qa_algorithm_version", "unknown"),
    }
    drawn_as_ring = zlib.crc32(scene.path.stem.encode()) % 2 == 0
    return Image(properties, Geometry(footprint, False, drawn_as_ring), bands, f"{collection}/{scene.path.stem}")


def mean_sensing_time_ms(image_id: str) -> int:
    """``system:time_start``: the mean time of the image's tile, up to 25 minutes after the datatake began."""
    name = parse_scene_name(image_id)
    began = sensing_time(name.sensing_stamp).timestamp()
    return round((began + zlib.crc32(f"{name.sensing_stamp}{name.tile}".encode()) % _LONGEST_DATATAKE_SECONDS) * 1000)


def file_reader(path: Path, stamp_ns: int, index: int) -> Callable[[Window], Pixels]:
    """How a band of a file, counted from 1, is read."""

    def read(window: Window) -> Pixels:
        return opened_raster(path, stamp_ns).read(index, window)

    return read


def _value_bytes(name: str) -> int:
    """As in the published images: labels are bytes, probabilities floats."""
    return 1 if name == LABEL_BAND else 4


def _data_type(name: str, dtype: str) -> dict[str, Any]:
    if name == LABEL_BAND:
        return {"type": "PixelType", "precision": "int", "min": 0, "max": 255}
    return {"type": "PixelType", "precision": "float" if dtype == "float32" else "double"}
