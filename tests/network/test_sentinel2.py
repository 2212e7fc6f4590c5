"""From Sentinel-2 files to classified images: products, band files and GeoTIFFs; what cannot be used is one sentence."""

import csv
import json
import subprocess
import sys
import zipfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import onnx
import pytest
import rasterio
from pyproj import Transformer
from rasterio.warp import Resampling, reproject
from shapely import Polygon, box
from shapely.geometry import mapping

from local.earth_engine.raster import RasterFile
from local.earth_engine.values import Window
from local.network.convert import weights_of
from local.sentinel2 import product
from local.sentinel2.choices import Form, Mask
from local.sentinel2.classify import BYTE_STEPS, classify, steps, tiles_over
from local.sentinel2.folder import classify_folder
from local.sentinel2.product import unzipped
from local.sentinel2.regions import region_on
from local.sentinel2.scene import SceneReader, opened
from local.sentinel2.sources import Told, scene_from
from shared.errors import UserInputError
from shared.network.model import FILE, Network
from shared.network.normalisation import BANDS
from shared.network.tiling import Span
from tests.network import port, products
from tests.network.products import BAND_NAMES, IMAGE_ID, NORTH, WEST, Bands
from tests.scenes import CLASS_NAMES, independent_cells

SIZE = 240
LANDCOVER = str(Path(sys.executable).parent / "landcover")
NOT_MASKED = Told(offset_dn=0)


@pytest.fixture(scope="module")
def network() -> Network:
    return Network()


def random_bands(size: int = SIZE) -> Bands:
    random = np.random.default_rng(size)
    return {
        name: random.integers(200, 4000, (size * 10 // pixel_m,) * 2).astype(np.uint16)
        for name, pixel_m in products.PIXEL_M.items()
    }


def geotiff(path: Path, bands: Bands, names: tuple[str, ...] = BAND_NAMES, **options: object) -> Path:
    return products.write_raster(path, products.stacked(bands, names), 10, names, **options)  # type: ignore[arg-type]


def read(path: Path, told: Told, span: Span | None = None, *, masked: bool = False) -> tuple[np.ndarray, np.ndarray]:
    with ExitStack() as stack:
        scene = stack.enter_context(scene_from(path, told, masked))
        reader: SceneReader = stack.enter_context(opened(scene))
        return reader.pixels(span or scene.span)


def expected_probabilities(bands: Bands) -> np.ndarray:
    """(9, H, W) by GDAL's bilinear resampling, the published formula and the port, all in double precision."""
    transform = {m: rasterio.Affine(m, 0, WEST, 0, -m, NORTH) for m in (10, 20)}
    dn = []
    for name in BANDS:
        values = bands[name].astype(np.float64)
        if products.PIXEL_M[name] == 20:
            fine = np.empty((values.shape[0] * 2, values.shape[1] * 2))
            reproject(
                values, fine, src_transform=transform[20], dst_transform=transform[10], src_crs=products.CRS,
                dst_crs=products.CRS, resampling=Resampling.bilinear,
            )  # fmt: skip
            values = fine
        dn.append(values)
    centres = [1.7417268, 1.7261205, 1.6798346, 1.7734970, 2.2891541, 2.3829397, 2.3828940, 2.1952484, 1.5548129]
    scales = [2.0232987, 2.0389052, 2.1795928, 2.2890068, 2.6171675, 2.7734186, 2.7578333, 2.7890925, 2.4140535]
    z = 5 * (np.log(0.005 * np.stack(dn, axis=-1) + 1) - centres) / scales - 1
    logits = port.logits(weights_of(onnx.load(FILE)), 1 / (1 + np.exp(-z)))
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(axis=2, keepdims=True)).transpose(2, 0, 1)


def degrees(*corners: tuple[float, float]) -> Polygon:
    to_degrees = Transformer.from_crs(products.CRS, "EPSG:4326", always_xy=True)
    return Polygon([to_degrees.transform(WEST + x, NORTH - y) for x, y in corners])


def test_from_zip_to_table_in_one_command(tmp_path: Path, shared_data: Path) -> None:
    """Real metadata, real pixels of forest, baseline 04.00: probabilities as the port has them, areas as exactextract."""
    bands = products.real_bands(shared_data, 2, SIZE)
    folder = tmp_path / "products"
    folder.mkdir()
    safe = products.write_product(tmp_path, shared_data, bands, offset=-1000)
    products.zipped(safe).rename(folder / "download.zip")
    aoi = degrees((300, 400), (2000, 300), (2100, 1900), (1200, 2200), (350, 1500))
    (tmp_path / "aoi.geojson").write_text(
        json.dumps({"type": "Feature", "id": "a", "properties": {}, "geometry": mapping(aoi)})
    )
    out = tmp_path / "out"
    command = [LANDCOVER, "run", "--aois", tmp_path / "aoi.geojson", "--sentinel2", folder, "--out", out]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr

    image = out / "classified" / f"{IMAGE_ID}.tif"
    expected = expected_probabilities(bands)
    with rasterio.open(image) as dataset:
        assert dataset.descriptions == (*CLASS_NAMES, "label")
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.tags()["qa_algorithm_version"] == "bands-1"
        found = dataset.read()
    assert np.abs(found[:9] - expected).max() < 1e-4
    assert (found[9] == expected.argmax(axis=0)).all()

    cells = independent_cells(image, aoi, eight_bit=True)
    labels = found[9][cells.rows, cells.columns]
    with (out / "observations.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["class_name"]: row for row in csv.DictReader(file)}
    assert {row["overpass_id"] for row in rows.values()} == {IMAGE_ID[:15]}
    scale = cells.polygon_m2 / cells.areas_m2.sum()
    for class_id, name in enumerate(CLASS_NAMES):
        row = rows[name]
        truth = (
            scale * cells.areas_m2[labels == class_id].sum(),
            scale * (cells.areas_m2 * found[class_id][cells.rows, cells.columns]).sum(),
        )
        assert float(row["label_area_m2"]) == pytest.approx(truth[0], abs=1e-5 * cells.polygon_m2)
        assert float(row["probability_area_m2"]) == pytest.approx(truth[1], abs=1e-5 * cells.polygon_m2)
        assert float(row["coverage"]) == pytest.approx(1)
    assert float(rows["trees"]["label_area_m2"]) > 0.9 * cells.polygon_m2
    for table in ("monthly_summary.csv", "annual_summary.csv"):
        with (out / table).open(newline="", encoding="utf-8") as file:
            trees = [row for row in csv.DictReader(file) if row["class_name"] == "trees"]
        assert [row["observation_count"] for row in trees if row["observation_count"] != "0"] == ["1"]


def test_folder_zip_band_files_and_geotiff_are_one_scene(tmp_path: Path, shared_data: Path) -> None:
    """Whatever the packing and the offset, the same pixels; 20 m bands that a GeoTIFF repeats are interpolated too."""
    bands = random_bands()
    bands["B5"][7, 9] = 0
    plain = products.write_product(tmp_path, shared_data, bands)
    with_offset = products.write_product(tmp_path, shared_data, bands, offset=-1000)
    loose = tmp_path / "loose"
    (images,) = plain.glob("GRANULE/*/IMG_DATA")
    images.rename(loose)
    tiff = geotiff(tmp_path / "scene.tif", bands, nodata=0, RADIO_ADD_OFFSET="0")
    truth = read(loose, Told(0))
    assert truth[1].sum(axis=(1, 2)).tolist() == [SIZE**2 - (4 if band == "B5" else 0) for band in BANDS]
    for path in (with_offset, products.zipped(with_offset), tiff):
        for ours, theirs in zip(read(path, Told()), truth, strict=True):
            assert np.array_equal(ours, theirs), path


def test_what_a_product_says_of_itself(tmp_path: Path, shared_data: Path) -> None:
    safe = products.write_product(tmp_path, shared_data, random_bands(120))
    with scene_from(safe) as scene:
        assert (scene.image_id, scene.crs, scene.span) == (IMAGE_ID, "EPSG:32646", Span(0, 0, 120, 120))
        assert (scene.west_m, scene.north_m) == (WEST, NORTH)
        assert scene.sun_azimuth_deg == pytest.approx(142.987598836457)


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


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("no such band", "missing bands B3, B12"),
        ("no cirrus", "missing bands B8A, B10 \\(L2A has no B10"),
        ("L2A", "the network knows no L2A"),
        ("unnamed", "expected bands described as B2, B3, …, found unnamed"),
        ("offset unknown", "do not say whether values carry the offset"),
        ("sun unknown", "do not say where the sun stands"),
        ("offset no number", "expected a number in the tag RADIO_ADD_OFFSET, found 'minus'"),
        ("reflectance", "found B2 up to 0.359: reflectance 0 to 1\\? Multiply by 10000"),
        ("picture", "found B2 in 8 bits: a picture"),
        ("20 m", "expected pixels of 10 m, found 20 m"),
        ("7 m", "found 7 × 7 m"),
        ("between", "on multiples of 10 m .* from \\(499985, 3100020\\)"),
        ("degrees", "own UTM coordinates .* found EPSG:4326"),
        ("no crs", "found none"),
        ("too large", "more than a scene has"),
        ("another format", "expected a SAFE folder or its zip"),
        ("garbage", "not a readable raster"),
        ("no file", "no such file or folder"),
    ],
)  # fmt: skip
def test_geotiffs_that_cannot_be_used(
    tmp_path: Path, change: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bands = {name: dn[:6, :6] for name, dn in random_bands(120).items()}
    names = BAND_NAMES
    if change == "no such band":
        names = tuple(name for name in BAND_NAMES if name not in {"B3", "B12"})
    if change == "no cirrus":
        names = tuple(name for name in BAND_NAMES if name not in {"B8A", "B10"})
    values = np.stack([np.resize(bands[name], (12, 12)) for name in names])
    tags = {"RADIO_ADD_OFFSET": "0", "MEAN_SOLAR_AZIMUTH_ANGLE": "150"}
    pixel, crs = (
        {"20 m": 20.0, "7 m": 7.0}.get(change, 10.0),
        {"degrees": "EPSG:4326", "no crs": None}.get(change, products.CRS),
    )
    if change == "L2A":
        names = (*names[:-1], "SCL")
    if change in {"offset unknown", "sun unknown"}:
        del tags[{"offset unknown": "RADIO_ADD_OFFSET"}.get(change, "MEAN_SOLAR_AZIMUTH_ANGLE")]
    if change == "offset no number":
        tags["RADIO_ADD_OFFSET"] = "minus"
    if change == "reflectance":
        values = np.minimum(values / 10_000, 0.4).astype(np.float32)
    if change == "picture":
        values = (values // 16).astype(np.uint8)
    origin = (WEST + 5, NORTH) if change == "between" else (WEST, NORTH)
    if change == "too large":
        monkeypatch.setattr("local.sentinel2.scene._MOST_PIXELS", 100)
    path = tmp_path / "scene.tif"
    written = () if change == "unnamed" else names
    products.write_raster(path, values, pixel, written, origin, crs=crs, **tags)
    if change == "another format":
        path = path.rename(tmp_path / "scene.img")
    if change == "garbage":
        path.write_bytes(b"II*\x00 nothing of the kind")
    if change == "no file":
        path.unlink()
    with pytest.raises(UserInputError, match=sentence), scene_from(path):
        pass


def test_products_that_cannot_be_used(tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, sentence: str, told: Told = Told()) -> None:  # noqa: B008
        with pytest.raises(UserInputError, match=sentence), scene_from(path, told):
            pass

    metadata = shared_data / "b_sentinel2/product_metadata"
    (l2a,) = metadata.glob("S2B_MSIL2A*N0400*")
    refused(l2a, "expected a Sentinel-2 L1C product .* found an L2A product")
    refused(next(metadata.glob("*T01LAC*")), "missing band B2")
    refused(tmp_path, "no product .* and no band files")
    loose = tmp_path / "loose"
    loose.mkdir()
    coarse = products.write_raster(loose / "T46RER_20210908T042701_B02.jp2", random_bands(120)["B5"][np.newaxis], 20)
    refused(loose, "expected B2 with pixels of 10 m, found 20 m", Told(offset_dn=0))
    refused(loose, "do not say whether values carry the offset")
    coarse.rename(loose / "T46RER_20210908T042701_B02_20m.jp2")
    refused(loose, "found L2A names", Told(offset_dn=0))

    safe = products.write_product(tmp_path, shared_data, random_bands(120), offset=-1000)
    refused(safe, "the product itself says its offset", Told(offset_dn=0))
    main = safe / "MTD_MSIL1C.xml"
    text = main.read_text(encoding="utf-8")
    for old, new, sentence in (
        (products.offset_list(-1000), "", "baseline 04.00 has an offset .* gives 0"),
        (products.offset_list(-1000), products.offset_list(-1000, 12), "gives 12"),
        (">10000<", ">1000<", "found Level-1C × 1000"),
        ("<PROCESSING_LEVEL>Level-1C</PROCESSING_LEVEL>", "", "no PROCESSING_LEVEL"),
        ("</n1:Level-1C_User_Product>", "", "not XML"),
        ('standalone="no"?>', 'standalone="no"?><!DOCTYPE a [<!ENTITY b "c">]>', "has no document type"),
    ):
        assert old in text
        main.write_text(text.replace(old, new), encoding="utf-8")
        refused(safe, sentence)
    main.write_text(text, encoding="utf-8")

    archive = products.zipped(safe)
    monkeypatch.setattr(product, "_MOST_BAND_BYTES", 100)
    refused(archive, "expected one product of one tile")
    monkeypatch.undo()
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2] + bytes(1000) + content[len(content) // 2 + 1000 :])
    refused(archive, "not a readable zip file")


@pytest.mark.parametrize("damage", ["deflated bytes", "password"])
def test_a_damaged_or_locked_zip_is_one_sentence(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "product.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("A.SAFE/MTD_MSIL1C.xml", "<x>" + "y" * 1000 + "</x>")
    content = bytearray(path.read_bytes())
    if damage == "password":
        local, central = content.index(b"PK\x03\x04"), content.index(b"PK\x01\x02")
        content[local + 6] |= 1
        content[central + 8] |= 1
    else:
        start = content.index(b"MTD_MSIL1C.xml") + len("MTD_MSIL1C.xml")
        content[start : start + 4] = b"\xff" * 4
    path.write_bytes(content)
    with pytest.raises(UserInputError, match="not a readable zip file"), unzipped(path):
        pass


def test_nothing_is_unzipped_outside_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (
            "../MTD_MSIL1C.xml",
            "/tmp/x/MTD_MSIL1C.xml",
            "a/../../MTD_MSIL1C.xml",
            "a/GRANULE/../MTD_TL.xml",
            "a/other.txt",
        ):
            archive.writestr(name, "<x/>")
    with unzipped(path) as folder:
        inside = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    assert set(inside) <= {"MTD_MSIL1C.xml", "GRANULE/granule/MTD_TL.xml"}
    assert not (tmp_path / "MTD_MSIL1C.xml").exists()


def test_the_command_classifies_or_says_one_sentence(tmp_path: Path) -> None:
    path, out = geotiff(tmp_path / "scene.tif", random_bands(120)), tmp_path / "new" / "image.tif"
    command = [LANDCOVER, "classify", str(path), "--out", str(out), "--mask", "none", "--format", "byte"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (refused.returncode, refused.stderr.count("\n"), out.exists()) == (1, 1, False)
    assert refused.stderr.startswith("landcover: scene.tif: the files do not say whether values carry the offset")
    done = subprocess.run([*command, "--offset", "0"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "1.4 km² classified, 0.0% of it hidden" in done.stdout
    assert [file.name for file in out.parent.iterdir()] == ["image.tif"]
    with rasterio.open(out) as dataset:
        assert (dataset.count, dataset.shape, dataset.dtypes[0]) == (10, (120, 120), "uint8")


def test_of_two_products_of_a_scene_the_later_counts(tmp_path: Path, shared_data: Path) -> None:
    """In any order of names; a scene that shows none of the areas is left out; nothing left is one sentence."""
    folder = tmp_path / "products"
    said: list[str] = []
    folder.mkdir()
    for name, scene, hour in (("a", 2, "09"), ("b", 4, "10"), ("c", 3, "08")):
        (tmp_path / name).mkdir()
        safe = products.write_product(tmp_path / name, shared_data, products.real_bands(shared_data, scene, 120))
        products.rewrite(
            safe / "MTD_MSIL1C.xml", ("<GENERATION_TIME>2021-09-08T07", f"<GENERATION_TIME>2021-09-08T{hour}")
        )
        safe.rename(folder / f"{name}.SAFE")
    inside, outside = degrees((100, 100), (900, 100), (900, 900)), box(10, 10, 10.1, 10.1)
    target = tmp_path / "images"
    target.mkdir()
    classify_folder(folder, [inside, outside], target, said.append)
    assert [line.strip().split(":")[0] for line in said] == ["a.SAFE", "b.SAFE", "c.SAFE"]
    assert "processed later" in said[2]
    (image,) = target.iterdir()
    assert image.name == f"{IMAGE_ID}.tif"
    with scene_from(folder / "b.SAFE") as scene, opened(scene) as reader:
        classify(reader, Network(), tiles_over(scene), tmp_path / "b.tif")
    with rasterio.open(image) as found, rasterio.open(tmp_path / "b.tif") as later:
        assert np.array_equal(found.read(), later.read(), equal_nan=True)
    with pytest.raises(UserInputError, match="none of the scenes shows any of the areas"):
        classify_folder(folder, [outside], target, said.append)
    with pytest.raises(UserInputError, match="no Sentinel-2 product"):
        classify_folder(tmp_path / "a", [inside], target, said.append)
