"""Which pixels a region holds, and by how much; the loop that feeds them to a reducer block by block."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from local.earth_engine import limits
from local.earth_engine.errors import EngineError
from local.earth_engine.raster import pixel_centres, transformer
from local.earth_engine.reducers import Accumulator, Reducer
from local.earth_engine.values import Band, Geometry, Projection, Window
from shared.geometry.pixel_shares import pixel_shares

BLOCK_PIXELS = 512
# 0.001° is about 100 m: a straight edge of that length strays from a parallel's curve by less than a millimetre.
_DENSIFY_DEG = 0.001
_MOST_EDGE_POINTS = 100_000


def region_in(geometry: Geometry, projection: Projection) -> BaseGeometry:
    """A lon/lat region in CRS units of the projection; edges straight in lon/lat stay so (RFC 7946)."""
    shape = geometry.shape
    if projection.is_geographic:
        return shape
    step = max(_DENSIFY_DEG, shape.length / _MOST_EDGE_POINTS)
    to_crs = transformer("EPSG:4326", projection.crs)
    dense = shapely.segmentize(shape, step)
    return shapely.transform(dense, lambda xy: np.column_stack(to_crs.transform(xy[:, 0], xy[:, 1])))


def blocks(region: BaseGeometry, projection: Projection) -> Iterator[Window]:
    """Windows of at most 512 × 512 pixels that cover the region's bounding box on the projection's grid."""
    left, top, right, bottom = pixel_bounds(region, projection)
    for row in range(top, bottom, BLOCK_PIXELS):
        for col in range(left, right, BLOCK_PIXELS):
            yield Window(projection, col, row, min(BLOCK_PIXELS, right - col), min(BLOCK_PIXELS, bottom - row))


def pixel_bounds(region: BaseGeometry, projection: Projection) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) in whole pixels of the projection; all zero for an empty region."""
    if region.is_empty:
        return 0, 0, 0, 0
    west, south, east, north = region.bounds
    inverse = ~projection.transform
    corners = [inverse @ (x, y) for x in (west, east) for y in (south, north)]
    if not all(math.isfinite(v) for corner in corners for v in corner):
        raise EngineError(f"Unable to transform geometry into requested projection {projection.crs}.")
    columns, rows = [c for c, _ in corners], [r for _, r in corners]
    return math.floor(min(columns)), math.floor(min(rows)), math.ceil(max(columns)), math.ceil(max(rows))


def coverage_fractions(region: BaseGeometry, window: Window) -> np.ndarray | None:
    """Weight of each pixel: its share inside the region in 8 bits; None when the region misses the window."""
    frame = shapely.box(*window.bounds)
    if not region.intersects(frame):
        return None
    if region.contains(frame):
        return np.ones(window.shape)
    part = region.intersection(frame)
    if part.area == 0:
        return None
    to_pixels = ~window.transform
    scaled = shapely.transform(part, lambda xy: np.column_stack(to_pixels @ (xy[:, 0], xy[:, 1])))
    shares = pixel_shares(scaled, window.height, window.width)
    return np.floor(limits.WEIGHT_STEPS * shares + limits.WEIGHT_OFFSET) / limits.WEIGHT_STEPS


def centres_inside(region: BaseGeometry, window: Window) -> np.ndarray | None:
    """1 where a pixel's centre is inside the region, else 0, for unweighted reducers.

    As quick as ``rasterio.features``, which warns of arrays without a place where threads draw at once.
    """
    if not region.intersects(shapely.box(*window.bounds)):
        return None
    shapely.prepare(region)
    return np.asarray(shapely.contains_xy(region, *pixel_centres(window)), dtype=float)


def reduce_region(
    inputs: Sequence[Sequence[Band]], reducer: Reducer, region: BaseGeometry, projection: Projection
) -> list[dict[str, object]]:
    """Outputs of a reducer over a region in the projection, for each tuple of input bands.

    A sum over nothing has no output.
    """
    shapely.prepare(region)
    reduced = [False] * len(inputs)
    accumulators: list[Accumulator] = [reducer.start() for _ in inputs]
    for window in blocks(region, projection):
        fractions = coverage_fractions(region, window) if reducer.weighted else centres_inside(region, window)
        if fractions is None:
            continue
        some = fractions > 0
        # most blocks of a compact region are mostly inside; index only where that saves work
        everywhere = bool(some.all())
        window.announce(band for bands in inputs for band in bands)
        for number, (bands, accumulator) in enumerate(zip(inputs, accumulators, strict=True)):
            weights = fractions
            values = []
            for band in bands:
                pixels = window.read(band)
                values.append(pixels.values)
                if pixels.mask is not None:
                    weights = weights * pixels.mask
            if not reducer.weighted:
                weights = (weights > 0).astype(float)
            if everywhere and weights is fractions:
                accumulator.add([v.ravel() for v in values], weights.ravel())
                reduced[number] = True
            else:
                kept = weights > 0
                accumulator.add([v[kept] for v in values], weights[kept])
                reduced[number] = reduced[number] or bool(kept.any())
    return [
        accumulator.result() if some or reducer.outputs != ("sum",) else {}
        for accumulator, some in zip(accumulators, reduced, strict=True)
    ]
