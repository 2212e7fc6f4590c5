"""Answers that say what was wrong: problem+json (RFC 9457)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, RequestTimeout


def problem(
    status: int,
    title: str,
    detail: str,
    faults: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer with a status; each fault is a JSON pointer and what is wrong there."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if errors := [{"pointer": pointer, "detail": fault} for pointer, fault in faults]:
        body["errors"] = errors
    # in a part, as a stream: of any other answer functions-framework reads the whole request first
    return Response(
        iter([json.dumps(body)]), status=status, content_type="application/problem+json", headers=dict(headers or {})
    )


def body_problem(error: HTTPException, most_bytes: int, most_seconds: float) -> Response:
    """The answer to what ``read_body`` raises."""
    if isinstance(error, RequestEntityTooLarge):
        return problem(413, "Body too large", f"the limit is {most_bytes} bytes")
    if isinstance(error, RequestTimeout):
        return problem(408, "Body too slow", f"the whole body is read for {most_seconds:g} s at most")
    return problem(400, "Bad request", str(error.description))
