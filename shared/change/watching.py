"""What is asked to find the patches of one area and year: which overpasses, in which grid, in which windows of pixels.

A year is watched from its first day. The 24 months before say what is usual; the 240 days after it, whether what left
late in the year stayed away. So each year is found by itself, at any time and in any order, from the images that exist.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil, floor, sqrt
from typing import NamedTuple

import numpy as np
from shapely import box, contains_xy, segmentize, transform
from shapely.geometry.base import BaseGeometry

from shared.aois.aoi import Aoi
from shared.change.leaving import LONGEST_ROW
from shared.geometry.grids import utm_zone
from shared.geometry.utm import to_utm, zone_of
from shared.imagery.names import sensing_time
from shared.measurement.overpasses import PlannedOverpass

BASELINE_YEARS = 2
PIXEL_M = 10
PIXEL_AREA_HA = PIXEL_M**2 / 10_000
# A baseline that lacks more than this at its beginning is none.
_LATE_START = timedelta(days=60)
# Edges are straight in degrees; in a zone's metres pieces this short are.
_LONGEST_EDGE_DEG = 0.01
# An answer has a byte a view, and these beside: four counts and the last label before, as doubles. Each value has
# another byte for its mask.
_MOST_BYTES = 50_331_648
_OTHER_BYTES = 5 * (8 + 1)
_VIEW_BYTES = 1 + 1
SMALLEST_SIDE = 32
# The box around an area of usual form is less than twice as large.
_MOST_BOX = 2.5


class Watch(NamedTuple):
    """The overpasses of one year, oldest first: those that say what is usual, and those that are watched."""

    until: datetime
    baseline: list[PlannedOverpass]
    views: list[PlannedOverpass]
    complete: bool


class Frame(NamedTuple):
    """A rectangle of 10 m pixels of a UTM zone: its upper left corner in metres, and its size."""

    crs: str
    west_m: int
    north_m: int
    width: int
    height: int


def span(year: int) -> tuple[datetime, datetime]:
    """From when to when images can matter to a year's patches."""
    return datetime(year - BASELINE_YEARS, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC) + LONGEST_ROW


def watch(year: int, overpasses: Sequence[PlannedOverpass]) -> Watch:
    """The overpasses of an area by what they are for. ``complete`` says whether the baseline has its 24 months."""
    first, end = span(year)
    start, until = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    inside = sorted((o for o in overpasses if first <= sensing_time(o.overpass_id) < end), key=lambda o: o.overpass_id)
    baseline = [o for o in inside if sensing_time(o.overpass_id) < start]
    complete = bool(baseline) and sensing_time(baseline[0].overpass_id) < first + _LATE_START
    return Watch(until, baseline, [o for o in inside if sensing_time(o.overpass_id) >= start], complete)


def frame_of(aoi: Aoi, overpasses: Sequence[PlannedOverpass]) -> Frame:
    """The pixels around an area: in the zone of its own middle if images are in it, else in the first of theirs."""
    own = zone_of(aoi.outline.centroid.x, aoi.outline.centroid.y)
    codes = {image.crs for overpass in overpasses for image in overpass.images if utm_zone(image.crs)}
    crs = own if own in codes or not codes else min(codes)
    west, south, east, north = outline_in(crs, aoi.outline).bounds
    left, top = floor(west / PIXEL_M), ceil(north / PIXEL_M)
    width, height = ceil(east / PIXEL_M) - left, top - floor(south / PIXEL_M)
    return Frame(crs, left * PIXEL_M, top * PIXEL_M, width, height)


def outline_in(crs: str, outline: BaseGeometry) -> BaseGeometry:
    """A lon/lat outline in metres of a zone."""
    return transform(segmentize(outline, _LONGEST_EDGE_DEG), lambda lon_lat: to_utm(crs, lon_lat))


def inside(frame: Frame, outline_m: BaseGeometry) -> np.ndarray:
    """Which pixels of a frame have their centre inside an outline in its metres."""
    x = frame.west_m + (np.arange(frame.width) + 0.5) * PIXEL_M
    y = frame.north_m - (np.arange(frame.height) + 0.5) * PIXEL_M
    return np.asarray(contains_xy(outline_m, *np.meshgrid(x, y)))


def windows(
    frame: Frame, outline_m: BaseGeometry, watched: Watch, most_reads: int, divisor: int = 1
) -> Iterator[Frame]:
    """The frame in windows that one request can give and compute, those that the outline meets.

    ``most_reads`` bounds pixels × overpasses of a request, ``divisor`` makes windows smaller than what it can give.
    """
    side = window_side(len(watched.baseline), len(watched.views), most_reads, divisor)
    yield from (part for part in tiles(frame, side) if outline_m.intersects(frame_box(part)))


def tiles(frame: Frame, side: int) -> Iterator[Frame]:
    """A frame in parts of at most so many pixels a side, by rows."""
    for top in range(0, frame.height, side):
        for left in range(0, frame.width, side):
            yield part_of(frame, top, left, min(side, frame.height - top), min(side, frame.width - left))


def part_of(frame: Frame, top: int, left: int, height: int, width: int) -> Frame:
    """So many pixels of a frame from a row and column on."""
    return Frame(frame.crs, frame.west_m + left * PIXEL_M, frame.north_m - top * PIXEL_M, width, height)


def place_in(frame: Frame, part: Frame) -> tuple[slice, slice]:
    """The rows and columns of a frame that a part of it has."""
    top, left = (frame.north_m - part.north_m) // PIXEL_M, (part.west_m - frame.west_m) // PIXEL_M
    return slice(top, top + part.height), slice(left, left + part.width)


def window_side(baseline: int, views: int, most_reads: int, divisor: int = 1) -> int:
    """Pixels of a window's side where so many overpasses are read."""
    by_bytes = _MOST_BYTES // (_OTHER_BYTES + _VIEW_BYTES * views)
    by_reads = most_reads // max(1, baseline + views)
    return max(SMALLEST_SIDE, int(sqrt(min(by_bytes, by_reads) / divisor)))


def frame_box(frame: Frame) -> BaseGeometry:
    """A frame as a shape in its metres."""
    east, south = frame.west_m + frame.width * PIXEL_M, frame.north_m - frame.height * PIXEL_M
    return box(frame.west_m, south, east, frame.north_m)


def fits(frame: Frame, most_km2: float) -> bool:
    """Whether all pixels of a frame can be held at once: a long area may lie in a box many times its size."""
    return frame.width * frame.height * PIXEL_AREA_HA / 100 <= _MOST_BOX * most_km2
