"""Recording registrations and deletions of AOIs in the warehouse, and which version each makes.

Correct with any number of instances. A call is recorded by statements that BigQuery runs one after the other
(``record_aoi_events.sql`` says why), and read back before it is answered: what a statement wrote, later queries see.
So a geometry has one number, the same for all. A number once told never changes, which a view that numbered rows by
their times could not promise: the earlier time may be the one that shows later.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from shared.aois.feature import RegisteredAoi, outline_of
from shared.aois.registration import DELETED, REGISTERED, RegistrationEvent
from shared.errors import RetryLaterError
from shared.geometry.cells import cells_of
from shared.version import __version__
from shared.warehouse.client import Warehouse

# A request to BigQuery has 10 MB at most, and a JSON text in a JSON body grows by its quotes.
_BYTES_PER_STATEMENT = 4_000_000
_TURN = "register.turn"


class OtherBodyError(Exception):
    """The webhook id was used for another body before."""


def record(event: RegistrationEvent, webhook_id: str, body: bytes, warehouse: Warehouse) -> list[dict[str, Any]]:
    """Append to ``aoi_events`` what the event has and the register lacks; returns the answer for each AOI.

    A call that broke off is completed when it is repeated, a complete one records nothing; all get the same answer.
    Raises OtherBodyError, and records nothing, when the same id came with another body.
    """
    call = {"webhook_id": webhook_id, "body_sha256": hashlib.sha256(body).hexdigest()}
    rows = {aoi.aoi_id: _columns(aoi) for aoi in event.registered}
    rows |= {aoi_id: {"aoi_id": aoi_id} for aoi_id in event.deleted}
    known, is_open = _known(call, warehouse)
    missing = [row for aoi_id, row in rows.items() if aoi_id not in known]
    if missing:
        stamp = {"recorded_at": datetime.now(UTC), "code_version": __version__}
        if not is_open:
            warehouse.query("open_register", **stamp)
        about = {"event_type": event.event_type, "event_time": event.event_time}
        for text in _statements(missing):
            warehouse.query("record_aoi_events", rows=text, **call, **about, **stamp)
        known, _ = _known(call, warehouse)
    if lacking := rows.keys() - known.keys():
        raise RetryLaterError(f"{len(lacking)} of {len(rows)} AOIs are not in the register")
    return _answers([known[aoi_id] for aoi_id in rows])


def _known(call: dict[str, str], warehouse: Warehouse) -> tuple[dict[str, dict[str, Any]], bool]:
    """What is recorded of a call, by AOI, and whether the register has its row of turns. Raises OtherBodyError."""
    found = warehouse.query("events_of_webhook", webhook_id=call["webhook_id"])
    known = {row["aoi_id"]: row for row in found if row["event_type"] != _TURN}
    if any(row["body_sha256"] not in {None, call["body_sha256"]} for row in known.values()):
        raise OtherBodyError
    return known, len(known) < len(found)


def _statements(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows as JSON lists, each small enough for one statement."""
    texts: list[str] = []
    size = 0
    for text in map(json.dumps, rows):
        size += len(text)
        if texts and size > _BYTES_PER_STATEMENT:
            yield f"[{','.join(texts)}]"
            texts, size = [], len(text)
        texts.append(text)
    yield f"[{','.join(texts)}]"


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
        "cells": cells_of(outline_of(aoi)),
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
