"""Cutting areas in parts that are small enough for one request; the areas of the parts add up to that of the whole."""

import math
from collections.abc import Iterator

import numpy as np
from shapely import box, segmentize, transform
from shapely.geometry.base import BaseGeometry

from shared.geometry.grids import polygonal

# Metres of a degree of latitude on the mean sphere; an estimate of size needs no ellipsoid.
_METRES_PER_DEGREE = 111_195.0
PIXEL_AREA_M2 = 100.0
# A square of 100 m: nothing is gained by cutting further.
SMALLEST_PIECE_PIXELS = 100
_LONGEST_EDGE_DEG = 0.5


def pixels_of(geometry: BaseGeometry) -> int:
    """How many 10 m pixels a lon/lat geometry has, at least one: an estimate within a percent, for budgets."""
    flat = transform(segmentize(geometry, _LONGEST_EDGE_DEG), _equal_area)
    return pixels(flat.area)


def cut_to_pixels(geometry: BaseGeometry, most_pixels: int) -> Iterator[BaseGeometry]:
    """Parts of a lon/lat geometry that do not overlap and have at most so many pixels each.

    Cuts run across the longer side, in two or three. A part of a hectare is not cut further.
    """
    found = pixels_of(geometry)
    west, south, east, north = geometry.bounds
    if found <= max(most_pixels, SMALLEST_PIECE_PIXELS):
        yield geometry
        return
    wanted = math.ceil(found / most_pixels)
    strips = wanted if wanted <= 3 else 2
    narrowing = math.cos(math.radians((south + north) / 2))
    for number in range(strips):
        low, high = number / strips, (number + 1) / strips
        if (east - west) * narrowing >= north - south:
            frame = box(west + (east - west) * low, south, west + (east - west) * high, north)
        else:
            frame = box(west, south + (north - south) * low, east, south + (north - south) * high)
        part = polygonal(geometry.intersection(frame))
        if not part.is_empty:
            yield from cut_to_pixels(part, most_pixels)


def pixels(area_m2: float) -> int:
    """How many 10 m pixels an area has, at least one."""
    return max(1, round(area_m2 / PIXEL_AREA_M2))


def _equal_area(lon_lat: np.ndarray) -> np.ndarray:
    """Lambert's cylindrical projection of the sphere, in metres."""
    radius_m = math.degrees(_METRES_PER_DEGREE)
    return np.column_stack([lon_lat[:, 0] * _METRES_PER_DEGREE, np.sin(np.radians(lon_lat[:, 1])) * radius_m])
