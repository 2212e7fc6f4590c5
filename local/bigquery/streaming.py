"""Rows that were streamed and do not show yet: acknowledged, on disk, and passed on after a while, in order."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.bigquery.limits import VISIBLE_AFTER_SECONDS

# Passes the body of an insertAll on to the emulator's path; raises when it is not taken.
Forward = Callable[[str, dict[str, Any]], None]


class StreamingBuffer:
    """One SQLite file, so that rows outlive a killed process as they would in the service."""

    def __init__(self, path: Path, forward: Forward) -> None:
        self._forward = forward
        self._changed = threading.Condition()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS buffered (number INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT, body TEXT, "
            "visible_at REAL)"
        )
        self._looked_for = 0
        self._stopping = False
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="streaming-buffer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, path: str, body: dict[str, Any]) -> None:
        """Keep one insert until it shows."""
        with self._changed:
            self._database.execute(
                "INSERT INTO buffered (path, body, visible_at) VALUES (?, ?, ?)",
                (path, json.dumps(body), time.time() + VISIBLE_AFTER_SECONDS),
            )
            self._changed.notify_all()

    def settle(self) -> None:
        """Have everything added so far shown, without the wait. Raises what kept a row from showing."""
        with self._changed:
            (last,) = self._database.execute("SELECT MAX(number) FROM buffered").fetchone()
            self._looked_for = max(self._looked_for, last or 0)
            self._changed.notify_all()
            while last is not None and self.failure is None:
                (first,) = self._database.execute("SELECT MIN(number) FROM buffered").fetchone()
                if first is None or first > last:
                    break
                self._changed.wait(0.2)
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """What does not show yet is kept for the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=20)
        self._database.close()

    def _run(self) -> None:
        while (found := self._next()) is not None:
            number, path, body = found
            try:
                self._forward(path, json.loads(body))
            except Exception as error:  # an acknowledged row that is lost must not go unnoticed
                self.failure = error
            with self._changed:
                self._database.execute("DELETE FROM buffered WHERE number = ?", (number,))
                self._changed.notify_all()

    def _next(self) -> tuple[int, str, str] | None:
        with self._changed:
            while not self._stopping:
                found = self._database.execute(
                    "SELECT number, path, body, visible_at FROM buffered ORDER BY number LIMIT 1"
                ).fetchone()
                wait = found[3] - time.time() if found else None
                if found and found[0] <= self._looked_for:
                    wait = 0
                if wait is not None and wait <= 0:
                    return int(found[0]), str(found[1]), str(found[2])
                self._changed.wait(wait)
            return None
