"""Season is no change; a clearing is, in the month in which it happens and with its area."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely import Polygon
from shapely.geometry import mapping

from local.stack import Stack
from shared.messages.bodies import Tick
from tests.scenes import independent_cells, write_scene
from tests.stacks import feature, register, rows, settle, start_stack

ORIGIN = (709_000.0, 5_000_000.0)
AREA = Polygon([(125.6585, 45.1145), (125.6695, 45.1145), (125.6695, 45.1215), (125.6585, 45.1215)])
YEARS, PASSES = (2021, 2022, 2023), (4, 14, 24)
TREES, GRASS, CROPS, BARE, SNOW = 1, 2, 4, 7, 8
SIZE = 100


def land(month: int) -> np.ndarray:
    """Forest in the west for good; in the east snow, bare soil, grass and crops by season. Forest is snowed on."""
    labels = np.full((SIZE, SIZE), SNOW if month in {12, 1, 2} else TREES)
    east = {12: SNOW, 1: SNOW, 2: SNOW, 3: BARE, 4: BARE, 5: GRASS, 10: BARE, 11: BARE}.get(month, CROPS)
    labels[:, 60:] = east
    return labels


def write_years(folder: Path, cleared: np.ndarray | None, since: tuple[int, int]) -> dict[str, Path]:
    """Three years of three passes a month; each pass is wrong in a few places of its own. Returns paths by stamp."""
    random = np.random.default_rng(3)
    written = {}
    for year in YEARS:
        for month in range(1, 13):
            for day in PASSES:
                labels = land(month)
                if cleared is not None and (year, month) >= since and month not in {12, 1, 2}:
                    labels[cleared] = BARE
                wrong = random.random((SIZE, SIZE)) < 0.01
                labels[wrong] = random.integers(0, 9, wrong.sum())
                stamp = f"{year}{month:02d}{day:02d}T023111"
                path = write_scene(folder, f"{stamp}_{stamp}_T51TYL", crs="EPSG:32651", origin=ORIGIN, labels=labels)
                written[stamp] = path
    return written


def flagged(stack: Stack) -> list[dict[str, Any]]:
    register(stack, feature("a", dict(mapping(AREA)), backfill_start="2021-01-01"))
    stack.tick("composite")
    settle(stack)
    stack.summarise(datetime(2024, 1, 1, tzinfo=UTC))
    found = rows(stack, "report_change", "month, class_id")
    assert {row["month"].year for row in found} == {2022, 2023}
    assert {row["baseline_years"] for row in found if row["month"].year == 2023} == {2}
    return [row for row in found if row["flagged"]]


def told_once(stack: Stack, changes: list[dict[str, Any]]) -> None:
    """Each change of the last three months becomes one event, however often the job runs."""
    for _ in range(2):
        stack.publish_tick(Tick(job="alert-changes", run_date=date(2023, 10, 5)))
        settle(stack)
    recent = [(row["month"], row["class_id"]) for row in changes if row["month"] >= date(2023, 8, 1)]
    told = [(row["month"], row["class_id"]) for row in rows(stack, "change_alerts", "month, class_id")]
    assert told == recent
    assert stack.bus.delivered["deliver_event"] == len(recent) > 0


def test_three_years_of_the_same_season_raise_nothing(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        write_years(tmp_path / "scenes", None, (2023, 7))
        assert flagged(stack) == []


def test_a_clearing_of_five_percent_of_the_forest_is_flagged_within_its_month_with_its_area(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        clearing = np.zeros((SIZE, SIZE), dtype=bool)
        clearing[30:50, 20:35] = True  # 300 of the 6,000 forest pixels
        written = write_years(tmp_path / "scenes", clearing, (2023, 7))
        changes = flagged(stack)
        told_once(stack, changes)
    cells = independent_cells(next(iter(written.values())), AREA)
    truth_ha = cells.areas_m2[clearing[cells.rows, cells.columns]].sum() / 10_000
    assert truth_ha == pytest.approx(3.0, rel=0.01)
    first = min(row["month"] for row in changes)
    assert (first.year, first.month) == (2023, 7)
    assert {row["month"].month for row in changes} == {7, 8, 9, 10, 11}, "while no snow lies"
    assert {row["class_id"] for row in changes} == {TREES, BARE}
    for row in changes:
        if row["month"] == first:
            lost = -row["change_area_ha"] if row["class_id"] == TREES else row["change_area_ha"]
            assert lost == pytest.approx(truth_ha, rel=0.01)
            assert np.sign(row["expected_change_area_ha"]) == np.sign(row["change_area_ha"])
