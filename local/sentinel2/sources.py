"""What a person hands over as a scene: a product (folder or zip), a folder of band files, or one GeoTIFF."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rasterio.windows import Window

from local.sentinel2.product import L2A_FILE, PRODUCT_FILE, band_name, read_product, unzipped
from local.sentinel2.scene import MASK_BANDS, BandFile, Scene, even_grid, opened_raster
from shared.errors import InvalidMessageError, UserInputError
from shared.imagery.names import parse_scene_name
from shared.network.normalisation import BANDS, BANDS_20_M

_RASTERS = {".jp2", ".tif", ".tiff"}
_L2A_BANDS = {"SCL", "AOT", "WVP"}
_SAMPLE_PIXELS = 1024
# The least that a band of DN can be: reflectance 0..1 stays under it, and so does no scene seen in daylight.
_LEAST_BRIGHT_DN = 2.0
_OFFSET_TAG, _SUN_TAG = "RADIO_ADD_OFFSET", "MEAN_SOLAR_AZIMUTH_ANGLE"


class Told(NamedTuple):
    """What the person says of files that don't say it themselves."""

    offset_dn: int | None = None
    sun_azimuth_deg: float | None = None


@contextmanager
def scene_from(path: Path, told: Told = Told(), masked: bool = True) -> Iterator[Scene]:  # noqa: B008
    """The scene in a folder, zip or GeoTIFF, checked. Temporary files live as long as the context.

    ``masked`` asks for the bands and the sun's direction that the cloud mask needs. Raises UserInputError with one
    plain sentence for whatever cannot be used.
    """
    if not path.exists():
        raise UserInputError(f"{path}: no such file or folder")
    if path.is_dir() and any((path / name).exists() for name in (PRODUCT_FILE, L2A_FILE)):
        yield _checked(_of_product(path, told), masked)
    elif path.is_dir():
        yield _checked(_of_band_files(path, told), masked)
    elif path.suffix.lower() in _RASTERS:
        yield _checked(_of_geotiff(path, told), masked)
    elif zipfile.is_zipfile(path):
        with unzipped(path) as folder:
            yield _checked(_of_product(folder, told), masked)
    else:
        raise UserInputError(
            f"{path.name}: expected a SAFE folder or its zip, a folder of band files, or a GeoTIFF with named bands"
        )


def _of_product(folder: Path, told: Told) -> Scene:
    product = read_product(folder)
    offsets = product.offsets_dn
    if told.offset_dn is not None and set(offsets.values()) != {told.offset_dn}:
        raise UserInputError(
            f"{folder.name}: the product itself says its offset ({offsets['B2']} in B2), --offset says {told.offset_dn}"
        )
    paths = {name: path for path in folder.glob("GRANULE/*/IMG_DATA/*.jp2") if (name := band_name(path.stem))}
    azimuth = product.sun_azimuth_deg if told.sun_azimuth_deg is None else told.sun_azimuth_deg
    return _of_files(folder.name, product.image_id, paths, offsets, azimuth)._replace(processed=product.processed)


def _of_band_files(folder: Path, told: Told) -> Scene:
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _RASTERS)
    stems = [path.stem.upper().removesuffix("_10M").removesuffix("_20M").removesuffix("_60M") for path in files]
    if any(stem.rsplit("_", 1)[-1] in _L2A_BANDS for stem in stems) or stems != [path.stem.upper() for path in files]:
        raise UserInputError(f"{folder}: expected bands of an L1C product (the network knows no L2A), found L2A names")
    paths = {name: path for path in files if (name := band_name(path.stem))}
    if not paths:
        raise UserInputError(
            f"{folder}: no product ({PRODUCT_FILE}) and no band files (…_B02.jp2 or .tif) in this folder"
        )
    offset = _known_offset(folder.name, told.offset_dn)
    return _of_files(folder.name, _image_id(folder.name), paths, dict.fromkeys(paths, offset), told.sun_azimuth_deg)


def _of_files(
    name: str, image_id: str | None, paths: dict[str, Path], offsets: dict[str, int], azimuth: float | None
) -> Scene:
    """A scene of one file a band; in L1C, 0 is no data."""
    if "B2" not in paths:
        raise UserInputError(f"{name}: missing band B2")
    with opened_raster(paths["B2"]) as first:
        west, north, height, width = even_grid(first)
        crs = first.crs
    bands = {}
    for band, path in paths.items():
        with opened_raster(path) as dataset:
            if dataset.crs != crs or dataset.count != 1:
                raise UserInputError(
                    f"{path.name}: expected one band in {crs}, as B2 is, found {dataset.count} in {dataset.crs}"
                )
            if dataset.transform.a > _coarsest_m(band):
                wanted, found = _coarsest_m(band), dataset.transform.a
                raise UserInputError(f"{path.name}: expected {band} with pixels of {wanted} m, found {found:g} m")
            nodata = 0 if dataset.nodata is None else dataset.nodata
            bands[band] = _band_file(path, 1, dataset, offsets[band], nodata)
    return Scene(name, image_id, bands, f"EPSG:{crs.to_epsg()}", west, north, height, width, azimuth)


def _coarsest_m(band: str) -> int:
    """The pixel size of a band in a product."""
    if band in {"B1", "B9", "B10"}:
        return 60
    return 20 if band in {*BANDS_20_M, "B8A"} else 10


def _band_file(path: Path, index: int, dataset: Any, offset: int, nodata: float | None) -> BandFile:
    t = dataset.transform
    return BandFile(path, index, round(t.a), t.c, t.f, offset, nodata)


def _of_geotiff(path: Path, told: Told) -> Scene:
    """One file with all bands on 10 m pixels, named by their descriptions."""
    with opened_raster(path) as dataset:
        described = [description or "" for description in dataset.descriptions]
        if _L2A_BANDS & {text.upper() for text in described}:
            raise UserInputError(
                f"{path.name}: expected bands of an L1C scene (the network knows no L2A), found L2A bands"
            )
        named = {name: index for index, text in enumerate(described, 1) if (name := band_name(text))}
        if not named:
            found = ", ".join(text or "unnamed" for text in described[:5])
            raise UserInputError(f"{path.name}: expected bands described as B2, B3, …, found {found}")
        if dataset.transform.a != 10:
            raise UserInputError(f"{path.name}: expected pixels of 10 m, found {dataset.transform.a:g} m")
        tags = dataset.tags()
        offset = _known_offset(
            path.name, _number(path, tags, _OFFSET_TAG) if told.offset_dn is None else told.offset_dn
        )
        azimuth = _number(path, tags, _SUN_TAG) if told.sun_azimuth_deg is None else told.sun_azimuth_deg
        bands = {name: _band_file(path, index, dataset, offset, dataset.nodata) for name, index in named.items()}
        west, north, height, width = even_grid(dataset)
        repeated = all(_repeated(dataset, named[band], bands[band]) for band in BANDS_20_M if band in named)
        code = f"EPSG:{dataset.crs.to_epsg()}"
        zeros_missing = dataset.nodata is None
    scene = Scene(path.stem, _image_id(path.stem), bands, code, west, north, height, width, azimuth)
    return scene._replace(repeated_20_m=repeated, zeros_missing=zeros_missing)


def _number(path: Path, tags: dict[str, str], name: str) -> float | None:
    try:
        return float(tags[name]) if name in tags else None
    except ValueError:
        raise UserInputError(f"{path.name}: expected a number in the tag {name}, found {tags[name][:40]!r}") from None


def _known_offset(name: str, offset: float | None) -> int:
    if offset is None:
        raise UserInputError(
            f"{name}: the files do not say whether values carry the offset of baseline 04.00 and later; give "
            "--offset -1000 if they do, --offset 0 if not (before 2022, or harmonised)"
        )
    return round(offset)


def _image_id(stem: str) -> str | None:
    try:
        return stem if parse_scene_name(stem).datastrip_stamp else None
    except InvalidMessageError:
        return None


def _middle(dataset: Any, band: BandFile) -> Window:
    """A window of the middle of a raster that begins on the even grid."""
    height, width = (min(size, _SAMPLE_PIXELS) // 2 * 2 for size in (dataset.height, dataset.width))
    top = (dataset.height - height) // 4 * 2 + round(band.north_m / 10) % 2
    left = (dataset.width - width) // 4 * 2 + round(band.west_m / 10) % 2
    return Window(left, top, min(width, dataset.width - left) // 2 * 2, min(height, dataset.height - top) // 2 * 2)


def _repeated(dataset: Any, index: int, band: BandFile) -> bool:
    """Whether a 20 m band's values stand four times each on 10 m pixels."""
    values = dataset.read(index, window=_middle(dataset, band))
    first = values[0::2, 0::2]
    return all(np.array_equal(first, other) for other in (values[0::2, 1::2], values[1::2, 0::2], values[1::2, 1::2]))


def _checked(scene: Scene, masked: bool) -> Scene:
    missing = [band for band in (*BANDS, *(MASK_BANDS if masked else ())) if band not in scene.bands]
    if missing:
        hint = " (L2A has no B10; without a mask, --mask none, the network needs neither B8A nor B10)"
        only_mask = set(missing) <= set(MASK_BANDS)
        plural = "s" if len(missing) > 1 else ""
        raise UserInputError(f"{scene.name}: missing band{plural} {', '.join(missing)}{hint if only_mask else ''}")
    if masked and scene.sun_azimuth_deg is None:
        raise UserInputError(
            f"{scene.name}: the files do not say where the sun stands, which the shadow mask needs; give --sun-azimuth "
            "in degrees from north, or --mask none"
        )
    for band in BANDS:
        _check_values(scene.name, band, scene.bands[band])
    return scene


def _check_values(name: str, band: str, file: BandFile) -> None:
    """Look at the middle of a band: reflectance 0..1, or a picture of 8 bits, is no DN."""
    with opened_raster(file.path) as dataset:
        if dataset.dtypes[file.number - 1] in {"uint8", "int8"}:
            raise UserInputError(f"{name}: expected DN (reflectance × 10000), found {band} in 8 bits: a picture?")
        sample = dataset.read(file.number, window=_middle(dataset, file)).astype(np.float32)
    known = sample[np.isfinite(sample) & (sample != (0 if file.nodata is None else file.nodata))]
    if known.size and known.max() < _LEAST_BRIGHT_DN:
        raise UserInputError(
            f"{name}: expected DN (reflectance × 10000), found {band} up to {known.max():.3g}: reflectance 0 to 1? "
            "Multiply by 10000"
        )
