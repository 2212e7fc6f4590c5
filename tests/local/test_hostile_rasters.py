"""A "GeoTIFF" may be a list of other files, a question to a server, or a bomb: refused, unread, and nobody is asked."""

import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from local.earth_engine.raster import RasterFile
from local.runs.inputs import check_scenes
from shared.errors import UserInputError
from tests.memory import peaks_mib
from tests.scenes import write_scene

IMAGE = "20210703T023111_20210703T023105_T51TYL"


@contextmanager
def nobody_asked() -> Iterator[str]:
    """The address of a server; that no connection reached it is checked at the end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        assert not select.select([server], [], [], 0)[0], "a request left"


@pytest.fixture
def scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "1")  # so that a request that does leave is not waited for
    folder = tmp_path / "scenes"
    folder.mkdir()
    return folder


def vrt(source: str) -> str:
    return (
        '<VRTDataset rasterXSize="600" rasterYSize="600"><SRS>EPSG:32651</SRS>'
        "<GeoTransform>709000,10,0,5000000,0,-10</GeoTransform>"
        f'<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename relativeToVRT="0">{source}'
        "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )


def of_bytes(path: str) -> str:
    return (
        '<VRTDataset rasterXSize="8" rasterYSize="8"><SRS>EPSG:32651</SRS>'
        "<GeoTransform>709000,10,0,5000000,0,-10</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1" subClass="VRTRawRasterBand">'
        f'<SourceFilename relativetoVRT="0">{path}</SourceFilename><ImageOffset>0</ImageOffset>'
        "<PixelOffset>1</PixelOffset><LineOffset>8</LineOffset></VRTRasterBand></VRTDataset>"
    )


def wms(server: str) -> str:
    return (
        f'<GDAL_WMS><Service name="TMS"><ServerUrl>{server}/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service><DataWindow>'
        "<UpperLeftX>-20037508</UpperLeftX><UpperLeftY>20037508</UpperLeftY><LowerRightX>20037508</LowerRightX>"
        "<LowerRightY>-20037508</LowerRightY><TileLevel>1</TileLevel><TileCountX>1</TileCountX>"
        "<TileCountY>1</TileCountY></DataWindow><Projection>EPSG:3857</Projection><BandsCount>1</BandsCount></GDAL_WMS>"
    )


def wcs(server: str) -> str:
    return f"<WCS_GDAL><ServiceURL>{server}/wcs?</ServiceURL><CoverageName>c</CoverageName></WCS_GDAL>"


@pytest.mark.parametrize(
    "document",
    [
        lambda server: vrt(f"/vsicurl/{server}/latest/meta-data/secret.tif"),
        lambda server: vrt(f"/vsizip//vsicurl/{server}/a.zip/a.tif"),
        lambda _: of_bytes("/etc/passwd"),
        wms,
        wcs,
        lambda server: f"{server}/a.tif",
    ],
)
def test_what_is_no_geotiff_is_not_opened(scenes: Path, document: Callable[[str], str]) -> None:
    with nobody_asked() as server:
        (scenes / f"{IMAGE}.tif").write_text(document(server), encoding="utf-8")
        with pytest.raises(UserInputError, match="not a readable raster") as refused:
            check_scenes(scenes)
        with pytest.raises(UserInputError):
            RasterFile(scenes / f"{IMAGE}.tif")
    assert "root:" not in str(refused.value)


def test_a_raster_outside_the_folder_is_not_read(tmp_path: Path, scenes: Path) -> None:
    write_scene(tmp_path, IMAGE, crs="EPSG:32651", origin=(709_000, 5_000_000))
    (scenes / f"{IMAGE}.tif").write_text(vrt(str(tmp_path / f"{IMAGE}.tif")), encoding="utf-8")
    with pytest.raises(UserInputError, match="not a readable raster"):
        check_scenes(scenes)


def test_files_beside_a_geotiff_are_not_opened(scenes: Path) -> None:
    """Overviews and masks may be of any format, where GDAL looks for them."""
    path = write_scene(scenes, IMAGE, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(1200, 1200))
    with nobody_asked() as server:
        elsewhere = vrt(f"/vsicurl/{server}/secret.tif")
        path.with_name(f"{path.name}.ovr").write_text(elsewhere, encoding="utf-8")
        path.with_name(f"{path.name}.aux.xml").write_text(
            f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/vsicurl/{server}/x.tif</MDI></Metadata>'
            "</PAMDataset>",
            encoding="utf-8",
        )
        assert len(check_scenes(scenes)) == 1
        path.with_name(f"{path.name}.msk").write_text(elsewhere, encoding="utf-8")
        with pytest.raises(UserInputError, match="mask"):
            check_scenes(scenes)


def bomb(path: Path, **options: Any) -> None:
    """A file of some megabytes at most, since a missing block counts as zeros."""
    form = {"driver": "GTiff", "dtype": "uint8", "crs": "EPSG:32651", "tiled": True, "SPARSE_OK": True, "count": 1}
    place = Affine(10, 0, 709_000, 0, -10, 5_000_000)
    with rasterio.open(path, "w", transform=place, **{**form, **options}):
        pass


@pytest.mark.parametrize(
    ("options", "mention"),
    [
        ({"width": 32_768, "height": 32_768, "blockxsize": 32_768, "blockysize": 32_768}, "blocks of 32768"),
        ({"width": 200_000, "height": 200_000, "blockxsize": 4096, "blockysize": 4096, "BIGTIFF": "YES"}, "pixels"),
        ({"width": 16, "height": 16, "blockxsize": 16, "blockysize": 16, "count": 101}, "101 bands, the limit"),
        (
            {"width": 2048, "height": 2048, "blockxsize": 2048, "blockysize": 2048, "count": 90, "INTERLEAVE": "PIXEL"},
            "blocks of 2048",
        ),
    ],
)
def test_bombs_are_refused_by_their_headers(scenes: Path, options: dict[str, Any], mention: str) -> None:
    bomb(scenes / f"{IMAGE}.tif", **options)
    with pytest.raises(UserInputError, match=mention):
        check_scenes(scenes)


def test_a_bomb_takes_no_memory(scenes: Path) -> None:
    bomb(scenes / f"{IMAGE}.tif", width=32_768, height=32_768, blockxsize=32_768, blockysize=32_768)
    script = (
        "import sys, pathlib; from local.runs.inputs import check_scenes; from shared.errors import UserInputError\n"
        "peak('before')\n"
        "try: check_scenes(pathlib.Path(sys.argv[1]))\n"
        "except UserInputError: peak('refused')\n"
    )
    peaks = peaks_mib(script, str(scenes))
    assert peaks["refused"] - peaks["before"] < 64


@pytest.mark.parametrize("how", ["cut", "scrambled"])
def test_a_damaged_geotiff_is_one_sentence(scenes: Path, how: str) -> None:
    path = scenes / f"{IMAGE}.tif"
    form = {"driver": "GTiff", "width": 600, "height": 600, "count": 1, "dtype": "uint8", "crs": "EPSG:32651"}
    place = Affine(10, 0, 709_000, 0, -10, 5_000_000)
    with rasterio.open(path, "w", transform=place, compress="deflate", **form) as dataset:
        dataset.write(np.random.default_rng(1).integers(0, 9, (1, 600, 600), dtype="uint8"))
    whole = path.read_bytes()
    third = len(whole) // 3
    path.write_bytes(whole[:third] if how == "cut" else whole[:third] + bytes(third) + whole[2 * third :])
    with pytest.raises(UserInputError, match="not a readable raster"):
        check_scenes(scenes)
