"""Recording registrations and deletions of AOIs in the warehouse, and which version each makes."""

import json
import math
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from shapely.geometry import shape

from shared.cells import cells_of
from shared.messages import AoiRegistration, NewAoi
from shared.registration import DELETED, REGISTERED, RegisteredAoi, RegistrationEvent
from shared.version import __version__
from shared.warehouse.client import Warehouse

# Their history is planned within one message's time and memory.
_AOIS_PER_BACKFILL = 100


def record(
    event: RegistrationEvent, webhook_id: str, warehouse: Warehouse
) -> tuple[list[dict[str, Any]], list[AoiRegistration]]:
    """Append the event to ``aoi_events``; returns the answer for each AOI and the backfills to ask for.

    A delivery seen before records nothing and gives the same answer, and asks for the same backfills again: they
    may not have been published the first time, and repeat nothing but work.
    """
    known = warehouse.query("events_of_webhook", webhook_id=webhook_id)
    if known:
        return _answers(known), _backfills(known)
    ids = [aoi.aoi_id for aoi in event.registered] + event.deleted
    versions: dict[str, dict[str, int]] = {aoi_id: {} for aoi_id in ids}
    for row in warehouse.query("versions_by_aoi", aoi_ids=ids):
        versions[row["aoi_id"]][row["geometry_sha256"]] = row["aoi_version"]
    recorded_at = datetime.now(UTC)
    base = {
        "webhook_id": webhook_id,
        "event_type": event.event_type,
        "event_time": event.event_time.isoformat(),
        "recorded_at": recorded_at.isoformat(),
        "code_version": __version__,
    }
    rows = [{**base, "aoi_version": _version(aoi, versions[aoi.aoi_id]), **_columns(aoi)} for aoi in event.registered]
    rows += [
        {**base, "aoi_id": aoi_id, "aoi_version": max(versions[aoi_id].values(), default=None)}
        for aoi_id in event.deleted
    ]
    # a statement, not a stream: all rows or none, and the next registration sees them at once
    warehouse.query("insert_aoi_events", rows=json.dumps(rows))
    return _answers(rows), _backfills(rows)


def _version(aoi: RegisteredAoi, versions: dict[str, int]) -> int:
    """A geometry seen before keeps its version, so that no order of arrival gives one geometry two histories; a new
    one gets the next number. Numbers are labels in the order of arrival: once told to a caller, they never change.
    """
    return versions.get(aoi.geometry_sha256) or max(versions.values(), default=0) + 1


def _columns(aoi: RegisteredAoi) -> dict[str, Any]:
    west, south, east, north = aoi.bounds_deg
    return {
        "aoi_id": aoi.aoi_id,
        "label": aoi.label,
        "tags": aoi.tags,
        "geometry": aoi.geometry,
        "geometry_sha256": aoi.geometry_sha256,
        "area_m2": aoi.area_m2,
        "west_deg": west,
        "south_deg": south,
        "east_deg": east,
        "north_deg": north,
        "cells": cells_of(shape(json.loads(aoi.geometry))),
        "backfill_start": aoi.backfill_start.isoformat(),
    }


def _answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the caller is told of each AOI, by id so that a repeated call gets the same bytes."""
    answers = []
    for row in sorted(rows, key=lambda row: str(row["aoi_id"])):
        answer = {"aoi_id": row["aoi_id"], "aoi_version": row["aoi_version"]}
        if row["event_type"] == REGISTERED:
            answers.append({**answer, "area_m2": row["area_m2"], "status": "registered"})
        else:
            answers.append({**answer, "status": DELETED.removeprefix("aoi.")})
    return answers


def _backfills(rows: list[dict[str, Any]]) -> list[AoiRegistration]:
    """One message for AOIs that lie within the same degree: what is listed for one of them serves the others."""
    neighbours: dict[tuple[int, int], list[NewAoi]] = defaultdict(list)
    for row in rows:
        if row["event_type"] == REGISTERED:
            new = NewAoi(aoi_id=row["aoi_id"], aoi_version=row["aoi_version"], backfill_start=row["backfill_start"])
            neighbours[math.floor(row["south_deg"]), math.floor(row["west_deg"])].append(new)
    return [
        AoiRegistration(aois=group[start : start + _AOIS_PER_BACKFILL])
        for group in neighbours.values()
        for start in range(0, len(group), _AOIS_PER_BACKFILL)
    ]
