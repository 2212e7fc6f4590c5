"""Keeping observations that were just made: the note that lets summaries find them, the rows, and the news of them."""

from datetime import UTC, datetime
from typing import Any

from shared.messages.bodies import EventType, Topic
from shared.messages.publishing import publish
from shared.warehouse.client import Warehouse
from shared.warehouse.touches import touch
from shared.webhooks.news import observation_created


def keep_observations(rows: list[dict[str, Any]], announce: bool, warehouse: Warehouse) -> None:
    """Touch their months, then append them, then tell of them: a crash in between repeats work and loses none.

    Raises RetryLaterError, and as the warehouse answers.
    """
    touch(warehouse, (row["acquired_date"] for row in rows))
    warehouse.append("observations", rows)
    if announce:
        events = [observation_created(row, datetime.now(UTC)) for row in rows]
        publish(warehouse.settings, Topic.EVENTS, events, {"type": EventType.OBSERVATION_CREATED})
