"""How much may be registered: what is over a ceiling is refused before it costs any work."""

import math

from shared.errors import OverCeilingError
from shared.registration import RegistrationEvent
from shared.warehouse.client import Warehouse


def refuse_over_ceiling(event: RegistrationEvent, warehouse: Warehouse) -> None:
    """Check what the register would hold after an event. Raises OverCeilingError.

    AOIs that are registered already count once, as they would be. What does not add is let through, also where a
    ceiling was lowered below what there is. Calls at the same moment may each fill the same gap.
    """
    if not event.registered:
        return
    settings = warehouse.settings
    present = {
        row["is_named"]: (row["aoi_count"], row["area_m2"] / 1e6)
        for row in warehouse.query("register_totals", aoi_ids=[aoi.aoi_id for aoi in event.registered])
    }
    (others, others_km2), (before, before_km2) = present.get(False, (0, 0.0)), present.get(True, (0, 0.0))
    after, after_km2 = len(event.registered), math.fsum(aoi.area_m2 for aoi in event.registered) / 1e6
    count, km2 = others + after, others_km2 + after_km2
    if after > before and count > settings.max_registered_aois:
        raise OverCeilingError(f"{count} AOIs would be registered, the limit is {settings.max_registered_aois}")
    if after_km2 > before_km2 and km2 > settings.max_registered_km2:
        raise OverCeilingError(f"{km2:.1f} km² would be registered, the limit is {settings.max_registered_km2:g} km²")
