"""Opening a person's GeoTIFF: as that and nothing else, and only where reading it is bounded.

GDAL knows some 150 formats, of which several read other files or ask servers. A file that claims to be a GeoTIFF is
opened by that driver alone, without the files beside it (overviews and masks may be of any format).
"""

from pathlib import Path
from typing import Any

import rasterio
from rasterio.errors import RasterioError

from shared.errors import UserInputError

_ALONE = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"}
# A Sentinel-2 tile has 1.2 × 10⁸ pixels at 10 m; a large region in one mosaic ten times as many.
_MOST_PIXELS = 2_000_000_000
# A block is decompressed whole, and a small file may hold a huge one.
_MOST_BLOCK_BYTES = 134_217_728
_MOST_BANDS = 100
_BYTES = {"int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "float32": 4}


def open_geotiff(path: Path) -> Any:
    """A rasterio dataset. Raises UserInputError with one plain sentence when it is no GeoTIFF, or too much to read."""
    mask = path.with_name(f"{path.name}.msk")
    if mask.exists():
        raise UserInputError(f"{path.name}: the mask beside it ({mask.name}) is not read; put the mask in the file")
    try:
        with rasterio.Env(**_ALONE):
            dataset = rasterio.open(path, driver="GTiff")
    except RasterioError as error:
        raise UserInputError(f"{path.name}: not a readable raster ({error})") from None
    try:
        _check_size(path, dataset)
    except UserInputError:
        dataset.close()
        raise
    return dataset


def _check_size(path: Path, dataset: Any) -> None:
    if dataset.count > _MOST_BANDS:
        raise UserInputError(f"{path.name}: {dataset.count} bands, the limit is {_MOST_BANDS}")
    if dataset.width * dataset.height > _MOST_PIXELS:
        raise UserInputError(f"{path.name}: {dataset.width} × {dataset.height} pixels, the limit is {_MOST_PIXELS}")
    pixel_interleaved = dataset.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "PIXEL"
    bands_in_block = dataset.count if pixel_interleaved else 1
    for (rows, columns), dtype in zip(dataset.block_shapes, dataset.dtypes, strict=True):
        block_bytes = rows * columns * _BYTES.get(dtype, 8) * bands_in_block
        if block_bytes > _MOST_BLOCK_BYTES:
            raise UserInputError(
                f"{path.name}: blocks of {columns} × {rows} pixels take {block_bytes / 1e6:.0f} MB each, the limit is "
                f"{_MOST_BLOCK_BYTES / 1e6:.0f} MB; write it in tiles"
            )
