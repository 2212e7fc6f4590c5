"""Writing the synthetic years: overpasses, tiles, and every awkward case the pipeline has to meet.

The place lies where the Sentinel-2 tiles 51TYL and 51TYK overlap, so most overpasses come as two images that share
ground. In 2021 one datatake is cut in two granules of one tile, one scene is reprocessed under its own id (its first
version took a cloud for snow), one arrives months late, and some overpasses come with one tile only.
"""

import calendar
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from affine import Affine

from local.sample.landscape import SNOW, Landscape
from local.sample.passes import (
    ONE_TILE_DAYS,
    REPROCESSED_DAY,
    SPLIT_DAY,
    kept_passes,
    scene_id,
    stamp,
    write_cloudy_passes,
)
from local.sample.place import CRS, SIZE, TRANSFORM, TYK_TOP_ROW, aoi_mask
from local.sample.views import Classifier, Sky, View, fitted_lean, leaning, view
from shared.classes import CLASS_NAMES, LABEL_BAND

YEARS = (2020, 2021, 2022)
PUBLISHED_YEAR = 2021
REPROCESSED = "reprocessed"  # the folder, beside the scenes, of what replaces a scene of the same name
_CLASSIFIER_SEED = 11
# Probabilities in steps of 1/256: exact in float32, and they sum to one. The first two classes share what the seven
# others leave; the first has 0.8 at most.
_STEP, _OTHER_STEPS = 256.0, 4.0
_LEVEL_STEPS, _LEAST_STEPS, _MOST_STEPS = 8.0, 120.0, 204.0
_SHARPNESS = 1.2
_NODATA = -1.0


class Scene(NamedTuple):
    """One written file and the day it was acquired."""

    image_id: str
    path: Path
    acquired: date


def write_years(
    folder: Path, years: Sequence[int] = YEARS, progress: Callable[[str], None] = lambda _: None
) -> list[Scene]:
    """Write the scenes of whole years into a folder, the new version of one into a folder in it; returns all of them, a
    new version behind the old one, in order of time.
    """
    (folder / REPROCESSED).mkdir(parents=True, exist_ok=True)
    scenes = []
    for month, written in enumerate(_months(folder, years), 1):
        scenes += written
        progress(calendar.month_name[month])
    write_cloudy_passes(folder, years, {scene.acquired for scene in scenes})
    return sorted(scenes, key=lambda scene: scene.acquired)


def write_finished_year(folder: Path) -> list[Scene]:
    """Write the published year as it stands in the end, the new version of a scene in the place of the old one."""
    scenes = {scene.image_id: scene for scene in write_years(folder, [PUBLISHED_YEAR])}
    for scene in scenes.values():
        scene.path.replace(folder / scene.path.name)
    (folder / REPROCESSED).rmdir()
    return [scene._replace(path=folder / scene.path.name) for scene in scenes.values()]


def _months(folder: Path, years: Sequence[int]) -> Iterator[list[Scene]]:
    """The scenes of January of each year, of February, and so on: the classifier leans alike in all of them."""
    mask = aoi_mask()
    landscape = Landscape(mask)
    classifier = Classifier(_CLASSIFIER_SEED, mask.shape)
    for month in range(1, 13):
        shares = np.bincount(landscape.season[month - 1][mask], minlength=9) / np.count_nonzero(mask)
        lean, written = None, []
        for year in [PUBLISHED_YEAR, *(year for year in years if year != PUBLISHED_YEAR)]:
            days, skies = zip(*kept_passes(year, month), strict=True)
            truths = [landscape.truth(day) for day in days]
            scores = classifier.scores(year, month, truths, skies, shares > 0)
            if lean is None:
                lean = fitted_lean(scores, landscape.season[month - 1], skies, mask, shares)
            if year in years:
                for day, truth, sky, of_pass in zip(days, truths, skies, scores, strict=True):
                    written += _write_pass(folder, day, view(leaning(of_pass, truth, lean)), sky)
        yield written


def _write_pass(folder: Path, day: date, seen: View, sky: Sky) -> Iterator[Scene]:
    for name, rows, shown, clear in _images(day, seen, sky.clear):
        path = folder / f"{name}.tif"
        _write(path, shown, clear, rows)
        yield Scene(path.stem, path, day)


def _images(day: date, seen: View, clear: np.ndarray) -> Iterator[tuple[str, slice, np.ndarray, np.ndarray]]:
    """(file below the folder without its ending, rows, bands, clear) of every image that one overpass comes as."""
    bands = _bands(seen)
    product = f"{day:%Y%m%d}T0231"
    tyl, tyk = slice(0, SIZE), slice(TYK_TOP_ROW, SIZE)
    yield f"{stamp(day)}_{product}14_T51TYK", tyk, bands, clear
    if day in ONE_TILE_DAYS:
        return
    if day == SPLIT_DAY:
        yield f"{stamp(day)}_{product}05_T51TYL", slice(0, 180), bands, clear
        yield f"{stamp(day)}_{product}13_T51TYL", slice(170, SIZE), bands, clear
        return
    if day == REPROCESSED_DAY:
        cloud = np.zeros_like(clear)
        cloud[105:231, 84:294] = True
        missed = seen._replace(
            label=np.where(cloud, np.uint8(SNOW), seen.label), second=np.where(cloud, seen.label, seen.second)
        )
        yield scene_id(day), tyl, _bands(missed), clear
        yield f"{REPROCESSED}/{scene_id(day)}", tyl, bands, clear & ~cloud
        return
    yield scene_id(day), tyl, bands, clear


def _bands(seen: View) -> np.ndarray:
    """Nine probabilities that sum to one, and the class of the largest."""
    both = _STEP - 7 * _OTHER_STEPS
    first = both / (1 + np.exp(-_SHARPNESS * seen.lead))
    first = (np.rint(first / _LEVEL_STEPS) * _LEVEL_STEPS).clip(_LEAST_STEPS, _MOST_STEPS)
    bands = np.full((len(CLASS_NAMES) + 1, *seen.label.shape), _OTHER_STEPS / _STEP, np.float32)
    np.put_along_axis(bands, seen.label[None].astype(np.intp), (first / _STEP)[None], axis=0)
    np.put_along_axis(bands, seen.second[None].astype(np.intp), ((both - first) / _STEP)[None], axis=0)
    bands[-1] = seen.label
    return bands


def _write(path: Path, bands: np.ndarray, clear: np.ndarray, rows: slice) -> None:
    """Rows of the window as one GeoTIFF with ten described bands."""
    with rasterio.open(
        path, "w", driver="GTiff", height=rows.stop - rows.start, width=SIZE, count=len(bands), dtype="float32",
        crs=CRS, transform=TRANSFORM @ Affine.translation(0, rows.start), nodata=_NODATA, compress="zstd",
        zstd_level=1, interleave="band", tiled=True, blockxsize=256, blockysize=256,
    ) as dataset:  # fmt: skip
        dataset.update_tags(dynamicworld_algorithm_version="3.5", qa_algorithm_version="1", origin="synthetic")
        dataset.write(np.where(clear[rows], bands[:, rows], np.float32(_NODATA)))
        dataset.descriptions = (*CLASS_NAMES, LABEL_BAND)
