"""The pipeline on Google's own Pub/Sub emulator, from the same definition of topics and subscriptions."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from shapely import box
from shapely.geometry import mapping

from local.stack import Stack
from shared.errors import UserInputError
from tests.scenes import write_scene
from tests.stacks import feature, register, rows, settle, start_stack

IMAGE = "20210703T023111_20210703T023105_T51TYL"
SQUARE = dict(mapping(box(125.661, 45.1, 125.672, 45.108)))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not on this machine")
    try:
        with start_stack(tmp_path, google_pubsub=True) as running:
            yield running
    except UserInputError as error:
        pytest.skip(str(error))


def test_registration_backfill_discovery_and_dead_letters_work_on_googles_emulator(
    stack: Stack, tmp_path: Path
) -> None:
    scenes = tmp_path / "scenes"
    write_scene(scenes, IMAGE, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200))
    register(stack, feature("a", SQUARE))
    assert [row["overpass_id"] for row in rows(stack, "observations_current")] == [IMAGE[:15]]
    second = "20210708T023109_20210708T023105_T51TYL"
    write_scene(scenes, second, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200), seed=2)
    stack.tick("discover", run_date=date(2021, 7, 10))
    settle(stack)
    assert [row["image_id"] for row in rows(stack, "acquisitions")] == [second]
    assert len(rows(stack, "observations_current")) == 2
    stack.tick("composite")
    settle(stack)
    assert {row["period"] for row in rows(stack, "composites_current")} == {"month", "year"}
    stack.bus.publish("measurements", json.dumps({"poison": True}).encode(), {"lane": "live"})
    assert stack.bus.wait_idle(60)
    letters = rows(stack, "dead_letters")
    assert letters
    assert {(letter["function"], letter["body"]) for letter in letters} == {("measure", '{"poison": true}')}
    assert {"backfill", "measure", "discover", "dispatch", "composite"} <= stack.bus.delivered.keys()
