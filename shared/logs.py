"""Structured logs: one JSON object a line, as Cloud Logging reads them."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from werkzeug.datastructures import Headers

_LOGGER = logging.getLogger("landcover")
_TRACE_ID = re.compile(r"^[0-9a-f]{32}$")
_CONTEXT: ContextVar[dict[str, Any]] = ContextVar("log_fields", default={})  # noqa: B039 — never changed in place


class JsonFormatter(logging.Formatter):
    """Severity, message and whatever fields the call gave."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        return json.dumps({"severity": record.levelname, "message": record.getMessage(), **fields}, default=str)


@contextmanager
def log_fields(**fields: Any) -> Iterator[None]:
    """Every line written inside carries these fields; those that are None are left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    token = _CONTEXT.set({**_CONTEXT.get(), **given})
    try:
        yield
    finally:
        _CONTEXT.reset(token)


def log(severity: int, message: str, **fields: Any) -> None:
    """Write one line. Fields are plain values; secrets and geometries do not belong here."""
    if not _LOGGER.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        _LOGGER.addHandler(handler)
        _LOGGER.setLevel(logging.INFO)
        _LOGGER.propagate = False
    _LOGGER.log(severity, message, extra={"fields": {**_CONTEXT.get(), **fields}})


def trace_field(headers: Headers, project: str) -> dict[str, str]:
    """The field by which Cloud Logging joins the lines of one request, when the request has a trace."""
    trace_id = headers.get("X-Cloud-Trace-Context", "").partition("/")[0]
    if not trace_id:
        trace_id = "".join(headers.get("traceparent", "").split("-")[1:2])
    if not _TRACE_ID.match(trace_id):
        return {}
    return {"logging.googleapis.com/trace": f"projects/{project}/traces/{trace_id}"}
