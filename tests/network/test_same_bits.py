"""A pixel has the same answer however a scene is cut, and in bytes the same in steps."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from shapely import box

from local.earth_engine.raster import RasterFile
from local.earth_engine.values import Window
from local.sentinel2.choices import Form, Mask
from local.sentinel2.classify import BYTE_STEPS, classify, steps, tiles_over
from local.sentinel2.regions import region_on
from local.sentinel2.scene import opened
from local.sentinel2.sources import Told, scene_from
from shared.network.model import Network
from shared.network.tiling import Span
from tests.network import products
from tests.network.products import BAND_NAMES, NORTH, WEST, degrees, geotiff, random_bands

NOT_MASKED = Told(offset_dn=0)


@pytest.fixture(scope="module")
def network() -> Network:
    return Network()


def test_a_crop_at_odd_offsets_gives_the_same_bits_where_it_sees_enough(tmp_path: Path, network: Network) -> None:
    bands = random_bands()
    whole = geotiff(tmp_path / "whole.tif", bands)
    values = products.stacked(bands)[:, 31:178, 55:]
    crop = products.write_raster(tmp_path / "crop.tif", values, 10, BAND_NAMES, (WEST + 550, NORTH - 310))
    found = {}
    for path in (whole, crop):
        with scene_from(path, NOT_MASKED, masked=False) as scene, opened(scene) as reader:
            assert scene.repeated_20_m
            classify(reader, network, tiles_over(scene), tmp_path / "out.tif", hidden_by=Mask.NONE)
        with rasterio.open(tmp_path / "out.tif") as dataset:
            assert (dataset.transform.c % 20, dataset.transform.f % 20) == (0, 0)
            window = rasterio.windows.from_bounds(WEST + 800, NORTH - 1500, WEST + 2100, NORTH - 600, dataset.transform)
            found[path] = dataset.read(window=window)
    assert np.array_equal(found[whole], found[crop])
    assert np.isfinite(found[whole]).all()


def test_an_area_has_the_same_bits_as_the_whole_scene(tmp_path: Path, network: Network) -> None:
    """With cloud: its shadow is looked for beyond the area's own tiles."""
    size = 480
    bands = random_bands(size)
    sunny = {**bands, "B10": np.full_like(bands["B10"], 20)}
    sunny["B10"][10:25, 50:70] = 400
    path = geotiff(tmp_path / "scene.tif", sunny, MEAN_SOLAR_AZIMUTH_ANGLE="75.0", RADIO_ADD_OFFSET="0")
    with scene_from(path) as scene, opened(scene) as reader:
        region = region_on(scene, [degrees((4000, 1000), (4500, 1000), (4500, 3000)), box(0, 0, 1, 1)])
        chosen = tiles_over(scene, region)
        assert [tile.core for tile in chosen] == [Span(0, 372, 372, 480)]
        classify(reader, network, tiles_over(scene), tmp_path / "whole.tif")
        classify(reader, network, chosen, tmp_path / "area.tif")
    with rasterio.open(tmp_path / "whole.tif") as whole, rasterio.open(tmp_path / "area.tif") as area:
        seen = area.read()
        assert seen.shape == (10, 372, 108)
        assert np.array_equal(seen, whole.read()[:, :372, 372:], equal_nan=True)
        label = whole.read(10)
    assert np.isnan(label[100, 300:400]).all(), "the cloud"
    assert np.isnan(label[150, 150]), "2 km west-south-west of it, away from the sun"
    assert np.isfinite(label[60, 10]), "west-north-west"


def test_bytes_are_the_same_in_steps(tmp_path: Path, network: Network) -> None:
    bands = random_bands(120)
    bands["B3"][5:9, 5:9] = 0
    path = geotiff(tmp_path / "scene.tif", bands, nodata=0)
    with scene_from(path, NOT_MASKED, masked=False) as scene, opened(scene) as reader:
        for form in Form:
            classify(reader, network, tiles_over(scene), tmp_path / f"{form}.tif", form=form, hidden_by=Mask.NONE)
    with rasterio.open(tmp_path / "float.tif") as exact, rasterio.open(tmp_path / "byte.tif") as rounded:
        assert (exact.dtypes[0], rounded.dtypes[0]) == ("float32", "uint8")
        missing = np.isnan(exact.read(10))
        assert missing.sum() == 16
        stored = rounded.read()
        assert (stored[:, missing] == rounded.nodata).all()
        assert (stored[:9, ~missing].sum(axis=0) == BYTE_STEPS).all()
        assert np.abs(stored[:9] / BYTE_STEPS - exact.read()[:9])[:, ~missing].max() < 1 / BYTE_STEPS
        assert (stored[9] == exact.read(10))[~missing].all()
    floats, steps_ = RasterFile(tmp_path / "float.tif"), RasterFile(tmp_path / "byte.tif")
    window = Window(floats.projection, 0, 0, 120, 120)
    for index in (1, 9, 10):
        ours, theirs = steps_.read(index, window), floats.read(index, window)
        assert np.abs(ours.values - theirs.values)[ours.valid].max() < 1 / BYTE_STEPS
        assert (ours.valid == theirs.valid).all()


def test_steps_by_hand() -> None:
    thirds = np.full((3, 1), 1 / 3, dtype=np.float32)
    assert steps(thirds)[:, 0].tolist() == [84, 83, 83]
    assert steps(np.array([[0.002], [0.0061], [0.9919]], dtype=np.float32))[:, 0].tolist() == [0, 2, 248]
