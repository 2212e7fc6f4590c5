"""A WSGI server on a loopback port whose threads stay.

A thread for each request, as werkzeug's own server has it, loses some megabyte every time: PROJ and GDAL keep contexts
for each thread that ever used them.

It answers who names this machine as host: a web page whose own name was made to lead here is a stranger, though its
browser runs here.
"""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from werkzeug.serving import ThreadedWSGIServer
from werkzeug.wrappers import Request, Response

LOOPBACK_NAMES = ("127.0.0.1", "localhost")
_THREADS = 16
# how long stopping may wait for the loop to notice; half a second by itself
_POLL_SECONDS = 0.05


class PooledServer(ThreadedWSGIServer):
    """Serves one application; ``start`` returns at once, ``stop`` waits for the port to be free."""

    def __init__(self, application: Any, port: int = 0, threads: int = _THREADS) -> None:
        super().__init__("127.0.0.1", port, _for_this_machine(application))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        self._pool.submit(self.process_request_thread, request, client_address)

    def start(self) -> "PooledServer":
        threading.Thread(
            target=self.serve_forever, args=(_POLL_SECONDS,), name=f"serve-{self.port}", daemon=True
        ).start()
        return self

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _for_this_machine(application: Any) -> Any:
    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        host = Request(environ).host
        if host.rsplit(":", 1)[0] in LOOPBACK_NAMES:
            return application(environ, start_response)
        refusal = Response(f"this machine is not {host[:100]!r}", status=403, content_type="text/plain")
        return refusal(environ, start_response)

    return answer
