"""The image id that a raster of any name goes by: its own, or one made of its day, its place and its path."""

import zlib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.errors import RasterioError
from rasterio.warp import transform as warped

from local.runs.image_dates import date_in
from shared.errors import InvalidMessageError, UserInputError
from shared.geometry.grids import LATITUDE_BANDS
from shared.imagery.names import parse_scene_name


def image_id_of(
    path: Path, name: str, dataset: Any, day: date | None, dates: dict[str, date]
) -> tuple[str, str | None]:
    """The image id of a raster, and a line about its day where that was taken to be the middle of a month.

    A day that was given counts before the file's name. Raises UserInputError where neither tells one.
    """
    given = day or dates.get(name) or dates.get(path.name) or dates.get(path.stem)
    if given is None:
        try:
            parsed = parse_scene_name(path.stem)
            if parsed.datastrip_stamp:
                return path.stem, None
        except InvalidMessageError:
            pass
    noted = None
    if given is None:
        found = date_in(str(Path(name).with_suffix("")))
        if found is None:
            raise UserInputError(
                f"{name}: no date and no image id in its name; give --date 2021-07-03, or --dates FILE.csv "
                "with rows of file name and date"
            )
        given, exact = found
        if not exact:
            noted = f"  {name}: names the month; taken as {given}, which --date or --dates sets otherwise"
    stamp = f"{given:%Y%m%d}"
    seconds = zlib.crc32(str(path.resolve()).encode()) % 86_400
    clock = f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"
    image_id = f"{stamp}T120000_{stamp}T{clock}_{_tile(name, dataset)}"
    try:
        parse_scene_name(image_id)
    except InvalidMessageError:
        raise UserInputError(f"{name}: {given} lies outside of the years of Sentinel-2; give --date") from None
    return image_id, noted


def _tile(name: str, dataset: Any) -> str:
    """Zone and latitude band of the raster's middle, with a square that no tile has."""
    bounds = dataset.bounds
    try:
        longitudes, latitudes = warped(
            dataset.crs, "EPSG:4326", [(bounds.left + bounds.right) / 2], [(bounds.bottom + bounds.top) / 2]
        )
    except RasterioError:
        raise UserInputError(f"{name}: its place on Earth cannot be computed; is its CRS right?") from None
    if not (np.isfinite(longitudes[0]) and np.isfinite(latitudes[0])):
        raise UserInputError(f"{name}: its place on Earth cannot be computed; is its CRS right?")
    zone = int((longitudes[0] + 180) // 6) % 60 + 1
    band = LATITUDE_BANDS[int(np.clip((latitudes[0] + 80) // 8, 0, len(LATITUDE_BANDS) - 1))]
    return f"T{zone:02d}{band}ZZ"
