"""Ports for servers that cannot choose their own."""

import random
import socket

# Below what systems hand out to whoever asks for any port (Linux from 32768 on, others from 49152): between the choice
# and the start of a server, which takes seconds, nobody is given it.
_FIRST, _LAST = 20_000, 32_000
_chosen: set[int] = set()


def free_port() -> int:
    """A port of this machine that nobody listens on and that this process has not had before."""
    while True:
        port = random.SystemRandom().randint(_FIRST, _LAST)
        if port not in _chosen and _is_free(port):
            _chosen.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
