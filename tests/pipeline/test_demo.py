"""The demo as its user runs it: the statements of the published analysis that its composites must repeat, and the
clearing that it must find.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.features import rasterize
from shapely import transform
from shapely.geometry import mapping, shape

from local.commands.common import opened
from local.runs.outputs import COLUMNS
from local.sample.landscape import CLEARED_ON, POND_HA, Landscape
from local.sample.passes import PUBLISHED_LATE_DAY, SKIPPED_DAY
from local.sample.place import CRS, TRANSFORM, aoi_mask
from shared.geometry.utm import to_utm
from shared.warehouse.files import report_columns
from tests.pipeline.conftest import Demo
from tests.stacks import start_stack

WATER, TREES, GRASS, FLOODED, CROPS, SHRUB, BUILT, BARE, SNOW = range(9)
ROOT = Path(__file__).resolve().parents[2]
PERCENTAGE_POINTS = 0.5  # tolerance of "≈" and of exact figures


def changes(demo: Demo) -> list[dict[str, Any]]:
    with opened(demo.out) as found:
        return found.warehouse.run(f"SELECT * FROM `{found.warehouse.table('changes_current')}`", {})


def near(value: float) -> Any:
    return pytest.approx(value, abs=PERCENTAGE_POINTS)


def test_january_is_snow_but_for_some_trees(demo: Demo) -> None:
    shares = demo.composite(1)
    assert shares[SNOW] == near(98)
    assert shares[TREES] == near(1.98)


def test_february_is_snow(demo: Demo) -> None:
    assert demo.composite(2)[SNOW] > 99


def test_march_shows_all_nine_classes(demo: Demo) -> None:
    shares = demo.composite(3)
    assert all(share > 0 for share in shares)
    assert shares[SNOW] == near(50)
    assert shares[TREES] == near(20)
    assert shares[CROPS] == near(20)


def test_april_is_crops_without_snow(demo: Demo) -> None:
    shares = demo.composite(4)
    assert shares[CROPS] > 60
    assert shares[SNOW] < 0.01


def test_may_is_crops_and_some_trees(demo: Demo) -> None:
    shares = demo.composite(5)
    assert shares[CROPS] > 60
    assert shares[TREES] == near(16)


def test_june_is_mostly_crops_or_trees(demo: Demo) -> None:
    shares = demo.composite(6)
    assert shares[CROPS] + shares[TREES] > 50


def test_july_is_half_trees(demo: Demo) -> None:
    shares = demo.composite(7)
    assert shares[CROPS] + shares[TREES] > 90
    assert shares[TREES] == near(50)


def test_august_has_equal_crops_and_trees(demo: Demo) -> None:
    shares = demo.composite(8)
    assert shares[CROPS] + shares[TREES] > 80
    assert shares[CROPS] == pytest.approx(shares[TREES], abs=2 * PERCENTAGE_POINTS)


def test_september_is_mostly_trees(demo: Demo) -> None:
    shares = demo.composite(9)
    assert shares[CROPS] + shares[TREES] > 85
    assert shares[TREES] > 50


def test_october_has_its_first_snow(demo: Demo) -> None:
    shares = demo.composite(10)
    assert shares[CROPS] + shares[TREES] > 80
    assert shares[SNOW] == near(4.28)


def test_november_has_no_snow_though_a_first_version_of_a_scene_did(demo: Demo) -> None:
    shares = demo.composite(11)
    assert shares[CROPS] + shares[TREES] > 80
    assert shares[SNOW] < 0.01
    reprocessed = [r for r in demo.table("observations.csv") if r["overpass_id"].startswith("20211114")]
    assert {r["image_ids"].count("T51TYL") for r in reprocessed} == {1}, "a reprocessed scene keeps its id"
    assert [float(r["label_area_m2"]) for r in reprocessed if r["class_id"] == str(SNOW)] == [0]


def test_december_is_snow_again(demo: Demo) -> None:
    shares = demo.composite(12)
    assert shares[SNOW] > 65
    assert shares[TREES] == near(8)
    assert shares[CROPS] == near(16.64)


def test_the_year_is_crops_and_trees_with_little_snow_in_the_composite_but_much_in_the_mean(demo: Demo) -> None:
    composite, mean = demo.annual("composite_share"), demo.annual("mean_share")
    assert composite[CROPS] + composite[TREES] > 85
    assert composite[CROPS] == pytest.approx(composite[TREES], abs=2 * PERCENTAGE_POINTS)
    assert composite[SNOW] == near(2.19)
    assert mean[SNOW] > 10 * composite[SNOW]


def test_the_planted_clearing_is_one_event_in_its_interval_and_the_season_none(demo: Demo) -> None:
    landscape = Landscape(aoi_mask())
    collection = json.loads((demo.out / "patches.geojson").read_text(encoding="utf-8"))
    (patch,) = collection["features"]
    about = patch["properties"]
    assert (about["state"], about["alarm"], about["year"]) == ("confirmed", True, 2022)
    assert (about["from_class_name"], about["to_class_name"]) == ("trees", "bare")
    assert about["happened_after"][:10] < f"{CLEARED_ON}" <= about["happened_before"][:10]
    outline = transform(shape(patch["geometry"]), lambda lon_lat: to_utm(CRS, lon_lat))
    found = rasterize([mapping(outline)], landscape.clearing.shape, transform=TRANSFORM).astype(bool)
    assert np.count_nonzero(found & landscape.clearing) >= 0.75 * np.count_nonzero(landscape.clearing)
    assert np.count_nonzero(found & landscape.clearing) >= 0.9 * np.count_nonzero(found), "and hardly anything else"
    truth_ha = np.count_nonzero(landscape.clearing) / 100
    assert 0.75 * truth_ha <= about["supported_area_ha"] <= 1.05 * truth_ha, "the months before and after say so too"
    assert about["compared_from"][:7] == "2021-05"
    assert about["compared_until"][:7] == "2022-12", "as far as images go"
    assert "ha of trees became bare after 2022-05-08 and before 2022-05-13 (confirmed)" in demo.stdout
    watched = {row["year"]: row["watched_area_m2"] for row in changes(demo)}
    assert [watched[year] is not None for year in (2020, 2021, 2022)] == [False, False, True]


def test_the_pond_is_water_in_the_months_after_it_was_dug(demo: Demo) -> None:
    dug = POND_HA * 10_000 / float(demo.table("observations.csv")[0]["aoi_area_m2"]) * 100
    for month in (8, 9, 10, 11):
        more = demo.composite(month, 2022)[WATER] - demo.composite(month)[WATER]
        assert more == pytest.approx(dug, abs=0.15)


def test_the_network_fills_a_gap_until_dynamic_worlds_image_comes(demo: Demo) -> None:
    said = re.findall(
        r"pass of (\S+), [a-zA-Z ]+: (classified by the network|as in Dynamic World's image)", demo.stdout
    )
    network, image = "classified by the network", "as in Dynamic World's image"
    skipped, late = f"{SKIPPED_DAY}", f"{PUBLISHED_LATE_DAY}"
    assert said == [(skipped, network), (late, network), (skipped, network), (late, image)]
    sources = {r["overpass_id"][:8]: r["source"] for r in demo.table("observations.csv", 2022)}
    assert {day for day, source in sources.items() if source == "network"} == {f"{SKIPPED_DAY:%Y%m%d}"}
    with opened(demo.out) as found:
        july = found.warehouse.run(
            f"SELECT DISTINCT observation_count, network_count FROM `{found.warehouse.table('report_monthly')}` "
            "WHERE month = '2022-07-01'",
            {},
        )
    assert july == [{"observation_count": 2, "network_count": 1}], (
        "two views are enough, and the second is the network's"
    )


def test_it_met_the_awkward_cases(demo: Demo) -> None:
    observations = [r for r in demo.table("observations.csv") if r["class_id"] == "0"]
    assert len(observations) == 53
    by_day = {r["overpass_id"][:8]: r for r in observations}
    assert by_day["20210612"]["image_ids"].count("T51TYL") == 2, "a tile cut in two granules"
    assert by_day["20210403"]["image_ids"].count(";") == 0, "an overpass with one tile only"
    assert float(by_day["20210403"]["coverage"]) < 0.75
    assert "20210314" in by_day, "a scene that came months late"
    assert all(float(r["coverage"]) <= 1 for r in observations)


def test_every_observation_has_nine_rows_that_add_up(demo: Demo) -> None:
    rows = demo.table("observations.csv", None)
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row["overpass_id"], []).append(row)
    for group in groups.values():
        assert [r["class_id"] for r in group] == [str(c) for c in range(9)]
        valid = float(group[0]["valid_area_m2"])
        assert sum(float(r["label_area_m2"]) for r in group) == pytest.approx(valid, rel=1e-9)
        assert sum(float(r["probability_area_m2"]) for r in group) == pytest.approx(valid, rel=1e-6)


def test_it_leaves_the_tables_and_the_report_that_are_promised(demo: Demo) -> None:
    for name, columns in COLUMNS.items():
        assert tuple(demo.table(name)[0]) == columns
    assert len(demo.table("monthly_summary.csv", None)) == 36 * 9
    assert len(demo.table("annual_summary.csv", None)) == 3 * 9
    for page in (demo.page, (demo.out / "report.html").read_text(encoding="utf-8")):
        assert "data:image/png;base64," in page
        assert "http://" not in page.replace("http://www.w3.org/", "")
        assert "https://" not in page
    assert "Jan" in demo.stdout
    assert "Year" in demo.stdout


def test_the_report_shows_the_numbers_of_the_tables(demo: Demo) -> None:
    for month in range(1, 13):
        for share in demo.composite(month):
            assert f"<small>{share:.1f}</small>" in demo.page


def test_report_can_be_made_again_from_what_the_demo_left(demo: Demo, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).parent / "landcover"),
        *("report", "--aoi", "songnen-sample", "--year", "2021"),
        *("--warehouse", str(demo.out), "--out", str(tmp_path / "again.html")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    pages = [demo.page, (tmp_path / "again.html").read_text(encoding="utf-8")]
    first, again = (re.sub(r"<time>[\d-]+</time>", "", page) for page in pages)
    assert again == first, "but for the day it was made on"


def test_the_demo_left_no_dead_letter(demo: Demo) -> None:
    for command in (["list"], ["replay", "--dry-run"]):
        done = subprocess.run(
            [str(Path(sys.executable).parent / "landcover"), "dead-letters", *command, "--warehouse", str(demo.out)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("0 dead letters")


def test_the_columns_of_report_views_are_documented_once_and_the_readme_agrees(tmp_path: Path) -> None:
    documented = report_columns()
    with start_stack(tmp_path) as stack:
        for view, columns in documented.items():
            query = f"SELECT * FROM `{stack.warehouse.table(view)}` LIMIT 0"
            found = stack.warehouse.client.query_and_wait(query).schema
            assert [field.name for field in found] == list(columns)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Views for charts")[1].split("\n## ")[0]
    table = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.M))
    together = {name: text for columns in documented.values() for name, text in columns.items()}
    assert table == together
