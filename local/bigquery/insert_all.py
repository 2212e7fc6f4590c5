"""``tabledata.insertAll``, row by row: what is refused is said, the rest shows after a while."""

import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from local.bigquery.limits import (
    MOST_ROWS_PER_INSERT,
    NEWEST_STREAMED_DAYS,
    OLDEST_STREAMED_DAYS,
    SCHEMA_KNOWN_AFTER_SECONDS,
)

# A table as the emulator describes it; None when there is none.
Describe = Callable[[str], dict[str, Any] | None]
# Keeps the body of an insertAll for a path until it shows.
Keep = Callable[[str, dict[str, Any]], None]


class InsertAll:
    """Checks rows against what the service takes, by the tables' own descriptions. Tables are named by their paths."""

    def __init__(self, describe: Describe, keep: Keep) -> None:
        self._describe = describe
        self._keep = keep
        self._tables: dict[str, dict[str, Any]] = {}
        self._new_fields: dict[str, dict[str, float]] = {}

    def answer(self, table: str, body: dict[str, Any], failing: Callable[[int], bool]) -> dict[str, Any] | None:
        """What the service answers; None for a table that is not there. ``failing`` tells of which rows, by their
        index, it says "try again". Raises ValueError for too many rows.
        """
        rows = body.get("rows", [])
        if len(rows) > MOST_ROWS_PER_INSERT:
            raise ValueError(f"Too many rows present in the request, limit: {MOST_ROWS_PER_INSERT}")
        definition = self._definition(table)
        if definition is None:
            return None
        errors = []
        taken = []
        for index, row in enumerate(rows):
            reason = self._refusal(table, definition, row["json"])
            if failing(index):
                errors.append(_row_error(index, "backendError", "try again"))
            elif reason is not None:
                errors.append(_row_error(index, "invalid", reason))
            else:
                taken.append((index, row))
        if any(e["errors"][0]["reason"] == "invalid" for e in errors) and not body.get("skipInvalidRows"):
            # one bad row stops the others of its request, unless the client says otherwise
            errors += [_row_error(index, "stopped", "") for index, _ in taken]
            taken = []
        if taken:
            self._keep(f"{table}/insertAll", {**body, "rows": [row for _, row in taken]})
        answer: dict[str, Any] = {"kind": "bigquery#tableDataInsertAllResponse"}
        if errors:
            answer["insertErrors"] = sorted(errors, key=lambda e: e["index"])
        return answer

    def table_changed(self, table: str, description: bytes) -> None:
        """A table was patched: what it has more now is unknown to streaming for a while."""
        before = self._tables.pop(table, None)
        known = {field["name"] for field in before["schema"]["fields"]} if before else set()
        now = {field["name"] for field in json.loads(description).get("schema", {}).get("fields", [])}
        if known:
            until = time.monotonic() + SCHEMA_KNOWN_AFTER_SECONDS
            self._new_fields.setdefault(table, {}).update(dict.fromkeys(now - known, until))

    def _definition(self, table: str) -> dict[str, Any] | None:
        if table not in self._tables and (described := self._describe(table)) is not None:
            self._tables[table] = described
        return self._tables.get(table)

    def _refusal(self, table: str, definition: dict[str, Any], row: dict[str, Any]) -> str | None:
        fields = {field["name"]: field for field in definition["schema"]["fields"]}
        fresh = self._new_fields.get(table, {})
        for name in row:
            if name not in fields or fresh.get(name, 0) > time.monotonic():
                return f"no such field: {name}."
        for name, field in fields.items():
            if field.get("mode") == "REQUIRED" and row.get(name) is None:
                return f"Missing required field: {name}."
        return _partition_refusal(definition, row)


def _partition_refusal(definition: dict[str, Any], row: dict[str, Any]) -> str | None:
    """Streaming into a date partition that is too old or too new; other partitions take anything."""
    field = (definition.get("timePartitioning") or {}).get("field")
    value = row.get(field) if field else None
    if not isinstance(value, str):
        return None
    away = (date.fromisoformat(value[:10]) - datetime.now(UTC).date()).days
    if -OLDEST_STREAMED_DAYS <= away <= NEWEST_STREAMED_DAYS:
        return None
    return (
        f"You can only stream to date range within {OLDEST_STREAMED_DAYS} days in the past and {NEWEST_STREAMED_DAYS} "
        f"days in the future relative to the current date; found {value}."
    )


def _row_error(index: int, reason: str, message: str) -> dict[str, Any]:
    return {"index": index, "errors": [{"reason": reason, "location": "", "message": message}]}
