"""Who is let in: what a signature must be, and that nobody else's body is read or waited for."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from standardwebhooks import Webhook

from local.servers.ports import free_port
from local.stack import Stack
from shared.clients import OwnedSecret
from shared.webhooks.signatures import SignatureError, verify
from tests.calls import SQUARE, body, deletion, problem
from tests.stacks import feature, signed_post, start_stack

OLD_SECRET = "whsec_b2xkIHNlY3JldCBvZiB0d2VudHktZm91cg=="


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with start_stack(tmp_path_factory.mktemp("signatures"), max_body_bytes="200000") as running:
        yield running


def test_a_body_that_is_not_utf8_is_refused(stack: Stack) -> None:
    raw = b'{"type": "\xff"}'
    assert requests.post(stack.webhook_url, data=raw, timeout=10).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-signature": None},
        {"webhook-id": None},
        {"webhook-timestamp": None},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "nonsense"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1"},
        {"webhook-timestamp": "not a number"},
        {"webhook-timestamp": "1e400"},
        {"webhook-id": "another"},
    ],
)
def test_whatever_is_wrong_with_a_signature_is_401(stack: Stack, change: dict[str, str | None]) -> None:
    text = body(feature("a", SQUARE))
    moment = datetime.now(UTC)
    headers: dict[str, Any] = {
        "webhook-id": "s",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(stack.webhook_secret).sign("s", moment, text),
    }
    headers.update(change)
    sent = {k: v.encode() for k, v in headers.items() if v is not None}
    problem(requests.post(stack.webhook_url, data=text, headers=sent, timeout=10), 401)


def answer_before_the_body(stack: Stack, headers: dict[str, str]) -> int:
    """The status that is answered while the body that was announced has not begun."""
    address = urlsplit(stack.webhook_url)
    lines = [f"POST / HTTP/1.1\r\nHost: {address.netloc}\r\n", *(f"{k}: {v}\r\n" for k, v in headers.items()), "\r\n"]
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall("".join(lines).encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": None},
        {"webhook-signature": None},
        {"webhook-signature": "v2,QQ== v1a,QQ== v1,short"},
        {"webhook-timestamp": None},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "nan"},
    ],
)
@pytest.mark.parametrize("length", [{"content-length": "100000"}, {"transfer-encoding": "chunked"}])
def test_what_no_body_can_make_right_is_401_before_the_body_is_read(
    stack: Stack, change: dict[str, str | None], length: dict[str, str]
) -> None:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "s",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(OLD_SECRET).sign("s", now, "{}"),
        **change,
        **length,
    }
    assert answer_before_the_body(stack, {k: v for k, v in headers.items() if v is not None}) == 401


def test_a_body_that_comes_too_slowly_is_given_up_on_the_server_that_is_deployed(tmp_path: Path) -> None:
    """functions-framework, so gunicorn, as on Cloud Run; a byte now and then would hold its thread for ever."""
    root = Path(__file__).resolve().parents[2]
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(root),
        "LANDCOVER_PROJECT": "some-project",
        "LANDCOVER_WEBHOOK_SECRETS": OLD_SECRET,
        "LANDCOVER_MAX_BODY_SECONDS": "0.5",
    }
    command = [Path(sys.executable).parent / "functions-framework", "--target", "register_aoi", "--host", "127.0.0.1"]
    source = ["--source", root / "functions" / "register_aoi.py", "--port", str(port)]
    with subprocess.Popen([*command, *source], env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL) as server:
        try:
            connection = connected(port)
            now = datetime.now(UTC)
            signature = Webhook(OLD_SECRET).sign("s", now, "{}")
            lines = f"webhook-id: s\r\nwebhook-timestamp: {int(now.timestamp())}\r\nwebhook-signature: {signature}\r\n"
            connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: 100000\r\n\r\n{{".encode())
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert response.status == 408
            assert json.loads(response.read())["status"] == 408
        finally:
            server.terminate()


def connected(port: int) -> socket.socket:
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_that_is_right_but_not_of_now_is_401(stack: Stack, minutes: int) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    text = body(feature("a", SQUARE))
    problem(signed_post(stack.webhook_url, stack.webhook_secret, text, "old", moment), 401)


def test_one_right_signature_among_several_is_enough(stack: Stack) -> None:
    text = deletion("nobody")
    now = datetime.now(UTC)
    right = Webhook(stack.webhook_secret).sign("multi", now, text)
    wrong = Webhook(OLD_SECRET).sign("multi", now, text)
    headers = {
        "webhook-id": "multi",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": f"v2 v1,*** {wrong} v1a,xyz , v1 {right}",
    }
    assert requests.post(stack.webhook_url, data=text, headers=headers, timeout=10).status_code == 202


def test_secrets_can_be_rotated() -> None:
    new_secret = "whsec_bmV3IHNlY3JldCBvZiB0d2VudHktZm91cg=="
    now = datetime.now(UTC)

    def headers(secret: str) -> dict[str, str]:
        signature = Webhook(secret).sign("id", now, "{}")
        return {"Webhook-Id": "id", "Webhook-Timestamp": str(int(now.timestamp())), "Webhook-Signature": signature}

    for secret in (OLD_SECRET, new_secret):
        assert verify(b"{}", headers(secret), [OwnedSecret(None, new_secret), OwnedSecret(None, OLD_SECRET)]) == (
            None,
            "id",
        )
    with pytest.raises(SignatureError):
        verify(b"{}", headers(OLD_SECRET), [OwnedSecret(None, new_secret)])
    with pytest.raises(SignatureError):
        verify(b"{}", headers(OLD_SECRET), [])
