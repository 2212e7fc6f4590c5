"""The register: complete when a call is repeated, one number a geometry with any number of instances, histories asked once."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from shapely import box
from shapely.geometry import mapping

from local.bigquery import streaming
from local.servers.ports import free_port
from local.stack import Stack
from shared.aois import recording
from shared.errors import RetryLaterError
from shared.warehouse.client import Warehouse
from tests.scenes import write_scene
from tests.stacks import event, feature, rows, settle, signed_post, start_stack

ROOT = Path(__file__).resolve().parents[2]
DAYS = (3, 8, 13)


def image(day: int) -> str:
    return f"202107{day:02d}T023111_202107{day:02d}T023105_T51TYL"


def square(n: int) -> dict[str, Any]:
    """The n-th of some fields on the scenes, each a little larger than the one before."""
    return dict(mapping(box(125.6585, 45.115, 125.6595 + 0.0001 * n, 45.116)))


def collection(*features: dict[str, Any], timestamp: str | None = None) -> str:
    return event("aoi.registered", {"type": "FeatureCollection", "features": list(features)}, timestamp)


def send(stack: Stack, body: str, webhook_id: str, url: str | None = None) -> requests.Response:
    return signed_post(url or stack.webhook_url, stack.webhook_secret, body, webhook_id)


def computed(stack: Stack) -> int:
    return stack.earth_engine.app.requests.get("value:compute", 0)


def observed(stack: Stack, version: int) -> set[int]:
    """The days on which an AOI's version was observed."""
    return {int(r["overpass_id"][6:8]) for r in rows(stack, "observations_current") if r["aoi_version"] == version}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("register")
    with start_stack(folder) as running:
        for day in DAYS:
            write_scene(
                folder / "scenes", image(day), crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(100, 100), seed=day
            )
        yield running


def test_a_call_that_broke_off_is_completed_when_it_is_repeated(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand areas in several statements, of which the second fails: as often as it does, then until it does not."""
    real, statements = Warehouse.query, []

    def failing(self: Warehouse, name: str, **parameters: Any) -> Any:
        if name == "record_aoi_events":
            statements.append(len(json.loads(parameters["rows"])))
            if len(statements) == 2:
                raise RetryLaterError("BigQuery: down")
        return real(self, name, **parameters)

    monkeypatch.setattr(recording, "_BYTES_PER_STATEMENT", 250_000)
    monkeypatch.setattr(Warehouse, "query", failing)
    body = collection(*(feature(f"m{i}", dict(mapping(box(10, 1, 10.01, 1.01 + i * 1e-5)))) for i in range(1000)))
    first = send(stack, body, "thousand")
    assert (first.status_code, first.headers["Retry-After"]) == (503, "30")
    half = len([r for r in rows(stack, "aois") if r["aoi_id"].startswith("m")])
    assert 0 < half == statements[0] < 1000
    again = [send(stack, body, "thousand") for _ in range(2)]
    assert [answer.status_code for answer in again] == [202, 202]
    assert again[0].content == again[1].content
    assert sum(statements) - statements[1] == 1000, "what was recorded is not recorded again"
    answered = {a["aoi_id"]: a["aoi_version"] for a in again[0].json()["aois"]}
    assert answered == {f"m{i}": 1 for i in range(1000)}
    registered = [r["aoi_id"] for r in rows(stack, "aoi_events") if r["webhook_id"] == "thousand"]
    assert sorted(registered) == sorted(answered)
    settle(stack)


def test_a_webhook_id_with_another_body_is_refused_and_told_nothing(stack: Stack) -> None:
    ours, theirs = (
        collection(feature("client-a-secret-site", square(0))),
        collection(feature("client-b-farm", square(1))),
    )
    assert send(stack, ours, "counter-1").status_code == 202
    refused = send(stack, theirs, "counter-1")
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert "client" not in refused.text
    assert "client-b-farm" not in {r["aoi_id"] for r in rows(stack, "aoi_events")}
    assert send(stack, ours, "counter-1").status_code == 202
    assert send(stack, theirs, "counter-2").status_code == 202
    settle(stack)


def test_of_two_bodies_under_one_webhook_id_at_once_one_is_recorded(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each asks what is known before the other has written: the statement itself must know."""
    real, asked = Warehouse.query, []

    def unaware(self: Warehouse, name: str, **parameters: Any) -> Any:
        if name == "events_of_webhook" and parameters["webhook_id"] == "at once":
            asked.append(name)
            if len(asked) == 3:  # the second call's first look, of which the first call had two
                return []
        return real(self, name, **parameters)

    monkeypatch.setattr(Warehouse, "query", unaware)
    assert send(stack, collection(feature("of-the-first", square(0))), "at once").status_code == 202
    assert send(stack, collection(feature("of-the-second", square(1))), "at once").status_code == 409
    assert len(asked) == 4
    assert [r["aoi_id"] for r in rows(stack, "aoi_events") if r["webhook_id"] == "at once"] == ["of-the-first"]
    settle(stack)


def test_an_older_update_stays_older_when_it_is_repeated(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Warehouse.query

    def down(self: Warehouse, name: str, **parameters: Any) -> Any:
        raise RetryLaterError("BigQuery: down")

    older = collection(feature("moved", square(0)), timestamp="2026-01-01T00:00:00Z")
    newer = collection(feature("moved", square(1)), timestamp="2026-01-02T00:00:00Z")
    monkeypatch.setattr(Warehouse, "query", down)
    assert send(stack, older, "older").status_code == 503
    monkeypatch.setattr(Warehouse, "query", real)
    assert send(stack, newer, "newer").json()["aois"][0]["aoi_version"] == 1
    assert send(stack, older, "older").json()["aois"][0]["aoi_version"] == 2
    (current,) = [r for r in rows(stack, "aois") if r["aoi_id"] == "moved"]
    assert current["aoi_version"] == 1
    settle(stack)


def test_a_call_without_a_moment_is_refused(stack: Stack) -> None:
    """Its moment would be that of the attempt, and a repeated one would outrank what happened since."""
    body = json.dumps({"type": "aoi.registered", "data": feature("a", square(0))})
    refused = send(stack, body, "timeless")
    assert refused.status_code == 422
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/timestamp"]


def test_a_repeated_call_and_an_unchanged_area_ask_earth_engine_for_nothing(stack: Stack) -> None:
    body = collection(feature("steady", square(2), backfill_start="2021-07-05"))
    before = computed(stack)
    assert send(stack, body, "captured").status_code == 202
    settle(stack)
    assert computed(stack) - before == 3, "a listing to plan; a listing and a computation to measure"
    measured = len(rows(stack, "observations"))
    before = computed(stack)
    for _ in range(100):
        assert send(stack, body, "captured").status_code == 202
    for night in range(3):
        assert send(stack, collection(feature("steady", square(2), name=f"{night}")), f"x{night}").status_code == 202
        settle(stack)
        if night == 0:
            # from 2021-01-01 on, which is earlier than what was asked for: only 3 July is missing
            assert computed(stack) - before == 3
            assert len(rows(stack, "observations")) == measured + 1
            before = computed(stack)
    later = collection(feature("steady", square(2), backfill_start="2021-07-10"))
    assert send(stack, later, "later").status_code == 202
    settle(stack)
    assert computed(stack) == before
    assert len(rows(stack, "observations")) == measured + 1


def test_a_nightly_synchronisation_of_unchanged_areas_asks_earth_engine_for_nothing(stack: Stack) -> None:
    areas = [feature(f"n{i}", dict(mapping(box(20 + i % 3, 1, 20.01 + i % 3, 1.01 + i * 1e-5)))) for i in range(1000)]
    assert send(stack, collection(*areas), "night-0").status_code == 202
    settle(stack)
    before, backfills = computed(stack), stack.bus.delivered["backfill"]
    for night in (1, 2):
        assert len(send(stack, collection(*areas), f"night-{night}").json()["aois"]) == 1000
    settle(stack)
    assert computed(stack) == before
    assert stack.bus.delivered["backfill"] == backfills
    # one of them moves: its history, and no other
    areas[7]["geometry"] = square(3)
    assert send(stack, collection(*areas), "night-3").json()["aois"]
    settle(stack)
    assert stack.bus.delivered["backfill"] == backfills + 1
    moved = [r for r in rows(stack, "observations_current") if r["aoi_id"].startswith("n")]
    assert {(r["aoi_id"], r["aoi_version"], int(r["overpass_id"][6:8])) for r in moved} == {("n7", 2, d) for d in DAYS}


def test_an_area_that_was_deleted_gets_what_it_missed_when_it_comes_back(stack: Stack) -> None:
    def happens(minute: int) -> str:
        return f"2026-02-01T00:{minute:02d}:00Z"

    area = feature("back", square(4))
    assert send(stack, collection(area, timestamp=happens(0)), "b0").status_code == 202
    settle(stack)
    assert send(stack, event("aoi.deleted", {"aoi_id": "back"}, happens(1)), "b1").status_code == 202
    before, delivered = len(rows(stack, "observations")), dict(stack.bus.delivered)
    assert send(stack, collection(area, timestamp=happens(2)), "b2").json()["aois"][0]["aoi_version"] == 1
    for name, moment in (("b0", happens(0)), ("b2", happens(2))):
        assert send(stack, collection(area, timestamp=moment), name).status_code == 202
    settle(stack)
    assert stack.bus.delivered["backfill"] == delivered["backfill"] + 1, "asked for once"
    assert stack.bus.delivered["measure"] == delivered["measure"], "and nothing of it was missing"
    # who asks for what is there, as a message does that comes twice, has it listed and not computed
    asked = computed(stack)
    again = {"overpass_ids": [image(day)[:15] for day in DAYS], "aois": [{"aoi_id": "back", "aoi_version": 1}]}
    stack.bus.publish("measurements", json.dumps(again).encode(), {"lane": "backfill"})
    settle(stack)
    assert computed(stack) == asked + 1
    assert len(rows(stack, "observations")) == before


@contextmanager
def another_instance() -> Iterator[str]:
    """``register_aoi`` in a process of its own, as it is deployed, on the warehouse and Pub/Sub of the running stack."""
    port = free_port()
    script = (
        "import functions_framework; from werkzeug.serving import run_simple; "
        f"run_simple('127.0.0.1', {port}, functions_framework.create_app('register_aoi', 'functions/register_aoi.py'), "
        "threaded=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ, stderr=subprocess.DEVNULL
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()


def test_eight_geometries_at_once_on_two_instances_are_eight_versions(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamed rows show after two seconds, as they may in BigQuery. The latest event is current, whichever came last."""
    shows_after = streaming.VISIBLE_AFTER_SECONDS
    monkeypatch.setattr(streaming, "VISIBLE_AFTER_SECONDS", 2.0)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with another_instance() as other:
        for aoi_id, order in (("rising", 1), ("falling", -1)):
            moments = [(start + order * timedelta(minutes=n)).isoformat() for n in range(8)]
            bodies = [collection(feature(aoi_id, square(10 + n)), timestamp=moments[n]) for n in range(8)]
            told: dict[int, requests.Response] = {}

            def call(n: int, aoi_id: str = aoi_id, bodies: list[str] = bodies, told: dict[int, Any] = told) -> None:
                url = (stack.webhook_url, other)[n % 2]
                while (answer := send(stack, bodies[n], f"{aoi_id}-{n}", url)).status_code == 503:
                    pass
                told[n] = answer

            threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            versions = {n: answer.json()["aois"][0]["aoi_version"] for n, answer in told.items()}
            assert sorted(versions.values()) == list(range(1, 9))
            recorded = [r for r in rows(stack, "aoi_events") if r["aoi_id"] == aoi_id]
            assert len(recorded) == 8
            assert len({(r["geometry_sha256"], r["aoi_version"]) for r in recorded}) == 8
            (current,) = [r for r in rows(stack, "aois") if r["aoi_id"] == aoi_id]
            assert current["aoi_version"] == versions[7 if order == 1 else 0]
            settle(stack)
            history = [r for r in rows(stack, "observations_current") if r["aoi_id"] == aoi_id]
            of_current = {int(r["overpass_id"][6:8]) for r in history if r["aoi_version"] == current["aoi_version"]}
            assert of_current == set(DAYS)
    monkeypatch.setattr(streaming, "VISIBLE_AFTER_SECONDS", shows_after)
    # each of them has its history as soon as it is the current one, and its number again
    for n in range(8):
        moment = (start + timedelta(days=1, minutes=n)).isoformat()
        answer = send(stack, collection(feature("falling", square(10 + n)), timestamp=moment), f"again-{n}")
        assert answer.json()["aois"][0]["aoi_version"] == versions[n]
        settle(stack)
    history = [
        (r["aoi_version"], int(r["overpass_id"][6:8]))
        for r in rows(stack, "observations_current")
        if r["aoi_id"] == "falling"
    ]
    assert sorted(history) == [(version, day) for version in range(1, 9) for day in DAYS]
    made = {
        r["aoi_version"]: r["measured_aoi_area_m2"] for r in rows(stack, "observations") if r["aoi_id"] == "falling"
    }
    areas = {versions[n]: made[versions[n]] for n in range(8)}
    assert [areas[versions[n]] for n in range(8)] == sorted(areas.values()), (
        "no version's rows are of another's geometry"
    )


def test_the_same_call_at_once_on_many_threads_is_recorded_once(stack: Stack) -> None:
    body = collection(feature("once", square(30)), feature("twice", square(31)))
    answers: list[requests.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(send(stack, body, "burst"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(a.status_code, a.content) for a in answers} == {(202, answers[0].content)}
    recorded = rows(stack, "aoi_events")
    assert len([r for r in recorded if r["webhook_id"] == "burst"]) == 2
    # the row that every recording changes: without it two of them would only insert, and never conflict in BigQuery
    assert {r["turn"] for r in recorded if r["event_type"] == "register.turn"} == {max(r["turn"] for r in recorded)}
    settle(stack)
