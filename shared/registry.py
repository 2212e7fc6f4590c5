"""Recording registrations and deletions of AOIs in the warehouse, and which version each makes."""

from datetime import UTC, datetime
from typing import Any

from shared.messages import AoiRegistration
from shared.registration import DELETED, REGISTERED, RegisteredAoi, RegistrationEvent
from shared.version import __version__
from shared.warehouse.client import Warehouse


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
    latest = {row["aoi_id"]: row for row in warehouse.query("latest_events", aoi_ids=ids)}
    recorded_at = datetime.now(UTC)
    base = {
        "webhook_id": webhook_id,
        "event_type": event.event_type,
        "event_time": event.event_time.isoformat(),
        "recorded_at": recorded_at.isoformat(),
        "code_version": __version__,
    }
    rows = [{**base, "aoi_version": _version(aoi, latest.get(aoi.aoi_id)), **_columns(aoi)} for aoi in event.registered]
    rows += [
        {
            **base,
            "aoi_id": aoi_id,
            "aoi_version": latest[aoi_id]["highest_version"] if aoi_id in latest else None,
        }
        for aoi_id in event.deleted
    ]
    warehouse.append("aoi_events", rows)
    return _answers(rows), _backfills(rows)


def _version(aoi: RegisteredAoi, latest: dict[str, Any] | None) -> int:
    """A new geometry is a new version; so is a return after deletion, whose history has a gap."""
    if latest is None or latest["highest_version"] is None:
        return 1
    same = latest["event_type"] == REGISTERED and latest["geometry_sha256"] == aoi.geometry_sha256
    return int(latest["aoi_version"] if same else latest["highest_version"] + 1)


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
    return [
        AoiRegistration(aoi_id=row["aoi_id"], aoi_version=row["aoi_version"], backfill_start=row["backfill_start"])
        for row in rows
        if row["event_type"] == REGISTERED
    ]
