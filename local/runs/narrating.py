"""What happens in the functions, told to the person who watches: a line for what was done, refused or failed."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

# What a function says it has done, where it is worth a line; ticks that found nothing to do are not.
_DONE = ("aoi", "overpasses", "observations", "composites", "patches", "classifications", "confirmed", "withdrawn")
_WHY = ("reason", "error", "faults", "event")


class Narrator(logging.Handler):
    """Tells of the functions' log records by ``say``, one line each with the time (UTC) and the function."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        fields = getattr(record, "fields", {})
        about = _DONE if record.levelno == logging.INFO else _WHY
        told = [f"{name} {_words(fields[name])}" for name in about if fields.get(name)]
        if record.levelno == logging.INFO and not told:
            return
        moment = datetime.fromtimestamp(record.created, UTC)
        who = fields.get("function", "")
        self._say(f"{moment:%H:%M:%S}  {who}: {', '.join([record.getMessage(), *told])}")


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
