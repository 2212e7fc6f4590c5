"""What the real Earth Engine does on a bad day, done to the clients of the local one."""

import time
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from local.earth_engine.errors import EngineError
from local.earth_engine.limits import OUT_OF_MEMORY, TIMED_OUT, TOO_MANY_AGGREGATIONS, TOO_MANY_REQUESTS
from local.servers.faults import cut_connection

HANG_SECONDS = 1.5

_ANSWERS = {
    "too many requests": (429, TOO_MANY_REQUESTS),
    "too many aggregations": (429, TOO_MANY_AGGREGATIONS),
    "quota": (429, "Quota exceeded for quota metric 'Earth Engine compute time'."),
    "internal": (500, "An internal error has occurred (request: 1f2e3d)."),
    "unavailable": (503, "The service is currently unavailable."),
    "memory": (400, OUT_OF_MEMORY),
    "too large": (400, "Computed value is too large."),
    "timed out": (400, TIMED_OUT),
}
_TRANSPORT = ("hang", "truncated", "cut")
KINDS = (*_ANSWERS, *_TRANSPORT)


def break_answer(fault: str, environ: dict[str, Any], answer: Callable[[], Response]) -> Response:
    """Fail one request in the named way. Raises EngineError for faults that the service answers in words."""
    if fault in _ANSWERS:
        status, message = _ANSWERS[fault]
        raise EngineError(message, status)
    if fault == "hang":
        time.sleep(HANG_SECONDS)
        return answer()
    response = answer()
    if fault == "truncated":
        body = response.get_data()
        response.set_data(body[: len(body) // 2])
        response.headers["Content-Length"] = str(len(body))
    else:
        cut_connection(environ)
    return response
