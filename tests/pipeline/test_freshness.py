"""For each area: the last usable view, why later passes gave nothing, and when the next pass is due."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely import Polygon, box
from shapely.geometry import mapping, shape

from local.earth_engine import server
from local.earth_engine.errors import EngineError
from local.stack import Stack
from shared.messages.bodies import Tick
from tests.scenes import write_passes, write_scene
from tests.stacks import feature, quiet, register, rows, settle, start_stack

SQUARE = dict(mapping(box(125.661, 45.106, 125.672, 45.12)))
FAR = dict(mapping(box(10.0, 50.0, 10.01, 50.01)))


def scene_id(day: int, second: int = 11) -> str:
    return f"202107{day:02d}T0231{second:02d}_202107{day:02d}T023105_T51TYL"


def moment(day: int, second: int = 11) -> datetime:
    return datetime(2021, 7, day, 2, 31, second, tzinfo=UTC)


def write(folder: Path, day: int, hidden: np.ndarray | None = None) -> None:
    write_scene(folder, scene_id(day), crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200), hidden=hidden)


def record(stack: Stack, last: date) -> None:
    stack.publish_tick(Tick(job="record-passes", run_date=last))
    settle(stack)


def fails(expression: dict[str, Any]) -> Any:
    raise EngineError("Image.select: Pattern 'label' did not match any bands.")


def test_each_pass_has_its_fate_and_the_next_one_its_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = tmp_path / "scenes"
    with start_stack(tmp_path) as stack:
        write(scenes, 3)
        write(scenes, 8, hidden=np.arange(200)[:, None].repeat(200, 1) > 45)
        register(stack, feature("a", SQUARE, name="A"), feature("far", FAR), webhook_id="one")
        write_passes(
            scenes, {scene_id(d): cloud for d, cloud in {3: 4.0, 8: 30.0, 11: 88.4, 13: 61.0, 16: 12.0}.items()}
        )
        record(stack, date(2021, 7, 16))
        fresh = {row["aoi_id"]: row for row in rows(stack, "report_freshness")}
        far, found = fresh["far"], fresh["a"]
        assert (far["last_pass_at"], far["next_pass_at"], far["passes_since_usable"]) == (None, None, 0)
        assert found["last_usable_at"] == moment(3)
        assert found["last_usable_coverage"] == pytest.approx(1.0)
        assert (found["last_pass_at"], found["last_pass_fate"]) == (moment(16), "not published")
        assert found["latest_passes"].split("; ") == [
            "2021-07-16 not published (12 % cloud)",
            "2021-07-13 too cloudy (61 % cloud)",
            "2021-07-11 too cloudy (88 % cloud)",
            f"2021-07-08 masked ({seen(stack, 8)} % seen)",
            "2021-07-03 usable (100 % seen)",
        ]
        counts = ("passes", "masked", "cloudy", "unpublished", "failed")
        assert [found[f"{kind}_since_usable"] for kind in counts] == [4, 1, 2, 1, 0]
        assert found["next_pass_at"] == moment(18), "the pass of the 8th, ten days later"

        with monkeypatch.context() as broken:
            broken.setattr(server.graph, "evaluate", fails)
            body = {"overpass_ids": [scene_id(16)[:15]], "aois": [{"aoi_id": "a", "aoi_version": 1}]}
            stack.bus.publish("measurements", json.dumps(body).encode(), {"lane": "live"})
            quiet(stack)
        (found,) = (row for row in rows(stack, "report_freshness") if row["aoi_id"] == "a")
        assert (found["last_pass_fate"], found["failed_since_usable"]) == ("failed", 1)
        assert found["last_attempt_at"] == max(row["recorded_at"] for row in rows(stack, "dead_letters"))


def seen(stack: Stack, day: int) -> int:
    (row,) = (r for r in rows(stack, "observations_current") if r["overpass_id"] == scene_id(day)[:15])
    assert 0 < row["coverage"] < 0.2
    return round(row["coverage"] * 100)


def test_passes_are_recorded_once_and_again_when_their_cloud_changes(tmp_path: Path) -> None:
    scenes = tmp_path / "scenes"
    with start_stack(tmp_path) as stack:
        register(stack, feature("a", SQUARE))
        beyond = {scene_id(2): 50.0}  # older than the window
        write_passes(scenes, {**beyond, scene_id(11): 88.0, scene_id(13): 61.0})
        for _ in range(2):
            record(stack, date(2021, 7, 16))
        assert [r["overpass_id"] for r in rows(stack, "passes", "overpass_id")] == [scene_id(d)[:15] for d in (11, 13)]
        two_scenes = scene_id(11).replace("T51TYL", "T51TYK")
        write_passes(scenes, {scene_id(11): 88.0, two_scenes: 20.0, scene_id(13): 61.0})
        record(stack, date(2021, 7, 16))
        assert len(rows(stack, "passes")) == 3
        first = rows(stack, "passes_current", "overpass_id")[0]
        assert (first["scene_count"], first["least_cloud_percent"]) == (2, 20.0)


def test_a_scene_that_only_comes_near_is_no_pass(tmp_path: Path) -> None:
    """Its bounding box holds the AOI, its slanted outline does not."""
    with start_stack(tmp_path) as stack:
        register(stack, feature("a", SQUARE))
        slanted = Polygon([(125.0, 46.0), (126.5, 46.0), (126.5, 44.5)])
        write_passes(tmp_path / "scenes", {scene_id(11): 10.0}, slanted)
        assert slanted.envelope.contains(shape(SQUARE))
        record(stack, date(2021, 7, 16))
        assert {r["overpass_id"] for r in rows(stack, "passes")} == set()
