"""The functions start from the tree as it would be deployed, and treat good, bad and repeated messages as they must."""

import base64
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from shapely import box
from shapely.geometry import mapping, shape

from local.earth_engine import server
from local.earth_engine.errors import EngineError
from local.pubsub import bus
from local.stack import FUNCTIONS
from local.upkeep import dead_letters
from shared.aois.geometry import ellipsoidal_area_m2
from shared.errors import RetryLaterError
from shared.warehouse.client import Warehouse
from tests.scenes import write_scene
from tests.stacks import announce, event, feature, quiet, register, rows, signed_post, start_stack

ROOT = Path(__file__).resolve().parents[2]
SQUARE = dict(mapping(box(125.661, 45.1, 125.672, 45.108)))
IMAGE = "20210703T023111_20210703T023105_T51TYL"
ORIGIN = (709_000, 5_000_000)


# The clients that a function has no use for.
UNWANTED = {
    "discover": {"shapely", "pyproj", "antimeridian"},
    "measure": {"google.cloud.pubsub_v1", "pyproj", "standardwebhooks"},
    "classify": {"google.cloud.pubsub_v1", "pyproj"},
    "dispatch": {"google.cloud.pubsub_v1", "pyproj"},
    "backfill": {"google.cloud.pubsub_v1", "pyproj"},
    "composite": {"google.cloud.pubsub_v1", "pyproj"},
    "transition": {"google.cloud.pubsub_v1", "pyproj"},
    "plan_composites": {"google.cloud.pubsub_v1", "ee", "pyproj"},
    "plan_transitions": {"google.cloud.pubsub_v1", "ee", "pyproj"},
    "find_changes": {"google.cloud.pubsub_v1", "pyproj"},
    "plan_changes": {"google.cloud.pubsub_v1", "ee", "pyproj"},
    "record_passes": {"google.cloud.pubsub_v1", "pyproj"},
    "alert_changes": {"google.cloud.pubsub_v1", "ee", "shapely", "pyproj"},
    "deliver_event": {"google.pubsub_v1", "ee", "shapely", "pyproj"},
    "register_aoi": {"google.cloud.pubsub_v1", "ee", "pyproj"},
    "hint": {"google.cloud.pubsub_v1", "ee", "shapely", "pyproj"},
    "record_dead_letter": {"google.pubsub_v1", "ee", "shapely", "pyproj"},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_starts_through_functions_framework_and_imports_only_the_clients_it_uses(
    name: str, tmp_path: Path
) -> None:
    """As deployed: the functions' files at the root of the archive, ``shared`` beside them, nothing else.

    What BigQuery's client imports by itself where it is installed (shapely, say) is not the function's doing.
    """
    (tmp_path / "shared").symlink_to(ROOT / "shared")
    source = tmp_path / f"{name}.py"
    source.write_bytes((ROOT / "functions" / f"{name}.py").read_bytes())
    start = f"import functions_framework; functions_framework.create_app({name!r}, {str(source)!r}).test_client()"
    assert not UNWANTED[name] & (_modules_after(start, tmp_path) - _of_bigquery())


@cache
def _of_bigquery() -> set[str]:
    return _modules_after("import google.cloud.bigquery", ROOT)


def _modules_after(script: str, folder: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; import sys; print('\\n'.join(sys.modules))"],
        cwd=folder,
        env={**os.environ, "LANDCOVER_PROJECT": "some-project", "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines())


def push(stack: Any, function: str, body: Any) -> int:
    """One raw Pub/Sub push."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    message = {"data": base64.b64encode(data).decode(), "messageId": "1", "attributes": {}}
    status: int = stack._push(function, {"message": message, "subscription": "projects/p/subscriptions/s"})
    return status


@pytest.mark.parametrize(
    ("function", "body"),
    [
        ("discover", b"not json"),
        ("discover", {"job": "nap"}),
        ("dispatch", {"image_id": "LC08_118028_20210103"}),
        ("measure", {"overpass_ids": [], "aois": []}),
        ("measure", {"overpass_ids": ["20210231T000000"], "aois": [{"aoi_id": "a", "aoi_version": 1}]}),
        ("backfill", {"aoi_id": "a"}),
        ("plan_composites", {"job": "composites"}),
        ("composite", {"composites": []}),
    ],
)
def test_a_message_that_can_never_succeed_is_recorded_and_acknowledged(
    tmp_path: Path, function: str, body: Any
) -> None:
    with start_stack(tmp_path) as stack:
        register(stack, feature("a", SQUARE))
        assert push(stack, function, body) == 200
        (letter,) = rows(stack, "dead_letters")
        assert letter["function"] == function
        assert letter["reason"]


WORLD = dict(mapping(box(-180, -90, 180, 90)))
EMPTY = {"type": "Polygon", "coordinates": []}
BOW_TIE = {"type": "Polygon", "coordinates": [[[125, 45], [126, 46], [126, 45], [125, 46], [125, 45]]]}


def test_whatever_is_published_as_an_acquisition_breaks_nothing_else(tmp_path: Path) -> None:
    """The topic is public: what cannot be is a dead letter, a footprint that cannot be is looked up, and every view
    still answers.
    """
    never = [
        {"image_id": IMAGE.replace("20210703T023111", "20210231T023111"), "footprint": SQUARE},
        {"image_id": IMAGE.replace("20210703T023111", "00010101T000000")},
        {"image_id": IMAGE.replace("2021", "٢٠٢١", 1), "footprint": SQUARE},
        {"image_id": f"{IMAGE}\n", "footprint": SQUARE},
        {"image_id": "[/]"},
        {"image_id": IMAGE, "footprint": {}},
        {"image_id": IMAGE, "footprint": {"type": "Polygon", "coordinates": [["x"]]}},
        {"image_id": IMAGE, "footprint": {"type": "LineString", "coordinates": [[1, 2]]}},
        {"image_id": IMAGE, "footprint": {"type": "GeometryCollection", "geometries": [7]}},
    ]
    nothing = [{"image_id": IMAGE, "footprint": footprint} for footprint in (WORLD, BOW_TIE, EMPTY)]
    with start_stack(tmp_path) as stack:
        register(stack, feature("a", SQUARE))
        for body in [*never, *nothing]:
            assert push(stack, "dispatch", body) == 200, body
        quiet(stack)
        letters = rows(stack, "dead_letters")
        assert sorted(letter["body"] for letter in letters) == sorted(json.dumps(body) for body in never)
        assert stack.bus.delivered.get("measure", 0) == 0, "no image is there to be measured"
        assert [row["aoi_id"] for row in stack.warehouse.query("freshness")] == ["a"]
        assert [row["aoi_id"] for row in rows(stack, "report_freshness")] == ["a"]


def test_real_notifications_are_refused_with_a_reason_and_crash_nothing(tmp_path: Path, shared_data: Path) -> None:
    files = sorted((shared_data / "e_notifications").rglob("*.json"))
    assert files
    with start_stack(tmp_path) as stack:
        for path in files:
            raw = path.read_bytes()
            assert push(stack, "dispatch", raw) == 200, path.name
            direct = stack._functions.post("/dispatch/", data=raw, content_type="application/json")
            assert direct.status_code in {200, 400}, path.name
        letters = rows(stack, "dead_letters")
        assert len([letter for letter in letters if letter["message_id"] == "1"]) == len(files)
        assert all(letter["reason"].startswith("not a valid Acquisition") for letter in letters if letter["body"])


def test_what_keeps_failing_is_retried_then_buried_by_the_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any, **__: Any) -> Any:
        raise RetryLaterError("BigQuery: down")

    monkeypatch.setattr(bus, "_LONGEST_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(Warehouse, "query", down)
    with start_stack(tmp_path) as stack:
        stack.bus.publish(
            "aoi-registrations", b'{"aois": [{"aoi_id": "x", "aoi_version": 1, "backfill_start": "2021-01-01"}]}', {}
        )
        quiet(stack)
        monkeypatch.undo()
        (letter,) = rows(stack, "dead_letters")
        assert letter["reason"] == "given up after 100 attempts by subscription backfill"
        assert (letter["function"], letter["topic"]) == ("backfill", "aoi-registrations")
        assert dead_letters.replay(stack.warehouse, [letter]) == 1, "its subscription tells where it belongs"
        assert json.loads(letter["body"])["aois"][0]["aoi_id"] == "x"


def test_an_outage_of_earth_engine_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Earth Engine answers 'internal error' for a while: messages are delivered again until they succeed."""
    answers = {"failing": 5}
    real = server.graph.evaluate

    def flaky(expression: dict[str, Any]) -> Any:
        if answers["failing"]:
            answers["failing"] -= 1
            raise EngineError("An internal error has occurred (request: abc)", 400)
        return real(expression)

    with start_stack(tmp_path) as stack:
        write_scene(tmp_path / "scenes", IMAGE, crs="EPSG:32651", origin=ORIGIN, shape=(200, 200))
        monkeypatch.setattr(server.graph, "evaluate", flaky)
        register(stack, feature("a", SQUARE))
        assert answers["failing"] == 0
        assert len(rows(stack, "observations_current")) == 1


def test_discover_announces_each_image_once_and_again_when_it_is_ingested_anew(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        register(stack, feature("a", SQUARE))
        path = write_scene(tmp_path / "scenes", IMAGE, crs="EPSG:32651", origin=ORIGIN, shape=(200, 200))
        far = "20210703T023111_20210703T023105_T51TXL"
        write_scene(tmp_path / "scenes", far, crs="EPSG:32651", origin=(500_000, 5_000_000), shape=(50, 50))
        for _ in range(2):
            stack.tick("discover", run_date=date(2021, 7, 10))
            quiet(stack)
        assert [row["image_id"] for row in rows(stack, "acquisitions")] == [IMAGE]
        assert len(rows(stack, "observations")) == 1
        os.utime(path)
        stack.tick("discover", run_date=date(2021, 7, 10))
        quiet(stack)
        assert len(rows(stack, "acquisitions")) == 2


def test_discover_leaves_alone_what_a_backfill_has_measured(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        write_scene(tmp_path / "scenes", IMAGE, crs="EPSG:32651", origin=ORIGIN, shape=(200, 200))
        register(stack, feature("a", SQUARE))
        stack.tick("discover", run_date=date(2021, 7, 10))
        quiet(stack)
        assert rows(stack, "acquisitions") == []
        assert len(rows(stack, "observations")) == 1
        west = dict(mapping(box(125.665, 45.101, 125.670, 45.106)))
        stack.warehouse.append("aoi_events", [_event("b", west)])  # registered, but its backfill was lost
        stack.bigquery.settle()
        stack.tick("discover", run_date=date(2021, 7, 10))
        quiet(stack)
        assert [row["image_id"] for row in rows(stack, "acquisitions")] == [IMAGE]
        assert {row["aoi_id"] for row in rows(stack, "observations_current")} == {"a", "b"}


def _event(aoi_id: str, geometry: dict[str, Any]) -> dict[str, Any]:
    return {
        "webhook_id": aoi_id,
        "event_type": "aoi.registered",
        "event_time": "2021-01-01T00:00:00Z",
        "recorded_at": "2021-01-01T00:00:00Z",
        "aoi_id": aoi_id,
        "aoi_version": 1,
        "geometry": json.dumps(geometry),
        "area_m2": ellipsoidal_area_m2(shape(geometry)),
        "west_deg": 125.665,
        "south_deg": 45.101,
        "east_deg": 125.670,
        "north_deg": 45.106,
        "cells": [(90 + 45) * 360 + 180 + 125],
        "backfill_start": "2021-01-01",
        "code_version": "test",
    }


def test_a_sentinel_2_product_id_on_the_topic_measures_the_image_of_the_same_scene(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        register(stack, feature("a", SQUARE))
        announce(stack, "S2A_MSIL1C_20210703T023111_N0301_R046_T51TYL_20210703T035510")
        assert rows(stack, "observations") == [], "not in Earth Engine yet"
        write_scene(tmp_path / "scenes", IMAGE, crs="EPSG:32651", origin=ORIGIN, shape=(200, 200))
        announce(stack, "S2A_MSIL1C_20210703T023111_N0301_R046_T51TYL_20210703T035510")
        assert [row["image_ids"] for row in rows(stack, "observations")] == [[IMAGE]]


def test_a_deleted_aoi_is_not_measured_again(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        register(stack, feature("a", SQUARE))
        gone = event("aoi.deleted", {"aoi_id": "a"})
        assert signed_post(stack.webhook_url, stack.webhook_secret, gone, "gone").status_code == 202
        write_scene(tmp_path / "scenes", IMAGE, crs="EPSG:32651", origin=ORIGIN, shape=(200, 200))
        announce(stack, IMAGE)
        assert (
            push(stack, "measure", {"overpass_ids": ["20210703T023111"], "aois": [{"aoi_id": "a", "aoi_version": 1}]})
            == 200
        )
        assert rows(stack, "observations") == []


def test_dead_letters_can_be_looked_at_and_brought_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Earth Engine takes an expression for wrong; once it does not, a replay makes up for it, once."""

    def refused(expression: dict[str, Any]) -> Any:
        raise EngineError("Image.select: Band pattern 'label' did not match any bands. Available bands: [class]")

    since = datetime(2021, 1, 1, tzinfo=UTC)
    with start_stack(tmp_path) as stack:
        register(stack, feature("a", SQUARE))
        write_scene(tmp_path / "scenes", IMAGE, crs="EPSG:32651", origin=ORIGIN, shape=(200, 200))
        with monkeypatch.context() as broken:
            broken.setattr(server.graph, "evaluate", refused)
            stack.bus.publish(
                "measurements",
                json.dumps({"overpass_ids": ["20210703T023111"], "aois": [{"aoi_id": "a", "aoi_version": 1}]}).encode(),
                {"lane": "live"},
            )
            quiet(stack)
        everything = dead_letters.Selection(since)
        (letter,) = dead_letters.select(stack.warehouse, everything)
        assert "did not match" in letter["reason"]
        assert dead_letters.select(stack.warehouse, everything._replace(topic="ticks")) == []
        assert dead_letters.select(stack.warehouse, everything._replace(reason="nothing of the kind")) == []
        assert dead_letters.select(
            stack.warehouse, everything._replace(topic="measurements", reason="Band pattern")
        ) == [letter]
        assert dead_letters.replay(stack.warehouse, [letter]) == 1
        quiet(stack)
        assert len(rows(stack, "observations_current")) == 1
        assert dead_letters.select(stack.warehouse, everything) == []
