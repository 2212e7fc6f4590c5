"""Maps of a year and its months: mode composites of an AOI, computed by Earth Engine, in the official colours."""

import base64
import io
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NamedTuple

import ee
import numpy as np
from PIL import Image
from pyproj import Transformer
from shapely import segmentize
from shapely import transform as transform_shape
from shapely.geometry import shape

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
_SMALL_PIXELS = 220
# Each map is a request that is mostly waited for.
_DRAWN_AT_ONCE = 4
_DEGREE_M = 111_320

# A map is drawn of the whole area, however large.
_WHOLE = 10**12


class Map(NamedTuple):
    """A PNG as a data URI, its size in pixels, and the ground that one pixel is wide, in metres."""

    data_uri: str
    width: int
    height: int
    metres_per_pixel: float


class YearMaps(NamedTuple):
    """The annual composite and those of the months (1 to 12) that were seen."""

    annual: Map
    months: dict[int, Map]


class _Frame(NamedTuple):
    """The outline of an AOI in the CRS of its scenes: (west, south, east, north), and that CRS."""

    bounds: tuple[float, float, float, float]
    crs: str
    in_degrees: bool


def year_maps(aoi: Aoi, year: int, settings: Settings) -> YearMaps | None:
    """Composites in the grid of the AOI's scenes; None when no scene of the year shows the AOI."""
    connect(settings, "report")
    images = list_images(
        settings, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC), region_around([aoi.outline])
    )
    overpasses = overpasses_over(aoi, images)
    if not overpasses:
        return None
    frame = _frame(aoi, overpasses)
    by_month: dict[int, list[PlannedOverpass]] = defaultdict(list)
    for overpass in overpasses:
        by_month[int(overpass.overpass_id[4:6])].append(overpass)
    months = sorted(by_month)
    wanted = [(overpasses, _MOST_PIXELS), *((by_month[month], _SMALL_PIXELS) for month in months)]
    with ThreadPoolExecutor(_DRAWN_AT_ONCE) as pool:
        annual, *drawn = pool.map(lambda seen: _draw(aoi, seen[0], frame, seen[1], settings), wanted)
    return YearMaps(annual, dict(zip(months, drawn, strict=True)))


def _frame(aoi: Aoi, overpasses: Sequence[PlannedOverpass]) -> _Frame:
    layer = pieces_of("map", aoi, overpasses, False, _WHOLE)[0].layer
    used = [image for overpass in overpasses for image in overpass.images]
    crs = next(image.crs for image in used if image.image_id == layer.grid_image_id)
    to_crs = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    outline = transform_shape(
        segmentize(shape(aoi.geometry), 0.01), lambda xy: np.column_stack(to_crs.transform(xy[:, 0], xy[:, 1]))
    )
    return _Frame(outline.bounds, crs, to_crs.target_crs is not None and to_crs.target_crs.is_geographic)


def _draw(aoi: Aoi, overpasses: Sequence[PlannedOverpass], frame: _Frame, most_pixels: int, settings: Settings) -> Map:
    west, south, east, north = frame.bounds
    layer = pieces_of("map", aoi, overpasses, False, _WHOLE)[0].layer
    native = 10 / _DEGREE_M if frame.in_degrees else 10
    step = max(native, max(east - west, north - south) / most_pixels)
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
    metres = step * (_DEGREE_M if frame.in_degrees else 1)
    return Map(_png(pixels[LABEL_BAND].astype(int)), width, height, metres)


def _png(shifted: np.ndarray) -> str:
    palette = np.zeros((len(CLASSES) + 1, 4), dtype=np.uint8)
    for c in CLASSES:
        palette[c.class_id + 1] = (*bytes.fromhex(c.colour), 255)
    buffer = io.BytesIO()
    Image.fromarray(palette[shifted], "RGBA").save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
