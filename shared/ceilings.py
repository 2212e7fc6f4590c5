"""How much may be registered, by all and by one client: what is over a ceiling is refused before it costs any work."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from shared.errors import OverCeilingError
from shared.name_spaces import name_space
from shared.registration import RegistrationEvent
from shared.warehouse.client import Warehouse


class _Held(NamedTuple):
    """How many AOIs are registered, and their area."""

    aois: int
    km2: float


def refuse_over_ceiling(event: RegistrationEvent, client: str | None, warehouse: Warehouse) -> None:
    """Check what the register would hold after an event of a client, or of the operator. Raises OverCeilingError.

    AOIs that are registered already count once, as they would be. What does not add is let through, also where a
    ceiling was lowered below what there is. Calls at the same moment may each fill the same gap.
    """
    if not event.registered:
        return
    settings = warehouse.settings
    named = [aoi.aoi_id for aoi in event.registered]
    rows = warehouse.query("register_totals", aoi_ids=named, name_space=name_space(client))
    before = _held(row for row in rows if row["is_named"])
    after = _Held(len(named), math.fsum(aoi.area_m2 for aoi in event.registered) / 1e6)
    if client is not None:
        own = settings.clients[client]
        others = _held(row for row in rows if row["is_own"] and not row["is_named"])
        if excess := _excess(others, before, after, own.max_registered_aois, own.max_registered_km2):
            raise OverCeilingError(excess)
    others = _held(row for row in rows if not row["is_named"])
    if excess := _excess(others, before, after, settings.max_registered_aois, settings.max_registered_km2):
        # how much all have together is not a client's to know
        raise OverCeilingError(excess if client is None else "no more can be registered in this deployment")


def _held(rows: Iterable[dict[str, Any]]) -> _Held:
    counted = list(rows)
    return _Held(sum(row["aoi_count"] for row in counted), math.fsum(row["area_m2"] for row in counted) / 1e6)


def _excess(others: _Held, before: _Held, after: _Held, most_aois: int | None, most_km2: float | None) -> str | None:
    """What a ceiling would be exceeded by with the AOIs of an event; None where they add nothing to that."""
    count, km2 = others.aois + after.aois, others.km2 + after.km2
    if most_aois is not None and after.aois > before.aois and count > most_aois:
        return f"{count} AOIs would be registered, the limit is {most_aois}"
    if most_km2 is not None and after.km2 > before.km2 and km2 > most_km2:
        return f"{km2:.1f} km² would be registered, the limit is {most_km2:g} km²"
    return None
