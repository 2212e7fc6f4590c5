"""Measured areas against areas computed without the project's code, on scenes the generator did not make."""

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from shapely import MultiPolygon, Point, Polygon, box, difference
from shapely.affinity import scale
from shapely.geometry import mapping
from shapely.geometry import shape as shape_of
from shapely.geometry.base import BaseGeometry

from local.earth_engine.server import EarthEngineServer
from shared.aois.aoi import Aoi
from shared.aois.geometry import ellipsoidal_area_m2
from shared.earth_engine.expressions import measure_pieces
from shared.earth_engine.listing import list_overpasses
from shared.measurement.areas import Areas, published
from shared.measurement.budgets import observation_budget
from shared.measurement.jobs import Job, measure_jobs
from shared.measurement.overpasses import overpasses_over
from shared.settings import Settings
from tests.scenes import independent_areas, write_scene

OVERPASS = "20210703T023111"
PUBLISHED_COLUMNS = (
    "Water",
    "Trees (incl. plantations)",
    "Grass",
    "Flooded vegetation",
    "Crops",
    "Shrub and scrub",
    "Built",
    "Bare",
    "Snow and ice",
)
Served = tuple[Path, Settings, EarthEngineServer]


def measure(served: Served, polygon: BaseGeometry) -> Areas:
    """The areas as Earth Engine has them, with weights of 8 bits."""
    _, settings, _ = served
    images = list_overpasses(settings, [OVERPASS], dict(mapping(polygon)))
    aoi = registered(polygon)
    job = Job("a", aoi, overpasses_over(aoi, images), with_probabilities=True)
    done = [
        found
        for batch in measure_jobs([job], partial(measure_pieces, settings), observation_budget(settings))
        for found in batch.done
    ]
    ((_, areas),) = done
    return areas


def registered(polygon: BaseGeometry) -> Aoi:
    return Aoi("a", 1, ellipsoidal_area_m2(polygon), dict(mapping(polygon)))


def compare(areas: Areas, polygon: BaseGeometry, exact: dict[str, Any], eight_bit: dict[str, Any]) -> None:
    """As measured against 8-bit weights computed independently; as published against the ellipsoidal truth."""
    compare_areas(areas, eight_bit, 1e-5)
    # a square kilometre or more, a hectare or more, less than that
    size = exact["aoi"]
    assert published(areas, registered(polygon)).aoi_m2 == pytest.approx(size, rel=1e-6)
    compare_areas(published(areas, registered(polygon)), exact, 2e-5 if size >= 1e6 else 5e-4 if size >= 1e4 else 2e-2)


def compare_areas(areas: Areas, truth: dict[str, Any], tolerance: float) -> None:
    tolerance_m2 = tolerance * truth["aoi"]
    assert areas.valid_m2 == pytest.approx(truth["valid"], abs=tolerance_m2)
    assert [areas.label_m2[c] for c in range(9)] == pytest.approx(list(truth["label"]), abs=tolerance_m2)
    assert areas.probability_m2 is not None
    assert [areas.probability_m2[c] for c in range(9)] == pytest.approx(list(truth["probability"]), abs=tolerance_m2)


def disc(lon: float, lat: float, radius_deg: float) -> Polygon:
    return scale(Point(lon, lat).buffer(radius_deg), 1 / np.cos(np.radians(lat)), 1)


GRIDS = {
    "utm-north": ("EPSG:32651", (709_990, 4_999_970), 10),
    "utm-south": ("EPSG:32719", (300_000, 8_000_000), 10),
    "degrees-north": ("EPSG:4326", (10.0, 60.0), 8.983152841195215e-05),
    "degrees-south": ("EPSG:4326", (-60.0, -30.0), 8.983152841195215e-05),
}


@pytest.fixture(params=GRIDS)
def grid(request: pytest.FixtureRequest, earth_engine: Served) -> tuple[Path, tuple[float, float]]:
    """A scene of 150 × 150 pixels with holes of cloud, and a point near its middle."""
    crs, origin, pixel = GRIDS[request.param]
    hidden = np.zeros((150, 150), dtype=bool)
    hidden[40:60, 30:80] = True
    path = write_scene(
        earth_engine[0],
        f"{OVERPASS}_20210703T023105_T51TYL",
        crs=crs,
        origin=origin,
        pixel=pixel,
        shape=(150, 150),
        seed=7,
        hidden=hidden,
    )
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(
        origin[0] + 75 * pixel, origin[1] - 75 * pixel
    )
    return path, (lon, lat)


SHAPES = {
    "disc": lambda lon, lat: disc(lon, lat, 0.0055),
    "hole": lambda lon, lat: difference(disc(lon, lat, 0.0055), disc(lon + 0.001, lat, 0.002)),
    "multipolygon": lambda lon, lat: MultiPolygon(
        [disc(lon - 0.004, lat, 0.002), disc(lon + 0.003, lat - 0.002, 0.0015)]
    ),
    "smaller-than-a-pixel-row": lambda lon, lat: box(lon, lat, lon + 0.0011, lat + 0.00003),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_areas_agree_with_an_independent_computation(
    earth_engine: Served, grid: tuple[Path, tuple[float, float]], shape: str
) -> None:
    path, (lon, lat) = grid
    polygon = SHAPES[shape](lon, lat)
    compare(measure(earth_engine, polygon), polygon, *truths(path, polygon))


def truths(path: Path, polygon: BaseGeometry) -> tuple[dict[str, Any], dict[str, Any]]:
    return independent_areas(path, polygon), independent_areas(path, polygon, eight_bit=True)


def test_an_aoi_over_two_utm_zones_is_measured_in_each_zones_own_grid(earth_engine: Served) -> None:
    west = write_scene(
        earth_engine[0],
        f"{OVERPASS}_20210703T023105_T51TYL",
        crs="EPSG:32651",
        origin=(733_000, 5_000_000),
        shape=(300, 400),
        seed=1,
    )
    east = write_scene(
        earth_engine[0],
        f"{OVERPASS}_20210703T023105_T52TBR",
        crs="EPSG:32652",
        origin=(262_000, 5_000_000),
        shape=(300, 400),
        seed=2,
    )
    polygon = disc(126.0, 45.107, 0.006)
    left = truths(west, polygon.intersection(box(120, 0, 126, 84)))
    right = truths(east, polygon.intersection(box(126, 0, 132, 84)))
    exact, eight_bit = ({key: a[key] + b[key] for key in a} for a, b in zip(left, right, strict=True))
    areas = measure(earth_engine, polygon)
    assert areas.coverage == pytest.approx(1, abs=1e-9)
    compare(areas, polygon, exact, eight_bit)


def test_the_neighbouring_zone_fills_what_the_own_zone_left_masked(earth_engine: Served) -> None:
    write_scene(
        earth_engine[0],
        f"{OVERPASS}_20210703T023105_T51TYL",
        crs="EPSG:32651",
        origin=(733_000, 5_000_000),
        shape=(300, 400),
        seed=1,
        hidden=np.ones((300, 400), dtype=bool),
    )
    write_scene(
        earth_engine[0],
        f"{OVERPASS}_20210703T023105_T52TBR",
        crs="EPSG:32652",
        origin=(262_000, 5_000_000),
        shape=(300, 400),
        seed=2,
    )
    assert measure(earth_engine, disc(126.0, 45.107, 0.006)).coverage == pytest.approx(1, abs=1e-9)


def test_an_aoi_over_the_budget_is_measured_in_parts_that_sum_to_the_whole(
    earth_engine: Served, grid: tuple[Path, tuple[float, float]]
) -> None:
    """Each cut has edges of its own, with weights of their own: the sum is held against the exact truth."""
    path, (lon, lat) = grid
    polygon = scale(disc(lon, lat, 0.0055), 1.1, 1)
    scenes, settings, server = earth_engine
    whole = measure(earth_engine, polygon)
    before = len(server.app.clock)
    small = settings.model_copy(update={"pixel_budget": 4_000})
    parts = measure((scenes, small, server), polygon)
    assert len(server.app.clock) - before == 1 + 4, "a listing, and four parts of some 3,200 pixels"
    compare_areas(published(parts, registered(polygon)), independent_areas(path, polygon), 2e-5)
    assert parts.aoi_m2 == pytest.approx(whole.aoi_m2, rel=1e-4)


def test_earth_engines_own_table_is_met(earth_engine: Served, shared_data: Path) -> None:
    """Class areas of a real area, computed by the real service in two years: worst class within 2 ppm of the area."""
    boundary = shared_data / "c_area_tables/western_ghats_whole/western_ghats_boundary_20250928_203521.geojson"
    polygon = shape_of(json.loads(boundary.read_text(encoding="utf-8"))["features"][0]["geometry"])
    table = shared_data / "c_area_tables/western_ghats_patch/western_ghats_lulc_results_2018_2020.csv"
    with table.open(newline="", encoding="utf-8") as file:
        published_km2 = {int(row["year"]): row for row in csv.DictReader(file)}
    for year, row in published_km2.items():
        source = shared_data / f"a_dynamic_world/western_ghats_patch/western_ghats_built_{year}.tif"
        with rasterio.open(source) as dataset:
            band = dataset.descriptions.index("full_classification") + 1
            name = f"{OVERPASS}_20210703T023105_T43PDN"
            with rasterio.open(earth_engine[0] / f"{name}.tif", "w", **{**dataset.profile, "count": 1}) as copy:
                copy.write(dataset.read(band), 1)
        areas = measure(earth_engine, polygon)
        assert areas.aoi_m2 == pytest.approx(float(row["total_area"]) * 1e6, rel=2e-6)
        expected_m2 = [float(row[column]) * 1e6 for column in PUBLISHED_COLUMNS]
        assert [areas.label_m2[c] for c in range(9)] == pytest.approx(expected_m2, abs=2e-6 * areas.aoi_m2)


def test_a_raster_whose_rows_run_north_is_read_the_right_way_up(earth_engine: Served, tmp_path: Path) -> None:
    """The same ground written both ways: exactextract reads the usual one, the pipeline the other."""
    random = np.random.default_rng(5)
    labels = random.integers(0, 9, (120, 120))
    upright = tmp_path / "upright"
    upright.mkdir()
    image_id = f"{OVERPASS}_20210703T023105_T51TYL"
    truth_path = write_scene(upright, image_id, crs="EPSG:32651", origin=(709_990, 5_001_200), labels=labels)
    write_scene(
        earth_engine[0], image_id, crs="EPSG:32651", origin=(709_990, 5_000_000), labels=labels[::-1], south_up=True
    )
    lon, lat = Transformer.from_crs("EPSG:32651", "EPSG:4326", always_xy=True).transform(710_600, 5_000_650)
    polygon = MultiPolygon([disc(lon, lat, 0.002), disc(lon + 0.004, lat + 0.002, 0.001)])
    compare(measure(earth_engine, polygon), polygon, *truths(truth_path, polygon))
