"""Statements that change one table at the same moment: one at a time, as BigQuery runs those that conflict."""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from local.bigquery.limits import RERUNS_OF_A_STATEMENT

_CHANGED = re.compile(r"^\s*(?:MERGE(?:\s+INTO)?|UPDATE|DELETE(?:\s+FROM)?)\s+`(?P<table>[^`]+)`", re.MULTILINE)


def changed_tables(body: bytes) -> set[str]:
    """The tables whose rows a statement changes; one that only inserts conflicts with nothing."""
    document = json.loads(body)
    text = document.get("configuration", {}).get("query", document).get("query", "")
    return {match["table"] for match in _CHANGED.finditer(text)}


class Turns:
    """Who changes which table."""

    def __init__(self) -> None:
        self._changing: set[str] = set()
        self._ended: Counter[str] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, tables: set[str]) -> Iterator[str | None]:
        """Wait for a turn at the tables and hold it.

        Gives None, or the table where a statement met others more often than the service runs it again.
        """
        refused = self._taken(tables)
        try:
            yield refused
        finally:
            if refused is None:
                with self._changed:
                    self._changing -= tables
                    self._ended.update(tables)
                    self._changed.notify_all()

    def _taken(self, tables: set[str]) -> str | None:
        with self._changed:
            for _ in range(RERUNS_OF_A_STATEMENT + 1):
                met = tables & self._changing
                if not met:
                    break
                # one run for each statement that ends where this one waits, whoever else ends meanwhile
                before = {table: self._ended[table] for table in met}
                self._changed.wait_for(lambda before=before: any(self._ended[t] != n for t, n in before.items()))  # type: ignore[misc]
            if met := tables & self._changing:
                return min(met)
            self._changing |= tables
            return None
