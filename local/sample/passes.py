"""When the satellites pass over the sample, what of each pass Dynamic World keeps, and what clouds leave to be seen."""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from shapely import box

from local.earth_engine.passes import PASSES_FILE
from local.sample.place import NORTH, PIXEL_M, SIZE, WEST, lon_lat
from local.sample.views import Sky

_A_PASS, _REPEAT_DAYS = date(2021, 1, 3), 5
_CLOUD_LIMIT = 0.35  # Dynamic World processes no scene cloudier than this
_MISSED_CLOUD = 0.015
_FEWEST = 4
_MASK_PIXELS = 10  # clouds are masked at 100 m
_SEED = 2021

SPLIT_DAY = date(2021, 6, 12)
REPROCESSED_DAY = date(2021, 11, 14)
LATE_DAY = date(2021, 3, 14)
ONE_TILE_DAYS = {date(2021, 4, 3), date(2021, 8, 16)}
# A wet July: of its passes one was too cloudy but for the AOI, the only image of another comes months late.
SKIPPED_DAY, PUBLISHED_LATE_DAY = date(2022, 7, 12), date(2022, 7, 22)
_ALWAYS_KEPT = {SPLIT_DAY, REPROCESSED_DAY, LATE_DAY, *ONE_TILE_DAYS}


def kept_passes(year: int, month: int) -> list[tuple[date, Sky]]:
    """The days of a month with a Dynamic World image (too cloudy passes leave none), and what each sees."""
    random = np.random.default_rng([_SEED, year, month])
    days = [day for day in _passes(year) if day.month == month]
    if PUBLISHED_LATE_DAY in days:
        return [(PUBLISHED_LATE_DAY, _sky(random, PUBLISHED_LATE_DAY))]
    droppable = [day for day in days if day not in _ALWAYS_KEPT]
    kept = len(days) - _FEWEST - int(random.integers(0, 2))
    dropped = {droppable[n] for n in random.permutation(len(droppable))[: max(0, kept)]}
    return [(day, _sky(random, day)) for day in days if day not in dropped]


def stamp(day: date) -> str:
    """The sensing time of a pass: two satellites in turn."""
    return f"{day:%Y%m%d}T0231{11 if (day - _A_PASS).days % 10 == 0 else 9:02d}"


def scene_id(day: date) -> str:
    """The image id of the northern tile of a pass, of a Dynamic World image or a Sentinel-2 scene."""
    return f"{stamp(day)}_{day:%Y%m%d}T023107_T51TYL"


def write_cloudy_passes(folder: Path, years: Iterable[int], seen: set[date]) -> None:
    """The passes that left no image, with a cloud share above the limit: why months are thin."""
    tile = box(WEST, NORTH - SIZE * PIXEL_M, WEST + SIZE * PIXEL_M, NORTH)
    outline = [lon_lat(x, y) for x, y in tile.exterior.coords]
    random = np.random.default_rng(_SEED)
    features = [
        {
            "type": "Feature",
            "id": scene_id(day),
            "properties": {"CLOUDY_PIXEL_PERCENTAGE": round(random.uniform(_CLOUD_LIMIT * 100 + 1, 100), 1)},
            "geometry": {"type": "Polygon", "coordinates": [outline]},
        }
        for year in years
        for day in _passes(year)
        if day not in seen
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (folder / PASSES_FILE).write_text(text + "\n", encoding="utf-8")


def _passes(year: int) -> list[date]:
    first = date(year, 1, 1) + timedelta(days=(_A_PASS - date(year, 1, 1)).days % _REPEAT_DAYS)
    return [first + timedelta(days=n) for n in range(0, (date(year, 12, 31) - first).days + 1, _REPEAT_DAYS)]


def _sky(random: np.random.Generator, day: date) -> Sky:
    """What cloud and shadow leave, in blocks of 100 m. The mask of the reprocessed scene misses no cloud."""
    cover = float(random.choice([0.0, random.uniform(0.02, _CLOUD_LIMIT)]))
    density = gaussian_filter(random.standard_normal((SIZE // _MASK_PIXELS,) * 2), 4, mode="wrap")
    if not cover:
        clear = np.ones((SIZE, SIZE), dtype=bool)
        return Sky(clear, ~clear)
    hidden, missed = np.quantile(density, [cover, cover + (0 if day == REPROCESSED_DAY else _MISSED_CLOUD)])
    pixels = density.repeat(_MASK_PIXELS, 0).repeat(_MASK_PIXELS, 1)
    return Sky(pixels >= hidden, (pixels >= hidden) & (pixels < missed))
