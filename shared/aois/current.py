"""Reading registered AOIs back from the warehouse."""

import json
from collections.abc import Iterable

from shared.aois.aoi import Aoi
from shared.messages.bodies import AoiRef
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
