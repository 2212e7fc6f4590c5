"""One L1C scene as files, and reading windows of it.

Rows and columns count 10 m pixels from the scene's even grid: its origin lies on multiples of 20 m, as the corner of
every Sentinel-2 tile does, and its size is even; what a file lacks of it is missing.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from rasterio.windows import Window

from shared.errors import UserInputError
from shared.network.normalisation import BANDS, BANDS_20_M, Pixels, upsampled
from shared.network.tiling import GRID_M, Span

# What the cloud mask needs beside the network's bands.
MASK_BANDS = ("B8A", "B10")
_DRIVERS = {".jp2": "JP2OpenJPEG", ".tif": "GTiff", ".tiff": "GTiff"}
_TILE_SIDE = 10_980
_MOST_PIXELS = 4 * _TILE_SIDE**2
_PIXELS_M = (10, 20, 60)
_CACHE_MIB = 256


class BandFile(NamedTuple):
    """Where a band is: file, band number in it, pixel size, upper left corner in CRS metres.

    ``offset_dn`` is added to what is stored. ``nodata`` is the stored value that means none.
    """

    path: Path
    number: int
    pixel_m: int
    west_m: float
    north_m: float
    offset_dn: int
    nodata: float | None


class Scene(NamedTuple):
    """Where the bands of one scene are, on which grid (``west_m``, ``north_m`` and a size in 10 m pixels, all even).

    ``repeated_20_m``: the 20 m bands are on 10 m pixels, each value four times. ``zeros_missing``: where every band is
    0, there is no data. ``processed`` orders products of one scene.
    """

    name: str
    image_id: str | None
    bands: Mapping[str, BandFile]
    crs: str
    west_m: float
    north_m: float
    height: int
    width: int
    sun_azimuth_deg: float | None
    repeated_20_m: bool = False
    zeros_missing: bool = False
    processed: str = ""

    @property
    def span(self) -> Span:
        return Span(0, 0, self.height, self.width)


@contextmanager
def opened_raster(path: Path) -> Iterator[Any]:
    """An open GeoTIFF or JPEG2000 file, in UTM, with square pixels that a scene can have.

    Looks at the header only. Raises UserInputError with one plain sentence.
    """
    driver = _DRIVERS.get(path.suffix.lower())
    if driver is None:
        raise UserInputError(f"{path.name}: expected a GeoTIFF or JPEG2000 file (.tif, .jp2)")
    try:
        with rasterio.Env(GDAL_CACHEMAX=_CACHE_MIB), rasterio.open(path, driver=driver) as dataset:
            _check_header(path, dataset)
            yield dataset
    except rasterio.errors.RasterioError as error:
        raise UserInputError(f"{path.name}: not a readable raster ({error})") from None


def _check_header(path: Path, dataset: Any) -> None:
    block = max(height * width for height, width in dataset.block_shapes)
    if dataset.width * dataset.height > _MOST_PIXELS or block > _TILE_SIDE**2:
        raise UserInputError(
            f"{path.name}: {dataset.width} × {dataset.height} pixels in blocks of {block} are more than a scene has "
            f"({_TILE_SIDE} × {_TILE_SIDE} at 10 m)"
        )
    epsg = dataset.crs.to_epsg() if dataset.crs else None
    if epsg is None or epsg // 100 not in {326, 327}:
        found = f"EPSG:{epsg}" if epsg else "none that has an EPSG code"
        raise UserInputError(
            f"{path.name}: expected the scene's own UTM coordinates (EPSG:326xx, 327xx), found {found}"
        )
    t = dataset.transform
    step_m = min(t.a, GRID_M)
    if (t.b, t.d) != (0, 0) or t.a != -t.e or t.a not in _PIXELS_M or t.c % step_m or t.f % step_m:
        raise UserInputError(
            f"{path.name}: expected the scene's own grid, pixels of 10 m on multiples of 10 m or of 20 or 60 m on "
            f"multiples of 20 m; found {t.a:g} × {-t.e:g} m from ({t.c:.10g}, {t.f:.10g})"
        )


def even_grid(dataset: Any) -> tuple[float, float, int, int]:
    """(west, north, height, width) of the even grid around a raster of 10 m pixels."""
    west, south, east, north = dataset.bounds
    west, south = (math.floor(v / GRID_M) * GRID_M for v in (west, south))
    east, north = (math.ceil(v / GRID_M) * GRID_M for v in (east, north))
    return west, north, round((north - south) / 10), round((east - west) / 10)


class SceneReader:
    """Reads windows of a scene; ``opened`` makes one."""

    def __init__(self, scene: Scene, datasets: Mapping[Path, Any]) -> None:
        self.scene, self._datasets = scene, datasets

    def pixels(self, span: Span) -> Pixels:
        """The network's bands on a window with even ends, in DN without offset."""
        dn = np.empty((len(BANDS), span.height, span.width), dtype=np.float32)
        valid = np.empty(dn.shape, dtype=bool)
        half = Span(*(end // 2 for end in span))
        for number, band in enumerate(BANDS):
            file = self.scene.bands[band]
            if file.pixel_m == 10 and not (self.scene.repeated_20_m and band in BANDS_20_M):
                dn[number], valid[number] = self._native(file, span)
            else:
                ring = Span(half.top - 1, half.left - 1, half.bottom + 1, half.right + 1)
                dn[number], valid[number] = upsampled(*self._at_20_m(file, ring))
        if self.scene.zeros_missing:
            valid &= (dn != 0).any(axis=0)
        return Pixels(dn, valid)

    def at_20_m(self, bands: Sequence[str], half: Span) -> tuple[np.ndarray, np.ndarray]:
        """Bands on the 20 m grid, (n, h, w) float32 in DN, and (h, w) bool: where all of them have a value.

        10 m bands are averaged, of 60 m bands the nearest pixel is taken. ``half`` counts pixels of 20 m.
        """
        found = [self._at_20_m(self.scene.bands[band], half) for band in bands]
        dn = np.stack([values for values, _ in found])
        valid = np.logical_and.reduce([known for _, known in found])
        if self.scene.zeros_missing:
            valid &= (dn != 0).any(axis=0)
        return dn, valid

    def _at_20_m(self, file: BandFile, half: Span) -> tuple[np.ndarray, np.ndarray]:
        if file.pixel_m == 20:
            return self._native(file, half)
        if file.pixel_m == 10:
            return _mean_of_four(*self._native(file, Span(*(2 * end for end in half))))
        rows = self._nearest(np.arange(half.top, half.bottom), self.scene.north_m - file.north_m, file.pixel_m)
        columns = self._nearest(np.arange(half.left, half.right), file.west_m - self.scene.west_m, file.pixel_m)
        values, valid = self._read(file, Span(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1))
        at = np.ix_(rows - rows[0], columns - columns[0])
        return values[at], valid[at]

    @staticmethod
    def _nearest(numbers: np.ndarray, shift_m: float, pixel_m: int) -> np.ndarray:
        """Which pixels of a coarser file the centres of 20 m pixels lie in."""
        return np.floor_divide(numbers * 20 + 10 - round(shift_m), pixel_m)

    def _native(self, file: BandFile, span: Span) -> tuple[np.ndarray, np.ndarray]:
        """A window counted from the scene's origin in the file's own pixels."""
        down = round((self.scene.north_m - file.north_m) / file.pixel_m)
        right = round((file.west_m - self.scene.west_m) / file.pixel_m)
        return self._read(file, Span(span.top - down, span.left - right, span.bottom - down, span.right - right))

    def _read(self, file: BandFile, span: Span) -> tuple[np.ndarray, np.ndarray]:
        """A window counted from the file's corner; what lies outside the file is missing."""
        dataset = self._datasets[file.path]
        values = np.zeros((span.height, span.width), dtype=np.float32)
        valid = np.zeros(values.shape, dtype=bool)
        inner = span.grown(0, Span(0, 0, dataset.height, dataset.width))
        if inner.height <= 0 or inner.width <= 0:
            return values, valid
        try:
            raw = dataset.read(file.number, window=Window(inner.left, inner.top, inner.width, inner.height))
        except rasterio.errors.RasterioError as error:
            raise UserInputError(f"{file.path.name}: not a readable raster ({error})") from None
        at = np.s_[inner.top - span.top : inner.bottom - span.top, inner.left - span.left : inner.right - span.left]
        known = np.isfinite(raw)
        if file.nodata is not None and not math.isnan(file.nodata):
            known &= raw != file.nodata
        values[at] = np.where(known, np.maximum(raw.astype(np.float32) + file.offset_dn, 0), 0)
        valid[at] = known
        return values, valid


def _mean_of_four(values: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """2 × 2 pixels as one: the mean of those that are known. Four times one value gives that value."""

    def added(array: np.ndarray) -> np.ndarray:
        return np.asarray(array[0::2, 0::2] + array[0::2, 1::2] + array[1::2, 0::2] + array[1::2, 1::2])

    known = added(valid.astype(np.float32))
    return added(np.where(valid, values, 0)) / np.maximum(known, 1), known > 0


@contextmanager
def opened(scene: Scene) -> Iterator[SceneReader]:
    """A reader whose files stay open. Raises UserInputError for a file that cannot be read."""
    with rasterio.Env(GDAL_CACHEMAX=_CACHE_MIB):
        datasets = {}
        try:
            for path in {file.path for file in scene.bands.values()}:
                datasets[path] = rasterio.open(path, driver=_DRIVERS[path.suffix.lower()])
            yield SceneReader(scene, datasets)
        except rasterio.errors.RasterioIOError as error:
            raise UserInputError(f"{scene.name}: not a readable raster ({error})") from None
        finally:
            for dataset in datasets.values():
                dataset.close()
