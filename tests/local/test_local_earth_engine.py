"""The local Earth Engine against other computations, and on scripts of the kind that strangers write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ee
import numpy as np
import pytest
import rasterio
import requests
from affine import Affine
from pyproj import Geod, Transformer
from rasterstats import zonal_stats
from shapely import Point, Polygon, box
from shapely.affinity import scale
from shapely.geometry import mapping

from local.earth_engine.raster import pixel_area_m2
from local.earth_engine.registry import implemented, signatures
from local.earth_engine.server import EarthEngineServer
from local.earth_engine.values import Projection, Window
from shared.settings import Settings
from tests.scenes import CLASS_NAMES, independent_areas, write_scene

Served = tuple[Path, Settings, EarthEngineServer]
IMAGE = "20210703T023111_20210703T023105_T51TYL"
SECOND = "20210708T023109_20210708T023105_T51TYL"
ORIGIN = (709_000, 5_000_000)


@pytest.fixture
def dw(earth_engine: Served) -> Served:
    """Two scenes of one place, five days apart."""
    for image_id, seed in ((IMAGE, 1), (SECOND, 2)):
        hidden = np.zeros((200, 200), dtype=bool)
        hidden[20:50, 40 * seed : 40 * seed + 30] = True
        write_scene(
            earth_engine[0], image_id, crs="EPSG:32651", origin=ORIGIN, shape=(200, 200), seed=seed, hidden=hidden
        )
    return earth_engine


def region() -> Polygon:
    return scale(Point(125.6688, 45.1127).buffer(0.007), 1.3, 1)


def geometry() -> Any:
    return ee.Geometry(mapping(region()), None, False)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:32651", Affine(10, 0, 709_000, 0, -10, 5_000_000)),
        ("EPSG:32719", Affine(10, 0, 166_100, 0, -10, 1_200_000)),
        ("EPSG:32633", Affine(10, 0, 833_000, 0, -10, 9_300_000)),
        ("EPSG:4326", Affine(8.98e-5, 0, 20, 0, -8.98e-5, 70)),
        ("EPSG:4326", Affine(1, 0, -180, 0, -1, 90)),
    ],
)
def test_pixel_area_is_the_geodesic_area_of_the_pixel(crs: str, transform: Affine) -> None:
    window = Window(Projection(crs, transform), 0, 0, 150, 130)
    areas = pixel_area_m2(window)
    to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    for row, column in ((0, 0), (64, 64), (129, 149), (33, 100)):
        edge = np.linspace(0, 1, 200)
        ring = np.concatenate(
            [
                np.column_stack([column + edge, np.full(200, row)]),
                np.column_stack([np.full(200, column + 1), row + edge]),
                np.column_stack([column + 1 - edge, np.full(200, row + 1)]),
                np.column_stack([np.full(200, column), row + 1 - edge]),
            ]
        )
        x, y = transform @ (ring[:, 0], ring[:, 1])
        expected = abs(Geod(ellps="WGS84").polygon_area_perimeter(*to_degrees.transform(x, y))[0])
        assert areas[row, column] == pytest.approx(expected, rel=2e-6)


def test_the_whole_globe_has_the_area_of_the_ellipsoid() -> None:
    window = Window(Projection("EPSG:4326", Affine(1, 0, -180, 0, -1, 90)), 0, 0, 360, 180)
    assert pixel_area_m2(window).sum() == pytest.approx(510_065_621_724_089, rel=1e-12)


def test_weighted_sums_agree_with_exactextract_and_unweighted_counts_with_rasterstats(dw: Served) -> None:
    path = dw[0] / f"{IMAGE}.tif"
    label = ee.Image(f"{dw[1].collection}/{IMAGE}").select("label")
    grouped = (
        ee.Image.pixelArea().addBands(label)
        .reduceRegion(ee.Reducer.sum().group(1, "class"), geometry(), crs=label.projection())
        .getInfo()["groups"]
    )  # fmt: skip
    truth = independent_areas(path, region())
    found = {g["class"]: g["sum"] for g in grouped}
    assert [found.get(c, 0) for c in range(9)] == pytest.approx(list(truth["label"]), abs=2e-5 * truth["aoi"])
    counts = label.reduceRegion(
        ee.Reducer.frequencyHistogram().unweighted(), geometry(), crs=label.projection()
    ).getInfo()
    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32651", always_xy=True)
    projected = Polygon([to_utm.transform(*p) for p in region().segmentize(0.0005).exterior.coords])
    with rasterio.open(path) as dataset:
        (other,) = zonal_stats(projected, dataset.read(10), affine=dataset.transform, nodata=-1, categorical=True)
    assert {int(k): v for k, v in counts["label"].items()} == {int(k): v for k, v in other.items()}


def test_the_usual_script_works(dw: Served) -> None:
    """Filter, select, mode, pixel areas by class: what tutorials do, through the real client."""
    collection = (
        ee.ImageCollection("GOOGLE/DYNAMICWORLD/V1").filterDate("2021-07-01", "2021-08-01").filterBounds(geometry())
    )
    assert collection.size().getInfo() == 2
    assert collection.aggregate_array("system:index").getInfo() == [IMAGE, SECOND]
    dates = collection.map(lambda image: image.set("day", image.date().format("YYYY-MM-dd"))).aggregate_array("day")
    assert dates.getInfo() == ["2021-07-03", "2021-07-08"]
    composite = collection.select("label").mode()
    table = ee.Image.pixelArea().addBands(composite).reduceRegion(
        reducer=ee.Reducer.sum().group(groupField=1, groupName="class"), geometry=geometry(), scale=10, maxPixels=1e13
    )  # fmt: skip
    groups = table.getInfo()["groups"]
    assert sum(g["sum"] for g in groups) == pytest.approx(geometry().area().getInfo(), rel=2e-4)
    reduced = collection.select("label").reduce(ee.Reducer.mode())
    assert reduced.bandNames().getInfo() == ["label_mode"]
    trees = collection.first().select("label").eq(1).selfMask().multiply(ee.Image.pixelArea())
    total = trees.reduceRegion(ee.Reducer.sum(), geometry(), 10).getInfo()["label"]
    assert 0 < total < geometry().area().getInfo()
    features = ee.FeatureCollection([ee.Feature(geometry(), {"name": "x"})])
    (row,) = collection.mean().select("trees").reduceRegions(features, ee.Reducer.mean(), 10).getInfo()["features"]
    assert row["properties"]["name"] == "x"
    assert 0 < row["properties"]["mean"] < 1
    info = collection.first().getInfo()
    assert [band["id"] for band in info["bands"]][-1] == "label"
    assert info["bands"][0]["crs"] == "EPSG:32651"


def test_arrays_and_connected_pixels_are_as_the_reference_says(earth_engine: Served) -> None:
    """The largest of equals is the first; patches are of one value, masked ground parts them, and counts end."""
    labels = np.array([[1, 1, 4, 4], [1, 4, 4, 1], [1, 1, 1, 1], [4, 4, 4, 1]])
    hidden = np.zeros((4, 4), dtype=bool)
    hidden[3, 1] = True
    write_scene(earth_engine[0], IMAGE, crs="EPSG:32651", origin=ORIGIN, labels=labels, hidden=hidden)
    grid = {
        "dimensions": {"width": 4, "height": 4},
        "affineTransform": {"scaleX": 10, "shearX": 0, "translateX": ORIGIN[0], "shearY": 0, "scaleY": -10, "translateY": ORIGIN[1]},
        "crsCode": "EPSG:32651",
    }  # fmt: skip

    def pixels(image: Any) -> np.ndarray:
        request = {"expression": image, "fileFormat": "NUMPY_NDARRAY", "grid": grid}
        answer = ee.data.computePixels(request)
        return np.asarray(answer[answer.dtype.names[0]], dtype=float)

    image = ee.Image(f"{earth_engine[1].collection}/{IMAGE}")
    array = image.select(list(CLASS_NAMES)).toArray()
    likeliest = array.arrayArgmax().arrayGet([0])
    assert pixels(likeliest).tolist() == np.where(hidden, 0, labels).tolist()
    assert pixels(array.arrayGet(likeliest))[0] == pytest.approx(0.6)
    assert pixels(ee.Image([3, 7, 7]).toArray().arrayArgmax().arrayGet([0])).max() == 1
    counted = image.select("label").connectedPixelCount(100, False).unmask(0, False)
    assert pixels(counted).tolist() == [[9, 9, 4, 4], [9, 4, 4, 9], [9, 9, 9, 9], [1, 0, 1, 9]]
    at_most_five = image.select("label").connectedPixelCount(5, True).unmask(0, False)
    assert pixels(at_most_five).tolist() == [[5, 5, 4, 4], [5, 4, 4, 5], [5, 5, 5, 5], [1, 0, 1, 5]]


def test_scale_without_crs_means_degrees_as_on_the_real_service(dw: Served) -> None:
    """A composite has no grid of its own: counts at scale=10 are of pixels 10 m wide at the equator, too many here."""
    composite = ee.ImageCollection(dw[1].collection).select("label").mode().unmask(0)
    (count,) = composite.reduceRegion(ee.Reducer.count(), geometry(), 10, maxPixels=1e9).getInfo().values()
    excess = count * 100 / geometry().area().getInfo()
    assert excess == pytest.approx(1 / np.cos(np.radians(45.1127)), rel=0.01)


def test_mosaic_shows_the_last_valid_image_and_mode_breaks_ties_downwards(earth_engine: Served) -> None:
    hidden = np.zeros((20, 20), dtype=bool)
    hidden[:10] = True
    write_scene(earth_engine[0], IMAGE, crs="EPSG:32651", origin=ORIGIN, labels=np.full((20, 20), 4))
    write_scene(earth_engine[0], SECOND, crs="EPSG:32651", origin=ORIGIN, labels=np.full((20, 20), 1), hidden=hidden)
    collection = ee.ImageCollection(earth_engine[1].collection).select("label")
    grid = {
        "dimensions": {"width": 1, "height": 20},
        "affineTransform": {"scaleX": 10, "shearX": 0, "translateX": ORIGIN[0], "shearY": 0, "scaleY": -10, "translateY": ORIGIN[1]},
        "crsCode": "EPSG:32651",
    }  # fmt: skip

    def column(image: Any) -> list[int]:
        pixels = ee.data.computePixels({"expression": image, "fileFormat": "NUMPY_NDARRAY", "grid": grid})
        return [int(v) for v in pixels["label"].ravel()]

    assert column(collection.mosaic()) == [4] * 10 + [1] * 10
    assert column(collection.sort("system:time_start", False).mosaic()) == [4] * 20
    assert column(collection.mode()) == [4] * 10 + [1] * 10


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda c: ee.Image(f"{c}/20990101T000000_20990101T000000_T51TYL"), r"Image\.load: Image asset .* not found \(does not exist"),
        (lambda c: ee.ImageCollection("COPERNICUS/S2").size(), r"ImageCollection\.load: ImageCollection asset 'COPERNICUS/S2' not found"),
        (lambda c: ee.Image(f"{c}/{IMAGE}").select("forest"), r"Band pattern 'forest' did not match any bands\. Available bands: \[water"),
        (lambda c: ee.Image(1).reduceRegion(ee.Reducer.sum(), geometry(), 0.1), r"Too many pixels in the region\. Found \d+, but maxPixels allows only 10000000"),
        (lambda c: ee.Image(1).convolve(ee.Kernel.square(1)), r"not found: the local Earth Engine does not implement it"),
        (lambda c: ee.FeatureCollection(ee.List.sequence(1, 5001).map(lambda n: ee.Feature(None, {"n": n}))), r"aborted after accumulating over 5000"),
        (lambda c: ee.Image(f"{c}/{IMAGE}").addBands(ee.Image.pixelArea()).projection(), "different projections"),
    ],
)  # fmt: skip
def test_errors_are_those_of_the_real_service(dw: Served, ask: Callable[[str], Any], message: str) -> None:
    with pytest.raises(ee.EEException, match=message):
        ask(dw[1].collection).getInfo()


def test_a_body_over_ten_megabytes_is_refused(dw: Served) -> None:
    with pytest.raises(ee.EEException, match="Request payload size exceeds the limit"):
        ee.String("x" * 11_000_000).getInfo()


def test_an_unknown_function_is_an_error_that_names_it(dw: Served) -> None:
    expression = {
        "result": "0",
        "values": {"0": {"functionInvocationValue": {"functionName": "Image.frobnicate", "arguments": {}}}},
    }
    answer = requests.post(f"{dw[2].url}/v1/projects/p/value:compute", json={"expression": expression}, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Function 'Image.frobnicate' not found."


def test_every_implementation_has_a_real_signature() -> None:
    assert set(implemented()) <= signatures().keys()
    wanted = {
        "Reducer.sum", "Reducer.group", "Reducer.frequencyHistogram", "reduce.mode", "ImageCollection.mosaic",
        "Collection.filter", "Collection.map", "Image.reduceRegion", "Image.reduceRegions",
        "AggregateFeatureCollection.array", "Image.select", "Image.eq", "Image.updateMask", "Image.addBands",
        "Image.multiply", "Image.pixelArea",
    }  # fmt: skip
    assert wanted <= set(implemented())


def test_nodata_and_internal_masks_are_honoured(earth_engine: Served) -> None:
    """A file whose mask is a band of its own, not a nodata value."""
    path = earth_engine[0] / f"{IMAGE}.tif"
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path, "w", driver="GTiff", height=100, width=100, count=1, dtype="uint8", crs="EPSG:32651",
            transform=Affine(10, 0, *ORIGIN[:1], 0, -10, ORIGIN[1]),
        ) as dataset,
    ):  # fmt: skip
        dataset.write(np.full((100, 100), 4, dtype="uint8"), 1)
        half = np.full((100, 100), 255, dtype="uint8")
        half[:, :50] = 0
        dataset.write_mask(half)
    image = ee.Image(f"{earth_engine[1].collection}/{IMAGE}")
    west, south = ORIGIN[0], ORIGIN[1] - 1000
    to_degrees = Transformer.from_crs("EPSG:32651", "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform(west + 500, south + 500)
    inner = ee.Geometry(mapping(box(lon - 0.003, lat - 0.002, lon + 0.003, lat + 0.002)), None, False)
    counted = image.reduceRegion(ee.Reducer.count(), inner, crs=image.projection()).getInfo()["label"]
    everything = image.unmask(0).reduceRegion(ee.Reducer.count(), inner, crs=image.projection()).getInfo()["label"]
    assert counted == pytest.approx(everything / 2, rel=0.05)


def test_branches_not_taken_are_not_computed_and_inner_functions_see_outer_arguments(dw: Served) -> None:
    items = ee.List([3, 1, 2])
    nothing = ee.List([])
    assert ee.Algorithms.If(items.contains(9), nothing.get(0), "none").getInfo() == "none"
    table = items.sort().map(lambda a: items.map(lambda b: ee.Number(a).multiply(10).add(b)))
    assert table.getInfo() == [[13, 11, 12], [23, 21, 22], [33, 31, 32]]
    assert [items.indexOf(2).getInfo(), items.indexOf(9).getInfo()] == [2, -1]
    assert items.reduce(ee.Reducer.sum()).getInfo() == 6
    assert ee.String("a").compareTo("b").getInfo() == -1
    assert ee.Number(4).format().getInfo() == "4"
    assert ee.Image(f"{dw[1].collection}/{IMAGE}").select("label").bandTypes().getInfo()["label"]["precision"] == "int"
