"""Answers to questions that always have the same one: remembered in this process, and on disk for the next."""

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MOST_ANSWERS = 2000
_MOST_KEPT = 5000
_MOST_KEPT_CHARACTERS = 200_000
_BUSY_SECONDS = 2.0


class Memory:
    """Answers by what was asked; forgets all when there are too many. What raises is asked anew."""

    def __init__(self, name: str = "", kept: "KeptAnswers | None" = None) -> None:
        self._name = name
        self._kept = kept
        self._known: dict[Any, Any] = {}

    def get(self, key: Any, find: Callable[[], Any], worth_keeping: Callable[[Any], bool] = lambda _: True) -> Any:
        known = self._known.get(key, self)
        if known is not self:
            return known
        kept = self._kept.get(self._name, key) if self._kept else None
        found = find() if kept is None else kept[0]
        if worth_keeping(found):
            if len(self._known) >= _MOST_ANSWERS:
                self._known.clear()
            self._known[key] = found
            if self._kept and kept is None:
                self._kept.put(self._name, key, found)
        return found


class KeptAnswers:
    """A file of answers that are texts, pairs of nothing, or nothing. Where it cannot be used, nothing is kept.

    ``made_by`` is all that answers depend on beside their question; those of others are forgotten.
    """

    def __init__(self, path: Path, made_by: str) -> None:
        self._lock = threading.Lock()
        self._file: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._file.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS answers (made_by TEXT, question TEXT, answer TEXT, "
                "PRIMARY KEY (made_by, question)) WITHOUT ROWID"
            )
            self._file.execute("DELETE FROM answers WHERE made_by <> ?", [made_by])
            if self._file.execute("SELECT COUNT(*) FROM answers").fetchone()[0] > _MOST_KEPT:
                self._file.execute("DELETE FROM answers")
        except (OSError, sqlite3.Error):
            self._file = None
        self._made_by = made_by

    def get(self, name: str, key: Any) -> tuple[Any] | None:
        """The answer, in a tuple of its own; None where there is none."""
        found = self._execute(
            "SELECT answer FROM answers WHERE made_by = ? AND question = ?", self._made_by, _digest(name, key)
        )
        if not found:
            return None
        answer = json.loads(found[0][0])
        return (tuple(answer) if isinstance(answer, list) else answer,)

    def put(self, name: str, key: Any, answer: Any) -> None:
        text = json.dumps(answer)
        if len(text) <= _MOST_KEPT_CHARACTERS:
            self._execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", self._made_by, _digest(name, key), text)

    def _execute(self, statement: str, *values: str) -> list[Any]:
        with self._lock:
            if self._file is None:
                return []
            try:
                return self._file.execute(statement, values).fetchall()
            except sqlite3.Error:
                self._file = None
                return []


def cache_folder() -> Path:
    """Where what can be made again is kept for this person."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "landcover-watch"


def _digest(name: str, key: Any) -> str:
    return hashlib.sha256(repr((name, key)).encode()).hexdigest()
