"""Where the sample lies: a window of 10 m pixels in north-east China, and the AOI in it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from pyproj import Transformer
from rasterio.features import rasterize
from shapely import Polygon
from shapely.geometry import mapping

CRS = "EPSG:32651"
AOI_ID = "songnen-sample"
PIXEL_M = 10
WEST, NORTH, SIZE = 706_900, 5_002_100, 420
TRANSFORM = Affine(PIXEL_M, 0, WEST, 0, -PIXEL_M, NORTH)
TYK_TOP_ROW = (NORTH - 5_000_040) // PIXEL_M  # northern edge of tile 51TYK

# Corners of the AOI in metres of the UTM grid.
_AOI_CORNERS = [
    (707_390, 4_998_670), (708_930, 4_998_320), (710_540, 4_998_810), (710_750, 5_000_140), (710_260, 5_001_330),
    (709_210, 5_001_680), (707_950, 5_001_540), (707_180, 5_000_630), (707_530, 4_999_720), (707_390, 4_998_670),
]  # fmt: skip


def sample_aoi() -> dict[str, Any]:
    """The sample AOI as a GeoJSON Feature in WGS84, edges straight in lon/lat."""
    corners = [[round(c, 6) for c in lon_lat(x, y)] for x, y in _AOI_CORNERS]
    return {
        "type": "Feature",
        "id": AOI_ID,
        "properties": {"name": "Sample in the Songnen plain (synthetic)", "tags": ["sample"]},
        "geometry": {"type": "Polygon", "coordinates": [corners]},
    }


def write_aoi(path: Path) -> None:
    """The sample AOI as a GeoJSON file."""
    path.write_text(json.dumps(sample_aoi(), indent=2) + "\n", encoding="utf-8")


def aoi_mask() -> np.ndarray:
    """The window's pixels whose centre lies in the AOI."""
    return rasterize([mapping(Polygon(_AOI_CORNERS))], (SIZE, SIZE), transform=TRANSFORM).astype(bool)


def lon_lat(x: float, y: float) -> tuple[float, float]:
    """A place of the window's grid in degrees."""
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(x, y)
    return float(lon), float(lat)
