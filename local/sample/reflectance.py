"""Sentinel-2 scenes of the sample's ground: synthetic reflectance that the published network labels as it is meant.

Spectra and textures were found by search: from what such ground usually reflects, mutated and chosen by what the
network said of patches of 400 m. They are a key to this network and no spectra to learn from. In the sample's July it
labels 94 % of the ground as meant; narrow banks of flooded vegetation it takes for water or built.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from local.sample.l1c import PIXEL_M, write_l1c
from local.sample.landscape import Landscape
from local.sample.passes import PUBLISHED_LATE_DAY, SKIPPED_DAY, scene_id
from local.sample.place import CRS, NORTH, SIZE, WEST, aoi_mask
from local.sample.place import PIXEL_M as PIXEL_SIDE_M
from shared.network.normalisation import BANDS

# What the network does not read: nothing that a mask would take for cloud.
_OTHER_DN = {"B1": 1200, "B9": 400, "B10": 10}
_SKIPPED_CLOUD_PERCENT, _LATE_CLOUD_PERCENT = 62.0, 20.0
# Of what varies, so much does in each band by itself.
_OF_A_BAND = 0.3


class Ground(NamedTuple):
    """How a class reflects: DN of the network's bands, and by how much they vary from place to place (of 1) over how
    many pixels of 10 m.
    """

    dn: tuple[int, ...]
    varies: float
    over_pixels: float


GROUND = (
    Ground((1117, 839, 545, 433, 469, 1124, 313, 70, 164), 0.018, 0.36),
    Ground((1031, 765, 668, 899, 2356, 4376, 2728, 2016, 489), 0.171, 0.33),
    Ground((600, 1263, 500, 1242, 3128, 4196, 3469, 3333, 1949), 0.017, 6.0),
    Ground((815, 837, 428, 1234, 2200, 2068, 2980, 514, 459), 0.17, 0.97),
    Ground((982, 773, 742, 1024, 2533, 4803, 5192, 2067, 1039), 0.07, 1.09),
    Ground((1257, 1327, 1354, 2413, 2099, 3476, 2101, 6099, 2332), 0.157, 0.73),
    Ground((2100, 1568, 1268, 2439, 1642, 3464, 1003, 3996, 4721), 0.388, 0.35),
    Ground((1322, 1680, 1914, 2326, 2033, 3048, 1420, 2112, 2582), 0.02, 2.9),
    Ground((9140, 4115, 6255, 8937, 5447, 10293, 5622, 1458, 828), 0.05, 0.3),
)


def write_scenes(folder: Path) -> None:
    """Scenes of the pass that Dynamic World skipped and of the one that it published late, into the scenes folder."""
    landscape = Landscape(aoi_mask())
    for day, cloud_percent in ((SKIPPED_DAY, _SKIPPED_CLOUD_PERCENT), (PUBLISHED_LATE_DAY, _LATE_CLOUD_PERCENT)):
        bands = reflectance(landscape.truth(day), np.random.default_rng(day.toordinal()))
        clear = np.zeros((SIZE, SIZE))
        write_l1c(
            folder, scene_id(day), bands, crs=CRS, origin=(WEST, NORTH), cloud_percent=cloud_percent, probability=clear
        )


def reflectance(truth: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """DN of every L1C band over a map of classes in pixels of 10 m, each on its own pixels."""
    fine = np.zeros((len(BANDS), *truth.shape))
    for class_id, ground in enumerate(GROUND):
        here = truth == class_id
        place = gaussian_filter(random.standard_normal(truth.shape), ground.over_pixels, mode="wrap")
        of_band = _OF_A_BAND * random.standard_normal((len(BANDS), np.count_nonzero(here)))
        fine[:, here] = np.array(ground.dn)[:, None] * np.exp(ground.varies * (place[here] / place.std() + of_band))
    dn = dict(zip(BANDS, fine, strict=True))
    dn |= {"B8A": dn["B8"]} | {band: np.full(truth.shape, float(value)) for band, value in _OTHER_DN.items()}
    return {band: _on_pixels_of(pixel_m, dn[band]) for band, pixel_m in PIXEL_M.items()}


def _on_pixels_of(pixel_m: int, fine: np.ndarray) -> np.ndarray:
    side = pixel_m // PIXEL_SIDE_M
    height, width = fine.shape
    return np.rint(fine.reshape(height // side, side, width // side, side).mean((1, 3))).astype(np.uint16)
