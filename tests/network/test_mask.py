"""Cloud and shadow from the bands: by hand, against scipy's generic filters, and on real scenes."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion, generic_filter
from shapely import box

from local.sentinel2 import mask
from local.sentinel2.regions import region_on
from local.sentinel2.scene import Scene, opened
from local.sentinel2.sources import Told, scene_from
from tests.network import products


@pytest.mark.parametrize(
    ("azimuth", "shaded"),
    [(90, (60, 15)), (180, (15, 60)), (270, (60, 105)), (0, (105, 60)), (225, (28, 92))],
)  # fmt: skip
def test_shadow_lies_away_from_the_sun(azimuth: float, shaded: tuple[int, int]) -> None:
    """Sun in the east, shadow in the west; rows run south. 45 cells along an axis, 32 along each of both."""
    cloud = np.zeros((121, 121), dtype=bool)
    cloud[60, 60] = True
    found = mask.with_shadow(cloud, azimuth)
    assert found[60, 60]
    assert found[shaded]
    assert found.sum() == 1 + round(50 * max(abs(np.sin(np.radians(azimuth))), abs(np.cos(np.radians(azimuth)))))
    mirrored = (120 - shaded[0], 120 - shaded[1])
    assert not found[mirrored]
    reach = np.hypot(*(np.argwhere(found) - 60).T)
    assert reach.max() == pytest.approx(50, abs=1)


def test_shadow_at_the_border() -> None:
    cloud = np.ones((3, 200), dtype=bool)
    assert mask.with_shadow(cloud, 137).all()
    assert not mask.with_shadow(~cloud, 137).any()


def test_opening_is_erosion_and_dilation_by_circles() -> None:
    random = np.random.default_rng(1)
    cloud = np.zeros((120, 130), dtype=bool)
    cloud[30:60, 40:47] = True
    cloud[80:86, 80:120] = True
    cloud |= random.random(cloud.shape) > 0.995

    def circle(radius: int) -> np.ndarray:
        y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
        return np.asarray(x**2 + y**2 <= radius**2)

    eroded = binary_erosion(cloud, circle(3), border_value=1)
    assert 0 < eroded.sum() < 40
    assert (mask.opened(cloud) == binary_dilation(eroded, circle(16))).all()
    assert not mask.opened(np.zeros((9, 9), dtype=bool)).any()
    assert mask.opened(np.ones((9, 9), dtype=bool)).all()


def test_the_displacement_index_against_a_generic_filter() -> None:
    random = np.random.default_rng(2)
    b7, b8, b8a = random.uniform(0.1, 0.5, (3, 30, 31))
    valid = random.random(b7.shape) > 0.1
    known = np.where(valid, 1.0, np.nan)

    def variance(ratio: np.ndarray) -> np.ndarray:
        return generic_filter(ratio * known, np.nanvar, size=7, mode="constant", cval=np.nan)

    near, far = variance(b7 / b8a), variance(b8 / b8a)
    truth = (near - far) / (near + far)
    assert mask.displacement_index(b7, b8, b8a, valid) == pytest.approx(truth, abs=1e-9)


def test_a_cloud_that_stands_high_is_cloud_and_a_bright_roof_is_not() -> None:
    """Both are bright and white; the bands see the cloud shifted against each other, B8 more than B7."""
    random = np.random.default_rng(3)
    texture = 0.3 + 0.2 * random.random((60, 80))
    high = {name: np.roll(texture, shift, axis=1) for name, shift in (("B7", 0), ("B8", 2), ("B8A", 0))}
    flat = {name: texture + 0.001 * random.random(texture.shape) for name in ("B7", "B8", "B8A")}
    common = {name: np.full(texture.shape, 0.35) for name in ("B2", "B3", "B4", "B11", "B12")}
    common["B10"] = np.full(texture.shape, 0.002)
    valid = np.ones(texture.shape, dtype=bool)
    assert mask.cloud_at_20_m({**common, **high}, valid).mean() > 0.95
    assert mask.cloud_at_20_m({**common, **flat}, valid).mean() < 0.05
    assert not mask.cloud_at_20_m({**common, **high}, ~valid).any()
    cirrus = {**common, **flat, "B10": np.full(texture.shape, 0.011)}
    assert mask.cloud_at_20_m(cirrus, valid).all()


def test_real_scenes(tmp_path: Path, shared_data: Path) -> None:
    """Slovenia: the first is all cloud, the second nearly, the last three are clear forest."""
    hidden = []
    for number in range(5):
        bands = products.real_bands(shared_data, number, 102)
        path = products.write_raster(tmp_path / f"{number}.tif", products.stacked(bands), 10, products.BAND_NAMES)
        with scene_from(path, Told(0, 160)) as scene, opened(scene) as reader:
            hidden.append(float(mask.cloud_mask(reader, scene.span).on(scene.span).mean()))
    assert hidden == [1, 1, 0, 0, 0]


def test_an_area_has_the_same_mask_as_the_whole_scene(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    bands = {
        name: random.integers(300, 3000, (9600 // pixel_m,) * 2).astype(np.uint16)
        for name, pixel_m in products.PIXEL_M.items()
    }
    bands["B10"][:] = np.kron(random.random((10, 10)) > 0.8, np.ones((16, 16))) * 200
    path = products.write_raster(tmp_path / "scene.tif", products.stacked(bands), 10, products.BAND_NAMES)
    with scene_from(path, Told(0, 200)) as scene, opened(scene) as reader:
        whole = mask.cloud_mask(reader, scene.span).on(scene.span)
        assert 0.2 < whole.mean() < 0.95
        for area in (mask.Span(0, 0, 100, 60), mask.Span(702, 514, 960, 960), mask.Span(400, 300, 446, 372)):
            part = mask.cloud_mask(reader, area).on(area)
            assert (part == whole[area.top : area.bottom, area.left : area.right]).all()


def test_areas_on_both_sides_of_the_antimeridian() -> None:
    """The tile 01LAC begins west of it. At 11.45° S, 180° is at x 172.8 km of zone 1, and 0.1° are 10.9 km."""
    scene = Scene("01LAC", None, {}, "EPSG:32701", 99_960, 8_800_000, 10_980, 10_980, None)
    east, west = box(179.8, -11.5, 179.9, -11.4), box(-179.9, -11.5, -179.8, -11.4)
    for outline, x_m in ((east, 156_400), (west, 189_200)):
        found = region_on(scene, [outline])
        assert found.centroid.x == pytest.approx(x_m, abs=500)
        assert found.area == pytest.approx(10_900 * 11_060, rel=0.01)
    assert region_on(scene, [box(0, -11.5, 0.1, -11.4), box(-1, 50, 0, 51)]).is_empty
