"""In which grid an AOI is measured.

Dynamic World images lie in the UTM grid of their Sentinel-2 tile. An AOI over two zones is cut at the meridian
between them and each piece is measured in its own zone's grid, so no pixel is resampled where a scene of that
zone exists; scenes of the other zone fill only what is left masked.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from shapely import MultiPolygon, bounds, box, get_parts
from shapely.geometry.base import BaseGeometry

# Latitude bands of MGRS from 80° south on, 8° each; the last has 12°.
LATITUDE_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_TILE_DEG = 1.5
_MOST_OFF_CENTRE_DEG = 12.0
_UTM = re.compile(r"^EPSG:32(?P<hemisphere>[67])(?P<zone>0[1-9]|[1-5]\d|60)$")


def utm_zone(crs: str) -> tuple[int, bool] | None:
    """(zone, is_northern) of a UTM/WGS84 code such as ``EPSG:32651``; None for any other CRS."""
    match = _UTM.match(crs)
    return (int(match["zone"]), match["hemisphere"] == "6") if match else None


def is_near_tile(footprint: BaseGeometry, tile: str) -> bool:
    """Whether a lon/lat footprint lies where an MGRS tile such as ``T51TYL`` may: in its zone and band, and no further
    beyond them than a tile and the odd zones of Norway and Svalbard reach; and whether it is as small as a tile, in
    one part or on both sides of ±180°.
    """
    parts = get_parts(footprint)
    if footprint.is_empty or not footprint.is_valid or len(parts) > 2:
        return False
    zone, band = int(tile[1:3]), LATITUDE_BANDS.find(tile[3])
    if not 1 <= zone <= 60 or band < 0:
        return False
    centre_deg, south_deg = 6 * zone - 183, 8 * band - 80
    for west, south, east, north in bounds(parts):
        narrowest = math.cos(math.radians(max(abs(south), abs(north))))
        if north - south > _TILE_DEG or (east - west) * narrowest > _TILE_DEG:
            return False
        off_centre = max(abs((x - centre_deg + 180) % 360 - 180) for x in (west, east))
        if off_centre > _MOST_OFF_CENTRE_DEG or south < south_deg - _TILE_DEG or north > south_deg + 12 + _TILE_DEG:
            return False
    return True


def partition(geometry: BaseGeometry, crs_codes: Iterable[str]) -> dict[str, BaseGeometry]:
    """Cut a lon/lat geometry into one piece for each CRS it is best measured in.

    The pieces cover the geometry and do not overlap. With UTM zones the cuts run along the meridians midway
    between the central meridians of the zones at hand, and along the equator where both hemispheres of a zone
    are. With any other CRS among the codes, the alphabetically first code takes the whole geometry.
    """
    codes = sorted(set(crs_codes))
    zones = {code: utm_zone(code) for code in codes}
    if len(codes) == 1 or None in zones.values():
        return {codes[0]: geometry}
    columns: dict[int, dict[bool, str]] = defaultdict(dict)
    for code, zone in zones.items():
        if zone is not None:
            columns[zone[0]][zone[1]] = code
    numbers = sorted(columns)
    centres_deg = [6 * number - 183 for number in numbers]
    edges_deg = [-180.0, *((a + b) / 2 for a, b in pairwise(centres_deg)), 180.0]
    pieces: dict[str, BaseGeometry] = {}
    for number, (west, east) in zip(numbers, pairwise(edges_deg), strict=True):
        hemispheres = columns[number]
        for northern, code in hemispheres.items():
            south = 0.0 if northern and len(hemispheres) == 2 else -90.0
            north = 0.0 if not northern and len(hemispheres) == 2 else 90.0
            piece = polygonal(geometry.intersection(box(west, south, east, north)))
            if not piece.is_empty:
                pieces[code] = piece
    return pieces


def polygonal(geometry: BaseGeometry) -> BaseGeometry:
    """Only the area of a cut: shared edges and corners come out of an intersection as lines and points."""
    if geometry.geom_type in {"Polygon", "MultiPolygon"}:
        return geometry
    parts = [
        polygon
        for part in get_parts(geometry)
        for polygon in get_parts(part)
        if polygon.geom_type == "Polygon" and polygon.area > 0
    ]
    return MultiPolygon(parts)
