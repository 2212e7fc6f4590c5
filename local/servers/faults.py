"""Faults on purpose: which requests to a local service fail, and how, so that what must survive them can be tried."""

import random
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any


class Faults:
    """A plan of faults, one entry for each request in turn: the name of a fault, or None to let it through.

    Once the plan has ended nothing fails. ``injected`` counts what was done.
    """

    def __init__(self, plan: Iterable[str | None] = ()) -> None:
        self._lock = threading.Lock()
        self.follow(plan)

    def follow(self, plan: Iterable[str | None]) -> None:
        """Begin a plan, in place of what is left of the last one."""
        with self._lock:
            self._plan = iter(plan)
            self.injected: Counter[str] = Counter()

    def draw(self) -> str | None:
        """The fault of the next request, if any."""
        with self._lock:
            fault = next(self._plan, None)
            if fault is not None:
                self.injected[fault] += 1
            return fault


def at_random(kinds: Sequence[str], share: float, seed: int) -> Iterator[str | None]:
    """An endless plan in which a share of the requests fails, each kind as often."""
    source = random.Random(seed)  # noqa: S311 — repeatable on purpose
    while True:
        yield source.choice(kinds) if source.random() < share else None


def cut_connection(environ: dict[str, Any]) -> None:
    """Close the client's connection without an answer (werkzeug keeps the socket in the WSGI environment)."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
