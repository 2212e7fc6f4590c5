"""Areas that lie together, in the messages that ask for their history."""

import math
from collections import defaultdict
from typing import Any

from shared.messages.bodies import AoiRegistration, NewAoi

# Their history is planned within one message's time and memory.
_AOIS_PER_BACKFILL = 100


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
