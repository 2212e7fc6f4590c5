"""What became what between two years, against areas and patches computed without the project's code."""

import json
from collections import Counter
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from scipy.ndimage import label as numbered
from shapely import Polygon
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from local.earth_engine.server import EarthEngineServer
from local.stack import Stack
from shared.aois.aoi import Aoi
from shared.aois.geometry import ellipsoidal_area_m2
from shared.change.transitions import LEAST_MOVES, transitions
from shared.earth_engine.listing import list_overpasses
from shared.earth_engine.transitions import measure_transitions
from shared.measurement.areas import Areas, disagreement
from shared.measurement.budgets import Budget, transition_budget
from shared.measurement.jobs import REQUESTS_PER_INVOCATION, Job, measure_jobs
from shared.measurement.overpasses import overpasses_over
from shared.messages.bodies import Progress
from shared.settings import Settings
from tests.scenes import CLASS_NAMES, independent_cells, write_scene
from tests.stacks import event, feature, register, rows, settle, signed_post, start_stack

Served = tuple[Path, Settings, EarthEngineServer]
ORIGIN, SIDE = (709_000.0, 5_000_000.0), 120
AREA = Polygon([(125.6585, 45.1145), (125.6695, 45.1150), (125.6690, 45.1215), (125.6580, 45.1212)])


def measured(served: Served, polygon: BaseGeometry, stamps: list[str], budget: Budget | None = None) -> Areas:
    """The areas of one pair of years as Earth Engine has them, with weights of 8 bits; as many messages as it takes."""
    _, settings, _ = served
    aoi = Aoi("a", 1, ellipsoidal_area_m2(polygon), dict(mapping(polygon)))
    images = list_overpasses(settings, stamps, dict(mapping(polygon)))
    job = Job("a|2018|2020", aoi, overpasses_over(aoi, images), with_probabilities=True)
    measure, limits, progress = partial(measure_transitions, settings), budget or transition_budget(settings), None
    while True:
        batches = list(measure_jobs([job], measure, limits, progress=progress))
        if done := [areas for batch in batches for _, areas in batch.done]:
            assert disagreement(done[0], aoi) is None
            return done[0]
        (handed_on,) = [work for batch in batches for work in batch.handed_on]
        assert handed_on.progress
        progress = Progress.model_validate_json(handed_on.progress.model_dump_json())


def test_the_matrix_of_two_real_years_is_met(earth_engine: Served, shared_data: Path) -> None:
    """Rasters of 2018 and 2020 that the real service made, labels only: every cell within 2 ppm of the area."""
    boundary = shared_data / "c_area_tables/western_ghats_whole/western_ghats_boundary_20250928_203521.geojson"
    polygon = shape(json.loads(boundary.read_text(encoding="utf-8"))["features"][0]["geometry"])
    stamps, labels, path = [], [], None
    for year in (2018, 2020):
        source = shared_data / f"a_dynamic_world/western_ghats_patch/western_ghats_built_{year}.tif"
        stamps.append(f"{year}0115T053111")
        with rasterio.open(source) as dataset:
            labels.append(dataset.read(dataset.descriptions.index("full_classification") + 1))
            path = earth_engine[0] / f"{stamps[-1]}_{stamps[-1]}_T43PDN.tif"
            with rasterio.open(path, "w", **{**dataset.profile, "count": 1}) as copy:
                copy.write(labels[-1], 1)
    areas = measured(earth_engine, polygon, stamps)
    assert path is not None
    cells = independent_cells(path, polygon, eight_bit=True)
    was, became = (label[cells.rows, cells.columns].astype(int) for label in labels)
    truth = np.bincount(was * 9 + became, weights=cells.areas_m2, minlength=81)
    found = transitions(areas.transition_m2 or {}, with_probabilities=False)
    assert [t.mapped_m2 for t in found] == pytest.approx(truth, abs=2e-6 * areas.aoi_m2)
    assert 0.06 < 1 - sum(t.mapped_m2 for t in found if t.from_class == t.to_class) / areas.valid_m2 < 0.07
    assert all(t.supported_m2 is None for t in found), "labels say nothing of how sure they are"


def test_supported_is_what_moved_in_patches_of_half_a_hectare(earth_engine: Served, tmp_path: Path) -> None:
    """Two years of three passes with clouds; for each Δ the patches are those of scipy, areas those of exactextract."""
    random, stamps, means = np.random.default_rng(8), [], []
    steady = random.dirichlet(np.full(9, 0.3), (SIDE // 12, SIDE // 12)).repeat(12, 0).repeat(12, 1)
    moved = random.dirichlet(np.full(9, 0.3), (SIDE // 8, SIDE // 8)).repeat(8, 0).repeat(8, 1)
    for year, share in ((2021, 0.0), (2023, 0.8)):
        views = []
        for month in (2, 6, 9):
            stamps.append(f"{year}{month:02d}04T023111")
            noise = random.dirichlet(np.full(9, 0.3), (SIDE, SIDE))
            probabilities = np.moveaxis(0.8 * ((1 - share) * steady + share * moved) + 0.2 * noise, 2, 0)
            hidden = (random.random((SIDE // 6, SIDE // 6)) < 0.4).repeat(6, 0).repeat(6, 1)
            write_probabilities(earth_engine[0], stamps[-1], probabilities.astype(np.float32), hidden)
            views.append(np.ma.masked_array(probabilities.astype(np.float32), [hidden] * 9))
        means.append(np.ma.stack(views).mean(0).filled(np.nan))
    areas = measured(earth_engine, AREA, stamps)

    seen = ~np.isnan(means).any((0, 1))
    assert 0.85 < areas.valid_m2 / areas.aoi_m2 < 0.99, "clouds hid some pixels in all passes of a year"
    before, after = (np.where(seen, mean, 1 / 9) for mean in means)
    was, became = before.argmax(0), after.argmax(0)
    rows, columns = np.indices(seen.shape)
    fell = (before - after)[was, rows, columns]
    rose = (after - before)[became, rows, columns]
    grid = write_scene(tmp_path, "grid", crs="EPSG:32651", origin=ORIGIN, shape=(SIDE, SIDE))
    cells = independent_cells(grid, AREA, eight_bit=True)

    def by_pair(chosen: np.ndarray) -> np.ndarray:
        kept = chosen[cells.rows, cells.columns]
        pairs = (was * 9 + became)[cells.rows, cells.columns]
        return np.bincount(pairs[kept], weights=cells.areas_m2[kept], minlength=81)

    found = transitions(areas.transition_m2 or {}, with_probabilities=True)
    tolerance_m2 = 1e-6 * areas.aoi_m2
    assert [t.mapped_m2 for t in found] == pytest.approx(by_pair(seen), abs=tolerance_m2)
    shares = []
    for number, least in enumerate(LEAST_MOVES):
        patches, _ = numbered(seen & (was != became) & (np.minimum(fell, rose) >= least))
        sizes = np.bincount(patches.ravel())
        large = (sizes >= 50) & (np.arange(len(sizes)) > 0)  # a pixel here has 100.03 m²
        supported = [t.supported_m2[number] for t in found if t.supported_m2]
        assert supported == pytest.approx(by_pair(large[patches]), abs=tolerance_m2), f"Δ {least}"
        shares.append(sum(supported) / areas.aoi_m2)
        assert sum(supported) < sum(by_pair(patches > 0)), "some patches are too small"
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 2 * shares[-1] > 0, "each Δ matters"

    requests = len(earth_engine[2].app.clock)
    pieces = measured(earth_engine, AREA, stamps, Budget(50, 1_000, 6 * 1_000, 1_000_000))
    assert len(earth_engine[2].app.clock) - requests > 1 + REQUESTS_PER_INVOCATION, "more than one message's worth"
    for whole, cut in zip(found, transitions(pieces.transition_m2 or {}, with_probabilities=True), strict=True):
        assert cut.mapped_m2 == pytest.approx(whole.mapped_m2, abs=1e-4 * areas.aoi_m2)
        assert cut.supported_m2 == pytest.approx(whole.supported_m2, abs=1e-4 * areas.aoi_m2), "no patch is cut"


def write_probabilities(folder: Path, stamp: str, probabilities: np.ndarray, hidden: np.ndarray) -> None:
    path = write_scene(folder, f"{stamp}_{stamp}_T51TYL", crs="EPSG:32651", origin=ORIGIN, shape=hidden.shape)
    with rasterio.open(path, "r+") as dataset:
        for number, band in enumerate([*probabilities, probabilities.argmax(0)], 1):
            assert dataset.descriptions[number - 1] == [*CLASS_NAMES, "label"][number - 1]
            dataset.write(np.where(hidden, dataset.nodata, band).astype(np.float32), number)


TREES, GRASS, CROPS, BARE = 1, 2, 4, 7
CLEARING = np.zeros((SIDE, SIDE), dtype=bool)
CLEARING[30:50, 20:35] = True
STUMP = np.zeros((SIDE, SIDE), dtype=bool)
STUMP[60:66, 40:46] = True  # 36 pixels: less than half a hectare
LAST_DAY = date(2023, 12, 31)


def write_years(folder: Path) -> dict[str, Path]:
    """Three passes in each of four years: forest and crops, of which some flicker from year to year; from 2022 on a
    clearing, from 2023 on a small one too. Returns paths by stamp.
    """
    random, written = np.random.default_rng(4), {}
    for year in (2020, 2021, 2022, 2023):
        flicker = (random.random((SIDE // 4, SIDE // 4)) < 0.03).repeat(4, 0).repeat(4, 1)
        for month in (3, 6, 9):
            labels = np.full((SIDE, SIDE), TREES)
            labels[:, 70:] = CROPS
            labels[flicker] = GRASS
            labels[(year >= 2022) & CLEARING] = BARE
            labels[(year >= 2023) & STUMP] = BARE
            spots = (random.random((SIDE // 4, SIDE // 4)) < 0.1).repeat(4, 0).repeat(4, 1)
            labels[spots] = random.integers(0, 9, (SIDE // 4, SIDE // 4)).repeat(4, 0).repeat(4, 1)[spots]
            stamp = f"{year}{month:02d}04T023111"
            name = f"{stamp}_{stamp}_T51TYL"
            written[stamp] = write_scene(folder, name, crs="EPSG:32651", origin=ORIGIN, labels=labels)
    return written


def compute(stack: Stack) -> None:
    """Composites, and what became what between them, as scheduled."""
    for job in ("composite", "transition"):
        stack.tick(job, run_date=LAST_DAY)
        settle(stack)


def current(stack: Stack) -> list[dict[str, Any]]:
    """What is current, without what tells when and from which version of an outline it was made."""
    versions = {(row["aoi_id"], row["aoi_version"]) for row in rows(stack, "aois")}
    found = rows(stack, "transitions_current", "aoi_id, to_year, from_year")
    kept = [row for row in found if (row["aoi_id"], row["aoi_version"]) in versions]
    return [{k: v for k, v in row.items() if k not in {"aoi_version", "processed_at"}} for row in kept]


def test_late_images_a_new_outline_and_a_deletion_leave_what_computing_it_at_once_would(tmp_path: Path) -> None:
    """A year that comes late, what is reprocessed, a larger area, one that goes; then the matrix, its margins, the file."""
    half = Polygon([(125.6585, 45.1145), (125.664, 45.1145), (125.664, 45.1215), (125.6585, 45.1215)])
    ends = []
    for name in ("at once", "in pieces"):
        folder = tmp_path / name
        folder.mkdir()
        with start_stack(folder, discover_window_days="1500") as stack:
            written = write_years(folder / "scenes")
            areas = {"a": AREA, "b": half}
            if name == "in pieces":
                late = [path.rename(folder / path.name) for stamp, path in written.items() if stamp[:4] == "2021"]
                reprocessed = written["20220604T023111"]
                final = reprocessed.read_bytes()
                write_scene(reprocessed.parent, reprocessed.stem, crs="EPSG:32651", origin=ORIGIN, shape=(SIDE, SIDE))
                register(
                    stack, *(feature(a, dict(mapping(half)), backfill_start="2020-01-01") for a in ("a", "b", "c"))
                )
                compute(stack)
                pairs = {(row["aoi_id"], row["from_year"], row["to_year"]) for row in current(stack)}
                assert pairs == {(a, *pair) for a in "abc" for pair in ((2020, 2022), (2022, 2023), (2020, 2023))}
                for path in late:
                    path.rename(folder / "scenes" / path.name)
                reprocessed.write_bytes(final)
                stack.tick("discover", run_date=LAST_DAY)
                settle(stack)
                gone = event("aoi.deleted", {"aoi_id": "c"})
                assert signed_post(stack.webhook_url, stack.webhook_secret, gone, "gone").status_code == 202
                register(stack, feature("a", dict(mapping(AREA)), backfill_start="2020-01-01"), webhook_id="grown")
            else:
                register(stack, *(feature(a, dict(mapping(g)), backfill_start="2020-01-01") for a, g in areas.items()))
            compute(stack)
            ends.append(current(stack))
            if name == "at once":
                check_report(stack, next(iter(written.values())))
                appended = len(rows(stack, "transitions"))
                compute(stack)
                assert len(rows(stack, "transitions")) == appended, "nothing new, nothing asked"
    versions = [[row.pop("image_versions") for row in end] for end in ends]
    assert [len(of) for of in versions[0]] == [len(of) for of in versions[1]]
    assert [(r["aoi_id"], r["from_year"], r["to_year"], r["compared_with"]) for r in ends[0]] == [
        (aoi_id, from_year, to_year, kind)
        for aoi_id in "ab"
        for from_year, to_year, kind in (
            (2020, 2021, "previous"),
            (2020, 2022, "baseline"),
            (2021, 2022, "previous"),
            (2020, 2023, "baseline"),
            (2022, 2023, "previous"),
        )
    ]
    assert ends[0] == ends[1]


def check_report(stack: Stack, grid: Path) -> None:
    """Margins are those of the annual composites; the clearing is supported, in its years, and nothing else is."""
    composites = {
        (row["aoi_id"], row["period_start"].year): {c["class_id"]: c["settled_area_m2"] for c in row["classes"]}
        for row in rows(stack, "composites_current")
        if row["period"] == "year"
    }
    for row in current(stack):
        for side in ("from", "to"):
            margin = Counter[int]()
            for cell in row["cells"]:
                margin[cell[f"{side}_class_id"]] += cell["mapped_area_m2"]
            expected = composites[row["aoi_id"], row[f"{side}_year"]]
            assert margin == pytest.approx(expected, abs=1e-6 * row["aoi_area_m2"])
        assert len(row["cells"]) == 81
        assert (row["from_overpass_count"], row["to_overpass_count"]) == (3, 3)

    report = [row for row in rows(stack, "report_transitions") if row["aoi_id"] == "a"]
    cells = independent_cells(grid, AREA)
    cleared_ha = cells.areas_m2[CLEARING[cells.rows, cells.columns]].sum() / 10_000
    supported = Counter[tuple[int, int]]()
    for row in report:
        supported[row["from_year"], row["to_year"]] += row["supported_area_ha"]
    assert {pair for pair, area_ha in supported.items() if area_ha} == {(2021, 2022), (2020, 2022), (2020, 2023)}
    found = [area_ha / cleared_ha for area_ha in supported.values() if area_ha]
    assert 0.85 < min(found) <= max(found) < 1.02, "less what errs in two of three passes, and what errs beside it"
    to_bare = sum(
        r["supported_area_ha"] for r in report if (r["from_class_name"], r["to_class_name"]) == ("trees", "bare")
    )
    assert to_bare > 0.9 * sum(supported.values()), "of the rest flicker had made grass before"
    for row in report:
        assert (row["alike_from_year"], row["alike_to_year"]) != (2021, 2022), "the clearing is in it"
        assert (row["least_move"], row["calibrated"]) == (0.15, True)
        assert row["seen_in_both_share"] == pytest.approx(1)
    differing = [r for r in report if r["from_class_id"] != r["to_class_id"] and r["to_year"] - r["from_year"] == 1]
    alike = [r for r in differing if (r["from_year"], r["to_year"]) == (r["alike_from_year"], r["alike_to_year"])]
    assert all(row["mapped_area_ha"] == row["alike_mapped_area_ha"] for row in alike)
    assert 0 < sum(row["mapped_area_ha"] for row in alike) * 3 <= sum(row["mapped_area_ha"] for row in differing)

    exported = stack.warehouse.query("export_transitions")
    assert len(exported) == 2 * 5 * 81
    assert exported[0]["from_period"] == "2020"
