"""Where on Earth there are AOIs, in cells of one degree: what a listing of images is asked over.

A cell's number is ``(floor(latitude) + 90) × 360 + floor(longitude) + 180``. A box around all AOIs would list half a
hemisphere for two of them on two continents, and the whole globe for one across ±180°.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from shapely import bounds, box, get_parts, intersects, prepare, union_all
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

_COLUMNS = 360
# A region of many boxes costs more to send and to compare than a few images too many, which are sorted out later.
_MOST_BOXES = 20
_FINE_CELL_DEG = 0.1
# A tile of 110 km has a usable image every third day, at the seam of two orbits twice as often; tiles lie a degree or
# less apart. Worldwide there are 6,000 images a day.
_IMAGES_PER_TILE_DAY = 0.5
_HALF_TILE_DEG = 0.5
_IMAGES_PER_DAY = 6_000.0
# Earth Engine lists at most 5,000 elements; a slice is chosen so that busy times and places still fit.
_IMAGES_PER_LISTING = 2_000.0


def cells_of(geometry: BaseGeometry) -> list[int]:
    """Numbers of the cells that a lon/lat geometry within ±180° touches, sorted.

    Cells are looked for part by part, so an area on both sides of ±180° does not take the whole row between.
    """
    found: set[int] = set()
    for part in get_parts(geometry):
        prepare(part)
        west, south, east, north = bounds(part)
        columns = np.arange(max(-180, math.floor(west)), min(179, math.floor(east)) + 1)
        rows = np.arange(max(-90, math.floor(south)), min(89, math.floor(north)) + 1)
        x, y = (grid.ravel() for grid in np.meshgrid(columns, rows))
        inside = intersects(part, box(x, y, x + 1, y + 1))
        found.update(((y[inside] + 90) * _COLUMNS + x[inside] + 180).tolist())
    return sorted(found)


def region_of_cells(cells: Iterable[int]) -> dict[str, Any]:
    """The cells together as a GeoJSON region, neighbours joined."""
    numbers = np.asarray(sorted(cells))
    south, west = numbers // _COLUMNS - 90, numbers % _COLUMNS - 180
    return mapping(union_all(box(west, south, west + 1, south + 1)))  # type: ignore[no-any-return]


def region_around(outlines: Sequence[BaseGeometry]) -> dict[str, Any]:
    """A GeoJSON region that holds all the outlines: the boxes of their parts, of many the tenths of degrees around."""
    boxes = bounds(get_parts(outlines))
    if len(boxes) > _MOST_BOXES:
        tenths = np.column_stack([np.floor(boxes[:, :2] / _FINE_CELL_DEG), np.ceil(boxes[:, 2:] / _FINE_CELL_DEG)])
        boxes = np.clip(np.unique(tenths, axis=0) * _FINE_CELL_DEG, [-180, -90, -180, -90], [180, 90, 180, 90])
    return mapping(union_all(box(*boxes.T)))  # type: ignore[no-any-return]


def slices(start: datetime, end: datetime, region: dict[str, Any] | None) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) in slices of time whose images over a GeoJSON region (None: the globe) should fit one listing."""
    longest = timedelta(days=_IMAGES_PER_LISTING / _images_per_day(region))
    while start < end:
        yield start, min(end, start + longest)
        start += longest


def _images_per_day(region: dict[str, Any] | None) -> float:
    if region is None:
        return _IMAGES_PER_DAY
    # images reach half a tile further than their middle: areas that lie together share them
    boxes = bounds(get_parts(shape(region))) + _HALF_TILE_DEG * np.array([-1, -1, 1, 1])
    return min(_IMAGES_PER_DAY, _IMAGES_PER_TILE_DAY * float(union_all(box(*boxes.T)).area))
