"""``landcover serve``: the embedded stack until it is stopped, with the jobs a scheduler would start."""

import signal
import threading
from datetime import UTC, date, datetime
from types import FrameType

from local.stack import Stack
from shared.messages.schedules import schedules


def keep_running(stack: Stack, every_seconds: float) -> None:
    """Tick, composite and summarise every so often until SIGINT or SIGTERM."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    while not stop.is_set():
        _settle(stack, stop)  # a backfill under way will have measured what discover would announce
        for scheduled in schedules().ticks:
            if scheduled.tick.job == "record-passes" and not stack.knows_passes:
                continue
            stack.publish_tick(scheduled.tick)
            _settle(stack, stop)
        stack.summarise(datetime.now(UTC))
        stop.wait(every_seconds)


def _settle(stack: Stack, stop: threading.Event) -> None:
    while not stop.is_set() and not stack.bus.wait_idle(0.5):
        pass


def window_days(first: date) -> int:
    """A discover window that reaches back to the first scene: old scenes are new here."""
    return (datetime.now(UTC).date() - first).days + 45
