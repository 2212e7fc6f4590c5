"""The registration webhook over HTTP: answers, faults with pointers, limits, idempotency, deletion."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from shapely import box
from shapely.geometry import mapping

from local.stack import Stack
from shared.errors import NeverError
from shared.warehouse.client import Warehouse
from tests.calls import SQUARE, body, deletion, events, problem, send
from tests.stacks import feature, rows, start_stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("webhook")
    with start_stack(folder, max_body_bytes="200000", max_area_km2="100", max_vertices="1000") as running:
        yield running


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


def test_deep_nesting_is_refused_not_followed(stack: Stack) -> None:
    problem(send(stack, "[" * 90_000 + "]" * 90_000, "deep"), 422)


def test_too_large_a_body_is_refused_before_it_is_read(stack: Stack) -> None:
    document = problem(send(stack, " " * 200_001, "large"), 413)
    assert "200000" in document["detail"]


def test_only_post_is_taken(stack: Stack) -> None:
    problem(requests.get(stack.webhook_url, timeout=10), 405)


def test_a_refusal_of_the_warehouse_is_503(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise NeverError("BigQuery refused the query: bytes billed")

    monkeypatch.setattr(Warehouse, "query", refuse)
    response = send(stack, body(feature("a", SQUARE)), "w1")
    problem(response, 503)
    assert int(response.headers["retry-after"]) > 0


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
