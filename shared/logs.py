"""Structured logs: one JSON object a line, as Cloud Logging reads them."""

import json
import logging
import sys
from typing import Any

_LOGGER = logging.getLogger("landcover")


class JsonFormatter(logging.Formatter):
    """Severity, message and whatever fields the call gave."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        return json.dumps({"severity": record.levelname, "message": record.getMessage(), **fields}, default=str)


def log(severity: int, message: str, **fields: Any) -> None:
    """Write one line. Fields are plain values; secrets and geometries do not belong here."""
    if not _LOGGER.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        _LOGGER.addHandler(handler)
        _LOGGER.setLevel(logging.INFO)
        _LOGGER.propagate = False
    _LOGGER.log(severity, message, extra={"fields": fields})
