"""Bad input at the command line gives one clear sentence; good input from other people's hands works."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
import requests
from affine import Affine

from tests.scenes import write_scene
from tests.stacks import signed_post

LANDCOVER = str(Path(sys.executable).parent / "landcover")
IMAGE = "20210703T023111_20210703T023105_T51TYL"
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[125.661, 45.1], [125.67, 45.1], [125.67, 45.11], [125.661, 45.11], [125.661, 45.1]]],
}


def landcover(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LANDCOVER, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


def refused(done: subprocess.CompletedProcess[str], *mentions: str) -> None:
    """Exit code not zero, one line on stderr that says what was found, and no traceback."""
    assert done.returncode != 0
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("landcover: ")
    for text in mentions:
        assert text in lines[0]


@pytest.fixture
def aois(tmp_path: Path) -> Path:
    path = tmp_path / "aois.geojson"
    path.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": SQUARE}), encoding="utf-8")
    return path


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    folder = tmp_path / "scenes"
    folder.mkdir()
    write_scene(folder, IMAGE, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200))
    return folder


def test_no_such_file(tmp_path: Path, scenes: Path) -> None:
    refused(
        landcover("run", "--aois", tmp_path / "none.geojson", "--scenes", scenes, "--out", tmp_path / "o"),
        "no such file",
    )


@pytest.mark.parametrize("text", ["not json", '{"type": "Topology"}', "[]", '{"type": "FeatureCollection"}', "\x00"])
def test_not_geojson(tmp_path: Path, scenes: Path, text: str) -> None:
    path = tmp_path / "bad.geojson"
    path.write_text(text, encoding="utf-8")
    refused(landcover("run", "--aois", path, "--scenes", scenes, "--out", tmp_path / "o"), "not GeoJSON")


def test_an_aoi_that_breaks_the_rules(tmp_path: Path, scenes: Path) -> None:
    path = tmp_path / "bad.geojson"
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    path.write_text(json.dumps(bow_tie), encoding="utf-8")
    refused(landcover("run", "--aois", path, "--scenes", scenes, "--out", tmp_path / "o"), "Self-intersection")


def test_a_scene_without_crs(tmp_path: Path, aois: Path) -> None:
    folder = tmp_path / "nocrs"
    folder.mkdir()
    with rasterio.open(
        folder / f"{IMAGE}.tif", "w", driver="GTiff", height=4, width=4, count=1, dtype="uint8",
        transform=Affine(10, 0, 0, 0, -10, 0),
    ) as dataset:  # fmt: skip
        dataset.write(np.zeros((4, 4), dtype="uint8"), 1)
    refused(
        landcover("run", "--aois", aois, "--scenes", folder, "--out", tmp_path / "o"), "no coordinate reference system"
    )


def test_a_rotated_scene(tmp_path: Path, aois: Path) -> None:
    folder = tmp_path / "rotated"
    folder.mkdir()
    with rasterio.open(
        folder / f"{IMAGE}.tif", "w", driver="GTiff", height=4, width=4, count=1, dtype="uint8", crs="EPSG:32651",
        transform=Affine.translation(709_000, 5_000_000) @ Affine.rotation(30) @ Affine.scale(10, -10),
    ) as dataset:  # fmt: skip
        dataset.write(np.zeros((4, 4), dtype="uint8"), 1)
    refused(landcover("run", "--aois", aois, "--scenes", folder, "--out", tmp_path / "o"), "rotated")


def test_an_rgb_export(tmp_path: Path, aois: Path, shared_data: Path) -> None:
    folder = tmp_path / "rgb"
    folder.mkdir()
    source = shared_data / "a_dynamic_world/western_ghats_patch/rgb_western_ghats_full_classification_2018.tif"
    shutil.copy(source, folder / f"{IMAGE}.tif")
    refused(landcover("run", "--aois", aois, "--scenes", folder, "--out", tmp_path / "o"), "3 bands", "RGB")


def test_another_coding_of_labels(tmp_path: Path, aois: Path, shared_data: Path) -> None:
    folder = tmp_path / "coding"
    folder.mkdir()
    source = shared_data / "a_dynamic_world/expert_label_tiles/dw_111.8412562864_-8.1289167721-20190713.tif"
    shutil.copy(source, folder / f"{IMAGE}.tif")
    refused(landcover("run", "--aois", aois, "--scenes", folder, "--out", tmp_path / "o"), "0 to 8", "10")


@pytest.mark.parametrize("name", ["empty", "missing", "misnamed", "garbage"])
def test_a_folder_that_cannot_be_used(tmp_path: Path, aois: Path, name: str) -> None:
    folder = tmp_path / name
    if name != "missing":
        folder.mkdir()
    if name == "misnamed":
        write_scene(folder, "july", crs="EPSG:32651", origin=(709_000, 5_000_000))
    if name == "garbage":
        (folder / f"{IMAGE}.tif").write_bytes(b"II*\x00 nothing of the kind")
    mention = {
        "empty": "no GeoTIFF",
        "missing": "no such folder",
        "misnamed": "image id",
        "garbage": "not a readable raster",
    }
    refused(landcover("run", "--aois", aois, "--scenes", folder, "--out", tmp_path / "o"), mention[name])


def test_a_period_without_scenes(tmp_path: Path, aois: Path, scenes: Path) -> None:
    done = landcover("run", "--aois", aois, "--scenes", scenes, "--out", tmp_path / "o", "--start", "2022-01-01")
    refused(done, "no scene", "2021-07-03")


SECRET = "whsec_b2xkIHNlY3JldCBvZiB0d2VudHktZm91cg=="


def test_a_webhook_that_is_not_there(tmp_path: Path, aois: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    done = landcover("register", aois, "--url", "http://127.0.0.1:9", "--secret-file", file)
    refused(done, "cannot be reached")
    assert SECRET[6:] not in done.stderr


def test_a_report_from_nowhere(tmp_path: Path) -> None:
    refused(
        landcover("report", "--aoi", "a", "--year", "2021", "--out", tmp_path / "r.html", "--warehouse", tmp_path),
        "no warehouse",
    )


def test_run_on_scenes_of_another_maker(tmp_path: Path, shared_data: Path) -> None:
    """Real composites of the Western Ghats, labels only, on a grid in degrees, with a real AOI."""
    folder = tmp_path / "ghats"
    folder.mkdir()
    for year in (2018, 2020):
        source = shared_data / f"a_dynamic_world/western_ghats_patch/western_ghats_built_{year}.tif"
        with rasterio.open(source) as dataset:
            band = dataset.descriptions.index("full_classification") + 1
            profile = {**dataset.profile, "count": 1}
            with rasterio.open(folder / f"{year}0115T053051_{year}0115T053105_T43PDN.tif", "w", **profile) as copy:
                copy.write(dataset.read(band), 1)
    boundary = shared_data / "c_area_tables/western_ghats_whole/western_ghats_boundary_20250928_203521.geojson"
    collection = json.loads(boundary.read_text(encoding="utf-8"))
    collection["features"] = collection["features"][:1]
    aois = tmp_path / "ghats.geojson"
    aois.write_text(json.dumps(collection), encoding="utf-8")
    out = tmp_path / "out"
    done = landcover("run", "--aois", aois, "--scenes", folder, "--out", out)
    assert done.returncode == 0, done.stderr
    with (out / "observations.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 9
    for row in rows:
        assert float(row["aoi_area_m2"]) == pytest.approx(27.1668e6, rel=1e-5), "the area published with the AOI"
        assert float(row["coverage"]) == pytest.approx(1, abs=1e-6)
        assert row["probability_area_m2"] == ""
    trees = [float(r["label_area_m2"]) for r in rows if r["class_name"] == "trees"]
    assert all(area > 0.9 * 27.1668e6 for area in trees)
    assert (out / "report.html").stat().st_size > 10_000
    with (out / "transitions.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    assert len(cells) == 81, "2020 with the last year before it, which is the only other one"
    assert {(row["from_period"], row["to_period"], row["supported_area_m2"]) for row in cells} == {("2018", "2020", "")}
    for name, area in zip(("from", "to"), trees, strict=True):
        margin = sum(float(row["mapped_area_m2"]) for row in cells if row[f"{name}_class_name"] == "trees")
        assert margin == pytest.approx(area), "the year's trees, in the order of years"
    assert "maps of 2018 and 2020 differ on" in done.stdout


def test_serve_prints_where_everything_is_and_takes_registrations(tmp_path: Path, aois: Path, scenes: Path) -> None:
    command = [LANDCOVER, "serve", "--scenes", str(scenes), "--out", str(tmp_path / "s"), "--json", "--every", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            addresses = json.loads(process.stdout.readline())
            assert {"webhook", "earth_engine", "bigquery", "project", "dataset", "webhook_secret"} <= addresses.keys()
            done = landcover(
                "register", aois, "--url", addresses["webhook"], LANDCOVER_WEBHOOK_SECRET=addresses["webhook_secret"]
            )
            assert done.returncode == 0, done.stderr
            assert "aoi-1 version 1" in done.stdout
            unsigned = signed_post(addresses["webhook"], SECRET, "{}")
            assert unsigned.status_code == 401
            look_beside(tmp_path, aois, scenes, addresses["pages"])
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
        assert not (tmp_path / "s/serving.json").exists(), "nobody is led to a port that is closed"


def look_beside(folder: Path, aois: Path, scenes: Path, pages: str) -> None:
    """Other commands and a browser read the warehouse that a running serve owns; none takes it over."""
    report, at = folder / "r.html", ("--warehouse", folder / "s")
    deadline = time.monotonic() + 100
    done = landcover("report", "--aoi", "aoi-1", "--year", "2021", "--out", report, *at)
    if done.returncode:  # it is summarised with the next tick
        assert "no summary of AOI 'aoi-1' for 2021; nothing is summarised there yet" in done.stderr, done.stderr
        while "/report/aoi-1/2021" not in requests.get(pages, timeout=60).text:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        done = landcover("report", "--aoi", "aoi-1", "--year", "2021", "--out", report, *at)
    assert done.returncode == 0, done.stderr
    assert report.stat().st_size > 10_000
    refused(
        landcover("report", "--aoi", "nosuch", "--year", "2021", "--out", report, *at), "'nosuch'", "there are aoi-1"
    )
    refused(landcover("report", "--aoi", "aoi-1", "--year", "1999", "--out", report, *at), "of that area there is 2021")
    refused(landcover("doctor", "--aoi", "nosuch", *at), "not registered: nosuch")
    assert "aoi-1 v1: 1 measured" in landcover("doctor", "--aoi", "aoi-1", *at).stdout
    refused(landcover("run", "--aois", aois, "--scenes", scenes, "--out", folder / "s"), "serve is running")
    listed = requests.get(pages, timeout=60)
    assert 'href="/report/aoi-1/2021"' in listed.text
    page = requests.get(f"{pages}/report/aoi-1/2021", timeout=60)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "aoi-1" in page.text
    missing = requests.get(f"{pages}/report/nosuch/2021", timeout=60)
    assert (missing.status_code, "there are aoi-1" in missing.text) == (404, True)
    elsewhere = requests.get(pages, headers={"Host": "stranger.example"}, timeout=60)
    assert elsewhere.status_code == 403
