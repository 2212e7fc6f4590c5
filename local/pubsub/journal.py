"""What Pub/Sub remembers: messages not yet acknowledged, on disk, so that a killed process loses none."""

import json
import sqlite3
import threading
from pathlib import Path
from typing import NamedTuple


class Message(NamedTuple):
    """A published message, as every subscription of its topic gets it."""

    message_id: str
    data: bytes
    attributes: dict[str, str]
    published_at: str


class Journal:
    """One SQLite file; ``None`` keeps it in memory. Safe against the death of the process, not of the machine."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS waiting (delivery_id INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT, "
            "message_id TEXT, data BLOB, attributes TEXT, published_at TEXT, attempt INTEGER)"
        )

    def add(self, message: Message, subscriptions: list[str]) -> list[int]:
        """Note a message for each of its subscriptions, all or none; returns the delivery ids."""
        values = (message.message_id, message.data, json.dumps(message.attributes), message.published_at)
        with self._lock:
            self._database.execute("BEGIN")
            ids = [
                self._database.execute(
                    "INSERT INTO waiting (subscription, message_id, data, attributes, published_at, attempt) "
                    "VALUES (?, ?, ?, ?, ?, 1)",
                    (name, *values),
                ).lastrowid
                or 0
                for name in subscriptions
            ]
            self._database.execute("COMMIT")
        return ids

    def attempted(self, delivery_id: int, attempt: int) -> None:
        """The next delivery will be this attempt."""
        with self._lock:
            self._database.execute("UPDATE waiting SET attempt = ? WHERE delivery_id = ?", (attempt, delivery_id))

    def done(self, delivery_id: int) -> None:
        """Acknowledged, or dead."""
        with self._lock:
            self._database.execute("DELETE FROM waiting WHERE delivery_id = ?", (delivery_id,))

    def waiting(self) -> list[tuple[int, str, Message, int]]:
        """(delivery id, subscription, message, attempt) of everything that is not acknowledged, oldest first."""
        with self._lock:
            found = self._database.execute(
                "SELECT delivery_id, subscription, message_id, data, attributes, published_at, attempt "
                "FROM waiting ORDER BY delivery_id"
            ).fetchall()
        return [
            (delivery_id, name, Message(message_id, data, json.loads(attributes), published_at), attempt)
            for delivery_id, name, message_id, data, attributes, published_at, attempt in found
        ]

    def close(self) -> None:
        with self._lock:
            self._database.close()
