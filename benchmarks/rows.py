"""What a benchmark reports: rows of one table, each with ours, the peer's, their ratio and how to read it."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

T = TypeVar("T")
ROUNDS = 5


class Bar(NamedTuple):
    """A ratio (ours : peer), or ours alone, that must not be exceeded, or must be reached."""

    limit: float
    at_least: bool = False

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


class Row(NamedTuple):
    """One line of the table. Without a peer, the bar is for ours alone."""

    area: str
    what: str
    unit: str
    ours: float
    peer_name: str = ""
    peer: float | None = None
    bar: Bar | None = None
    reading: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.peer if self.peer else None

    @property
    def holds(self) -> bool | None:
        """Whether the bar is met; None without a bar."""
        judged = self.ratio if self.peer is not None else self.ours
        return self.bar.holds(judged) if self.bar and judged is not None else None


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds that a piece of work takes, and what it returns."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def medians(*pieces: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Median seconds of each piece: after a warm-up they take turns, so that a busy moment hits all alike."""
    seconds: list[list[float]] = [[] for _ in pieces]
    for number in range(rounds + 1):
        for found, piece in zip(seconds, pieces, strict=True):
            elapsed, _ = timed(piece)
            if number:
                found.append(elapsed)
    return [statistics.median(found) for found in seconds]
