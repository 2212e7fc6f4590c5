"""``landcover register``: areas and their signature go to one address, and the secret shows nowhere."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from local import cli
from local.runs.registering import post_registration
from shared.errors import UserInputError

SECRET = "whsec_b2xkIHNlY3JldCBvZiB0d2VudHktZm91cg=="
NOTHING = {"type": "FeatureCollection", "features": []}


@pytest.mark.parametrize(
    "url", ["http://webhook.example", "ftp://127.0.0.1", "http://[", "http://127.0.0.1@webhook.example/", "webhook", ""]
)
def test_only_https_and_this_machine_are_posted_to(url: str) -> None:
    with pytest.raises(UserInputError, match="expected an https:// address"):
        post_registration(NOTHING, url, SECRET)


@contextmanager
def answering(status: int, body: bytes = b"[]", **headers: str) -> Iterator[tuple[str, list[str]]]:
    """A server that gives every call the same answer; its address and the paths that were called."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            paths.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            paths.append(self.path)

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with (
        answering(200) as (elsewhere, taken),
        answering(status, Location=f"{elsewhere}/taken") as (url, asked),
        pytest.raises(UserInputError, match="which is not followed"),
    ):
        post_registration(NOTHING, f"{url}/hook", SECRET)
    assert (asked, taken) == (["/hook"], [])


@pytest.mark.parametrize("body", [b"[]", b"{}", b"7", b'{"aois": 7}', b"<html>", b""])
@pytest.mark.parametrize("status", [202, 422])
def test_an_answer_of_something_else_is_one_sentence(status: int, body: bytes) -> None:
    with answering(status, body) as (url, _), pytest.raises(UserInputError, match=url):
        post_registration(NOTHING, url, SECRET)


@pytest.mark.parametrize(
    ("secret", "mention"), [("", "no signing secret"), ("whsec_***", "base64"), ("whsec_QQ==", "found 1")]
)
def test_a_secret_that_cannot_sign(tmp_path: Path, secret: str, mention: str, monkeypatch: pytest.MonkeyPatch) -> None:
    areas = tmp_path / "areas.geojson"
    areas.write_text('{"type": "Feature"}', encoding="utf-8")
    monkeypatch.setenv("LANDCOVER_WEBHOOK_SECRET", secret)
    done = CliRunner().invoke(cli.app, ["register", str(areas), "--url", "https://webhook.example"])
    assert isinstance(done.exception, UserInputError)
    assert mention in str(done.exception)
    file = tmp_path / "secret"
    file.write_bytes(secret.encode() + b"\n" if secret else b"\xff")
    done = CliRunner().invoke(
        cli.app, ["register", str(areas), "--url", "https://webhook.example", "--secret-file", str(file)]
    )
    assert isinstance(done.exception, UserInputError)


def test_the_secret_is_no_option(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.app, ["register", "a.geojson", "--url", "https://h", "--secret", SECRET])
    assert done.exit_code == 2
