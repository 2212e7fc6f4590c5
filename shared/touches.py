"""Which months changed: the log that lets summaries and composites look no further back than they must."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from shared.warehouse.client import Warehouse

# Composites that could not be made in time are still looked for after an outage of a month.
_COMPOSITE_LOOKBACK = timedelta(days=35)


def touch(warehouse: Warehouse, days: Iterable[str], today: date, period: str = "month") -> None:
    """Log the months of these days (YYYY-MM-DD), after what changed in them was appended."""
    months = sorted({f"{day[:7]}-01" for day in days})
    rows: list[dict[str, Any]] = [
        {"month": month, "period": period, "touched_date": today.isoformat()} for month in months
    ]
    warehouse.append("touches", rows)


def touched_since(warehouse: Warehouse, today: date) -> date:
    """The first of the earliest year in which something changed lately, at the latest that of a month ago."""
    lately = today - _COMPOSITE_LOOKBACK
    (found,) = warehouse.query("earliest_touch", since=lately)
    return date(min(found["month"] or lately, lately).year, 1, 1)
