"""Which months changed: the log that lets summaries and composites look no further back than they must."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.warehouse.client import Warehouse

# Composites that could not be made in time are still looked for after an outage of a month.
_COMPOSITE_LOOKBACK = timedelta(days=35)


def touch(warehouse: Warehouse, days: Iterable[str], period: str = "month") -> None:
    """Log the months of these days (YYYY-MM-DD), right before what changes them is appended: a month touched in vain
    costs a little, rows that no summary looks at would be lost to it.
    """
    now = datetime.now(UTC)
    at: dict[str, Any] = {"touched_date": now.date().isoformat(), "touched_at": now.isoformat()}
    warehouse.append(
        "touches", [{"month": f"{month}-01", "period": period, **at} for month in sorted({d[:7] for d in days})]
    )


def touched_since(warehouse: Warehouse, today: date) -> date:
    """The first of the earliest year in which something changed lately, at the latest that of a month ago."""
    lately = today - _COMPOSITE_LOOKBACK
    (found,) = warehouse.query("earliest_touch", since=lately)
    return date(min(found["month"] or lately, lately).year, 1, 1)
