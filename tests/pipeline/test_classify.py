"""Passes of which Dynamic World has no image, classified by the published network, and what becomes of them later."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from shapely import Polygon
from shapely.geometry import mapping

from local.stack import Stack
from tests.l1c import clear_l1c, write_classified, write_l1c
from tests.scenes import independent_areas, write_scene
from tests.stacks import announce, feature, register, rows, settle, start_stack

ORIGIN, SIZE = (709_000, 5_000_000), 240
CLOUDY = "20210703T023111_20210703T023105_T51TYL"
HEARD_OF = "20210708T023111_20210708T023105_T51TYL"
AREA = Polygon([(125.6625, 45.1045), (125.6675, 45.1040), (125.6690, 45.1085), (125.6630, 45.1092)])
RUN_TIME = datetime(2021, 8, 1, tzinfo=UTC)


def write_sentinel2(folder: Path, image_id: str, bands: dict[str, np.ndarray], cloud: np.ndarray | None = None) -> None:
    probability = np.zeros((SIZE, SIZE)) if cloud is None else cloud
    write_l1c(folder, image_id, bands, origin=ORIGIN, probability=probability)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Path]]:
    folder = tmp_path_factory.mktemp("classify")
    with start_stack(folder) as running:
        register(running, feature("a", dict(mapping(AREA))))
        yield running, folder


def current(stack: Stack) -> dict[str, dict[str, object]]:
    return {row["overpass_id"]: row for row in rows(stack, "observations_current")}


def test_a_skipped_pass_over_a_clear_area_gives_a_row_with_true_areas(stack: tuple[Stack, Path]) -> None:
    running, folder = stack
    bands = clear_l1c(SIZE, SIZE, 1)
    write_sentinel2(folder / "scenes", CLOUDY, bands)
    running.tick("record-passes", run_date=date(2021, 7, 4))
    settle(running)
    running.tick("record-passes", run_date=date(2021, 7, 4))
    settle(running)
    (row,) = rows(running, "observations_current")
    assert (row["source"], row["image_ids"]) == ("network", [CLOUDY])
    assert (row["algorithm_versions"], row["qa_versions"]) == (["network-2021-10-13"], ["dynamic-world-recipe-1"])
    assert row["coverage"] == pytest.approx(1, abs=1e-9)
    truth = independent_areas(write_classified(folder / "classified.tif", bands, ORIGIN), AREA, eight_bit=True)
    as_measured = row["measured_aoi_area_m2"] / row["aoi_area_m2"]
    for name, tolerance in (("label", 2e-6), ("probability", 2e-6)):
        found = [c[f"{name}_area_m2"] * as_measured for c in sorted(row["classes"], key=lambda c: c["class_id"])]
        assert found == pytest.approx(list(truth[name]), abs=tolerance * row["aoi_area_m2"])
    assert len(rows(running, "observations")) == 1, "what is classified is not classified again"


def test_summaries_say_how_many_views_are_the_networks(stack: tuple[Stack, Path]) -> None:
    """Of what only the network saw there are means and no composite: Earth Engine has no image of it."""
    running, _ = stack
    running.tick("composite", run_date=RUN_TIME.date())
    settle(running)
    running.summarise(RUN_TIME)
    july = [row for row in rows(running, "report_monthly") if row["month"] == date(2021, 7, 1)]
    assert {(row["observation_count"], row["network_count"]) for row in july} == {(1, 1)}
    assert sum(row["mean_share"] for row in july) == pytest.approx(1)
    assert rows(running, "composites") == []
    year = rows(running, "report_annual")
    assert {row["network_count"] for row in year} == {1}
    for row in [*july, *year]:
        assert (row["composite_share"], row["composite_area_ha"], row["composite_area_km2"]) == (None, None, None)


def test_dynamic_worlds_image_takes_its_place_when_it_comes(stack: tuple[Stack, Path]) -> None:
    running, folder = stack
    write_scene(folder / "scenes", CLOUDY, crs="EPSG:32651", origin=ORIGIN, shape=(SIZE, SIZE), seed=3)
    announce(running, CLOUDY)
    assert current(running)[CLOUDY[:15]]["source"] == "dynamic_world"
    running.summarise(RUN_TIME)
    july = [row for row in rows(running, "report_monthly") if row["month"] == date(2021, 7, 1)]
    assert {(row["observation_count"], row["network_count"]) for row in july} == {(1, 0)}
    body = {"overpass_ids": [CLOUDY[:15]], "aois": [{"aoi_id": "a", "aoi_version": 1}]}
    running.bus.publish("classifications", json.dumps(body).encode(), {})
    settle(running)
    assert {row["source"] for row in rows(running, "observations")} == {"dynamic_world", "network"}
    assert len(rows(running, "observations")) == 2, "what Dynamic World has seen is not classified"


def test_a_product_that_is_heard_of_is_classified_at_once_and_cloud_is_left_out(stack: tuple[Stack, Path]) -> None:
    running, folder = stack
    cloud = np.zeros((SIZE, SIZE))
    cloud[:, :110] = 100
    bands = clear_l1c(SIZE, SIZE, 2)
    # a cloud stands high where its near-infrared bands disagree from pixel to pixel
    for band, pixels in (("B8", 110), ("B8A", 55)):
        bands[band][:, :pixels:2] += 2500
    write_sentinel2(folder / "scenes", HEARD_OF, bands, cloud)
    announce(running, "S2A_MSIL1C_20210708T023111_N0301_R046_T51TYL_20210708T041500")
    row = current(running)[HEARD_OF[:15]]
    assert (row["source"], row["image_ids"]) == ("network", [HEARD_OF])
    assert 0 <= row["coverage"] < 0.9


def test_a_product_whose_scene_is_not_in_earth_engine_yet_is_classified_when_it_comes(
    stack: tuple[Stack, Path],
) -> None:
    running, folder = stack
    overpass_id = f"{datetime.now(UTC) - timedelta(hours=3):%Y%m%dT%H%M%S}"
    body = {"image_id": f"S2A_MSIL1C_{overpass_id}_N0511_R046_T51TYL_{overpass_id}"}
    running.bus.publish("acquisitions", json.dumps(body).encode(), {})
    waited = f"no scene of {overpass_id} is in Earth Engine over these areas yet"
    deadline = time.monotonic() + 60
    while waited not in running.log_path.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert overpass_id not in current(running)
    write_sentinel2(folder / "scenes", f"{overpass_id}_{overpass_id}_T51TYL", clear_l1c(SIZE, SIZE, 4))
    settle(running)
    assert waited in running.log_path.read_text()
    assert current(running)[overpass_id]["source"] == "network"


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    with start_stack(tmp_path, classify="off") as running:
        register(running, feature("a", dict(mapping(AREA))))
        write_sentinel2(tmp_path / "scenes", CLOUDY, clear_l1c(SIZE, SIZE, 1))
        running.tick("record-passes", run_date=date(2021, 7, 4))
        settle(running)
        assert rows(running, "observations") == []
        assert len(rows(running, "passes")) == 1
