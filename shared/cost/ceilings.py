"""How much may be registered, by all and by one client: what is over a ceiling is refused before it costs any work."""

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from shared.aois.name_spaces import name_space
from shared.aois.registration import RegistrationEvent
from shared.cost.usual import usual_history
from shared.cost.work import GUESS, Workload, eecu_hours
from shared.errors import OverCeilingError
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


def refuse_costly_history(event: RegistrationEvent, warehouse: Warehouse) -> None:
    """Check what Earth Engine may need for the history of an event's AOIs. Raises OverCeilingError.

    The upper end of what is usual counts, since nothing is listed before a registration is taken. An AOI whose history
    was asked for from as early a day, with the same geometry, adds nothing.
    """
    settings = warehouse.settings
    today = datetime.now(UTC).date()
    new = event.registered
    if _most_hours(usual_history(new, today, settings)) <= settings.max_history_eecu_hours:
        return
    rows = warehouse.query("histories_asked", aoi_ids=[aoi.aoi_id for aoi in new])
    asked = {(row["aoi_id"], row["geometry_sha256"]): row["backfill_start"] or date.max for row in rows}
    new = [aoi for aoi in new if aoi.backfill_start < asked.get((aoi.aoi_id, aoi.geometry_sha256), date.max)]
    hours = _most_hours(usual_history(new, today, settings))
    if hours > settings.max_history_eecu_hours:
        raise OverCeilingError(
            f"the history of {len(new)} AOIs is estimated at up to {hours:.3g} EECU-hours, the limit is "
            f"{settings.max_history_eecu_hours:g}: register fewer at once, or name a later backfill_start"
        )


def _most_hours(history: tuple[Workload, Workload]) -> float:
    """What the network is asked for is no history: the passes of the last days, whenever an area's history begins."""
    low, high = (work.measuring.plus(work.finding) for work in history)
    return eecu_hours((low, high), GUESS)[1]
