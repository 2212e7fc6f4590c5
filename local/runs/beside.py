"""Working beside a running ``landcover serve``: its folder says where it listens, since its warehouse has one owner."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from local.servers.pooled_server import LOOPBACK_NAMES
from local.stack import Stack
from shared.errors import UserInputError

_FILE = "serving.json"
_NEEDED = {"LANDCOVER_PROJECT", "LANDCOVER_EARTH_ENGINE_URL", "BIGQUERY_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"}
_PATIENCE_SECONDS = 2.0


@contextmanager
def listed_in(out: Path, stack: Stack) -> Iterator[None]:
    """While inside, an output folder tells other commands how to reach the stack. No secret is in it."""
    path = out / _FILE
    path.write_text(json.dumps(stack.client_environment, indent=1) + "\n", encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def serving_at(out: Path) -> dict[str, str] | None:
    """The environment of clients of the stack that serves an output folder; None where none does, or no longer."""
    try:
        noted = json.loads((out / _FILE).read_text(encoding="utf-8"))
        found = {name: str(noted[name]) for name in _NEEDED}
        address = urlsplit(found["BIGQUERY_EMULATOR_HOST"])
        host, port = address.hostname or "", address.port or 0
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # what a folder says leads nowhere but to this machine
    if host not in LOOPBACK_NAMES:
        return None
    try:
        socket.create_connection((host, port), _PATIENCE_SECONDS).close()
    except OSError:
        return None
    return found


def check_not_serving(out: Path) -> None:
    """Raises UserInputError where a running ``landcover serve`` has the folder."""
    if serving_at(out) is not None:
        raise UserInputError(f"{out}: landcover serve is running on it; stop that first, or give another --out")
