"""The registration webhook over HTTP: signatures, faults with pointers, limits, idempotency, deletion."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from shapely import box
from shapely.geometry import mapping
from standardwebhooks import Webhook

from local.stack import Stack
from shared.clients import OwnedSecret
from shared.errors import NeverError
from shared.settings import load_settings
from shared.warehouse.client import Warehouse
from shared.webhooks.signatures import SignatureError, verify
from tests.stacks import event, feature, rows, signed_post, start_stack

SQUARE = dict(mapping(box(125.0, 45.0, 125.02, 45.01)))
OLD_SECRET = "whsec_b2xkIHNlY3JldCBvZiB0d2VudHktZm91cg=="


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("webhook")
    with start_stack(folder, max_body_bytes="200000", max_area_km2="100", max_vertices="1000") as running:
        yield running


def body(*features: dict[str, Any], timestamp: str | None = None) -> str:
    return event("aoi.registered", {"type": "FeatureCollection", "features": list(features)}, timestamp)


def deletion(aoi_id: str) -> str:
    return event("aoi.deleted", {"aoi_id": aoi_id})


def send(stack: Stack, text: str, webhook_id: str) -> requests.Response:
    return signed_post(stack.webhook_url, stack.webhook_secret, text, webhook_id)


def problem(response: requests.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["title"]
    return document


def events(stack: Stack) -> list[dict[str, Any]]:
    return rows(stack, "aoi_events", "recorded_at")


def test_an_aoi_is_registered_with_id_version_and_area(stack: Stack) -> None:
    response = send(stack, body(feature("square", SQUARE, name="A square", tags=["x"])), "r1")
    assert response.status_code == 202
    (answer,) = response.json()["aois"]
    assert (answer["aoi_id"], answer["aoi_version"]) == ("square", 1)
    assert answer["area_m2"] == pytest.approx(1_751_933, rel=1e-3), (
        "0.02° × 0.01° at 45° N by hand: 1577.6 m × 1111.4 m"
    )
    (row,) = [e for e in events(stack) if e["webhook_id"] == "r1"]
    assert (row["label"], row["tags"]) == ("A square", ["x"])


def test_the_same_webhook_twice_gives_the_same_answer_and_one_registration(stack: Stack) -> None:
    text = body(feature("twice-b", SQUARE), feature("twice-a", SQUARE))
    first, second = send(stack, text, "r2"), send(stack, text, "r2")
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert len([e for e in events(stack) if e["webhook_id"] == "r2"]) == 2


def test_a_thousand_features_are_one_call_and_one_more_is_refused(stack: Stack) -> None:
    many = [
        feature(f"m{i}", {"type": "Polygon", "coordinates": [[[0, 0], [0.01, 0], [0, 0.01], [0, 0]]]})
        for i in range(1001)
    ]
    assert len(send(stack, body(*many[:1000]), "r3").json()["aois"]) == 1000
    faults = problem(send(stack, body(*many), "r4"), 422)["errors"]
    assert [f["pointer"] for f in faults] == ["/data/features"]


@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        ("{", [""]),
        ("[]", [""]),
        ('{"type": "aoi.registered", "type": "aoi.deleted"}', [""]),
        ('{"type": "aoi.registered", "data": NaN}', [""]),
        ({"type": "aoi.renamed"}, ["/type"]),
        ({"type": "aoi.registered"}, ["/data/type"]),
        ({"type": "aoi.registered", "data": {"type": "FeatureCollection", "features": []}}, ["/data/features"]),
        ({"type": "aoi.registered", "data": feature("bad id", SQUARE)}, ["/data/id"]),
        ({"type": "aoi.registered", "data": feature("a", {"type": "Point", "coordinates": [0, 0]})}, ["/data/geometry/type"]),
        ({"type": "aoi.registered", "timestamp": "yesterday", "data": feature("a", SQUARE)}, ["/timestamp"]),
        ({"type": "aoi.registered", "timestamp": None, "data": feature("a", SQUARE)}, ["/timestamp"]),
        ({"type": "aoi.registered", "data": feature("a", SQUARE, backfill_start="9999-12-31")}, ["/data/properties/backfill_start"]),
        ({"type": "aoi.registered", "timestamp": "9999-01-01T00:00:00Z", "data": feature("a", SQUARE)}, ["/timestamp"]),
        ({"type": "aoi.registered", "data": feature("a", SQUARE, tags="x", backfill_start="soon")}, ["/data/properties/tags", "/data/properties/backfill_start"]),
        ({"type": "aoi.registered", "data": feature("a", dict(mapping(box(0, 0, 1, 1))))}, ["/data/geometry"]),
        ({"type": "aoi.registered", "data": {"type": "FeatureCollection", "crs": {"properties": {"name": "EPSG:32633"}}, "features": [feature("a", SQUARE), feature("a", SQUARE)]}}, ["/data/crs", "/data/features/1/id"]),
        ({"type": "aoi.registered", "data": feature("a", SQUARE, name="=HYPERLINK(1)", tags=["x", "＠x", "-1"])}, ["/data/properties/name", "/data/properties/tags/1", "/data/properties/tags/2"]),
        ({"type": "aoi.registered", "data": feature("a", SQUARE, label=" +1", tags=["\ud800"])}, ["/data/properties/label", "/data/properties/tags/0"]),
        ({"type": "aoi.registered", "data": feature("a", SQUARE, label="a\x00b", tags=["\x1b[2J", "a\nb", "\u2028"])}, ["/data/properties/label", *(f"/data/properties/tags/{i}" for i in range(3))]),
        ({"type": "aoi.registered", "data": feature("a", dict(mapping(box(0, 0, 20.1, 0.00001))))}, ["/data/geometry/coordinates"]),
        ({"type": "aoi.deleted", "data": {}}, ["/data/aoi_id"]),
        ({"type": "aoi.deleted", "data": {"aoi_ids": ["a", 1.5]}}, ["/data/aoi_ids/1"]),
    ],
)  # fmt: skip
def test_faults_come_with_pointers_and_leave_no_row(stack: Stack, document: Any, pointers: list[str]) -> None:
    before = len(events(stack))
    if isinstance(document, dict):
        document = {"timestamp": "2026-01-01T00:00:00Z", **document}
    text = document if isinstance(document, str) else json.dumps(document)
    faults = problem(send(stack, text, "bad"), 422)["errors"]
    assert [fault["pointer"] for fault in faults] == pointers
    assert len(events(stack)) == before


def test_a_body_that_is_not_utf8_is_refused(stack: Stack) -> None:
    raw = b'{"type": "\xff"}'
    assert requests.post(stack.webhook_url, data=raw, timeout=10).status_code == 401


def test_deep_nesting_is_refused_not_followed(stack: Stack) -> None:
    problem(send(stack, "[" * 90_000 + "]" * 90_000, "deep"), 422)


def test_too_large_a_body_is_refused_before_it_is_read(stack: Stack) -> None:
    document = problem(send(stack, " " * 200_001, "large"), 413)
    assert "200000" in document["detail"]


def test_only_post_is_taken(stack: Stack) -> None:
    problem(requests.get(stack.webhook_url, timeout=10), 405)


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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Changes settings of the functions of a running stack."""

    def change(**values: float | date) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"LANDCOVER_{name.upper()}", str(value))
        load_settings.cache_clear()

    yield change
    monkeypatch.undo()
    load_settings.cache_clear()


def test_over_a_ceiling_is_403_and_costs_nothing(stack: Stack, setting: Any) -> None:
    send(stack, body(feature("held-1", SQUARE)), "c1")
    assert stack.bus.wait_idle(60)
    present = rows(stack, "aois")
    count, km2 = len(present), sum(row["area_m2"] for row in present) / 1e6
    setting(max_registered_aois=count + 1)
    before = (len(events(stack)), dict(stack.bus.delivered))
    refused = problem(send(stack, body(feature("held-2", SQUARE), feature("held-3", SQUARE)), "c2"), 403)
    assert refused["detail"] == f"{count + 2} AOIs would be registered, the limit is {count + 1}"
    setting(max_registered_aois=count, max_registered_km2=km2 + 1)
    refused = problem(send(stack, body(feature("held-1", dict(mapping(box(125, 45, 125.04, 45.02))))), "c3"), 403)
    assert "km² would be registered" in refused["detail"]
    assert (len(events(stack)), dict(stack.bus.delivered)) == before
    smaller = dict(mapping(box(125, 45, 125.02, 45.009)))
    setting(max_registered_aois=1, max_registered_km2=1)
    assert send(stack, body(feature("held-1", smaller)), "c4").status_code == 202, "what adds nothing is let through"
    assert send(stack, deletion("held-1"), "c5").status_code == 202


def test_a_dry_run_says_what_it_would_cost_and_does_nothing(stack: Stack, setting: Any) -> None:
    def tried(*features: dict[str, Any]) -> dict[str, Any]:
        response = send(stack, json.dumps({**json.loads(body(*features)), "dry_run": True}), "dry")
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    assert stack.bus.wait_idle(60)
    before = (len(events(stack)), len(rows(stack, "histories")), dict(stack.bus.delivered))
    answer = tried(feature("tried", SQUARE, backfill_start="2022-01-01"))
    assert answer["would_be_refused"] is None
    assert [aoi["status"] for aoi in answer["aois"]] == ["not registered"]
    fewest, most = answer["cost"]["history"]["overpasses"]
    assert 0 < fewest < most
    longer = tried(feature("tried", SQUARE, backfill_start="2016-01-01"))["cost"]["history"]
    assert longer["eecu_hours"][1] > answer["cost"]["history"]["eecu_hours"][1] > 0
    setting(max_registered_aois=1, max_history_eecu_hours=1e-9)
    assert "would be registered" in tried(feature("tried", SQUARE), feature("other", SQUARE))["would_be_refused"]
    setting(max_registered_aois=100_000)
    assert "EECU-hours" in tried(feature("tried", SQUARE))["would_be_refused"]
    assert (len(events(stack)), len(rows(stack, "histories")), dict(stack.bus.delivered)) == before
    for document, detail in (
        ({**json.loads(body(feature("tried", SQUARE))), "dry_run": "yes"}, "expected true or false, found 'yes'"),
        ({**json.loads(deletion("tried")), "dry_run": True}, "a deletion costs nothing; only a registration is tried"),
    ):
        refused = problem(send(stack, json.dumps(document), "dry"), 422)
        assert refused["errors"] == [{"pointer": "/dry_run", "detail": detail}]


def test_a_history_over_the_ceiling_is_403_and_costs_nothing(stack: Stack, setting: Any) -> None:
    place = dict(mapping(box(125, 45, 125.04, 45.02)))
    send(stack, body(feature("long", place, backfill_start="2024-01-01")), "h1")
    assert stack.bus.wait_idle(60)
    before = (len(events(stack)), dict(stack.bus.delivered))
    setting(max_history_eecu_hours=1e-3)
    longer = body(feature("long", place, backfill_start="2023-01-01"))
    refused = problem(send(stack, longer, "h2"), 403)
    assert refused["detail"].startswith("the history of 1 AOIs is estimated at up to ")
    assert "EECU-hours, the limit is 0.001: register fewer at once" in refused["detail"]
    assert (len(events(stack)), dict(stack.bus.delivered)) == before
    again = body(feature("long", place, backfill_start="2024-06-01"))
    assert send(stack, again, "h3").status_code == 202, "what was asked for before adds nothing"
    today = body(feature("news", place, backfill_start=datetime.now(UTC).date().isoformat()))
    assert send(stack, today, "h4").status_code == 202, "nor does an area without a history"


def test_where_the_first_day_is_still_to_come_it_is_that_of_the_registration(stack: Stack, setting: Any) -> None:
    setting(backfill_start=date(2999, 1, 1))
    before = datetime.now(UTC).date()
    assert send(stack, body(feature("early", SQUARE)), "early").status_code == 202
    assert stack.bus.wait_idle(60)
    (registered,) = [row for row in events(stack) if row["aoi_id"] == "early"]
    assert before <= registered["backfill_start"] <= datetime.now(UTC).date()


def test_a_refusal_of_the_warehouse_is_503(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise NeverError("BigQuery refused the query: bytes billed")

    monkeypatch.setattr(Warehouse, "query", refuse)
    response = send(stack, body(feature("a", SQUARE)), "w1")
    problem(response, 503)
    assert int(response.headers["retry-after"]) > 0


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


def test_deletion_ends_an_aoi_and_the_same_geometry_comes_back_as_the_same_version(stack: Stack) -> None:
    send(stack, body(feature("gone", SQUARE)), "d1")
    deleted = send(stack, deletion("gone"), "d2")
    assert deleted.json()["aois"] == [{"aoi_id": "gone", "aoi_version": 1, "status": "deleted"}]
    assert "gone" not in {row["aoi_id"] for row in rows(stack, "aois")}
    back = send(stack, body(feature("gone", SQUARE)), "d3")
    assert back.json()["aois"][0]["aoi_version"] == 1
    other = send(stack, body(feature("gone", dict(mapping(box(5, 5, 5.01, 5.01))))), "d4")
    assert other.json()["aois"][0]["aoi_version"] == 2


def test_events_count_by_when_they_happened_not_by_when_they_arrived(stack: Stack) -> None:
    newer, older = dict(mapping(box(10, 10, 10.01, 10.01))), dict(mapping(box(20, 20, 20.01, 20.01)))
    send(stack, body(feature("late", newer), timestamp="2026-01-02T00:00:00Z"), "e1")
    send(stack, body(feature("late", older), timestamp="2026-01-01T00:00:00Z"), "e2")
    (current,) = [row for row in rows(stack, "aois") if row["aoi_id"] == "late"]
    assert current["west_deg"] == 10
