"""Fifty events in any order end in one current state: registrations, updates, deletions, returns, images, late and
reprocessed images, announcements by product id, passes that the network classifies, repeated deliveries and ticks, also
of composites and of what became what between two years."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from shapely import Polygon
from shapely.geometry import mapping

from local.stack import Stack
from tests.l1c import random_l1c, write_l1c
from tests.scenes import write_scene
from tests.stacks import SOAK, feature, rows, settle, signed_post, start_stack

NORTH, SOUTH = (709_000.0, 5_000_000.0), (709_000.0, 4_998_500.0)
WIDE = Polygon([(125.661, 45.099), (125.676, 45.098), (125.677, 45.117), (125.660, 45.116)])
NARROW = Polygon([(125.664, 45.105), (125.670, 45.105), (125.670, 45.112), (125.664, 45.112)])
MOVED = Polygon([(125.668, 45.100), (125.675, 45.100), (125.675, 45.109), (125.668, 45.109)])
DAYS = (3, 8, 13, 18, 23)
OUTCOME = ("overpass_id", "source", "valid_area_m2", "aoi_area_m2", "coverage", "image_ids", "classes")
COMPOSITE = ("period", "period_start", "overpass_count", "valid_area_m2", "filled_area_m2", "image_ids", "classes")
# Sentinel-2 scenes: of a pass that Dynamic World skips, and of one of which it has images, before or after.
SKIPPED = "20210807T023111_20210807T023105_T51TYL"
DOUBLED = "20210708T023111_20210708T023105_T51TYL"
SCENE_PIXELS = 198


class Scene(NamedTuple):
    image_id: str
    origin: tuple[float, float]
    seed: int
    version: int = 1

    @property
    def ingested_at(self) -> float:
        """When the version appeared in the collection, whenever anybody hears of it: newer images lie on top."""
        return datetime(2021 + self.version, 9, 1, tzinfo=UTC).timestamp() + self.seed

    @property
    def source(self) -> str:
        return f"{self.image_id}.v{self.version}.tif"


def scenes() -> list[Scene]:
    """Five passes of two tiles each, two of the northern ones reprocessed under their own ids, one with a second datastrip,
    one pass of the next month, and two of the year before.
    """
    found = []
    for day in DAYS:
        found.append(Scene(f"202107{day:02d}T023111_202107{day:02d}T023105_T51TYL", NORTH, day))
        found.append(Scene(f"202107{day:02d}T023111_202107{day:02d}T023114_T51TYK", SOUTH, day + 100))
    found += [scene._replace(seed=scene.seed + 200, version=2) for scene in found[:4:2]]
    found.append(Scene("20210713T023111_20210713T023121_T51TYL", SOUTH, 213))
    found.append(Scene("20210802T023111_20210802T023105_T51TYL", NORTH, 300))
    found.append(Scene("20200706T023111_20200706T023105_T51TYL", NORTH, 400))
    found.append(Scene("20200711T023111_20200711T023105_T51TYK", SOUTH, 401))
    return found


def registered(webhook_id: str, day: int, *features: dict[str, Any]) -> tuple[str, str]:
    body = {
        "type": "aoi.registered",
        "timestamp": f"2021-09-{day:02d}T00:00:00Z",
        "data": {"type": "FeatureCollection", "features": list(features)},
    }
    return webhook_id, json.dumps(body)


def deleted(webhook_id: str, day: int, aoi_id: str) -> tuple[str, str]:
    body = {"type": "aoi.deleted", "timestamp": f"2021-09-{day:02d}T00:00:00Z", "data": {"aoi_id": aoi_id}}
    return webhook_id, json.dumps(body)


def area(aoi_id: str, polygon: Polygon, **properties: Any) -> dict[str, Any]:
    return feature(aoi_id, dict(mapping(polygon)), backfill_start="2020-01-01", **properties)


CALLS = [
    registered("r1", 1, area("a", WIDE), area("b", NARROW)),
    registered("r2", 2, area("a", NARROW)),
    registered("r3", 3, area("a", MOVED, name="moved")),
    registered("r4", 4, area("a", NARROW, name="back again")),
    deleted("d5", 5, "b"),
    registered("r6", 6, area("b", NARROW, name="returned")),
    registered("r7", 7, area("c", WIDE)),
    registered("r8", 8, area("c", MOVED)),
    deleted("d9", 9, "c"),
    registered("r10", 10, area("d", MOVED, tags=["x"])),
    deleted("d2", 2, "d"),
]
CURRENT = {("a", "back again"), ("b", "returned"), ("d", None)}

Event = Callable[[Stack, Path, Path], None]


def call(webhook_id: str, body: str) -> Event:
    def send(stack: Stack, source: Path, folder: Path) -> None:
        assert signed_post(stack.webhook_url, stack.webhook_secret, body, webhook_id).status_code == 202

    return send


def arrival(scene: Scene, announced_as: str) -> Event:
    def arrive(stack: Stack, source: Path, folder: Path) -> None:
        name, there = f"{scene.image_id}.tif", folder / f".{scene.image_id}.version"
        if not there.exists() or int(there.read_text()) < scene.version:
            shutil.copy(source / scene.source, folder / f".{name}")
            os.utime(folder / f".{name}", (scene.ingested_at, scene.ingested_at))
            (folder / f".{name}").replace(folder / name)
            there.write_text(str(scene.version))
        stack.bus.publish("acquisitions", json.dumps({"image_id": announced_as}).encode(), {})

    return arrive


def sentinel2_arrival(scene_id: str) -> Event:
    """A scene's pixels appear, and somebody tells of its product."""

    def arrive(stack: Stack, source: Path, folder: Path) -> None:
        whole = folder / "sentinel2" / scene_id
        if not whole.exists():
            whole.parent.mkdir(exist_ok=True)
            shutil.copytree(source / "sentinel2" / scene_id, folder / f".{scene_id}")
            (folder / f".{scene_id}").replace(whole)
        product = f"S2A_MSIL1C_{scene_id[:15]}_N0301_R046_T51TYL_20210901T000000"
        stack.bus.publish("acquisitions", json.dumps({"image_id": product}).encode(), {})

    return arrive


def tick(stack: Stack, source: Path, folder: Path) -> None:
    stack.tick("discover", run_date=date(2021, 8, 10))


def compute(stack: Stack, source: Path, folder: Path) -> None:
    """Composites and what became what between years of whatever is there by then, in whichever order it is done."""
    stack.tick("composite")
    stack.tick("transition")


def events() -> list[Event]:
    """The fixed set of fifty."""
    images = scenes()
    found = [call(*arguments) for arguments in CALLS]
    found += [call(*CALLS[number]) for number in (0, 2, 3, 5, 6, 9)]
    found += [arrival(scene, scene.image_id) for scene in images]
    found += [arrival(scene, scene.image_id) for scene in images[:6]]
    stamps = [scene.image_id[:15] for scene in images[:10:2]]
    found += [
        arrival(scene, f"S2A_MSIL1C_{stamp}_N0301_R046_T51TYL_20210901T000000")
        for scene, stamp in zip(images[:10:2], stamps, strict=True)
    ]
    found += [sentinel2_arrival(SKIPPED), sentinel2_arrival(DOUBLED)]
    found += [compute] * 2
    found += [tick] * (50 - len(found))
    return found


EVENTS = events()


def state(stack: Stack) -> dict[str, Any]:
    """What is current. Version numbers are labels in the order of arrival, so the geometry stands for them."""
    current = {row["aoi_id"]: row for row in rows(stack, "aois")}

    def of_current(table: str, order: str, keys: tuple[str, ...]) -> list[dict[str, Any]]:
        found = rows(stack, table, order)
        mine = [r for r in found if r["aoi_id"] in current and r["aoi_version"] == current[r["aoi_id"]]["aoi_version"]]
        return [{key: row[key] for key in ("aoi_id", *keys)} for row in mine]

    shares = (
        "month",
        "class_id",
        "observation_count",
        "network_count",
        "mean_share",
        "mean_seen_share",
        "probability_share",
        "composite_share",
        "settled_share",
        "filled_share",
        "seen_share",
        "effective_views",
    )
    months = of_current("monthly_summary", "aoi_id, month, class_id", shares)
    return {
        "aois": {aoi_id: (row["geometry_sha256"], row["label"], row["tags"]) for aoi_id, row in current.items()},
        "observations": of_current("observations_current", "aoi_id, overpass_id", OUTCOME),
        "composites": of_current("composites_current", "aoi_id, period, period_start", COMPOSITE),
        "changes": of_current(
            "changes_current", "aoi_id, year", ("year", "overpass_count", "watched_area_m2", "patches")
        ),
        "transitions": of_current(
            "transitions_current",
            "aoi_id, from_year, to_year",
            (
                "from_year",
                "to_year",
                "compared_with",
                "to_overpass_count",
                "seen_in_both_m2",
                "cells",
                "image_versions",
            ),
        ),
        # SQL adds up in no fixed order
        "months": [{k: round(v, 12) if isinstance(v, float) else v for k, v in row.items()} for row in months],
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    for scene in scenes():
        written = write_scene(
            folder, scene.image_id, crs="EPSG:32651", origin=scene.origin, shape=(200, 200), seed=scene.seed
        )
        written.rename(folder / scene.source)
    for seed, scene_id in enumerate((SKIPPED, DOUBLED)):
        bands = random_l1c(SCENE_PIXELS, SCENE_PIXELS, seed)
        bands["B10"][:] = 10
        clear = np.zeros((SCENE_PIXELS, SCENE_PIXELS))
        written = write_l1c(folder, scene_id, bands, origin=NORTH, cloud_percent=80.0, probability=clear)
        for path in written.iterdir():
            os.utime(path, (1_630_000_000, 1_630_000_000))
    return folder


@pytest.fixture(scope="module")
def states() -> list[dict[str, Any]]:
    """The end states seen so far, over all orders."""
    return []


@settings(
    max_examples=20 if SOAK else 1,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(order=st.permutations(range(50)))
@example(order=list(range(50)))
@example(order=list(reversed(range(50))))
def test_any_order_of_fifty_events_ends_in_the_same_current_state(
    order: list[int], source: Path, states: list[dict[str, Any]]
) -> None:
    with tempfile.TemporaryDirectory() as name, start_stack(Path(name)) as stack:
        for number in order:
            EVENTS[number](stack, source, Path(name) / "scenes")
        settle(stack)
        stack.tick("record-passes", run_date=date(2021, 8, 8))
        settle(stack)
        stack.tick("composite")
        stack.tick("find-changes")
        settle(stack)
        stack.tick("transition")
        settle(stack)
        stack.summarise(datetime(2021, 9, 1, tzinfo=UTC))
        found = state(stack)
        used = [
            pair
            for row in rows(stack, "observations_current")
            if row["source"] == "dynamic_world"
            for pair in zip(row["image_ids"], row["image_versions"], strict=True)
        ]
        versions = {path.stem: path.stat().st_mtime_ns // 1000 for path in (Path(name) / "scenes").glob("2*.tif")}
    assert {(aoi_id, label) for aoi_id, (_, label, _) in found["aois"].items()} == CURRENT
    assert len(found["observations"]) == len(CURRENT) * 9, "five passes in July, two in August, two the year before"
    assert [(row["aoi_id"], row["from_year"], row["to_year"]) for row in found["transitions"]] == [
        (aoi_id, 2020, 2021) for aoi_id in sorted(aoi_id for aoi_id, _ in CURRENT)
    ]
    assert all(row["to_overpass_count"] == 6 for row in found["transitions"]), "without what the network classified"
    assert all(row["seen_in_both_m2"] > 0 for row in found["transitions"])
    by_network = {row["overpass_id"] for row in found["observations"] if row["source"] == "network"}
    assert by_network == {SKIPPED[:15]}, "where Dynamic World has an image it is the one that counts"
    assert all(row["coverage"] > 0 for row in found["observations"] if row["source"] == "network")
    august = [row for row in found["months"] if row["month"] == date(2021, 8, 1)]
    assert {(row["observation_count"], row["network_count"]) for row in august} == {(2, 1)}, "a thin month is filled"
    assert {row["network_count"] for row in found["months"] if row["month"] == date(2021, 7, 1)} == {0}
    assert dict(used) == {image_id: versions[image_id] for image_id, _ in used}, "what was reprocessed is measured anew"
    split = next(r for r in found["observations"] if (r["aoi_id"], r["overpass_id"]) == ("a", "20210713T023111"))
    assert len(split["image_ids"]) == 3, "no datastrip is dropped"
    states.append(found)
    assert found == states[0]
