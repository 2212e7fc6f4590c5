"""Forgetting areas: every row that is about them, from every table.

BigQuery changes no row that was streamed within the last 30 minutes
(cloud.google.com/bigquery/docs/data-manipulation-language, "Limitations"), so an area is erased twice: at once from the
register, after which nothing of it is measured any more, with all that is older; and from the rest once that
can be changed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from shared.warehouse.client import Warehouse

# Those 30 minutes, and the 9 that an invocation may take from listing images, the time in a row, to streaming it.
SETTLED_AFTER = timedelta(minutes=45)
_WRITTEN_BY_STATEMENTS = ("aoi_events", "histories", "monthly_summary", "annual_summary")
_STREAMED = (
    "observations",
    "composites",
    "changes",
    "transitions",
    "passes",
    "change_alerts",
    "deliveries",
    "dead_letters",
    "reference_points",
    "area_estimates",
)


class Erasure(NamedTuple):
    """How many rows there were and are, by table, and from when on the rest can be erased; None when all is done."""

    found: dict[str, int]
    left: dict[str, int]
    again_at: datetime | None


def erase(warehouse: Warehouse, aoi_ids: Sequence[str], now: datetime | None = None) -> Erasure:
    """Delete what can be deleted now of some AOIs, the register first. Repeat it until ``again_at`` is None.

    Ids that are registered anew in between are erased too.
    """
    now = now or datetime.now(UTC)
    found = _counts(warehouse, aoi_ids)
    for table in _WRITTEN_BY_STATEMENTS:
        warehouse.query(f"erase_{table}", aoi_ids=list(aoi_ids))
    for table in _STREAMED:
        warehouse.query(f"erase_{table}", aoi_ids=list(aoi_ids), before=now - SETTLED_AFTER)
    left = _counts(warehouse, aoi_ids)
    # while it was registered, rows of it may have been on their way
    done = not left and "aoi_events" not in found
    return Erasure(found, left, None if done else now + SETTLED_AFTER)


def _counts(warehouse: Warehouse, aoi_ids: Sequence[str]) -> dict[str, int]:
    rows = warehouse.query("rows_of_aois", aoi_ids=list(aoi_ids))
    return {row["table_name"]: row["row_count"] for row in rows if row["row_count"]}
