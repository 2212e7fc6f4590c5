"""What became what between two years, against areas and patches computed without the project's code."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import rasterio
from scipy.ndimage import label as numbered
from shapely import Polygon
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from local.earth_engine.server import EarthEngineServer
from shared.aois.aoi import Aoi
from shared.aois.geometry import ellipsoidal_area_m2
from shared.change.transitions import LEAST_MOVES, transitions
from shared.earth_engine.listing import list_overpasses
from shared.earth_engine.transitions import measure_transitions
from shared.measurement.areas import Areas, disagreement
from shared.measurement.budgets import transition_budget
from shared.measurement.jobs import Job, measure_jobs
from shared.measurement.overpasses import overpasses_over
from shared.settings import Settings
from tests.scenes import CLASS_NAMES, independent_cells, write_scene

Served = tuple[Path, Settings, EarthEngineServer]
ORIGIN, SIDE = (709_000.0, 5_000_000.0), 120
AREA = Polygon([(125.6585, 45.1145), (125.6695, 45.1150), (125.6690, 45.1215), (125.6580, 45.1212)])


def measured(served: Served, polygon: BaseGeometry, stamps: list[str]) -> Areas:
    """The areas of one pair of years as Earth Engine has them, with weights of 8 bits."""
    _, settings, _ = served
    aoi = Aoi("a", 1, ellipsoidal_area_m2(polygon), dict(mapping(polygon)))
    images = list_overpasses(settings, stamps, dict(mapping(polygon)))
    job = Job("a|2018|2020", aoi, overpasses_over(aoi, images), with_probabilities=True)
    batches = measure_jobs([job], partial(measure_transitions, settings), transition_budget(settings))
    ((_, areas),) = [done for batch in batches for done in batch.done]
    assert disagreement(areas, aoi) is None
    return areas


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


def write_probabilities(folder: Path, stamp: str, probabilities: np.ndarray, hidden: np.ndarray) -> None:
    path = write_scene(folder, f"{stamp}_{stamp}_T51TYL", crs="EPSG:32651", origin=ORIGIN, shape=hidden.shape)
    with rasterio.open(path, "r+") as dataset:
        for number, band in enumerate([*probabilities, probabilities.argmax(0)], 1):
            assert dataset.descriptions[number - 1] == [*CLASS_NAMES, "label"][number - 1]
            dataset.write(np.where(hidden, dataset.nodata, band).astype(np.float32), number)
