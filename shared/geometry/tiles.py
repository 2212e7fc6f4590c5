"""Where the tiles of the Sentinel-2 grid lie, by their names alone.

A tile such as T51TYL has the name of a square of 100 km of the military grid (MGRS): UTM zone, latitude band, column,
row. It begins at the square's upper left corner, moved outwards to whole pixels of 60 m, and is 109.8 km wide and high.
"""

import math

import numpy as np
from shapely import box, segmentize, transform
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from shared.geometry.grids import LATITUDE_BANDS
from shared.geometry.utm import to_lon_lat, to_utm

TILE_M = 109_800
_SQUARE_M, _COARSEST_PIXEL_M = 100_000, 60
# Columns repeat every three zones, rows every 2,000 km; those of even zones begin at F.
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
_ROWS, _EVEN_ZONES_BEGIN = "ABCDEFGHJKLMNPQRSTUV", 5
_FALSE_NORTHING_M = 10_000_000
_LONGEST_EDGE_M = 10_000


def crs_of_tile(tile: str) -> str:
    """The code of a tile's UTM zone; bands from N on are north of the equator."""
    return f"EPSG:32{6 if tile[3] >= 'N' else 7}{tile[1:3]}"


def tile_corner_m(tile: str) -> tuple[int, int] | None:
    """Easting and northing of a tile's upper left corner in its zone; None for a name that no tile has."""
    zone, band = int(tile[1:3]), LATITUDE_BANDS.find(tile[3])
    column, row = _COLUMNS[zone % 3].find(tile[4]), _ROWS.find(tile[5])
    if not 1 <= zone <= 60 or min(band, column, row) < 0:
        return None
    cycle_m = _SQUARE_M * len(_ROWS)
    first_m = _SQUARE_M * ((row - (_EVEN_ZONES_BEGIN if zone % 2 == 0 else 0)) % len(_ROWS))
    ((_, middle_m),) = to_utm(f"EPSG:326{zone:02d}", np.array([(6 * zone - 183, 8 * band - 76)]))
    south_m = first_m + cycle_m * round((middle_m - first_m) / cycle_m)
    west_m = math.floor(_SQUARE_M * (column + 1) / _COARSEST_PIXEL_M) * _COARSEST_PIXEL_M
    north_m = math.ceil((south_m + _SQUARE_M) / _COARSEST_PIXEL_M) * _COARSEST_PIXEL_M
    return west_m, north_m if tile[3] >= "N" else north_m + _FALSE_NORTHING_M


def tile_outline(tile: str) -> BaseGeometry | None:
    """What a tile covers, in lon/lat within ±180°; None for a name that no tile has."""
    corner = tile_corner_m(tile)
    if corner is None:
        return None
    west_m, north_m = corner
    square = segmentize(box(west_m, north_m - TILE_M, west_m + TILE_M, north_m), _LONGEST_EDGE_M)
    outline = transform(square, lambda metres: to_lon_lat(crs_of_tile(tile), metres))
    west_deg, _, east_deg, _ = outline.bounds
    if east_deg - west_deg <= 180:
        return outline
    from shared.geometry.dateline import cut_at_antimeridian  # noqa: PLC0415 — few tiles; who lists scenes does without

    return cut_at_antimeridian(mapping(outline))
