"""Maps of a year and its months: mode composites of an AOI, computed by Earth Engine, in the official colours.

What was never seen is transparent, so that the page can hatch it inside the outline of the area.
"""

import base64
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from math import cos, radians
from typing import Any, NamedTuple

import ee
import numpy as np
from PIL import Image
from pyproj import Transformer
from scipy.ndimage import distance_transform_edt
from shapely import segmentize
from shapely import transform as transform_shape
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from local.report.paths import path
from shared.aois.aoi import Aoi
from shared.classes import CLASSES, LABEL_BAND
from shared.earth_engine.client import compute_pixels, connect
from shared.earth_engine.expressions import picture
from shared.earth_engine.listing import list_images
from shared.geometry.cells import region_around
from shared.measurement.overpasses import PlannedOverpass, overpasses_over
from shared.measurement.pieces import pieces_of
from shared.settings import Settings

_MOST_PIXELS = 800
_PART_PIXELS = 440
# Each map is a request that is mostly waited for.
_DRAWN_AT_ONCE = 4
_DEGREE_M = 111_320

# A map is drawn of the whole area, however large.
_WHOLE = 10**12


# A class is named on the map where its widest patch reaches this far around its middle, as a part of the map's width.
_ROOM = 1 / 90
_SCALE_BARS_M = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


class Map(NamedTuple):
    """A PNG as a data URI, its size in pixels, and the ground that one pixel is wide, in metres."""

    data_uri: str
    width: int
    height: int
    metres_per_pixel: float


class YearMaps(NamedTuple):
    """The composite of a year, and those of its months (1 to 12) or of all years that have images, in one frame.

    ``outline`` is the area and ``patches`` the changed ground as SVG paths in pixels of the annual map; ``numbers``
    says where on it a class has room for its number: (class value, x, y).
    """

    annual: Map
    parts: dict[int, Map]
    outline: str
    patches: list[str]
    numbers: list[tuple[int, int, int]]

    @property
    def scale_bar_m(self) -> int:
        """The longest round length under a third of the map's width, in metres."""
        third = self.annual.width * self.annual.metres_per_pixel / 3
        return max((length for length in _SCALE_BARS_M if length <= third), default=_SCALE_BARS_M[0])


class _Frame(NamedTuple):
    """The outline of an AOI in the CRS of its scenes: (west, south, east, north), that CRS, and the way into it."""

    bounds: tuple[float, float, float, float]
    crs: str
    to_crs: Transformer

    @property
    def in_degrees(self) -> bool:
        return self.to_crs.target_crs is not None and self.to_crs.target_crs.is_geographic

    def step(self, most_pixels: int) -> float:
        """How wide a pixel of a map of at most so many pixels is, in units of the CRS."""
        west, south, east, north = self.bounds
        native = 10 / _DEGREE_M if self.in_degrees else 10
        return max(native, max(east - west, north - south) / most_pixels)

    def path(self, geometry: dict[str, Any], most_pixels: int) -> str:
        """A GeoJSON geometry in WGS84 as an SVG path in pixels of such a map."""
        step, (west, _, _, north) = self.step(most_pixels), self.bounds
        return path(
            transform_shape(_reprojected(geometry, self.to_crs), lambda xy: (xy - (west, north)) / (step, -step))
        )


def year_maps(aoi: Aoi, year: int, settings: Settings, patches: Iterable[dict[str, Any]] = ()) -> YearMaps | None:
    """The composite of a year and those of its months, with the outlines of ``patches`` (GeoJSON geometries in WGS84);
    None when no scene of the year shows the AOI.
    """
    seen = _overpasses(aoi, year, year, settings)
    return _maps(aoi, seen, _grouped(seen, slice(4, 6)), settings, patches) if seen else None


def history_maps(
    aoi: Aoi, years: Sequence[int], last: int, settings: Settings, patches: Iterable[dict[str, Any]] = ()
) -> YearMaps | None:
    """The composites of all years, that of the ``last`` year seen the largest."""
    by_year = _grouped(_overpasses(aoi, years[0], years[-1], settings), slice(0, 4))
    return _maps(aoi, by_year[last], by_year, settings, patches) if last in by_year else None


def _overpasses(aoi: Aoi, first: int, last: int, settings: Settings) -> list[PlannedOverpass]:
    connect(settings, "report")
    start, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    return list(overpasses_over(aoi, list_images(settings, start, end, region_around([aoi.outline]))))


def _grouped(overpasses: Sequence[PlannedOverpass], part: slice) -> dict[int, list[PlannedOverpass]]:
    """By a part of the sensing time, in order."""
    groups: dict[int, list[PlannedOverpass]] = defaultdict(list)
    for overpass in overpasses:
        groups[int(overpass.overpass_id[part])].append(overpass)
    return dict(sorted(groups.items()))


def _maps(
    aoi: Aoi,
    whole: Sequence[PlannedOverpass],
    parts: dict[int, list[PlannedOverpass]],
    settings: Settings,
    patches: Iterable[dict[str, Any]],
) -> YearMaps:
    """In the grid of the AOI's scenes."""
    frame = _frame(aoi, whole)
    wanted = [(whole, _MOST_PIXELS), *((part, _PART_PIXELS) for part in parts.values())]
    with ThreadPoolExecutor(_DRAWN_AT_ONCE) as pool:
        labels = list(pool.map(lambda seen: _labels(aoi, seen[0], frame, seen[1], settings), wanted))
    south, north = frame.bounds[1::2]
    metres = _DEGREE_M * cos(radians((south + north) / 2)) if frame.in_degrees else 1
    drawn = [
        Map(_png(pixels), pixels.shape[1], pixels.shape[0], frame.step(most) * metres)
        for pixels, (_, most) in zip(labels, wanted, strict=True)
    ]
    return YearMaps(
        annual=drawn[0],
        parts=dict(zip(parts, drawn[1:], strict=True)),
        outline=frame.path(aoi.geometry, _MOST_PIXELS),
        patches=[frame.path(patch, _MOST_PIXELS) for patch in patches],
        numbers=_numbers(labels[0]),
    )


def _frame(aoi: Aoi, overpasses: Sequence[PlannedOverpass]) -> _Frame:
    layer = pieces_of("map", aoi, overpasses, False, _WHOLE)[0].layer
    used = [image for overpass in overpasses for image in overpass.images]
    crs = next(image.crs for image in used if image.image_id == layer.grid_image_id)
    to_crs = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    return _Frame(_reprojected(aoi.geometry, to_crs).bounds, crs, to_crs)


def _reprojected(geometry: dict[str, Any], to_crs: Transformer) -> BaseGeometry:
    return transform_shape(
        segmentize(shape(geometry), 0.01), lambda xy: np.column_stack(to_crs.transform(xy[:, 0], xy[:, 1]))
    )


def _labels(
    aoi: Aoi, overpasses: Sequence[PlannedOverpass], frame: _Frame, most_pixels: int, settings: Settings
) -> np.ndarray:
    """Class values plus one, as (height, width) from the north; 0 where nothing was seen, or outside."""
    west, south, east, north = frame.bounds
    layer = pieces_of("map", aoi, overpasses, False, _WHOLE)[0].layer
    step = frame.step(most_pixels)
    width, height = int((east - west) / step) + 1, int((north - south) / step) + 1
    # masked pixels come back as 0, so classes are shifted by one
    region = ee.Geometry(aoi.geometry, None, False)
    shifted = picture(settings.collection, layer).select([LABEL_BAND]).clip(region).add(1)
    pixels = compute_pixels(
        {
            "expression": shifted,
            "fileFormat": "NUMPY_NDARRAY",
            "grid": {
                "dimensions": {"width": width, "height": height},
                "affineTransform": {
                    "scaleX": step, "shearX": 0, "translateX": west, "shearY": 0, "scaleY": -step, "translateY": north,
                },
                "crsCode": frame.crs,
            },
        },
        settings.earth_engine_patience_seconds,
    )  # fmt: skip
    return np.asarray(pixels[LABEL_BAND].astype(np.uint8))


def _numbers(shifted: np.ndarray) -> list[tuple[int, int, int]]:
    """Where the number of a class fits: the middle of the widest patch of each."""
    places = []
    for c in CLASSES:
        room = distance_transform_edt(np.pad(shifted == c.class_id + 1, 1))
        y, x = np.unravel_index(room.argmax(), room.shape)
        if room[y, x] >= _ROOM * shifted.shape[1]:
            places.append((c.class_id, int(x) - 1, int(y) - 1))
    return places


def _png(shifted: np.ndarray) -> str:
    image = Image.fromarray(shifted, "P")
    image.putpalette([0, 0, 0, *(part for c in CLASSES for part in bytes.fromhex(c.colour))])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True, transparency=0)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
