"""Reference samples: the published example, how often intervals hold, strata and points, and what is refused."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine

from benchmarks.accuracy import coverage
from local.accuracy.allocation import USERS_ACCURACY, allocated, points_for
from local.accuracy.areas import estimate
from local.accuracy.design import Design, read_design
from local.accuracy.drawing import Asked, draw
from local.accuracy.estimates import Sample, careful, mean, ratio
from local.accuracy.files import write_sample
from local.accuracy.interpreted import Reference, read_interpreted
from local.accuracy.maps import NOT_SEEN, Part, YearMap
from local.accuracy.strata import change_strata, class_strata
from shared.aois.aoi import Aoi
from shared.classes import CLASS_NAMES
from shared.errors import UserInputError

# Olofsson et al. 2014 (doi 10.1016/j.rse.2014.02.015), section 5: rows are the map's classes, columns the reference's.
COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000])


def published() -> tuple[Sample, np.ndarray, np.ndarray]:
    mapped, reference = (np.repeat(side.ravel(), COUNTS.ravel()) for side in np.indices(COUNTS.shape))
    return Sample(mapped, PIXELS / PIXELS.sum(), PIXELS), mapped, reference


def test_the_published_example_is_met_to_every_printed_digit() -> None:
    sample, mapped, reference = published()
    hectares = PIXELS.sum() * 0.09
    areas = [mean(sample, (reference == c).astype(float)) for c in range(4)]
    assert [(round(a.value * hectares), round(a.half_width * hectares)) for a in areas] == [
        (21_158, 6_158),
        (11_686, 3_756),
        (285_770, 15_510),
        (581_386, 16_282),
    ]
    right = (mapped == reference).astype(float)
    users = [ratio(sample, right * (mapped == c), (mapped == c).astype(float)) for c in range(4)]
    producers = [ratio(sample, right * (reference == c), (reference == c).astype(float)) for c in range(4)]
    assert [round(u.value, 2) for u in users if u] == [0.88, 0.73, 0.93, 0.96]
    assert [round(u.half_width, 2) for u in users if u] == [0.07, 0.10, 0.04, 0.02]
    assert [round(p.value, 2) for p in producers if p] == [0.75, 0.85, 0.93, 0.96]
    overall = mean(sample, right)
    assert (round(overall.value, 2), round(overall.half_width, 2)) == (0.95, 0.02)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """A hundred samples of each kind; ``python -m benchmarks.accuracy`` takes a thousand."""
    found = coverage(places=4, samples=25)
    strata = [held for name, held in found.items() if name.endswith(", strata")]
    helped = [held for name, held in found.items() if name.endswith(", regression")]
    for kind in (strata, helped):
        assert 0.92 <= sum(h.held for h in kind) / sum(h.of for h in kind) <= 0.98
    assert found["change: with ½"].share >= 0.93
    assert found["change: textbook"].share < 0.93, "which is why there is the other"
    trees = {name.split(", ")[1]: held.half_width for name, held in found.items() if "trees" in name}
    assert trees["regression"] < 0.9 * trees["strata"]


def test_the_careful_interval_by_hand() -> None:
    sample = Sample(np.repeat([0, 1, 2], [100, 50, 4]), np.array([0.9, 0.09, 0.01]), np.array([9000, 900, 4]))
    x = np.zeros(154)
    x[100:108] = 1
    found = careful(sample, x)
    assert found is not None
    p, q = 0.5 / 101, 8.5 / 51
    expected = 0.9**2 * p * (1 - p) / 100 + 0.09**2 * q * (1 - q) / 50
    assert found.standard_error == pytest.approx(expected**0.5), "a stratum that was seen whole has no error"
    assert found.missed_at_most == pytest.approx(3 * 0.9 / 100)
    x[:5] = 1
    assert careful(sample, x) is None


def test_points_for_a_standard_error_and_their_strata() -> None:
    weights = {"trees": 0.5, "crops": 0.3, "shrub_and_scrub": 0.15, "water": 0.05}
    assert points_for(weights, USERS_ACCURACY, 0.02) == pytest.approx(424, abs=2)
    areas = {name: share * 1e6 for name, share in weights.items()}
    pixels = {name: int(area / 100) for name, area in areas.items()}
    assert allocated(424, 0, pixels, areas) == {"trees": 197, "crops": 118, "shrub_and_scrub": 59, "water": 50}
    assert allocated(None, 1, pixels, areas) == dict.fromkeys(weights, 50)
    assert allocated(200, 0, pixels | {"water": 7}, areas)["water"] == 7, "it has no more"
    with pytest.raises(UserInputError, match="199 points are too few for 4 strata: expected 200 or more"):
        allocated(199, 0, pixels, areas)


def test_rare_classes_are_one_stratum_and_ground_not_seen_is_sampled_too() -> None:
    labels = np.repeat([1, 4, 0, 6, NOT_SEEN], [500, 480, 5, 5, 10])
    found = class_strata(labels, np.full(1000, 100.0))
    assert found.names == ["not seen", "trees", "crops", "water or built"]
    assert np.bincount(found.number).tolist() == [10, 500, 480, 10]


def test_strata_of_change() -> None:
    """A patch that moved by 0.2 or more is supported, a smaller one and one that moved by 0.1 are doubtful."""
    before, after = np.full((2, 9, 40, 40), 0.05)
    before[1], after[1] = 0.6, 0.6
    for place, fall, rise in (
        (np.s_[0:10, 0:10], 0.4, 0.5),
        (np.s_[20:24, 20:24], 0.4, 0.5),
        (np.s_[30:40, 0:10], 0.15, 0.5),
    ):
        after[1][place] = 0.6 - fall - (0.25 if fall < 0.2 else 0)
        after[7][place] = 0.05 + rise
    after[1][30:40, 0:10] = 0.45
    labels = before.argmax(0), after.argmax(0)
    labels[1][39, 39] = NOT_SEEN
    labels[1][38, 38] = 5
    found = change_strata(labels, (before, after), np.ones((40, 40), bool), np.full((40, 40), 100.0))
    assert (found[0:10, 0:10] == 0).all()
    assert (found[20:24, 20:24] == 1).all()
    assert (found[30:40, 0:10] == 1).all()
    assert (found[38, 38], found[39, 39], found[39, 20]) == (1, 3, 2)
    assert np.bincount(found.ravel()).tolist() == [100, 117, 1382, 1]
    without = change_strata(labels, None, np.ones((40, 40), bool), np.full((40, 40), 100.0))
    assert set(without[labels[0] != labels[1]].tolist()) == {1, 3}


def small_map(year: int = 2021) -> YearMap:
    labels = np.full((60, 60), 1, np.int8)
    labels[:, 40:] = 4
    labels[:10, :10] = NOT_SEEN
    probabilities = np.full((9, 60, 60), 0.05, np.float32)
    inside, areas = np.ones((60, 60), bool), np.full((60, 60), 100.0)
    part = Part("EPSG:32651", Affine(10, 0, 500_000, 0, -10, 5_000_000), inside, labels, probabilities, areas)
    return YearMap(year, [part], ["image"], [1])


AOI = Aoi("field", 2, 360_000.0, {})


def drawn(seed: int = 1, change: bool = False) -> Design:
    return draw(AOI, small_map(), small_map(2020) if change else None, Asked(None if change else 300, 0.02, seed))


def test_points_are_drawn_by_the_seed_in_an_order_that_says_nothing() -> None:
    design = drawn()
    assert design == drawn()
    assert design.points != drawn(seed=2).points
    assert design.sample_id != drawn(seed=2).sample_id
    assert {s.name: s.points for s in design.strata} == {"trees": 164, "crops": 86, "not seen": 50}
    assert sum(s.weight_m2 * s.points for s in design.strata) == pytest.approx(AOI.area_m2)
    assert len({(p.lon, p.lat) for p in design.points}) == 300
    codes = [p.stratum for p in design.points]
    assert codes != sorted(codes)
    assert len(set(codes[:20])) > 1


def test_no_file_of_the_interpreter_names_a_map_class(tmp_path: Path) -> None:
    write_sample(drawn(), tmp_path)
    for path in tmp_path.iterdir():
        text = path.read_text(encoding="utf-8")
        named = [name for name in ("trees", "crops", "map_class") if name in text]
        assert bool(named) == (path.name == "sample.json"), path.name
    plots = list(csv.DictReader((tmp_path / "collect_earth_online.csv").open()))
    assert list(plots[0])[:3] == ["LON", "LAT", "PLOTID"]
    features = json.loads((tmp_path / "points.geojson").read_text())["features"]
    assert len(plots) == len(features) == 300
    assert (tmp_path / "points.kml").read_text().count("<Placemark>") == 300
    assert read_design(tmp_path / "sample.json") == drawn()


def interpret(folder: Path, design: Design, change: Callable[[list[dict[str, Any]]], Any] = lambda rows: None) -> Path:
    """The points with an answer each, altered by a test."""
    write_sample(design, folder)
    rows = list(csv.DictReader((folder / "points.csv").open()))
    for row in rows:
        for name in row:
            if name.startswith("reference_class"):
                row[name] = "trees"
    rows = change(rows) or rows
    with (folder / "interpreted.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "interpreted.csv"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[:-2], "not complete: 2 of 300 points are missing, such as 299, 300"),
        (lambda rows: rows[0].update(reference_class=" "), "not complete: 1 of 300 points have no class, such as 1"),
        (
            lambda rows: rows[4].update(reference_class="forest"),
            "reference_class of point 5 is 'forest', which is no class",
        ),
        (lambda rows: rows[4].update(reference_class="9"), "is '9', which is no class; expected one of water"),
        (lambda rows: [*rows, rows[6]], "1 points stand there more than once, such as 7"),
        (lambda rows: rows[0].update(point_id="400"), "altered: point 400 was not drawn"),
        (lambda rows: rows[1].update(lon="123.5"), "altered: lon of point 2 is 123.5, drawn was"),
        (lambda rows: rows[1].update(lat=""), "altered: lat of point 2 is empty"),
        (lambda rows: rows[1].update(stratum="Z"), "altered: stratum of point 2 is Z"),
        (lambda rows: rows[1].update(weight_m2="7"), "altered: weight_m2 of point 2 is 7"),
        (lambda rows: rows[1].update(aoi_version="1"), "point 2 is of version 1, the sample of 2"),
        (lambda rows: rows[1].update(period="2020"), "point 2 is of period 2020, the sample of 2021"),
        (lambda rows: rows[1].update(aoi_id="other"), "point 2 is of AOI other, the sample of field"),
        (lambda rows: rows[1].update(sample_id="sample-0"), "point 2 is of sample-0, expected sample-"),
        (lambda rows: [{k: v for k, v in row.items() if k != "lon"} for row in rows], "column lon is missing"),
    ],
)
def test_another_sample_than_was_drawn_is_refused(tmp_path: Path, change: Any, words: str) -> None:
    with pytest.raises(UserInputError) as refused:
        read_interpreted(interpret(tmp_path, drawn(), change), drawn())
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_spreadsheets_rounding_is_no_alteration_and_classes_may_be_numbers(tmp_path: Path) -> None:
    def rounded(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row |= {
                "lon": f"{float(row['lon']):.6f}",
                "weight_m2": f"{float(row['weight_m2']):.2f}",
                "reference_class": "4",
            }

    found = read_interpreted(interpret(tmp_path, drawn(), rounded), drawn())
    assert {r.class_id for r in found} == {4}


def test_a_change_is_dated_within_its_period(tmp_path: Path) -> None:
    design = drawn(change=True)
    path = interpret(tmp_path, design, lambda rows: rows[0].update(reference_class_to="bare", changed_on="2021-05"))
    found = read_interpreted(path, design)
    assert found[0] == Reference(7, 1, "2021-05", None, None)
    result = estimate(design, found)
    assert [(r.quantity, r.from_class_id, r.class_id) for r in result.estimates] == [
        ("change", None, None),
        ("transition", 1, 7),
    ]
    weight = next(s.weight_m2 for s in design.strata if s.code == design.points[0].stratum)
    assert result.estimates[1].share.value * AOI.area_m2 == pytest.approx(weight)
    for wrong in ("2019", "May", "2021-5"):
        path = interpret(tmp_path, design, lambda rows, wrong=wrong: rows[0].update(changed_on=wrong))
        with pytest.raises(UserInputError, match="expected a day, month or year"):
            read_interpreted(path, design)


def test_an_altered_design_is_refused(tmp_path: Path) -> None:
    write_sample(drawn(), tmp_path)
    path = tmp_path / "sample.json"
    document = json.loads(path.read_text())
    document["strata"][0]["area_m2"] *= 1.1
    path.write_text(json.dumps(document))
    with pytest.raises(UserInputError, match="altered after it was drawn"):
        read_design(path)
    with pytest.raises(UserInputError, match=r"expected the sample\.json"):
        read_design(tmp_path / "absent.json")
    path.write_text("[]")
    with pytest.raises(UserInputError, match=r"not a sample\.json"):
        read_design(path)


def test_areas_of_a_sample_whose_strata_are_not_the_classes() -> None:
    """By hand: shares of strata, and interpreted trees in each."""
    design = drawn()
    references = [Reference(1 if p.map_class_id != 4 else 4, None, None, None, None) for p in design.points]
    trees = estimate(design, references).estimates[CLASS_NAMES.index("trees")]
    assert trees.share.value * AOI.area_m2 == pytest.approx(240_000)
    assert trees.mapped_share * AOI.area_m2 == pytest.approx(230_000), "what was not seen is mapped as nothing"
    assert trees.producers is not None
    assert trees.producers.value == pytest.approx(230_000 / 240_000)
