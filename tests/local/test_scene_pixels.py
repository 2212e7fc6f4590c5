"""Sentinel-2 pixels and what is computed from them by the local Earth Engine, against loops and other libraries."""

import math
from collections.abc import Iterator
from typing import Any

import ee
import numpy as np
import pytest
from rasterio import Affine
from rasterio.warp import Resampling, reproject
from scipy.ndimage import generic_filter

from local.earth_engine import limits
from local.earth_engine.server import EarthEngineServer
from shared.earth_engine import client
from shared.earth_engine.scene_masks import CLOUD_PROBABILITY, SceneMask, clear_pixels
from shared.errors import RetryLaterError, TooBigError
from shared.network.fetching import fetch, scene_image
from shared.network.normalisation import BANDS, BANDS_20_M, upsampled
from shared.network.tiling import SceneGrid, Span
from shared.settings import Settings
from tests.l1c import random_l1c, write_l1c

S2 = "COPERNICUS/S2_HARMONIZED"
IMAGE = "20210703T023111_20210703T023105_T51TYL"
CRS, ORIGIN = "EPSG:32651", (699_960.0, 5_000_040.0)
HEIGHT, WIDTH = 120, 180
SUN_DEG = 215.0


def clouds() -> np.ndarray:
    """Percent, on 10 m pixels: two blobs, the smaller too small to stay."""
    probability = np.full((HEIGHT, WIDTH), 20, dtype=np.uint8)
    probability[40:70, 60:100] = 90
    probability[100:106, 20:26] = 95
    return probability


@pytest.fixture(scope="module")
def bands() -> dict[str, np.ndarray]:
    found = random_l1c(HEIGHT, WIDTH, seed=3)
    found["B4"][:6, :10] = 0
    found["B11"][20:24, 30:33] = 0
    # what stands high differs from band to band: B8 varies more against B8A than B7 does
    found["B7"] = (found["B8A"] * 1.1).astype(np.uint16)
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, bands: dict[str, np.ndarray]) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("scenes")
    write_l1c(folder, IMAGE, bands, origin=ORIGIN, sun_azimuth_deg=SUN_DEG, probability=clouds())
    settings = Settings(project="local-project")
    server = EarthEngineServer({settings.collection: folder}, {S2: folder}).start()
    settings = settings.model_copy(update={"earth_engine_url": server.url})
    client.connect(settings, "test")
    yield settings
    server.stop()


def computed(image: Any, pixel_m: int, size: tuple[int, int], corner: tuple[float, float] = ORIGIN) -> Any:
    """Pixels of an image on a window, (height, width) of them from a corner on."""
    affine = {"scaleX": pixel_m, "translateX": corner[0], "scaleY": -pixel_m, "translateY": corner[1]}
    grid = {"dimensions": {"height": size[0], "width": size[1]}, "affineTransform": affine, "crsCode": CRS}
    return ee.data.computePixels({"expression": image, "fileFormat": "NUMPY_NDARRAY", "grid": grid})


def scene() -> Any:
    return ee.Image(f"{S2}/{IMAGE}")


def test_stored_pixels_masks_and_properties(served: Settings, bands: dict[str, np.ndarray]) -> None:
    found = client.compute(scene().select("B11"), 1)
    assert found["bands"][0]["dimensions"] == [WIDTH // 2, HEIGHT // 2]
    assert (found["bands"][0]["crs"], found["bands"][0]["crs_transform"]) == (
        CRS,
        [20, 0, ORIGIN[0], 0, -20, ORIGIN[1]],
    )
    assert found["properties"]["MEAN_SOLAR_AZIMUTH_ANGLE"] == SUN_DEG
    pixels = computed(scene().select(["B4", "B8"]).unmask(7, False), 10, (HEIGHT, WIDTH))
    assert np.array_equal(pixels["B8"], bands["B8"])
    assert np.array_equal(pixels["B4"], np.where(bands["B4"] == 0, 7, bands["B4"]))
    assert pixels["B4"].dtype.itemsize <= 8


def test_bilinear_is_that_of_gdal_and_that_of_the_network(served: Settings, bands: dict[str, np.ndarray]) -> None:
    inner = np.s_[2:-2, 2:-2]
    for band in ("B8A", "B11"):
        image = scene().select([band]).resample("bilinear").toDouble().unmask(-1, False)
        found = computed(image, 10, (HEIGHT, WIDTH))[band]
        padded = np.pad(bands[band].astype(np.float32), 1)
        ours, valid = upsampled(padded, padded > 0)
        assert np.array_equal(found >= 0, valid)
        assert np.abs(found - ours)[valid].max() < 1e-3
    source = bands["B8A"].astype(float)
    gdal = np.empty((HEIGHT, WIDTH))
    transforms = [Affine(m, 0, ORIGIN[0], 0, -m, ORIGIN[1]) for m in (20, 10)]
    reproject(
        source, gdal, src_transform=transforms[0], dst_transform=transforms[1], src_crs=CRS, dst_crs=CRS,
        resampling=Resampling.bilinear,
    )  # fmt: skip
    found = computed(scene().select(["B8A"]).resample("bilinear"), 10, (HEIGHT, WIDTH))["B8A"]
    assert np.abs(found - gdal)[inner].max() < 1e-3
    again = computed(scene().select(["B8A"]).resample("bilinear"), 20, (HEIGHT // 2, WIDTH // 2))["B8A"]
    assert np.array_equal(again, bands["B8A"]), "on its own grid nothing is interpolated"


def test_morphology_takes_the_circle_around_each_pixel(served: Settings, bands: dict[str, np.ndarray]) -> None:
    for radius, reducer in ((1.5, np.max), (3.0, np.max), (3.0, np.min)):
        image = scene().select("B8A").toDouble()
        asked = image.focalMax(radius) if reducer is np.max else image.focalMin(radius)
        reach = math.floor(radius)
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        expected = generic_filter(
            bands["B8A"].astype(float), reducer, footprint=np.hypot(x, y) <= radius, mode="nearest"
        )
        found = computed(asked, 20, (HEIGHT // 2, WIDTH // 2))["B8A"]
        assert np.array_equal(found[reach:-reach, reach:-reach], expected[reach:-reach, reach:-reach])
    of_bits = computed(scene().select("B8A").gt(2000).focalMax(2), 20, (60, 90))["B8A"]
    of_values = computed(scene().select("B8A").gt(2000).multiply(5).focalMax(2), 20, (60, 90))["B8A"]
    assert np.array_equal(of_bits * 5, of_values), "the quick way for what is 0 or 1 is the same"


@pytest.mark.parametrize("angle", [0, 90, 37, 180, 251, 315])
def test_distances_in_a_direction_are_those_of_a_walk(
    served: Settings, bands: dict[str, np.ndarray], angle: int
) -> None:
    most = 9
    there = bands["B8A"] > 3200
    expected = np.full(there.shape, -1.0)
    for row, column in np.ndindex(there.shape):
        for step in range(most + 1):
            y = row - round(step * math.sin(math.radians(angle)))
            x = column + round(step * math.cos(math.radians(angle)))
            if 0 <= y < there.shape[0] and 0 <= x < there.shape[1] and there[y, x]:
                expected[row, column] = step
                break
    image = scene().select("B8A").gt(3200).directionalDistanceTransform(angle, most).unmask(-1, False)
    found = computed(image, 20, there.shape)["distance"]
    assert 0.05 < (expected >= 0).mean() < 0.95
    assert np.array_equal(found, expected)


def displacement(bands: dict[str, np.ndarray]) -> np.ndarray:
    """By its definition, pixel by pixel; NaN within 3 pixels of the edge."""
    b8a, b7 = bands["B8A"].astype(float), bands["B7"].astype(float)
    b8 = bands["B8"].astype(float).reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(1, 3))
    found = np.full(b8a.shape, np.nan)
    for row in range(3, b8a.shape[0] - 3):
        for column in range(3, b8a.shape[1] - 3):
            at = np.s_[row - 3 : row + 4, column - 3 : column + 4]
            near, far = np.var(b7[at] / b8a[at]), np.var(b8[at] / b8a[at])
            found[row, column] = (near - far) / (near + far)
    return found


def test_the_displacement_index_is_that_of_its_definition(served: Settings, bands: dict[str, np.ndarray]) -> None:
    expected = displacement(bands)
    found = computed(ee.Algorithms.Sentinel2.CDI(scene()), 20, expected.shape)["cdi"]
    inner = np.isfinite(expected)
    assert np.abs(found - expected)[inner].max() < 1e-6
    assert (expected[inner] < -0.5).mean() > 0.9


def test_the_recipe_as_a_whole_is_that_of_its_steps(served: Settings, bands: dict[str, np.ndarray]) -> None:
    """On a window that begins anywhere: opened at 20 m from the zone's origin, shadow at 100 m, away from the sun."""
    west, north = ORIGIN
    rows, columns = np.mgrid[0:60, 0:90]
    at_20 = clouds()[rows * 2 + 1, columns * 2 + 1] > 65
    b10 = bands["B10"][(rows * 20 + 10) // 60, (columns * 20 + 10) // 60] > 100
    expected_cdi = displacement(bands)
    inner = np.isfinite(expected_cdi)
    cloud = (at_20 & np.where(inner, expected_cdi < -0.5, False)) | b10
    assert b10.any(), "cirrus too"

    def circle(mask: np.ndarray, radius: int, reducer: Any) -> np.ndarray:
        found = np.zeros_like(mask)
        for row, column in np.ndindex(mask.shape):
            y, x = np.ogrid[: mask.shape[0], : mask.shape[1]]
            found[row, column] = reducer(mask[(y - row) ** 2 + (x - column) ** 2 <= radius**2])
        return found

    grown = circle(circle(cloud, 3, np.all), 16, np.any)
    # cells of 100 m count from the origin of the zone, and take the 20 m pixel in their middle
    top, left = math.floor(-north / 100), math.floor(west / 100)
    cells = np.zeros((math.ceil(HEIGHT / 10) + 1, math.ceil(WIDTH / 10) + 1), dtype=bool)
    for row, column in np.ndindex(cells.shape):
        y = math.floor((north + (top + row + 0.5) * 100) / 20)
        x = math.floor(((left + column + 0.5) * 100 - west) / 20)
        cells[row, column] = 0 <= y < 60 and 0 <= x < 90 and grown[y, x]
    shadowed = cells.copy()
    for row, column in np.argwhere(cells):
        for step in range(51):
            # the sun stands in the south-west, shadows fall to the north-east
            y = row + round(step * math.cos(math.radians(SUN_DEG)))
            x = column - round(step * math.sin(math.radians(SUN_DEG)))
            if 0 <= y < cells.shape[0] and 0 <= x < cells.shape[1]:
                shadowed[y, x] = True
    window = Span(20, 36, 100, 170)
    answer = fetch(
        served, scene_image(S2, IMAGE, clear_pixels(SceneMask.RECIPE, S2, IMAGE)), SceneGrid(CRS, *ORIGIN), window
    )
    y = np.floor(-(north - (np.arange(window.top, window.bottom) + 0.5) * 10) / 100).astype(int) - top
    x = np.floor((west + (np.arange(window.left, window.right) + 0.5) * 10) / 100).astype(int) - left
    expected = ~shadowed[np.ix_(y, x)]
    assert 0.02 < expected.mean() < 0.98, "some of it is clear and some is not"
    assert (answer.clear == expected).mean() > 0.99
    assert np.array_equal(answer.clear, expected)


def test_fetched_bands_are_those_of_a_file(served: Settings, bands: dict[str, np.ndarray]) -> None:
    window = Span(0, 0, HEIGHT, WIDTH)
    found = fetch(served, scene_image(S2, IMAGE, ee.Image(1).rename("clear")), SceneGrid(CRS, *ORIGIN), window).pixels
    for number, band in enumerate(BANDS):
        expected, valid = bands[band].astype(np.float32), bands[band] > 0
        if band in BANDS_20_M:
            padded = np.pad(expected, 1)
            expected, valid = upsampled(padded, padded > 0)
        assert np.array_equal(found.valid[number], valid), band
        assert np.abs(found.dn[number] - expected)[valid].max() < 1e-3, band


def test_a_partner_that_is_not_there_yet_is_asked_for_again(served: Settings) -> None:
    other = IMAGE.replace("T51TYL", "T51TYK")
    for asset in (f"{S2}/{other}", f"{CLOUD_PROBABILITY}/{other}", f"GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED/{IMAGE}"):
        with pytest.raises(RetryLaterError, match="not found"):
            client.compute(ee.Image(asset), 0.1)


def test_what_one_answer_may_hold(served: Settings) -> None:
    """In the words of the service: 48 MiB with a byte of mask for each value, pixels a side, bands."""
    byte, double = ee.Image(1).toByte(), ee.Image(1).toDouble()
    assert computed(byte, 10, (5_000, 5_000)).shape == (5_000, 5_000)
    for image, size in ((byte, (5_017, 5_017)), (double, (2_365, 2_365))):
        with pytest.raises(
            ee.EEException, match=r"^Total request size \(\d+ bytes\) must be less than or equal to 50331648"
        ):
            computed(image, 10, size)
    with pytest.raises(
        ee.EEException, match=r"^Pixel grid dimensions \(32769x2\) must be less than or equal to 32768\.$"
    ):
        computed(byte, 10, (2, 32_769))
    with pytest.raises(ee.EEException, match=r"^Number of bands \(1025\) must be less than or equal to 1024\.$"):
        computed(ee.Image.constant([1] * (limits.MOST_BANDS + 1)), 10, (1, 1))
    with pytest.raises(TooBigError):
        client.compute_pixels(
            {
                "expression": double,
                "fileFormat": "NUMPY_NDARRAY",
                "grid": {"dimensions": {"width": 9_000, "height": 9_000}},
            },
            0.1,
        )
