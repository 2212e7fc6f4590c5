"""Which pairs of years are asked for together, how many requests they take, and the rows that they become."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from shapely import box
from shapely.geometry import mapping

from shared.aois.aoi import Aoi
from shared.aois.geometry import ellipsoidal_area_m2
from shared.change.pairing import (
    key_of,
    pairs_of_years,
    transition_jobs,
    transition_requests,
    transition_row,
    transition_windows,
)
from shared.change.transitions import LEAST_MOVES, QUIET_SHARE, UNSEEN_CODE, code, later_class, transitions
from shared.classes import CLASS_NAMES
from shared.geometry.cells import slices
from shared.imagery.images import SceneImage
from shared.measurement.areas import Areas
from shared.measurement.budgets import transition_budget
from shared.measurement.jobs import REQUESTS_PER_INVOCATION, measure_jobs
from shared.measurement.overpasses import overpasses_by_aoi
from shared.measurement.pieces import Piece
from shared.messages.bodies import TransitionRef
from shared.settings import Settings
from shared.warehouse.files import sql

SETTINGS = Settings(project="some-project")
FOOTPRINT = dict(mapping(box(124.9, 44.9, 125.9, 45.9)))
# A hundred squares of 1 km² that lie together.
SQUARES = [
    box(125.2 + x / 79, 45.2 + y / 111.2, 125.2 + (x + 1) / 79, 45.2 + (y + 1) / 111.2)
    for x in range(10)
    for y in range(10)
]
AOIS = {
    f"n{number}": Aoi(f"n{number}", 1, ellipsoidal_area_m2(square), dict(mapping(square)))
    for number, square in enumerate(SQUARES)
}


def images(year: int, passes: int, bands: tuple[str, ...] = (*CLASS_NAMES, "label")) -> list[SceneImage]:
    stamps = [datetime(year, 1, 1, 2, 31, 11, tzinfo=UTC) + timedelta(days=5 * n) for n in range(passes)]
    return [
        SceneImage(
            image_id=f"{stamp:%Y%m%dT%H%M%S}_{stamp:%Y%m%dT%H%M%S}_T51TYL",
            version_us=1,
            footprint=FOOTPRINT,
            crs="EPSG:32651",
            bands=bands,
        )
        for stamp in stamps
    ]


def stale(aoi: Aoi, kind: str, from_year: int, to_year: int, passes: int) -> dict[str, Any]:
    return {
        "aoi_id": aoi.aoi_id,
        "aoi_version": 1,
        "year": to_year,
        "compared_with": kind,
        "from_year": from_year,
        "to_year": to_year,
        "overpass_count": 2 * passes,
        "area_m2": aoi.area_m2,
        "geometry_bytes": 200,
        "cell": 1,
    }


def test_a_year_of_a_hundred_areas_that_lie_together_takes_eight_requests() -> None:
    """Listings of images counted. With 60 passes a year, as many as clear places have where no orbits overlap."""
    passes = 60
    listed = [image for year in (2020, 2022, 2023) for image in images(year, passes)]
    overpasses = overpasses_by_aoi(list(AOIS.values()), listed)
    rows = [stale(aoi, "previous", 2022, 2023, passes) for aoi in AOIS.values()]
    rows += [stale(aoi, "baseline", 2020, 2023, passes) for aoi in AOIS.values()]
    requests = 0
    done = []

    def counted(pieces: Sequence[Piece]) -> dict[str, Areas]:
        nonlocal requests
        requests += 1
        areas = AOIS["n0"].area_m2
        return {
            piece.key: Areas(areas, areas, dict.fromkeys(range(9), areas / 9), None, {0: areas}) for piece in pieces
        }

    for message in transition_requests(rows, SETTINGS):
        windows = list(transition_windows(message.transitions, list(AOIS.values())))
        requests += sum(len(list(slices(*window))) for window in windows)
        jobs = list(transition_jobs(message.transitions, AOIS, overpasses))
        before = requests
        for batch in measure_jobs(jobs, counted, transition_budget(SETTINGS)):
            assert not batch.handed_on
            done += [job.key for job, _ in batch.done]
        assert requests - before <= REQUESTS_PER_INVOCATION
    assert sorted(done) == sorted(key_of(TransitionRef.model_validate(row)) for row in rows)
    assert requests <= 8


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({2021}, []),
        ({2019, 2020}, [(2020, "previous", 2019)]),
        ({2020, 2021}, [(2021, "previous", 2020)]),
        ({2020, 2022, 2023}, [(2022, "previous", 2020), (2023, "baseline", 2020), (2023, "previous", 2022)]),
        ({2017, 2019, 2020}, [(2017, "baseline", 2020), (2019, "previous", 2017), (2020, "previous", 2019)]),
        ({2021, 2022}, [(2022, "previous", 2021)]),
    ],
)
def test_years_are_compared_with_the_last_seen_and_with_the_baseline(
    seen: set[int], expected: list[tuple[int, str, int]]
) -> None:
    assert list(pairs_of_years(seen, 2020)) == expected
    assert list(pairs_of_years(seen, 0)) == [each for each in expected if each[1] == "previous"]


def test_years_far_apart_are_listed_apart() -> None:
    refs = [
        TransitionRef(aoi_id="n0", aoi_version=1, year=y, compared_with="baseline", from_year=2017, to_year=y)
        for y in (2022, 2023)
    ]
    windows = list(transition_windows(refs, [AOIS["n0"]]))
    assert [(w.start.date().isoformat(), w.end.date().isoformat()) for w in windows] == [
        ("2017-01-01", "2018-01-02"),
        ("2022-01-01", "2024-01-02"),
    ]


def test_a_pair_of_which_a_year_has_no_image_is_no_job() -> None:
    ref = TransitionRef(aoi_id="n0", aoi_version=1, year=2023, compared_with="previous", from_year=2022, to_year=2023)
    for years, count in (((2022, 2023), 1), ((2023,), 0), ((2021, 2022), 0)):
        listed = [image for year in years for image in images(year, 2)]
        jobs = list(transition_jobs([ref], AOIS, overpasses_by_aoi([AOIS["n0"]], listed)))
        assert len(jobs) == count
        assert {overpass.overpass_id[:4] for job in jobs for overpass in job.overpasses} == (
            {"2022", "2023"} if count else set()
        )


@pytest.mark.parametrize("bands", [(*CLASS_NAMES, "label"), ("label",)])
def test_a_row_has_81_cells_as_shares_of_the_registered_area(bands: tuple[str, ...]) -> None:
    aoi = AOIS["n0"]
    ref = TransitionRef(aoi_id="n0", aoi_version=1, year=2023, compared_with="previous", from_year=2022, to_year=2023)
    listed = [*images(2022, 2), *images(2023, 3, bands)]
    (job,) = transition_jobs([ref], AOIS, overpasses_by_aoi([aoi], listed))
    coded = {code(1, 1, 0): 0.5, code(1, 7, 0): 0.05, code(1, 7, 2): 0.1, code(1, 7, 4): 0.2, code(8, 0, 1): 0.05}
    measured = 1.01 * aoi.area_m2
    areas = Areas(measured, 0.9 * measured, {}, None, {of: share * measured for of, share in coded.items()})
    row = transition_row(job, ref, areas, datetime(2024, 1, 3, tzinfo=UTC))
    assert (row["from_overpass_count"], row["to_overpass_count"]) == (2, 3)
    assert row["seen_in_both_m2"] == pytest.approx(0.9 * aoi.area_m2)
    assert (row["aoi_area_m2"], row["measured_aoi_area_m2"]) == (aoi.area_m2, measured)
    assert [(c["from_class_id"], c["to_class_id"]) for c in row["cells"]] == [
        (a, b) for a in range(9) for b in range(9)
    ]
    cell = row["cells"][1 * 9 + 7]
    assert (cell["from_class_name"], cell["to_class_name"]) == ("trees", "bare")
    assert cell["mapped_area_m2"] == pytest.approx(0.35 * aoi.area_m2)
    supported = [cell[f"supported_{n}_area_m2"] for n in (15, 20, 25, 30)]
    expected = [0.3, 0.3, 0.2, 0.2]
    assert supported == ([None] * 4 if bands == ("label",) else pytest.approx([s * aoi.area_m2 for s in expected]))
    assert len(row["image_ids"]) == 5


def test_codes_are_all_different_and_know_the_later_class() -> None:
    everything = [(a, b, n) for a in range(9) for b in range(9) for n in range(len(LEAST_MOVES) + 1)]
    codes = [code(*each) for each in everything]
    assert sorted(codes) == list(range(UNSEEN_CODE))
    assert [later_class(of) for of in codes] == [b for _, b, _ in everything]
    found = transitions(dict.fromkeys(codes, 1.0), with_probabilities=True)
    assert {t.mapped_m2 for t in found} == {5.0}
    assert {t.supported_m2 for t in found} == {(4.0, 3.0, 2.0, 1.0)}


def test_the_view_chooses_as_the_rule_says() -> None:
    text = sql("views", "report_transitions", dataset="")
    chosen = re.findall(r"WHEN supported_(\d+)_area_m2 < (0\.\d+) \* aoi_area_m2 THEN (0\.\d+)", text)
    assert [(float(quiet), int(column), float(move)) for column, quiet, move in chosen] == [
        (QUIET_SHARE, round(100 * move), move) for move in LEAST_MOVES[:-1]
    ]
    assert f"ELSE {LEAST_MOVES[-1]}" in text
