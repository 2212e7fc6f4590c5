"""Which AOI versions want their history, the messages that ask for it, and the log of what was asked for."""

import json
import math
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from shared.messages import AoiRegistration, NewAoi
from shared.warehouse.client import Warehouse

# Their history is planned within one message's time and memory.
_AOIS_PER_BACKFILL = 100


def histories_wanted(webhook_id: str, warehouse: Warehouse) -> list[dict[str, Any]]:
    """The versions of a recorded call whose history is still to be asked for; none when all of it was before."""
    return warehouse.query("histories_wanted", webhook_id=webhook_id)


def registrations_of(histories: list[dict[str, Any]]) -> list[AoiRegistration]:
    """One message for AOIs that lie within the same degree: what is listed for one of them serves the others."""
    neighbours: dict[tuple[int, int], list[NewAoi]] = defaultdict(list)
    for row in histories:
        new = NewAoi(aoi_id=row["aoi_id"], aoi_version=row["aoi_version"], backfill_start=row["backfill_start"])
        neighbours[math.floor(row["south_deg"]), math.floor(row["west_deg"])].append(new)
    return [
        AoiRegistration(aois=group[start : start + _AOIS_PER_BACKFILL])
        for group in neighbours.values()
        for start in range(0, len(group), _AOIS_PER_BACKFILL)
    ]


def note_histories(histories: list[dict[str, Any]], warehouse: Warehouse) -> None:
    """Log histories, after they were asked for: a crash in between asks again, which measures nothing twice."""
    if histories:
        rows = [
            {name: row[name] for name in ("aoi_id", "aoi_version", "turn")}
            | {"backfill_start": row["backfill_start"].isoformat()}
            for row in histories
        ]
        warehouse.query("note_histories", rows=json.dumps(rows), asked_at=datetime.now(UTC))
