"""Areas of an AOI's part from the network's probabilities, by the rules of ``measure``: true areas, edge pixels by the
share inside in 8 bits, and nothing where the ground was not seen.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from shared.classes import CLASSES
from shared.geometry.pixel_shares import pixel_shares
from shared.geometry.utm import cell_areas_m2, to_utm
from shared.measurement.areas import Areas
from shared.network.tiling import CORE_PIXELS, SceneGrid, Span

PIXEL_M = 10
# North of every UTM zone, and like every tile's corner a multiple of 20 m: all pixels of a zone count from here.
_WEST_M, _NORTH_M = 0, 10_000_000
# A straight edge of 100 m in lon/lat strays from its chord in the grid by less than a millimetre.
_LONGEST_EDGE_DEG = 0.001
# Weights as Earth Engine's own areas have them (docs/real-services.md): a row of either source is made alike.
_WEIGHT_STEPS, _WEIGHT_OFFSET = 255, 0.25


def zone_grid(crs: str) -> SceneGrid:
    """The 10 m grid in which the pixels of every scene of a UTM zone are counted."""
    return SceneGrid(crs, _WEST_M, _NORTH_M)


def region_in(geometry: dict[str, Any], crs: str) -> BaseGeometry:
    """A GeoJSON geometry (WGS84) in pixels of the zone's grid: x along columns, y down along rows."""
    dense = shapely.segmentize(shape(geometry), _LONGEST_EDGE_DEG)
    return shapely.transform(dense, lambda lon_lat: (to_utm(crs, lon_lat) - (_WEST_M, _NORTH_M)) / (PIXEL_M, -PIXEL_M))


def cores_over(region: BaseGeometry) -> Iterator[Span]:
    """What the network classifies at once over the pixels of a region, on the even grid of its zone."""
    west, north, east, south = region.bounds
    left, top = int(np.floor(west / 2)) * 2, int(np.floor(north / 2)) * 2
    right, bottom = int(np.ceil(east / 2)) * 2, int(np.ceil(south / 2)) * 2
    for row in range(top, bottom, CORE_PIXELS):
        for column in range(left, right, CORE_PIXELS):
            yield Span(row, column, min(row + CORE_PIXELS, bottom), min(column + CORE_PIXELS, right))


def weights_m2(region: BaseGeometry, core: Span, crs: str) -> np.ndarray | None:
    """How much of each pixel of a core lies in the region, (H, W) in m²; None where the region misses it."""
    frame = shapely.box(core.left, core.top, core.right, core.bottom)
    part = region.intersection(frame)
    if part.area == 0:
        return None
    shifted = shapely.transform(part, lambda xy: xy - (core.left, core.top))
    shares = pixel_shares(shifted, core.height, core.width)
    weights = np.floor(_WEIGHT_STEPS * shares + _WEIGHT_OFFSET) / _WEIGHT_STEPS
    return np.asarray(weights * _pixel_areas_m2(core, crs))


def areas_seen(probabilities: np.ndarray, weights: np.ndarray) -> Areas:
    """Areas from class probabilities (9, H, W), NaN where the ground was not seen, and pixel weights (H, W) in m²."""
    seen = (weights > 0) & ~np.isnan(probabilities[0])
    within, weighted = probabilities[:, seen].astype(float), weights[seen]
    labels = np.bincount(within.argmax(axis=0), weights=weighted, minlength=len(CLASSES))
    expected = within @ weighted
    return Areas(
        float(weights.sum()),
        float(weighted.sum()),
        {c.class_id: float(labels[c.class_id]) for c in CLASSES},
        {c.class_id: float(expected[c.class_id]) for c in CLASSES},
    )


def _pixel_areas_m2(core: Span, crs: str) -> np.ndarray:
    """True (ellipsoidal) areas, (H, W)."""
    columns, rows = np.arange(core.left, core.right + 1), np.arange(core.top, core.bottom + 1)
    return cell_areas_m2(crs, _WEST_M + columns * float(PIXEL_M), _NORTH_M - rows * float(PIXEL_M))
