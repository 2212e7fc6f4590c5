"""Masks as Earth Engine expressions, by the real signatures; pixels of a window from the local Earth Engine."""

from pathlib import Path
from typing import Any

import ee
import numpy as np
import pytest
import rasterio

from local.earth_engine import limits
from local.earth_engine.server import EarthEngineServer
from shared.earth_engine.scene_masks import SceneMask, clear_pixels
from shared.errors import TooBigError
from shared.network.fetching import MOST_BYTES, fetch, scene_image
from shared.network.normalisation import BANDS
from shared.network.tiling import CORE_PIXELS, MARGIN_PIXELS, SceneGrid, Span
from shared.settings import Settings
from tests.scenes import CLASS_NAMES, NODATA, write_scene

IMAGE = "20210703T023111_20210703T023105_T51TYL"
S2 = "COPERNICUS/S2_HARMONIZED"
ORIGIN = (700_000, 5_000_000)
Served = tuple[Path, Settings, EarthEngineServer]


def calls(image: Any) -> list[tuple[str, dict[str, Any]]]:
    """Every algorithm of an expression with its arguments, references resolved."""
    values = ee.serializer.encode(image, is_compound=True, for_cloud_api=True)["values"]

    def plain(node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        if "valueReference" in node:
            return plain(values[node["valueReference"]])
        if "constantValue" in node:
            return node["constantValue"]
        if "functionInvocationValue" in node:
            call = node["functionInvocationValue"]
            return (call["functionName"], {k: plain(v) for k, v in call.get("arguments", {}).items()})
        if "arrayValue" in node:
            return [plain(v) for v in node["arrayValue"]["values"]]
        return node

    found: list[tuple[str, dict[str, Any]]] = []

    def walk(node: Any) -> None:
        if isinstance(node, tuple):
            if node not in found:
                found.append(node)
            for argument in node[1].values():
                walk(argument)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    walk(plain(values[ee.serializer.encode(image, is_compound=True, for_cloud_api=True)["result"]]))
    return found


def only(found: list[tuple[str, dict[str, Any]]], name: str) -> dict[str, Any]:
    (arguments,) = [arguments for called, arguments in found if called == name]
    return arguments


def test_the_recipe_has_its_steps_and_constants(earth_engine: Served) -> None:
    """65 % cloud, CDI under −0.5, B10 over 0.01; 3 pixels in and 16 out at 20 m; 5 km away from the sun at 100 m."""
    found = calls(clear_pixels(SceneMask.RECIPE, S2, IMAGE))
    assets = {arguments["id"] for name, arguments in found if name == "Image.load"}
    assert assets == {f"{S2}/{IMAGE}", f"COPERNICUS/S2_CLOUD_PROBABILITY/{IMAGE}"}
    thresholds = {name: arguments["image2"][1]["value"] for name, arguments in found if name in {"Image.lt"}}
    assert thresholds == {"Image.lt": -0.5}
    assert {a["image2"][1]["value"] for n, a in found if n == "Image.gt"} == {65, 100}
    assert only(found, "Image.focalMin")["radius"] == 3
    assert only(found, "Image.focalMax")["radius"] == 16
    shadow = only(found, "Image.directionalDistanceTransform")
    assert shadow["maxDistance"] == 50
    name, angle = shadow["angle"]
    assert (name, angle["left"]) == ("Number.subtract", 90)
    assert angle["right"][1]["property"] == "MEAN_SOLAR_AZIMUTH_ANGLE"
    assert {arguments["scale"] for called, arguments in found if called == "Image.reproject"} == {20, 100}
    assert only(found, "Sentinel2.CDI")["source"][1]["id"] == f"{S2}/{IMAGE}"
    assert found[0][0] == "Image.rename"


def test_cloud_score_is_a_threshold_on_its_partner_image(earth_engine: Served) -> None:
    found = calls(clear_pixels(SceneMask.CLOUD_SCORE, S2, IMAGE))
    assert only(found, "Image.load")["id"] == f"GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED/{IMAGE}"
    assert only(found, "Image.gte")["image2"][1]["value"] == 0.6
    assert only(found, "Image.select")["bandSelectors"] == ["cs_cdf"]


def test_only_20_m_bands_are_interpolated_and_before_anything_else(earth_engine: Served) -> None:
    found = calls(scene_image(S2, IMAGE, ee.Image(1)))
    resampled = only(found, "Image.resample")
    assert resampled["mode"] == "bilinear"
    assert resampled["image"][1]["bandSelectors"] == ["B5", "B6", "B7", "B11", "B12"]
    assert resampled["image"][1]["input"][0] == "Image.load"


def test_pixels_of_a_window(earth_engine: Served) -> None:
    """Nine bands under the network's names, on the scene's grid; missing where masked, also where a value is 0."""
    folder, settings, _ = earth_engine
    hidden = np.zeros((60, 80), dtype=bool)
    hidden[20:24, 30:36] = True
    path = write_scene(folder, IMAGE, crs="EPSG:32651", origin=ORIGIN, shape=(60, 80), hidden=hidden, seed=5)
    scene = ee.Image(f"{settings.collection}/{IMAGE}")
    image = scene.select(list(CLASS_NAMES)).rename(list(BANDS)).toFloat().unmask(-1, False)
    clear = scene.select("label").neq(3).rename("clear").unmask(0, False).toFloat()
    window = Span(10, 20, 50, 90)
    found = fetch(settings, image.addBands(clear), SceneGrid("EPSG:32651", *ORIGIN), window)
    with rasterio.open(path) as dataset:
        stored = dataset.read(list(range(1, 11)))
    expected = np.full((9, 40, 70), NODATA, dtype=np.float32)
    expected[:, :, :60] = stored[:9, 10:50, 20:80]
    assert (found.pixels.valid == (expected != NODATA)).all()
    assert (~found.pixels.valid).any(axis=0).sum() == 40 * 10 + 4 * 6
    assert np.array_equal(found.pixels.dn, np.where(expected == NODATA, 0, expected))
    seen = (stored[9] != 3) & ~hidden
    assert np.array_equal(found.clear[:, :60], seen[10:50, 20:80])
    assert not found.clear[:, 60:].any()


def test_a_request_fits_what_the_service_gives(earth_engine: Served) -> None:
    assert limits.MOST_PIXEL_BYTES == MOST_BYTES
    side = CORE_PIXELS + 2 * MARGIN_PIXELS
    assert (2 * side) ** 2 * 10 * 5 < MOST_BYTES
    grid = SceneGrid("EPSG:32651", *ORIGIN)
    with pytest.raises(ValueError, match="one request gives 50331648"):
        fetch(earth_engine[1], ee.Image(1), grid, Span(0, 0, 1_004, 1_004))
    wide = ee.Image([1] * 11).toDouble()
    with pytest.raises(TooBigError, match="Total request size"):
        fetch(earth_engine[1], wide, grid, Span(0, 0, 990, 990))
