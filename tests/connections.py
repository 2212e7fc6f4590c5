"""Nothing connects to anything: seen by the interpreter itself, whatever library tries."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TRIED = {
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendto",
    "subprocess.Popen",
    "os.system",
}
_watched: list[list[str]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched and event in _TRIED:
        for tries in _watched:
            tries.append(f"{event} {arguments[1:]}")
        raise PermissionError(f"{event} within a test that connects to nothing")


sys.addaudithook(_hook)  # for good, so it looks only while somebody watches


@contextmanager
def none_made() -> Iterator[None]:
    """Refuses each connection, look-up of a name and process that is tried, and fails if one was, even where that was
    passed over.
    """
    tries: list[str] = []
    _watched.append(tries)
    try:
        yield
    finally:
        _watched.remove(tries)
    assert tries == []
