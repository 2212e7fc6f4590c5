"""Reading registered AOIs back from the warehouse."""

import json
from collections.abc import Iterable
from typing import Any

from shared.messages import AoiRef
from shared.planning import Aoi
from shared.warehouse.client import Warehouse


def current_aois(refs: Iterable[AoiRef], warehouse: Warehouse) -> list[Aoi]:
    """The named AOIs that are still registered in the named version, by id."""
    wanted = {(ref.aoi_id, ref.aoi_version) for ref in refs}
    rows = warehouse.query("aois_by_id", aoi_ids=sorted({aoi_id for aoi_id, _ in wanted}))
    return [
        Aoi(row["aoi_id"], row["aoi_version"], row["area_m2"], json.loads(row["geometry"]))
        for row in sorted(rows, key=lambda row: str(row["aoi_id"]))
        if (row["aoi_id"], row["aoi_version"]) in wanted
    ]


def extent_of_aois(warehouse: Warehouse) -> dict[str, Any] | None:
    """The box around all current AOIs as a GeoJSON polygon in WGS84; None while there is no AOI."""
    found = warehouse.query("aoi_extent")[0]
    if not found["aoi_count"]:
        return None
    west, south, east, north = (found[k] for k in ("west_deg", "south_deg", "east_deg", "north_deg"))
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
