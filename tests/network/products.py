"""L1C products as ESA delivers them, from real metadata and pixels of our own; and the same pixels as one GeoTIFF."""

import shutil
import zipfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from pyproj import Transformer
from shapely import Polygon

from local.sentinel2.scene import SceneReader, opened
from local.sentinel2.sources import Told, scene_from
from shared.network.tiling import Span

METADATA = "b_sentinel2/product_metadata/S2A_MSIL1C_20210908T042701_N0301_R133_T46RER_20210908T070248.SAFE"
IMAGE_ID = "20210908T042701_20210908T043714_T46RER"
CRS, WEST, NORTH = "EPSG:32646", 499_980, 3_100_020
BAND_NAMES = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
PIXEL_M = dict(zip(BAND_NAMES, (60, 10, 10, 10, 20, 20, 20, 10, 20, 60, 60, 20, 20), strict=True))
Bands = dict[str, np.ndarray]


def real_bands(shared_data: Path, scene: int, size: int) -> Bands:
    """DN of one of the real scenes of Slovenia, mirrored to a size (a multiple of 6) and at each band's own pixels."""
    scenes = np.load(shared_data / "b_sentinel2/l1c_eolearn/REFERENCE_SCENES.npy")
    dn = np.rint(scenes[scene] * 10_000)
    dn = np.pad(dn, ((0, size - dn.shape[0]), (0, size - dn.shape[1]), (0, 0)), mode="symmetric")
    return {name: coarser(dn[..., i], PIXEL_M[name] // 10) for i, name in enumerate(BAND_NAMES)}


def coarser(values: np.ndarray, factor: int) -> np.ndarray:
    rows, columns = values.shape
    means = values.reshape(rows // factor, factor, columns // factor, factor).mean(axis=(1, 3))
    return np.rint(means).astype(np.uint16)


def write_product(target: Path, shared_data: Path, bands: Bands, *, offset: int | None = None) -> Path:
    """A SAFE folder. With an offset, as processing baseline 04.00 writes it: values that are stored are so much higher,
    and the metadata says what to add.
    """
    folder = target / (METADATA.rsplit("/", 1)[1] if offset is None else "S2A_MSIL1C_N0400.SAFE")
    shutil.copytree(shared_data / METADATA, folder, copy_function=shutil.copyfile)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    if offset is not None:
        rewrite(
            folder / "MTD_MSIL1C.xml",
            ("<PROCESSING_BASELINE>03.01<", "<PROCESSING_BASELINE>04.00<"),
            ('<QUANTIFICATION_VALUE unit="none">', offset_list(offset) + '<QUANTIFICATION_VALUE unit="none">'),
        )
    (granule,) = (folder / "GRANULE").iterdir()
    (granule / "IMG_DATA").mkdir()
    for name, dn in bands.items():
        stored = np.where(dn > 0, dn.astype(np.int64) - (offset or 0), 0).astype(np.uint16)
        stem = f"T46RER_20210908T042701_B{name[1:].rjust(2, '0')}"
        write_raster(granule / "IMG_DATA" / f"{stem}.jp2", stored[np.newaxis], PIXEL_M[name])
    return folder


def rewrite(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def offset_list(offset: int, count: int = 13) -> str:
    each = "".join(f'<RADIO_ADD_OFFSET band_id="{i}">{offset}</RADIO_ADD_OFFSET>' for i in range(count))
    return f"<Radiometric_Offset_List>{each}</Radiometric_Offset_List>"


def write_raster(
    path: Path,
    values: np.ndarray,
    pixel_m: float,
    names: tuple[str, ...] = (),
    origin: tuple[float, float] = (WEST, NORTH),
    crs: str | None = CRS,
    nodata: float | None = None,
    **tags: str,
) -> Path:
    """A lossless raster (bands, rows, columns), JPEG2000 or GeoTIFF by its name."""
    count, height, width = values.shape
    jpeg2000 = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"} if path.suffix == ".jp2" else {}
    profile = {"driver": "GTiff", **jpeg2000}
    with rasterio.open(
        path, "w", height=height, width=width, count=count, dtype=values.dtype, crs=crs, nodata=nodata,
        transform=Affine(pixel_m, 0, origin[0], 0, -pixel_m, origin[1]), **profile,
    ) as dataset:  # fmt: skip
        dataset.write(values)
        if names:
            dataset.descriptions = names
            dataset.update_tags(**tags)
    return path


def zipped(folder: Path) -> Path:
    """A product as it is downloaded."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, f"{folder.name}/{file.relative_to(folder)}")
    return path


def stacked(bands: Bands, names: tuple[str, ...] = BAND_NAMES) -> np.ndarray:
    """All bands on 10 m pixels, each value repeated."""
    return np.stack([np.kron(bands[n], np.ones((PIXEL_M[n] // 10,) * 2, dtype=np.uint16)) for n in names])


def random_bands(size: int = 240) -> Bands:
    """DN of a square of so many pixels of 10 m, each band at its own."""
    random = np.random.default_rng(size)
    return {
        name: random.integers(200, 4000, (size * 10 // pixel_m,) * 2).astype(np.uint16)
        for name, pixel_m in PIXEL_M.items()
    }


def geotiff(path: Path, bands: Bands, names: tuple[str, ...] = BAND_NAMES, **options: object) -> Path:
    """The same as one GeoTIFF at 10 m, its bands named."""
    return write_raster(path, stacked(bands, names), 10, names, **options)  # type: ignore[arg-type]


def read(path: Path, told: Told, span: Span | None = None, *, masked: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(bands, H, W) DN without offset, and which are valid, of a scene or a part of it."""
    with ExitStack() as stack:
        scene = stack.enter_context(scene_from(path, told, masked))
        reader: SceneReader = stack.enter_context(opened(scene))
        return reader.pixels(span or scene.span)


def degrees(*corners: tuple[float, float]) -> Polygon:
    """A polygon in lon/lat from metres right of and below the corner of the products."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    return Polygon([to_degrees.transform(WEST + x, NORTH - y) for x, y in corners])
