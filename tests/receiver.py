"""A receiver of webhooks on this machine, over HTTPS with a certificate of its own authority."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from requests_hardened import Config, Manager

from shared.webhooks import outgoing


class Receiver:
    """Answers each call with the next of ``answers`` (200 when there is none) and keeps what came.

    While ``trickles`` is set, an answer is a line of a header now and then, without end.
    """

    def __init__(self, port: int) -> None:
        self.url = f"https://localhost:{port}/landcover"
        self.answers: list[int] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.elsewhere = 0
        self.trickles = threading.Event()


@contextmanager
def receiving(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that runs, is trusted, and may be reached although it is on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.paths.append(self.path)
            receiver.calls.append((dict(self.headers.items()), body))
            status = receiver.answers.pop(0) if receiver.answers else 200
            self.send_response(status)
            while receiver.trickles.is_set():
                self.send_header("X-Wait", "a while")
                self.flush_headers()
                time.sleep(0.2)
            if 300 <= status < 400:
                self.send_header("Location", f"https://localhost:{server.server_port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            receiver.elsewhere += 1
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    authority = trustme.CA()
    trusted = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    here = Config(
        ip_filter_enable=True, ip_filter_allow_loopback_ips=True, never_redirect=True, default_timeout=(5, 15)
    )
    monkeypatch.setattr(outgoing, "_HTTP", Manager(here))
    yield receiver
    receiver.trickles.clear()
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)
