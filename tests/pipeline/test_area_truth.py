"""Measured areas against areas computed without the project's code, on scenes the generator did not make."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Transformer
from shapely import MultiPolygon, Point, Polygon, box, difference
from shapely.affinity import scale
from shapely.geometry import mapping
from shapely.geometry import shape as shape_of
from shapely.geometry.base import BaseGeometry

from local.earth_engine.server import EarthEngineServer
from shared.earth_engine import areas as areas_module
from shared.earth_engine.listing import list_overpasses
from shared.errors import TooBigError
from shared.measuring import Job, measure_jobs
from shared.observations import Areas
from shared.planning import Aoi, overpasses_over
from shared.settings import Settings
from tests.scenes import independent_areas, write_scene

OVERPASS = "20210703T023111"
TOLERANCE = 2e-5  # of the AOI's area
Served = tuple[Path, Settings, EarthEngineServer]


def measure(served: Served, polygon: BaseGeometry) -> Areas:
    _, settings, _ = served
    aoi = Aoi("a", 1, 1e6, dict(mapping(polygon)))
    images = list_overpasses(settings.collection, [OVERPASS], dict(mapping(polygon)))
    overpasses = overpasses_over(aoi, images)
    ((_, areas),) = measure_jobs([Job("a", aoi, overpasses, with_probabilities=True)], settings)
    return areas


def compare(areas: Areas, truth: dict[str, Any]) -> None:
    tolerance_m2 = TOLERANCE * truth["aoi"]
    assert areas.aoi_m2 == pytest.approx(truth["aoi"], abs=tolerance_m2)
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
    "disc": lambda lon, lat: disc(lon, lat, 0.005),
    "hole": lambda lon, lat: difference(disc(lon, lat, 0.005), disc(lon + 0.001, lat, 0.002)),
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
    compare(measure(earth_engine, polygon), independent_areas(path, polygon))


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
    left = independent_areas(west, polygon.intersection(box(120, 0, 126, 84)))
    right = independent_areas(east, polygon.intersection(box(126, 0, 132, 84)))
    truth = {key: left[key] + right[key] for key in left}
    areas = measure(earth_engine, polygon)
    assert areas.coverage == pytest.approx(1, abs=1e-9)
    compare(areas, truth)


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


def test_an_aoi_too_big_for_one_request_is_measured_in_tiles_that_sum_to_the_whole(
    earth_engine: Served, grid: tuple[Path, tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, (lon, lat) = grid
    polygon = scale(disc(lon, lat, 0.005), 1.1, 1)
    sizes: list[int] = []
    original = areas_module._expression

    def refuse_large(collection: str, pieces: Any) -> Any:
        if any(shape_of(piece.geometry).area > polygon.area / 3 for piece in pieces):
            raise TooBigError("User memory limit exceeded.")
        sizes.append(len(pieces))
        return original(collection, pieces)

    monkeypatch.setattr(areas_module, "_expression", refuse_large)
    compare(measure(earth_engine, polygon), independent_areas(path, polygon))
    assert sum(sizes) == 4


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
    compare(measure(earth_engine, polygon), independent_areas(truth_path, polygon))
