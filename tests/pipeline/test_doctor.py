"""The doctor says which overpasses an AOI lacks and why, and what can be mended is mended on request."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely import box
from shapely.geometry import mapping
from typer.testing import CliRunner

from local.cli import app
from local.earth_engine import server
from local.earth_engine.errors import EngineError
from local.runs.workspace import remember
from local.stack import Stack
from local.upkeep.doctor import State, ask_again, examine
from shared.errors import UserInputError
from tests.scenes import write_passes, write_scene
from tests.stacks import feature, quiet, register, rows, settle, start_stack

SQUARE = dict(mapping(box(125.661, 45.1, 125.672, 45.108)))
ORIGIN = (709_000.0, 5_000_000.0)


def image(day: int, tile: str = "T51TYL") -> str:
    return f"202107{day:02d}T023111_202107{day:02d}T023105_{tile}"


def write(folder: Path, name: str, hidden: np.ndarray | None = None) -> None:
    write_scene(folder, name, crs="EPSG:32651", origin=ORIGIN, shape=(200, 200), hidden=hidden)


def prepared(stack: Stack, scenes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One overpass of each state: measured, thin, outdated, failed, not measured, cloudy, not published."""
    write(scenes, image(3))
    write(scenes, image(8), hidden=np.arange(200)[:, None].repeat(200, 1) > 100)
    write(scenes, image(13))
    register(stack, feature("a", SQUARE))
    write(scenes, image(13, "T51TYK"))
    write(scenes, image(18))

    def broken_expression(expression: dict[str, Any]) -> Any:
        raise EngineError("Image.select: Pattern 'label' did not match any bands.")

    with monkeypatch.context() as broken:
        broken.setattr(server.graph, "evaluate", broken_expression)
        body = {"overpass_ids": [image(18)[:15]], "aois": [{"aoi_id": "a", "aoi_version": 1}]}
        stack.bus.publish("measurements", json.dumps(body).encode(), {"lane": "live"})
        quiet(stack)
    write(scenes, image(23))
    write_passes(scenes, {image(3): 5.0, image(26): 80.0, image(28): 12.0})


def test_every_overpass_gets_its_reason_and_what_can_be_mended_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_stack(tmp_path) as stack:
        prepared(stack, tmp_path / "scenes", monkeypatch)
        (found,) = examine(stack.warehouse, [], None)
        assert found.cloud_known
        assert [(int(f.overpass_id[6:8]), f.state) for f in found.findings] == [
            (3, State.MEASURED),
            (8, State.THIN),
            (13, State.OUTDATED),
            (18, State.FAILED),
            (23, State.NOT_MEASURED),
            (26, State.CLOUD),
            (28, State.NOT_PUBLISHED),
        ]
        reasons = {int(f.overpass_id[6:8]): f.why for f in found.findings}
        assert "did not match any bands" in reasons[18]
        assert "T51TYK" in reasons[13]
        assert reasons[26] == "80 % cloud"
        assert ask_again(stack.warehouse, found) == 3 + 2, "the network is asked for the two without an image"
        quiet(stack)
        (after,) = examine(stack.warehouse, ["a"], date(2021, 7, 10))
        assert {f.state for f in after.findings} == {State.MEASURED, State.CLOUD, State.NOT_PUBLISHED}
        assert after.findings[0].overpass_id[6:8] == "13", "since the 10th"
        with pytest.raises(UserInputError, match="not registered: nobody"):
            list(examine(stack.warehouse, ["nobody"], None))


def test_a_full_tick_finds_what_an_outage_lost(tmp_path: Path) -> None:
    """Images arrive while nobody announces them; the next full tick makes up for all of them."""
    with start_stack(tmp_path) as stack:
        register(stack, feature("a", SQUARE))
        for day in (3, 8, 13):
            write(tmp_path / "scenes", image(day))
        stack.tick("discover", run_date=date(2021, 7, 20))
        settle(stack)
        (found,) = examine(stack.warehouse, [], None)
        assert {f.state for f in found.findings} == {State.MEASURED}
        assert len(rows(stack, "observations_current")) == 3


def test_the_command_says_it_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes, out = tmp_path / "scenes", tmp_path / "out"
    with start_stack(tmp_path) as stack:
        prepared(stack, scenes, monkeypatch)
        (scenes / "passes.geojson").unlink()
    remember(out, scenes)
    said = CliRunner().invoke(app, ["doctor", "--warehouse", str(out)], catch_exceptions=False)
    assert "a v1: 1 failed, 1 measured, 1 measured before all its images were there" in said.output
    assert "20210718T023111  failed: Earth Engine: Image.select: Pattern" in said.output
    assert "COPERNICUS/S2_HARMONIZED cannot be read" in said.output
    assert "3 can be mended: add --re-enqueue" in said.output
    mended = CliRunner().invoke(app, ["doctor", "--warehouse", str(out), "--re-enqueue"], catch_exceptions=False)
    assert "3 overpasses asked for again" in mended.output
    again = CliRunner().invoke(app, ["doctor", "--warehouse", str(out)], catch_exceptions=False)
    assert "can be mended" not in again.output
