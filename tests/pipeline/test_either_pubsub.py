"""The pipeline on the in-process bus and on Google's own Pub/Sub emulator, from the same definition of subscriptions."""

import json
import shutil
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from shapely import box
from shapely.geometry import mapping

from local.stack import Stack
from shared.errors import UserInputError
from tests.scenes import write_scene
from tests.stacks import WAIT_SECONDS, feature, register, rows, start_stack

IMAGE = "20210703T023111_20210703T023105_T51TYL"
SQUARE = dict(mapping(box(125.661, 45.1, 125.672, 45.108)))


@pytest.fixture(params=["bus", "emulator"])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    google = request.param == "emulator"
    if google and shutil.which("gcloud") is None:
        pytest.skip("gcloud is not on this machine")
    try:
        with start_stack(tmp_path, google_pubsub=google) as running:
            yield running
    except UserInputError as error:
        pytest.skip(str(error))


def eventually(stack: Stack, view: str, column: str, expected: set[str]) -> None:
    """Wait for what must come: the emulator does not say whether a push is still on its way."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (found := {row[column] for row in rows(stack, view)}) != expected:
        assert time.monotonic() < deadline, f"{view}.{column}: expected {expected}, found {found}"
        time.sleep(0.5)


def test_registration_backfill_discovery_and_dead_letters_work_on_either(stack: Stack, tmp_path: Path) -> None:
    scenes = tmp_path / "scenes"
    write_scene(scenes, IMAGE, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200))
    register(stack, feature("a", SQUARE))
    eventually(stack, "observations_current", "overpass_id", {IMAGE[:15]})
    second = "20210708T023109_20210708T023105_T51TYL"
    write_scene(scenes, second, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200), seed=2)
    stack.tick("discover", run_date=date(2021, 7, 10))
    eventually(stack, "acquisitions", "image_id", {second})
    eventually(stack, "observations_current", "overpass_id", {IMAGE[:15], second[:15]})
    stack.tick("composite")
    eventually(stack, "composites_current", "period", {"month", "year"})
    stack.bus.publish("measurements", json.dumps({"poison": True}).encode(), {"lane": "live"})
    eventually(stack, "dead_letters", "body", {'{"poison": true}'})
    assert {row["function"] for row in rows(stack, "dead_letters")} == {"measure"}
