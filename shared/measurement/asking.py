"""Asking for areas to be measured at one overpass, in messages that each fit one invocation."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from shared.aois.name_spaces import by_client
from shared.geometry.cutting import pixels
from shared.measurement.budgets import Budget, chunked
from shared.messages.bodies import AoiRef, MeasurementRequest
from shared.settings import Settings

R = TypeVar("R", bound=MeasurementRequest)


def requests_for(
    kind: type[R], overpass_id: str, rows: Sequence[dict[str, Any]], budget: Budget, settings: Settings
) -> Iterator[R]:
    """Messages about AOIs (``aoi_id``, ``aoi_version``, ``area_m2``, ``geometry_bytes``), news of theirs announced."""

    def cost(row: dict[str, Any]) -> Budget:
        return Budget(0, 1, pixels(row["area_m2"]), row["geometry_bytes"])

    for of_one_client in by_client(list(rows), lambda row: str(row["aoi_id"]), settings):
        for run in chunked(of_one_client, budget, cost):
            refs = [AoiRef(aoi_id=row["aoi_id"], aoi_version=row["aoi_version"]) for row in run]
            yield kind(overpass_ids=[overpass_id], aois=refs, announce=True)


def requests_by_overpass(kind: type[R], rows: Iterable[dict[str, Any]], budget: Budget, settings: Settings) -> list[R]:
    """The same for AOIs at several overpasses (``overpass_id``); what is named twice is asked for once."""
    by_overpass: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        by_overpass[row["overpass_id"]][row["aoi_id"]] = row
    return [
        request
        for overpass_id, aois in sorted(by_overpass.items())
        for request in requests_for(kind, overpass_id, list(aois.values()), budget, settings)
    ]
