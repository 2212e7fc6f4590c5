"""A sample from composites of the embedded stack to areas in its warehouse, by the command line."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from shapely import box
from shapely.geometry import mapping
from typer.testing import CliRunner

from local.cli import app
from local.runs.workspace import remember
from shared.errors import UserInputError
from tests.scenes import CLASS_NAMES, write_scene
from tests.stacks import feature, register, rows, start_stack

IMAGES = ("20200703T023111_20200703T023105_T51TYL", "20210703T023111_20210703T023105_T51TYL")
HERE = dict(mapping(box(125.661, 45.105, 125.675, 45.115)))
ORIGIN = (709_000, 5_000_000)
TREES, CROPS, BARE = 1, 4, 7


def ground(year: int) -> np.ndarray:
    """Trees in the west, crops in the east; by 2021 a clearing of 20 × 20 pixels in the forest."""
    labels = np.full((200, 200), TREES)
    labels[:, 90:] = CROPS
    if year == 2021:
        labels[120:140, 50:70] = BARE
    return labels


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("accuracy")
    with start_stack(folder) as stack:
        for image_id in IMAGES:
            year = int(image_id[:4])
            write_scene(folder / "scenes", image_id, crs="EPSG:32651", origin=ORIGIN, labels=ground(year))
        register(stack, feature("field", HERE, name="Field"))
    remember(folder / "out", folder / "scenes")
    return folder / "out"


def sampled(out: Path, folder: Path, *more: str) -> dict[str, object]:
    command = ["accuracy", "sample", "--aoi", "field", "--year", "2021", "--out", str(folder), "--warehouse", str(out)]
    found = CliRunner().invoke(app, [*command, *more], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    design: dict[str, object] = json.loads((folder / "sample.json").read_text())
    return design


def answer(folder: Path, answers: dict[str, object]) -> Path:
    """Play the interpreter: the same answer for every point of a stratum, by its code."""
    table = list(csv.DictReader((folder / "points.csv").open()))
    for row in table:
        row.update(answers[row["stratum"]])  # type: ignore[call-overload]
    with (folder / "points.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    return folder / "points.csv"


def test_from_a_composite_to_unbiased_areas(out: Path, tmp_path: Path) -> None:
    """The interpreter sees crops wherever the map says bare: 4 ha more of them than mapped, none bare."""
    design = sampled(out, tmp_path, "--points", "200")
    strata = {s["name"]: s for s in design["strata"]}  # type: ignore[attr-defined]
    assert strata["bare"]["area_m2"] == pytest.approx(40_000, rel=2e-3), "400 pixels of 10 m, on the ellipsoid"
    for point in design["points"]:  # type: ignore[attr-defined]
        assert strata[CLASS_NAMES[point["map_class_id"]]]["code"] == point["stratum"]
    answers = {s["code"]: {"reference_class": "crops" if n == "bare" else n} for n, s in strata.items()}
    path = answer(tmp_path, answers)
    command = ["accuracy", "estimate", "--sample", str(path), "--warehouse", str(out)]
    told = CliRunner().invoke(app, command, catch_exceptions=False)
    assert "Error matrix" in told.output
    with start_stack(out.parent) as stack:
        areas = {row["class_name"]: row for row in rows(stack, "report_areas")}
        points = rows(stack, "reference_points")
    assert len(points) == 200
    crops = (strata["crops"]["area_m2"] + strata["bare"]["area_m2"]) / 10_000
    assert areas["crops"]["estimated_area_ha"] == pytest.approx(crops)
    assert areas["crops"]["mapped_area_ha"] == pytest.approx(strata["crops"]["area_m2"] / 10_000)
    assert (areas["bare"]["estimated_area_ha"], areas["bare"]["users_accuracy"]) == (0, 0)
    assert (areas["trees"]["half_width_ha"], areas["trees"]["aoi_label"]) == (0, "Field")
    assert len(areas) == 9
    again = sampled(out, tmp_path / "next")
    assert again["sample_id"] != design["sample_id"]


def test_change_between_two_years(out: Path, tmp_path: Path) -> None:
    design = sampled(out, tmp_path, "--strata", "change", "--from-year", "2020")
    strata = {s["name"]: s for s in design["strata"]}  # type: ignore[attr-defined]
    assert strata.keys() == {"supported change", "rest"}
    assert strata["supported change"]["area_m2"] == pytest.approx(40_000, rel=2e-3)
    kept = {"reference_class_from": "trees", "reference_class_to": "trees"}
    gone = kept | {"reference_class_to": "bare", "changed_on": "2021-05"}
    path = answer(tmp_path, {s["code"]: kept if n == "rest" else gone for n, s in strata.items()})
    command = ["accuracy", "estimate", "--sample", str(path), "--warehouse", str(out), "--no-record"]
    told = CliRunner().invoke(app, command, catch_exceptions=False)
    assert "trees → bare" in told.output
    assert "4.0 ± 0.0" in told.output


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["--aoi", "nobody", "--year", "2021"], "AOI 'nobody' is not registered"),
        (["--aoi", "field", "--year", "2019"], "no Dynamic World image of 2019"),
        (["--aoi", "field", "--year", "2021", "--points", "60"], "60 points are too few for 3 strata"),
        (["--aoi", "field", "--year", "2021", "--from-year", "2020"], "with --strata change"),
    ],
)
def test_what_cannot_be_sampled_is_said(out: Path, tmp_path: Path, command: list[str], words: str) -> None:
    whole = ["accuracy", "sample", *command, "--out", str(tmp_path / "s"), "--warehouse", str(out)]
    found = CliRunner().invoke(app, whole)
    assert isinstance(found.exception, UserInputError)
    assert words in str(found.exception)


def test_a_sample_of_an_older_version_is_refused(out: Path, tmp_path: Path) -> None:
    design = sampled(out, tmp_path)
    answer(tmp_path, {s["code"]: {"reference_class": "trees"} for s in design["strata"]})  # type: ignore[attr-defined]
    with start_stack(out.parent) as stack:
        moved = dict(mapping(box(125.661, 45.105, 125.674, 45.115)))
        register(stack, feature("field", moved), webhook_id="msg_2")
    command = ["accuracy", "estimate", "--sample", str(tmp_path / "points.csv"), "--warehouse", str(out)]
    found = CliRunner().invoke(app, command)
    assert isinstance(found.exception, UserInputError)
    assert "of version 1 of AOI 'field', which is at version 2 now" in str(found.exception)
