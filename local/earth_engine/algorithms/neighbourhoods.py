"""What a pixel is made of the pixels around it: morphology, distances, the cloud displacement index.

As on the service, a neighbourhood is one of the grid that is computed in: the last ``reproject``'s, or the request's.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from affine import Affine
from scipy.ndimage import distance_transform_edt, label, maximum_filter, minimum_filter, uniform_filter

from local.earth_engine.algorithms.images import as_image
from local.earth_engine.errors import EngineError
from local.earth_engine.registry import algorithm
from local.earth_engine.values import Band, Image, Pixels, Projection, Window

# The reference names no largest; what is known to work in use.
_LARGEST_NEIGHBOURHOOD = 1_024
_CDI_PIXELS = 7  # Frantz et al. 2018, doi 10.1016/j.rse.2018.06.020


@algorithm("Image.focalMin", "Image.focal_min")
def focal_min(
    image: Any,
    radius: float = 1.5,
    kernelType: str = "circle",
    units: str = "pixels",
    iterations: int = 1,
    kernel: Any = None,
) -> Image:
    return _focal(image, radius, kernelType, units, iterations, kernel, _smallest)


@algorithm("Image.focalMax", "Image.focal_max")
def focal_max(
    image: Any,
    radius: float = 1.5,
    kernelType: str = "circle",
    units: str = "pixels",
    iterations: int = 1,
    kernel: Any = None,
) -> Image:
    return _focal(image, radius, kernelType, units, iterations, kernel, _largest)


def _focal(
    image: Any,
    radius: float,
    kernel_type: str,
    units: str,
    iterations: int,
    kernel: Any,
    reduce: Callable[[np.ndarray, float], np.ndarray],
) -> Image:
    """Masked pixels stay masked, and have no part in their neighbours."""
    if (kernel_type, units, iterations, kernel) != ("circle", "pixels", 1, None):
        raise EngineError("Image.focal: the local Earth Engine knows one circle of a radius in pixels.")
    reach = math.floor(radius)
    sides = (reach, reach, reach, reach)

    def around(band: Band) -> Band:
        def read(window: Window) -> Pixels:
            wide = window.grown(*sides).read(band)
            least = reduce is _largest
            values = np.where(wide.valid, wide.values, -np.inf if least else np.inf)
            inner = np.s_[reach : reach + window.height, reach : reach + window.width]
            found = reduce(values, radius)[inner]
            mask = None if wide.mask is None else wide.mask[inner]
            return Pixels(np.where(np.isfinite(found), found, 0), mask)

        return band.computed(read, around=[(sides, band)])

    source = as_image(image)
    return replace(source, bands=tuple(around(band) for band in source.bands))


def _circle(radius: float) -> np.ndarray:
    reach = math.floor(radius)
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(x * x + y * y <= radius * radius)


def _largest(values: np.ndarray, radius: float) -> np.ndarray:
    if set(np.unique(values)) <= {-np.inf, 0.0, 1.0}:
        # the same for what is 0 or 1, and some fifty times as quick for a wide circle
        ones = values == 1
        if not ones.any():
            return np.zeros(values.shape)
        return (distance_transform_edt(~ones) <= radius).astype(float)
    return np.asarray(maximum_filter(values, footprint=_circle(radius), mode="constant", cval=-np.inf))


def _smallest(values: np.ndarray, radius: float) -> np.ndarray:
    if set(np.unique(values)) <= {np.inf, 0.0, 1.0}:
        return 1 - _largest(np.where(np.isinf(values), -np.inf, 1 - values), radius)
    return np.asarray(minimum_filter(values, footprint=_circle(radius), mode="constant", cval=np.inf))


@algorithm("Image.connectedPixelCount")
def connected_pixel_count(input: Any, maxSize: int = 100, eightConnected: bool = True) -> Image:
    """How many connected pixels have the same value, itself included, and ``maxSize`` where more do."""
    if not 1 <= maxSize <= _LARGEST_NEIGHBOURHOOD:
        raise EngineError(f"Image.connectedPixelCount: maxSize must be 1 to {_LARGEST_NEIGHBOURHOOD}, found {maxSize}.")
    image, reach = as_image(input), int(maxSize)
    sides = (reach, reach, reach, reach)
    links = np.ones((3, 3)) if eightConnected else np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])

    def counted(band: Band) -> Band:
        def read(window: Window) -> Pixels:
            wide = window.grown(*sides).read(band)
            counts = np.zeros(wide.values.shape, dtype=np.int64)
            for value in np.unique(wide.values[wide.valid]):
                numbers, _ = label(wide.valid & (wide.values == value), links)
                sizes = np.bincount(numbers.ravel())
                sizes[0] = 0
                counts += sizes[numbers]
            inner = np.s_[reach : reach + window.height, reach : reach + window.width]
            return Pixels(np.minimum(counts, reach)[inner], wide.valid[inner])

        return band.computed(read, around=[(sides, band)], value_bytes=4)

    return replace(image, bands=tuple(counted(band) for band in image.bands))


@algorithm("Image.directionalDistanceTransform")
def directional_distance(source: Any, angle: float, maxDistance: int, labelBand: Any = None) -> Image:
    """Distance in pixels to the nearest non-zero pixel in a direction, degrees from east, against the clock; 0 where
    the pixel is one, masked where none is as near as ``maxDistance``.
    """
    image = as_image(source)
    if labelBand is not None or len(image.bands) != 1:
        raise EngineError("Image.directionalDistanceTransform: the local Earth Engine takes one band and no label.")
    (band,) = image.bands
    along, up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    steps = [(step, round(step * along), round(-step * up)) for step in range(int(maxDistance) + 1)]
    reach_x, reach_y = steps[-1][1], steps[-1][2]
    left, top = max(0, -reach_x), max(0, -reach_y)
    sides = (left, top, max(0, reach_x), max(0, reach_y))

    def read(window: Window) -> Pixels:
        wide = window.grown(*sides).read(band)
        there = wide.valid & (wide.values != 0)
        distance = np.full(window.shape, np.inf)
        for step, x, y in reversed(steps):
            seen = there[top + y : top + y + window.height, left + x : left + x + window.width]
            distance[seen] = step
        found = np.isfinite(distance)
        return Pixels(np.where(found, distance, 0), found)

    distance = band.computed(read, around=[(sides, band)], name="distance", value_bytes=4)
    return replace(image, bands=(distance,))


@algorithm("Sentinel2.CDI")
def displacement_index(source: Any) -> Image:
    """Variance of B7/B8A against that of B8/B8A in 7 × 7 pixels, −1 to 1; masked where a pixel has none of them."""
    image = as_image(source)
    b7, b8, b8a = (image.band(name) for name in ("B7", "B8", "B8A"))
    reach = _CDI_PIXELS // 2
    sides = (reach, reach, reach, reach)

    def read(window: Window) -> Pixels:
        wide = window.grown(*sides)
        narrow, near, far = wide.read(b8a), wide.read(b7), _mean_of_four(wide, b8)
        known = narrow.valid & near.valid & far.valid & (narrow.values > 0)
        divisor = np.where(known, narrow.values, 1).astype(float)
        low = _variance(np.where(known, near.values / divisor, 0), known)
        high = _variance(np.where(known, far.values / divisor, 0), known)
        defined = known & (low + high > 0)
        values = np.where(defined, (low - high) / np.where(defined, low + high, 1), 0)
        inner = np.s_[reach : reach + window.height, reach : reach + window.width]
        return Pixels(values[inner], defined[inner])

    leaves = b7.leaves | b8.leaves | b8a.leaves
    around = ((sides, b8a), (sides, b7))
    index = Band("cdi", b8a.projection, read, b8a.dimensions, leaves=leaves, value_bytes=4, around=around)
    return replace(image, bands=(index,))


def _mean_of_four(window: Window, band: Band) -> Pixels:
    """A band at half the window's pixel size, four of its pixels as one."""
    finer = Projection(window.projection.crs, window.projection.transform @ Affine.scale(0.5))
    fine = Window(finer, 2 * window.col, 2 * window.row, 2 * window.width, 2 * window.height).read_alone(band)
    quarters = (slice(0, None, 2), slice(1, None, 2))
    valid = [fine.valid[y, x] for y in quarters for x in quarters]
    values = [np.where(fine.valid, fine.values, 0)[y, x].astype(float) for y in quarters for x in quarters]
    count = sum(each.astype(int) for each in valid)
    return Pixels(sum(values) / np.maximum(count, 1), np.asarray(count) > 0)


def _variance(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Of the known values around each pixel."""
    share = np.maximum(uniform_filter(known.astype(float), _CDI_PIXELS, mode="constant"), 1e-12)
    mean = uniform_filter(values, _CDI_PIXELS, mode="constant") / share
    squares = uniform_filter(values**2, _CDI_PIXELS, mode="constant") / share
    return np.maximum(squares - mean**2, 0)
