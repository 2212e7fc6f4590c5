"""What cannot be used is one sentence, and nothing of it leaves its folder."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from local.sentinel2 import product
from local.sentinel2.product import unzipped
from local.sentinel2.sources import Told, scene_from
from shared.errors import UserInputError
from tests.network import products
from tests.network.products import BAND_NAMES, NORTH, WEST, random_bands


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
