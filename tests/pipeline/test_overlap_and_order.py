"""One overpass, one observation: overlapping images, any order of arrival, duplicates, reprocessing, late data."""

import os
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from shapely import Polygon
from shapely.geometry import mapping

from local.stack import Stack
from tests.scenes import independent_areas, write_scene
from tests.stacks import announce, feature, register, rows, settle, start_stack

# 2 km × 2 km north and south of a seam, both images 51TYL/51TYK of one datatake, sharing 500 m of ground
NORTH = ("20210703T023111_20210703T023105_T51TYL", (709_000.0, 5_000_000.0))
SOUTH = ("20210703T023111_20210703T023114_T51TYK", (709_000.0, 4_998_500.0))
LATER = ("20210703T023111_20210703T023109_T51TYL", (709_000.0, 5_000_000.0))
AOI = Polygon([(125.661, 45.099), (125.676, 45.098), (125.677, 45.117), (125.660, 45.116), (125.661, 45.099)])
KEYS = ("aoi_id", "aoi_version", "overpass_id", "valid_area_m2", "aoi_area_m2", "coverage", "image_ids", "classes")


def write(folder: Path, image: tuple[str, tuple[float, float]], seed: int) -> Path:
    return write_scene(folder, image[0], crs="EPSG:32651", origin=image[1], shape=(200, 200), seed=seed)


def state(stack: Stack) -> list[dict[str, Any]]:
    """Current observations without what differs by when they were made."""
    return [{key: row[key] for key in KEYS} for row in rows(stack, "observations_current", "overpass_id")]


def labels_of(row: dict[str, Any]) -> list[float]:
    return [c["label_area_m2"] for c in sorted(row["classes"], key=lambda c: c["class_id"])]


def test_two_overlapping_images_give_the_areas_of_their_mosaic(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        scenes = tmp_path / "scenes"
        north, south = write(scenes, NORTH, seed=1), write(scenes, SOUTH, seed=2)
        register(stack, feature("a", dict(mapping(AOI))))
        (row,) = rows(stack, "observations_current")
        # newer product on top: the southern image; the northern one adds what lies north of it
        mosaic = tmp_path / "mosaic"
        mosaic.mkdir()
        top, bottom = _labels(south), _labels(north)
        joined = np.vstack([bottom[:150], top])
        path = write_scene(mosaic, NORTH[0], crs="EPSG:32651", origin=NORTH[1], labels=joined)
        truth = independent_areas(path, AOI)
        assert row["coverage"] <= 1
        assert row["valid_area_m2"] == pytest.approx(truth["valid"], abs=2e-5 * row["aoi_area_m2"])
        assert labels_of(row) == pytest.approx(list(truth["label"]), abs=2e-5 * row["aoi_area_m2"])
        assert row["image_ids"] == [NORTH[0], SOUTH[0]]


def _labels(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(10).astype(int))


def test_any_order_of_arrival_twice_over_ends_in_the_same_state(tmp_path: Path) -> None:
    states = []
    for number, order in enumerate(permutations([(NORTH, 1), (SOUTH, 2), (LATER, 3)])):
        folder = tmp_path / str(number)
        folder.mkdir()
        with start_stack(folder) as stack:
            register(stack, feature("a", dict(mapping(AOI))))
            for image, seed in [*order, order[0], order[2]]:
                # the catalogue's version of an image is when it was ingested, whenever it is told of
                path = write(folder / "scenes", image, seed)
                os.utime(path, (seed * 86_400, seed * 86_400))
                announce(stack, image[0])
            states.append(state(stack))
    assert len(states[0]) == 1
    assert states[0][0]["image_ids"] == sorted([NORTH[0], SOUTH[0], LATER[0]]), "no image of an overpass is dropped"
    assert all(other == states[0] for other in states[1:])


def test_both_granules_of_a_cut_tile_are_used(tmp_path: Path) -> None:
    upper = ("20210703T023111_20210703T023105_T51TYL", (709_000.0, 5_000_000.0))
    lower = ("20210703T023111_20210703T023113_T51TYL", (709_000.0, 4_998_100.0))
    with start_stack(tmp_path) as stack:
        write(tmp_path / "scenes", upper, seed=1)
        write(tmp_path / "scenes", lower, seed=2)
        register(stack, feature("a", dict(mapping(AOI))))
        (row,) = rows(stack, "observations_current")
        assert row["image_ids"] == [upper[0], lower[0]]
        assert row["coverage"] == pytest.approx(1)


def test_summaries_are_idempotent_and_late_scenes_change_what_they_settle_only(tmp_path: Path) -> None:
    run_time = datetime(2021, 8, 20, tzinfo=UTC)
    scenes = tmp_path / "scenes"
    with start_stack(tmp_path) as stack:
        for month, seed in ((3, 1), (5, 2), (7, 3)):
            write(scenes, (f"2021{month:02d}03T023111_2021{month:02d}03T023105_T51TYL", NORTH[1]), seed)
        register(stack, feature("a", dict(mapping(AOI))))
        summarise(stack, run_time)
        order = {"monthly_summary": "month, class_id", "annual_summary": "year, class_id"}
        before = {table: rows(stack, table, by) for table, by in order.items()}
        assert len(before["monthly_summary"]) == 8 * 9, "January to August, nine classes each"
        stack.summarise(datetime(2021, 8, 25, tzinfo=UTC))
        assert {table: rows(stack, table, by) for table, by in order.items()} == before

        late = "20210323T023111_20210323T023105_T51TYL"
        write(scenes, (late, NORTH[1]), 9)
        announce(stack, late)
        summarise(stack, run_time)
        after = rows(stack, "monthly_summary", "month, class_id")
        changed = {row["month"].month for row in after if row not in before["monthly_summary"]}
        assert changed == {3, 5, 7}, "its own, and those of the year after it, whose gaps and ties it may settle"
        assert {row["observation_count"] for row in after if row["month"].month == 3} == {2}
        counts = {row["month"].month: row["observation_count"] for row in after}
        assert (counts[5], counts[7]) == (1, 1)
        annual = rows(stack, "annual_summary", "year, class_id")
        assert annual != before["annual_summary"]
        assert {row["observation_count"] for row in annual} == {4}

        by_month = {(row["month"].month, row["class_id"]): row for row in after}
        assert by_month[(4, 1)]["observation_count"] == 0
        assert by_month[(4, 1)]["mean_share"] is None
        for row in annual:
            seen = [by_month[(month, row["class_id"])]["mean_share"] for month in (3, 5, 7)]
            assert row["mean_share"] == pytest.approx(sum(seen) / 3), "months weigh equally"
            assert row["months_observed"] == 3


def summarise(stack: Stack, run_time: Any) -> None:
    stack.tick("composite")
    settle(stack)
    stack.summarise(run_time)


def test_a_changed_geometry_is_a_new_version_with_its_own_history(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        write(tmp_path / "scenes", NORTH, seed=1)
        (first,) = register(stack, feature("a", dict(mapping(AOI))), webhook_id="1")
        (same,) = register(stack, feature("a", dict(mapping(AOI)), name="renamed"), webhook_id="2")
        smaller = AOI.buffer(-0.002)
        (second,) = register(stack, feature("a", dict(mapping(smaller))), webhook_id="3")
        assert [a["aoi_version"] for a in (first, same, second)] == [1, 1, 2]
        current = rows(stack, "observations_current", "aoi_version")
        assert [row["aoi_version"] for row in current] == [1, 2]
        assert current[1]["aoi_area_m2"] == pytest.approx(second["area_m2"], rel=2e-5)


def test_observations_under_the_coverage_floor_are_kept_but_not_summarised(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        hidden = np.ones((200, 200), dtype=bool)
        hidden[60:75] = False
        write_scene(tmp_path / "scenes", NORTH[0], crs="EPSG:32651", origin=NORTH[1], shape=(200, 200), hidden=hidden)
        register(stack, feature("a", dict(mapping(AOI))))
        stack.summarise(datetime(2021, 8, 1, tzinfo=UTC))
        (row,) = rows(stack, "observations_current")
        assert 0 < row["coverage"] < 0.2
        july = [r for r in rows(stack, "monthly_summary", "class_id") if r["month"].month == 7]
        assert {(r["observation_count"], r["skipped_count"], r["mean_share"]) for r in july} == {(0, 1, None)}


def test_a_label_only_scene_has_null_probability_areas(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        write_scene(tmp_path / "scenes", NORTH[0], crs="EPSG:32651", origin=NORTH[1], shape=(200, 200), label_only=True)
        register(stack, feature("a", dict(mapping(AOI))))
        (row,) = rows(stack, "observations_current")
        assert {c["probability_area_m2"] for c in row["classes"]} == {None}
        assert sum(labels_of(row)) == pytest.approx(row["valid_area_m2"])


def test_overlapping_images_vote_once_in_a_composite(tmp_path: Path) -> None:
    """Three passes say crops, two trees; the tree passes come as two images each. Counting images, trees would win."""
    with start_stack(tmp_path) as stack:
        scenes = tmp_path / "scenes"
        for day, class_id in ((3, 4), (8, 4), (13, 4), (18, 1), (23, 1)):
            labels = np.full((200, 200), class_id)
            for tile in ("T51TYL", "T51TYK") if class_id == 1 else ("T51TYL",):
                image_id = f"202107{day:02d}T023111_202107{day:02d}T023105_{tile}"
                write_scene(scenes, image_id, crs="EPSG:32651", origin=NORTH[1], labels=labels)
        register(stack, feature("a", dict(mapping(AOI))))
        stack.tick("composite")
        settle(stack)
        month = next(row for row in rows(stack, "composites_current") if row["period"] == "month")
        assert month["overpass_count"] == 5
        assert labels_of(month)[4] == pytest.approx(month["valid_area_m2"])
