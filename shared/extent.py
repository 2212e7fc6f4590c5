"""Where on Earth there are AOIs at all: what a listing of images needs to know."""

from typing import Any

from shared.warehouse.client import Warehouse


def extent_of_aois(warehouse: Warehouse) -> dict[str, Any] | None:
    """The box around all current AOIs as a GeoJSON polygon in WGS84; None while there is no AOI."""
    found = warehouse.query("aoi_extent")[0]
    if not found["aoi_count"]:
        return None
    west, south, east, north = (found[k] for k in ("west_deg", "south_deg", "east_deg", "north_deg"))
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
