"""From Sentinel-2 products, band files and GeoTIFFs to images and tables."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import rasterio
from rasterio.warp import Resampling, reproject
from shapely import box
from shapely.geometry import mapping

from local.network.convert import weights_of
from local.sentinel2.classify import classify, tiles_over
from local.sentinel2.folder import classify_folder
from local.sentinel2.scene import opened
from local.sentinel2.sources import Told, scene_from
from shared.errors import UserInputError
from shared.network.model import FILE, Network
from shared.network.normalisation import BANDS
from shared.network.tiling import Span
from tests.network import port, products
from tests.network.products import IMAGE_ID, NORTH, WEST, Bands, degrees, geotiff, random_bands, read
from tests.scenes import CLASS_NAMES, independent_cells

SIZE = 240
LANDCOVER = str(Path(sys.executable).parent / "landcover")


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
