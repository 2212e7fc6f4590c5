"""Writing the synthetic year: overpasses, clouds, tiles, and every awkward case the pipeline has to meet.

The place lies where the Sentinel-2 tiles 51TYL and 51TYK overlap, so most overpasses come as two images that share
ground. One datatake is cut in two granules of one tile, one scene is reprocessed under its own id (its first version
took a cloud for snow), one arrives months late, and some overpasses come with one tile only.
"""

import calendar
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from affine import Affine
from pyproj import Transformer
from rasterio.features import rasterize
from scipy.ndimage import gaussian_filter
from shapely import Polygon, box
from shapely.geometry import mapping

from local.earth_engine.passes import PASSES_FILE
from local.sample.landscape import BARE, CROPS, GRASS, SNOW, TREES, Landscape
from shared.classes import CLASS_NAMES, LABEL_BAND

CRS = "EPSG:32651"
YEAR = 2021
AOI_ID = "songnen-sample"
_FIRST_PASS, _REPEAT_DAYS = date(YEAR, 1, 3), 5
_PIXEL_M = 10
_WEST, _NORTH, _SIZE = 706_000, 5_003_000, 600
_TYK_TOP_ROW = (_NORTH - 5_000_040) // _PIXEL_M  # northern edge of tile 51TYK
_CLOUD_LIMIT = 0.35  # Dynamic World processes no scene cloudier than this
_FEWEST_PASSES = 4
_MASK_PIXELS = 10  # clouds are masked at 100 m
_STEP = 256.0  # probabilities in steps of 1/256: exact in float32, and they sum to one

SPLIT_DAY = date(YEAR, 6, 12)
REPROCESSED_DAY = date(YEAR, 11, 14)
LATE_DAY = date(YEAR, 3, 14)
ONE_TILE_DAYS = {date(YEAR, 4, 3), date(YEAR, 8, 16)}
REPROCESSED = "reprocessed"  # the folder, beside the scenes, of what replaces a scene of the same name
_ALWAYS_KEPT = {SPLIT_DAY, REPROCESSED_DAY, LATE_DAY, *ONE_TILE_DAYS}

# Corners of the AOI in metres of the UTM grid.
_AOI_CORNERS = [
    (706_700, 4_998_100), (708_900, 4_997_600), (711_200, 4_998_300), (711_500, 5_000_200), (710_800, 5_001_900),
    (709_300, 5_002_400), (707_500, 5_002_200), (706_400, 5_000_900), (706_900, 4_999_600), (706_700, 4_998_100),
]  # fmt: skip


class Scene(NamedTuple):
    """One written file and the day it was acquired."""

    image_id: str
    path: Path
    acquired: date


def sample_aoi() -> dict[str, Any]:
    """The sample AOI as a GeoJSON Feature in WGS84, edges straight in lon/lat."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    corners = [[round(c, 6) for c in to_degrees.transform(x, y)] for x, y in _AOI_CORNERS]
    return {
        "type": "Feature",
        "id": AOI_ID,
        "properties": {"name": "Sample in the Songnen plain (synthetic)", "tags": ["sample"]},
        "geometry": {"type": "Polygon", "coordinates": [corners]},
    }


def write_year(folder: Path, progress: Callable[[str], None] = lambda _: None) -> list[Scene]:
    """Write the whole year of scenes into a folder, the new version of one into a folder in it; returns all of them, a
    new version behind the old one, in order of time.
    """
    (folder / REPROCESSED).mkdir(parents=True, exist_ok=True)
    transform = Affine(_PIXEL_M, 0, _WEST, 0, -_PIXEL_M, _NORTH)
    aoi_mask = rasterize([mapping(Polygon(_AOI_CORNERS))], (_SIZE, _SIZE), transform=transform).astype(bool)
    landscape = Landscape(aoi_mask)
    random = np.random.default_rng(YEAR)
    confidence = np.rint((landscape.field(12) * 40).clip(-0.5, 0.5) * 60 + 170)
    scenes: list[Scene] = []
    for month in range(1, 13):
        days = _passes(month, random)
        clear = [_clear_sky(random) for _ in days]
        views = _with_noise(landscape.monthly[month - 1], clear, random)
        for day, sky, labels in zip(days, clear, views, strict=True):
            for name, rows, shown, seen in _images(day, labels, sky):
                path = folder / f"{name}.tif"
                _write(path, shown[rows], seen[rows], confidence[rows], transform @ Affine.translation(0, rows.start))
                scenes.append(Scene(path.stem, path, day))
        progress(calendar.month_name[month])
    _write_cloudy_passes(folder, {scene.acquired for scene in scenes}, random)
    return scenes


def write_finished_year(folder: Path, progress: Callable[[str], None] = lambda _: None) -> list[Scene]:
    """Write the year as it stands in the end, the new version of a scene in the place of the old one."""
    scenes = {scene.image_id: scene for scene in write_year(folder, progress)}
    for scene in scenes.values():
        scene.path.replace(folder / scene.path.name)
    (folder / REPROCESSED).rmdir()
    return [scene._replace(path=folder / scene.path.name) for scene in scenes.values()]


def _write_cloudy_passes(folder: Path, seen: set[date], random: np.random.Generator) -> None:
    """The passes that left no image, with a cloud share above the limit: why months are thin."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    tile = box(_WEST, _NORTH - _SIZE * _PIXEL_M, _WEST + _SIZE * _PIXEL_M, _NORTH)
    outline = [list(to_degrees.transform(x, y)) for x, y in tile.exterior.coords]
    features = [
        {
            "type": "Feature",
            "id": f"{_stamp(day)}_{day:%Y%m%d}T023107_T51TYL",
            "properties": {"CLOUDY_PIXEL_PERCENTAGE": round(random.uniform(_CLOUD_LIMIT * 100 + 1, 100), 1)},
            "geometry": {"type": "Polygon", "coordinates": [outline]},
        }
        for day in _all_passes()
        if day not in seen
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (folder / PASSES_FILE).write_text(text + "\n", encoding="utf-8")


def write_aoi(path: Path) -> None:
    """The sample AOI as a GeoJSON file."""
    path.write_text(json.dumps(sample_aoi(), indent=2) + "\n", encoding="utf-8")


def _passes(month: int, random: np.random.Generator) -> list[date]:
    """The days of a month with a Dynamic World image: too cloudy passes leave none."""
    days = [day for day in _all_passes() if day.month == month]
    droppable = [day for day in days if day not in _ALWAYS_KEPT]
    dropped = set(random.permutation(len(droppable))[: max(0, len(days) - _FEWEST_PASSES - int(random.integers(0, 2)))])
    return [day for day in days if day in _ALWAYS_KEPT or droppable.index(day) not in dropped]


def _all_passes() -> list[date]:
    elapsed = range((date(YEAR, 12, 31) - _FIRST_PASS).days // _REPEAT_DAYS + 1)
    return [_FIRST_PASS + timedelta(days=n * _REPEAT_DAYS) for n in elapsed]


def _stamp(day: date) -> str:
    """The sensing time of a pass: two satellites in turn."""
    return f"{day:%Y%m%d}T0231{11 if (day - _FIRST_PASS).days % 10 == 0 else 9:02d}"


def _clear_sky(random: np.random.Generator) -> np.ndarray:
    """True where neither cloud nor shadow hides the ground, in blocks of 100 m."""
    cover = float(random.choice([0.0, random.uniform(0.02, _CLOUD_LIMIT)]))
    coarse = gaussian_filter(random.standard_normal((_SIZE // _MASK_PIXELS,) * 2), 4, mode="wrap")
    clear = coarse >= np.quantile(coarse, cover) if cover else np.ones_like(coarse, dtype=bool)
    return np.asarray(clear.repeat(_MASK_PIXELS, 0).repeat(_MASK_PIXELS, 1))


def _with_noise(truth: np.ndarray, clear: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
    """What the classifier says on each pass: the truth but for patches that are wrong once a month.

    Only pixels seen three times or more are ever wrong, so the mode of the month stays the truth.
    """
    seen = np.sum(clear, axis=0)
    views = [truth.copy() for _ in clear]
    wrong_on = random.integers(0, len(clear), truth.shape)
    patches = gaussian_filter(random.standard_normal(truth.shape), 2, mode="wrap")
    wrong = (patches > np.quantile(patches, 0.94)) & (seen >= 3)
    mistaken_for = np.array([GRASS, GRASS, CROPS, GRASS, GRASS, TREES, BARE, CROPS, SNOW], dtype=np.uint8)[truth]
    for number, view in enumerate(views):
        here = wrong & (wrong_on == number)
        view[here] = mistaken_for[here]
    return views


def _images(day: date, labels: np.ndarray, clear: np.ndarray) -> Iterator[tuple[str, slice, np.ndarray, np.ndarray]]:
    """(file below the folder without its ending, rows, labels, clear) of every image that one overpass comes as."""
    stamp = _stamp(day)
    product = f"{day:%Y%m%d}T0231"
    tyl, tyk = slice(0, _SIZE), slice(_TYK_TOP_ROW, _SIZE)
    yield f"{stamp}_{product}14_T51TYK", tyk, labels, clear
    if day in ONE_TILE_DAYS:
        return
    if day == SPLIT_DAY:
        yield f"{stamp}_{product}05_T51TYL", slice(0, 260), labels, clear
        yield f"{stamp}_{product}13_T51TYL", slice(250, _SIZE), labels, clear
        return
    if day == REPROCESSED_DAY:
        missed_cloud = labels.copy()
        missed_cloud[150:330, 120:420] = SNOW
        hidden = clear.copy()
        hidden[150:330, 120:420] = False
        yield f"{stamp}_{product}07_T51TYL", tyl, missed_cloud, clear
        yield f"{REPROCESSED}/{stamp}_{product}07_T51TYL", tyl, labels, hidden
        return
    yield f"{stamp}_{product}07_T51TYL", tyl, labels, clear


def _write(path: Path, labels: np.ndarray, clear: np.ndarray, confidence: np.ndarray, transform: Affine) -> None:
    """One GeoTIFF with ten described bands: nine probabilities that sum to one, and their argmax."""
    height, width = labels.shape
    second = (labels + 3) % 9
    rest = 2.0
    nodata = -1.0
    with rasterio.open(
        path, "w", driver="GTiff", height=height, width=width, count=10, dtype="float32", crs=CRS, transform=transform,
        nodata=nodata, compress="zstd", zstd_level=1, interleave="band", tiled=True, blockxsize=256, blockysize=256,
    ) as dataset:  # fmt: skip
        dataset.update_tags(dynamicworld_algorithm_version="3.5", qa_algorithm_version="1", origin="synthetic")
        for class_id, name in enumerate(CLASS_NAMES):
            steps = np.where(labels == class_id, confidence, rest)
            steps = np.where(second == class_id, _STEP - confidence - rest * 7, steps)
            dataset.write(np.where(clear, steps / _STEP, nodata).astype(np.float32), class_id + 1)
            dataset.set_band_description(class_id + 1, name)
        dataset.write(np.where(clear, labels, nodata).astype(np.float32), 10)
        dataset.set_band_description(10, LABEL_BAND)
