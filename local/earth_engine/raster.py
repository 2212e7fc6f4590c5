"""Reading GeoTIFF bands on any window, and the true area of pixels."""

import math
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from pyproj import Proj, Transformer
from rasterio.windows import Window as RasterWindow

from local.earth_engine.geotiff import open_geotiff
from local.earth_engine.values import Pixels, Projection, Window, nothing_seen, parse_crs

# Areal scale of a map projection varies so slowly that nodes every 64 pixels, interpolated linearly, are within
# 3 parts in 10⁹ of the exact value for 10 m pixels of UTM.
_NODE_SPACING_PIXELS = 64
_ALIGNED_TOLERANCE_PIXELS = 1e-4


class RasterFile:
    """An open GeoTIFF. GDAL datasets are not thread-safe, so reads take turns."""

    def __init__(self, path: Path) -> None:
        self._dataset = open_geotiff(path)
        self._lock = threading.Lock()
        self.projection = Projection(_crs_code(self._dataset), self._dataset.transform)
        self.width, self.height = self._dataset.width, self._dataset.height

    def read(self, index: int, window: Window) -> Pixels:
        """Band ``index`` (from 1) on a window, nearest pixel where the grids differ; masked outside the file."""
        if offset := aligned_offset(self.projection, window):
            return self._read_block(index, offset[0], offset[1], window.width, window.height)
        columns, rows = source_indices(self.projection, window)
        inside = (columns >= 0) & (columns < self.width) & (rows >= 0) & (rows < self.height)
        if not inside.any():
            return nothing_seen(window.shape, np.float64)
        left, top = int(columns[inside].min()), int(rows[inside].min())
        right, bottom = int(columns[inside].max()) + 1, int(rows[inside].max()) + 1
        block = self._read_block(index, left, top, right - left, bottom - top)
        at = (np.where(inside, rows - top, 0), np.where(inside, columns - left, 0))
        return Pixels(block.values[at], block.valid[at] & inside)

    def _read_block(self, index: int, col: int, row: int, width: int, height: int) -> Pixels:
        left, top = max(col, 0), max(row, 0)
        right, bottom = min(col + width, self.width), min(row + height, self.height)
        dtype = self._dataset.dtypes[index - 1]
        if left >= right or top >= bottom:
            return nothing_seen((height, width), dtype)
        values, valid = self._read_inside(index, RasterWindow(left, top, right - left, bottom - top))
        if values.shape != (height, width):
            inner = np.s_[top - row : bottom - row, left - col : right - col]
            part, values = values, np.zeros((height, width), values.dtype)
            mask = np.zeros((height, width), dtype=bool)
            values[inner], mask[inner] = part, True if valid is None else valid
            return Pixels(values, mask)
        return Pixels(values, valid)

    def _read_inside(self, index: int, part: RasterWindow) -> tuple[np.ndarray, np.ndarray | None]:
        """Values of a part of the file, and which of them are valid; None where all are."""
        nodata = self._dataset.nodatavals[index - 1]
        valid = None
        with self._lock:
            values: np.ndarray = self._dataset.read(index, window=part)
            if nodata is None and rasterio.enums.MaskFlags.all_valid not in self._flags(index):
                valid = self._dataset.read_masks(index, window=part) > 0
        if nodata is not None and not math.isnan(nodata):
            valid = values != nodata
        if np.issubdtype(values.dtype, np.floating):
            finite = np.isfinite(values)
            valid = finite if valid is None else valid & finite
        if (scale := self._dataset.scales[index - 1]) != 1:
            values = values * scale
        return values, None if valid is None or valid.all() else valid

    def _flags(self, index: int) -> list[rasterio.enums.MaskFlags]:
        return list(self._dataset.mask_flag_enums[index - 1])


def _crs_code(dataset: rasterio.DatasetReader) -> str:
    authority = dataset.crs.to_authority()
    return f"{authority[0]}:{authority[1]}" if authority else str(dataset.crs.to_wkt())


def aligned_offset(projection: Projection, window: Window) -> tuple[int, int] | None:
    """(column, row) of the window's corner in the file, when both grids have the same pixels."""
    ours, theirs = projection.transform, window.transform
    if projection.crs != window.projection.crs:
        return None
    if not all(math.isclose(getattr(ours, name), getattr(theirs, name), rel_tol=1e-9) for name in "abde"):
        return None
    col, row = ~ours @ (theirs.c, theirs.f)
    if abs(col - round(col)) > _ALIGNED_TOLERANCE_PIXELS or abs(row - round(row)) > _ALIGNED_TOLERANCE_PIXELS:
        return None
    return round(col), round(row)


def pixel_centres(window: Window) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every pixel centre, in CRS units, each of the window's shape."""
    columns, rows = np.meshgrid(np.arange(window.width) + 0.5, np.arange(window.height) + 0.5)
    t = window.transform
    return t.a * columns + t.b * rows + t.c, t.d * columns + t.e * rows + t.f


@lru_cache(maxsize=128)
def transformer(source: str, target: str) -> Transformer:
    """A coordinate transformer in x, y order."""
    return Transformer.from_crs(parse_crs(source), parse_crs(target), always_xy=True)


def source_indices(projection: Projection, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Column and row of the pixel of a projection that the centre of each pixel of the window lies in."""
    x, y = pixel_centres(window)
    if projection.crs != window.projection.crs:
        x, y = transformer(window.projection.crs, projection.crs).transform(x, y)
    inverse: Affine = ~projection.transform
    with np.errstate(invalid="ignore"):
        columns = np.floor(inverse.a * x + inverse.b * y + inverse.c)
        rows = np.floor(inverse.d * x + inverse.e * y + inverse.f)
    far = -(2**40)
    return (
        np.where(np.isfinite(columns), columns, far).astype(np.int64),
        np.where(np.isfinite(rows), rows, far).astype(np.int64),
    )


def pixel_area_m2(window: Window) -> np.ndarray:
    """Area on the ellipsoid of every pixel of the window, in m²."""
    if window.projection.is_geographic and window.transform.b == 0:
        return _geographic_area(window)
    return _projected_area(window)


def _geographic_area(window: Window) -> np.ndarray:
    """Closed form for cells between two parallels and two meridians (Snyder 1987, eq. 3-12, authalic q)."""
    ellipsoid = parse_crs(window.projection.crs).ellipsoid
    if ellipsoid is None:
        raise ValueError(f"{window.projection.crs} has no ellipsoid")
    semi_minor, e = (
        ellipsoid.semi_minor_metre,
        math.sqrt(1 - (ellipsoid.semi_minor_metre / ellipsoid.semi_major_metre) ** 2),
    )
    t = window.transform
    edges = np.radians(np.clip(t.f + t.e * np.arange(window.height + 1), -90, 90))
    s = np.sin(edges)
    zone = semi_minor**2 / 2 * (s / (1 - (e * s) ** 2) + np.arctanh(e * s) / e)
    per_row = np.abs(np.diff(zone)) * math.radians(abs(t.a))
    return np.broadcast_to(per_row[:, None], window.shape)


def _projected_area(window: Window) -> np.ndarray:
    crs = parse_crs(window.projection.crs)
    columns = np.arange(0, window.width + _NODE_SPACING_PIXELS, _NODE_SPACING_PIXELS, dtype=float)
    rows = np.arange(0, window.height + _NODE_SPACING_PIXELS, _NODE_SPACING_PIXELS, dtype=float)
    t = window.transform
    c, r = np.meshgrid(columns, rows)
    x, y = t.a * c + t.b * r + t.c, t.d * c + t.e * r + t.f
    longitude, latitude = transformer(window.projection.crs, "EPSG:4326").transform(x, y)
    areal_scale = Proj(crs).get_factors(longitude, latitude).areal_scale
    unit_m = crs.axis_info[0].unit_conversion_factor
    nodes = abs(t.determinant) * unit_m**2 / np.asarray(areal_scale)
    from scipy.interpolate import RegularGridInterpolator  # noqa: PLC0415 — slow; who only looks at a scene needs none

    interpolate = RegularGridInterpolator((rows, columns), nodes, method="linear")
    at_rows, at_columns = np.meshgrid(np.arange(window.height) + 0.5, np.arange(window.width) + 0.5, indexing="ij")
    return np.asarray(interpolate((at_rows, at_columns)))
