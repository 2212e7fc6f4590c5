"""Reading the body of a request within limits of size and time."""

import contextlib
import socket
import threading
from collections.abc import Iterator

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout
from werkzeug.wrappers import Request

# Where the servers keep the connection: gunicorn, which functions-framework runs on, and werkzeug's own.
_CONNECTIONS = ("gunicorn.socket", "werkzeug.socket")


def read_body(request: Request, most_bytes: int, most_seconds: float) -> bytes:
    """The whole body. Raises RequestEntityTooLarge, before reading where the length is told, RequestTimeout when it is
    not there in time, and BadRequest when it breaks off.
    """
    if (request.content_length or 0) > most_bytes:
        raise RequestEntityTooLarge
    late = threading.Event()
    try:
        with _closed_after(request, most_seconds, late):
            body = request.stream.read(most_bytes + 1)
    except (BadRequest, OSError) as error:
        if late.is_set():
            raise RequestTimeout from None
        raise BadRequest("the body breaks off") from error
    if late.is_set():
        raise RequestTimeout
    if len(body) > most_bytes:
        raise RequestEntityTooLarge
    return body


@contextlib.contextmanager
def _closed_after(request: Request, seconds: float, late: threading.Event) -> Iterator[None]:
    """End the reading side of the connection after a while: nothing else ends a read that waits, since a byte now and
    then keeps any timeout of the socket from running out.
    """
    connections = [request.environ[name] for name in _CONNECTIONS if name in request.environ]

    def close() -> None:
        late.set()
        for connection in connections:
            with contextlib.suppress(OSError):  # gone already
                connection.shutdown(socket.SHUT_RD)

    timer = threading.Timer(seconds, close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
