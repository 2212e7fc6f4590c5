"""What goes wrong on the way costs time, never a row: each fault of Earth Engine and of the warehouse, by itself."""

import json
from pathlib import Path

import pytest
from shapely import Polygon
from shapely.geometry import mapping

from benchmarks.storm import storm
from local.bigquery import front
from local.earth_engine import faults as engine_faults
from local.servers.faults import Faults
from local.stack import Stack
from shared.errors import RetryLaterError
from shared.warehouse import client as warehouse_client
from tests.scenes import independent_areas, write_scene
from tests.stacks import feature, register, rows, settle, start_stack

IMAGE = "20210703T023111_20210703T023105_T51TYL"
AREA = Polygon([(125.661, 45.100), (125.672, 45.100), (125.672, 45.108), (125.661, 45.109)])


def measure(stack: Stack, *aoi_ids: str) -> None:
    refs = [{"aoi_id": aoi_id, "aoi_version": 1} for aoi_id in aoi_ids]
    body = json.dumps({"overpass_ids": [IMAGE[:15]], "aois": refs}).encode()
    stack.bus.publish("measurements", body, {"lane": "live"})
    settle(stack)


def is_right(stack: Stack, path: Path, *aoi_ids: str) -> None:
    truth = independent_areas(path, AREA, eight_bit=True)
    found = rows(stack, "observations_current", "aoi_id")
    assert [row["aoi_id"] for row in found] == list(aoi_ids)
    for row in found:
        # published as share × registered area
        as_measured = row["measured_aoi_area_m2"] / row["aoi_area_m2"]
        labels = [c["label_area_m2"] * as_measured for c in sorted(row["classes"], key=lambda c: c["class_id"])]
        assert labels == pytest.approx(list(truth["label"]), abs=2e-5 * row["aoi_area_m2"])


@pytest.mark.parametrize("kind", engine_faults.KINDS)
def test_a_fault_of_earth_engine_delays_a_measurement_and_changes_nothing(kind: str, tmp_path: Path) -> None:
    """Twice in a row. The first computation of a message lists, the second measures."""
    with start_stack(tmp_path, earth_engine_deadline_seconds="1") as stack:
        register(stack, feature("a", dict(mapping(AREA))))
        path = write_scene(tmp_path / "scenes", IMAGE, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200))
        stack.earth_engine.app.faults = faults = Faults([None, kind, kind, None, kind])
        measure(stack, "a")
        assert faults.injected[kind] >= 2
        is_right(stack, path, "a")


@pytest.mark.parametrize("kind", front.FAULTS)
def test_a_fault_of_the_warehouse_loses_no_row_and_shows_none_twice(kind: str, tmp_path: Path) -> None:
    faults = Faults()
    with start_stack(tmp_path, warehouse_faults=faults) as stack:
        register(stack, *(feature(aoi_id, dict(mapping(AREA))) for aoi_id in "abc"))
        path = write_scene(tmp_path / "scenes", IMAGE, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200))
        faults.follow([kind, kind])
        measure(stack, *"abc")
        assert faults.injected[kind] == 2
        is_right(stack, path, *"abc")
        faults.follow([None, kind, kind])
        measure(stack, *"abc")
        assert faults.injected[kind] == 2
        is_right(stack, path, *"abc")


def test_a_warehouse_that_stays_away_is_a_reason_to_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = Faults()
    with start_stack(tmp_path, warehouse_faults=faults) as stack:
        for name in ("_RETRY", "_JOB_RETRY"):
            patience = getattr(warehouse_client, name).with_timeout(0.3)
            monkeypatch.setattr(warehouse_client, name, patience)
        faults.follow(["unavailable"] * 20)
        with pytest.raises(RetryLaterError, match="503"):
            stack.warehouse.query("aoi_cells")
        faults.follow(["rows"] * 20)
        with pytest.raises(RetryLaterError, match="1 rows still failing"):
            stack.warehouse.append(
                "dead_letter_replays", [{"dead_letter_id": "x", "replayed_at": "2021-01-01T00:00:00Z"}]
            )


def test_a_small_storm_loses_doubles_and_falsifies_nothing(tmp_path: Path) -> None:
    outcome = storm(tmp_path, aoi_count=10, overpass_count=8, message_count=100)
    assert sum(outcome.faults.values()) > 20
    assert outcome.rows >= outcome.expected == 80 + 2 * 7, "of three areas that come later, one goes again"
    assert outcome.by_network == 10, "the one overpass of which no image comes"
    assert (outcome.lost, outcome.double, outcome.wrong, outcome.dead) == (0, 0, 0, 0)
