"""Which AOI versions want their history, and the log of what was asked for."""

import json
from datetime import UTC, datetime
from typing import Any

from shared.warehouse.client import Warehouse


def histories_wanted(webhook_id: str, warehouse: Warehouse) -> list[dict[str, Any]]:
    """The versions of a recorded call whose history is still to be asked for; none when all of it was before."""
    return warehouse.query("histories_wanted", webhook_id=webhook_id)


def note_histories(histories: list[dict[str, Any]], warehouse: Warehouse) -> None:
    """Log histories, after they were asked for: a crash in between asks again, which measures nothing twice."""
    if histories:
        rows = [
            {name: row[name] for name in ("aoi_id", "aoi_version", "turn")}
            | {"backfill_start": row["backfill_start"].isoformat()}
            for row in histories
        ]
        warehouse.query("note_histories", rows=json.dumps(rows), asked_at=datetime.now(UTC))
