"""The synthetic ground: which class each pixel shows in each month.

Shares are percent of the AOI. Ranks of smooth random fields decide which pixels, so shares come out exactly as
written while patches look like patches. Each stratum below is a set of pixels with one history; the year's mode of
most is trees or crops, and of 2.19 % (cold hollows, bare or changing in summer) snow, though snow covers a quarter of
the pixel-months.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

WATER, TREES, GRASS, FLOODED, CROPS, SHRUB, BUILT, BARE, SNOW = range(9)
GROUND_SEED = 20210103


class Landscape:
    """Monthly label maps on a window; shares hold among the pixels of ``aoi_mask``."""

    def __init__(self, aoi_mask: np.ndarray) -> None:
        self._aoi = aoi_mask
        self._pixels = int(aoi_mask.sum())
        self._random = np.random.default_rng(GROUND_SEED)
        self._strata = self._make_strata()
        self.monthly = [self._month(month) for month in range(1, 13)]

    def field(self, smoothness_pixels: float) -> np.ndarray:
        """A smooth random field of the window's shape."""
        return gaussian_filter(self._random.standard_normal(self._aoi.shape), smoothness_pixels, mode="wrap")

    def _take(self, among: np.ndarray, field: np.ndarray, percent: float) -> np.ndarray:
        """The pixels of ``among`` with the highest field that make up a share of the AOI."""
        candidates = np.sort(field[among & self._aoi])[::-1]
        count = round(self._pixels * percent / 100)
        if count == 0:
            return np.zeros_like(among)
        threshold = candidates[min(count, len(candidates)) - 1]
        return np.asarray(among & (field >= threshold))

    def _make_strata(self) -> dict[str, np.ndarray]:
        rows, columns = np.indices(self._aoi.shape)
        river = -np.abs(columns - self._aoi.shape[1] * (0.35 + 0.08 * np.sin(rows / 70))) + self.field(8) * 30
        left = np.ones_like(self._aoi)
        strata: dict[str, np.ndarray] = {}
        for name, field, percent in (
            ("water", river, 3.0),
            ("flooded", river, 0.8),
            ("built", self.field(14), 4.0),
            ("cold", self.field(6), 2.19),
            ("grass", self.field(6), 1.8),
            ("shrub", self.field(5), 0.9),
            ("bare", self.field(5), 0.81),
            ("trees", self.field(18), 43.0),
        ):
            strata[name] = self._take(left, field, percent)
            left = left & ~strata[name]
        strata["crops"] = left
        return strata

    def _paint(
        self, labels: np.ndarray, stratum: str, parts: Sequence[tuple[int, float]], rest: int, smoothness: float = 9
    ) -> None:
        """Give parts of a stratum (class, percent of the AOI) and the rest of it a class."""
        left = self._strata[stratum]
        field = self.field(smoothness)
        for class_id, percent in parts:
            chosen = self._take(left, field, percent)
            labels[chosen] = class_id
            left = left & ~chosen
        labels[left] = rest

    def _month(self, month: int) -> np.ndarray:
        labels = np.zeros(self._aoi.shape, dtype=np.uint8)
        for stratum, class_id in (
            ("water", WATER), ("flooded", FLOODED), ("built", BUILT), ("grass", GRASS), ("shrub", SHRUB),
            ("bare", BARE), ("trees", TREES), ("crops", CROPS), ("cold", SNOW),
        ):  # fmt: skip
            labels[self._strata[stratum]] = class_id
        match month:
            case 1:
                labels[:] = SNOW
                self._paint(labels, "trees", [(TREES, 1.98)], SNOW)
            case 2:
                labels[:] = SNOW
                self._paint(labels, "trees", [(TREES, 0.5)], SNOW)
            case 3:
                self._paint(labels, "trees", [(SNOW, 21), (TREES, 20)], CROPS)
                self._paint(labels, "crops", [(SNOW, 25), (CROPS, 18)], BARE)
                self._paint(labels, "water", [(SNOW, 1.81)], WATER)
            case 4:
                self._paint(labels, "trees", [(TREES, 12), (CROPS, 20), (BARE, 6)], GRASS)
                self._paint(labels, "cold", [], BARE)
            case 5:
                self._paint(labels, "trees", [(TREES, 16), (CROPS, 21)], GRASS)
                self._paint(labels, "cold", [], BARE)
            case 6:
                self._paint(labels, "cold", [], BARE)
            case 7:
                self._paint(labels, "crops", [(TREES, 6.1)], CROPS)
                for stratum, class_id in (("cold", CROPS), ("grass", CROPS), ("shrub", TREES), ("bare", CROPS)):
                    self._paint(labels, stratum, [], class_id)
            case 8:
                self._paint(labels, "cold", [], GRASS)
            case 9:
                self._paint(labels, "crops", [(TREES, 9)], CROPS)
                self._paint(labels, "cold", [], CROPS)
            case 10:
                self._paint(labels, "trees", [(SNOW, 1)], TREES)
                self._paint(labels, "crops", [(SNOW, 1.09)], CROPS)
            case 11:
                self._paint(labels, "cold", [], SHRUB)
            case 12:
                self._paint(labels, "trees", [(TREES, 8)], SNOW)
                self._paint(labels, "crops", [(CROPS, 16.64)], SNOW)
                self._paint(labels, "water", [], SNOW)
                self._paint(labels, "grass", [(SNOW, 0.95)], GRASS)
        return labels
