"""The synthetic ground: which class each pixel truly is in each month, and what changes for good.

Shares are percent of the AOI. Ranks of smooth random fields decide which pixels, so shares come out exactly as
written while patches look like patches. Each stratum below is a set of pixels with one history; the year's mode of
most is trees or crops, and of 2.19 % (cold hollows, bare or changing in summer) snow, though snow covers a quarter of
the pixel-months. Every year has the same season. Of the trees 12 % are evergreen; the others are trees in summer only,
so what they do in spring is no change. In the third year some of the evergreen ones are cleared and a pond is dug in
the fields.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

WATER, TREES, GRASS, FLOODED, CROPS, SHRUB, BUILT, BARE, SNOW = range(9)
GROUND_SEED = 20210103
EVERGREEN_PERCENT = 12.0
CLEARED_ON, POND_ON = date(2022, 5, 12), date(2022, 6, 20)
CLEARED_HA, POND_HA = 8, 3
_PIXELS_PER_HA = 100
_WINTER = {12, 1, 2}


class Landscape:
    """The season's twelve maps on a window of 10 m pixels; shares hold among the pixels of ``aoi_mask``.

    ``clearing`` and ``pond`` are masks of what is bare and water from their days on.
    """

    def __init__(self, aoi_mask: np.ndarray) -> None:
        self._aoi = aoi_mask
        self._pixels = int(aoi_mask.sum())
        self._random = np.random.default_rng(GROUND_SEED)
        self._strata = self._make_strata()
        self._coldest = self.field(14)
        evergreen = self._take(self._strata["trees"], self._coldest, EVERGREEN_PERCENT)
        self.season = [self._month(month) for month in range(1, 13)]
        self.clearing = self._deepest(evergreen, CLEARED_HA)
        self.pond = self._deepest(self._strata["crops"], POND_HA)

    def truth(self, day: date) -> np.ndarray:
        """The class of each pixel on a day."""
        shown = self.season[day.month - 1].copy()
        for mask, since, class_id in ((self.clearing, CLEARED_ON, BARE), (self.pond, POND_ON, WATER)):
            if day >= since:
                shown[mask & (shown != SNOW)] = SNOW if day.month in _WINTER else class_id
        return shown

    def _deepest(self, among: np.ndarray, hectares: int) -> np.ndarray:
        """A compact patch of so many pixels of a mask, around the one that lies deepest in it and in the AOI."""
        rows, columns = np.nonzero(among & self._aoi)
        middle = np.unravel_index(distance_transform_edt(among & self._aoi).argmax(), among.shape)
        near = np.argsort((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2, kind="stable")
        chosen = near[: hectares * _PIXELS_PER_HA]
        mask = np.zeros_like(among)
        mask[rows[chosen], columns[chosen]] = True
        return mask

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
            ("trees", self.field(18), 44.3),
        ):
            strata[name] = self._take(left, field, percent)
            left = left & ~strata[name]
        strata["crops"] = left
        return strata

    def _paint(self, labels: np.ndarray, stratum: str, parts: Sequence[tuple[int, float]], rest: int) -> None:
        """Give parts of a stratum (class, percent of the AOI) and the rest of it a class; trees keep their order, from
        evergreen to the first that are bare.
        """
        left = self._strata[stratum]
        field = self._coldest if stratum == "trees" else self.field(9)
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
                self._paint(labels, "trees", [(TREES, EVERGREEN_PERCENT), (SNOW, 12.3)], CROPS)
                self._paint(labels, "crops", [(SNOW, 33.7), (TREES, 8)], BARE)
                self._paint(labels, "water", [(SNOW, 1.81)], WATER)
            case 4:
                self._paint(labels, "trees", [(TREES, EVERGREEN_PERCENT), (CROPS, 19), (BARE, 7)], GRASS)
                self._paint(labels, "cold", [], BARE)
            case 5:
                spring = [(CROPS, 12), (GRASS, 7), (CROPS, 12)]
                self._paint(labels, "trees", [(TREES, EVERGREEN_PERCENT), *spring], GRASS)
                self._paint(labels, "crops", [(TREES, 4)], CROPS)
                self._paint(labels, "cold", [], BARE)
            case 6:
                self._paint(labels, "cold", [], BARE)
            case 7:
                self._paint(labels, "crops", [(TREES, 4.8)], CROPS)
                for stratum, class_id in (("cold", CROPS), ("grass", CROPS), ("shrub", TREES), ("bare", CROPS)):
                    self._paint(labels, stratum, [], class_id)
            case 8:
                self._paint(labels, "trees", [(TREES, 43.4)], CROPS)
                self._paint(labels, "cold", [], GRASS)
            case 9:
                self._paint(labels, "crops", [(TREES, 7.7)], CROPS)
                self._paint(labels, "cold", [], CROPS)
            case 10:
                self._paint(labels, "trees", [(TREES, 43.3)], SNOW)
                self._paint(labels, "crops", [(SNOW, 1.09)], CROPS)
            case 11:
                self._paint(labels, "cold", [], SHRUB)
            case 12:
                self._paint(labels, "trees", [(TREES, 8), (SNOW, EVERGREEN_PERCENT - 8), (CROPS, 11)], SNOW)
                self._paint(labels, "crops", [(CROPS, 5.64)], SNOW)
                self._paint(labels, "water", [], SNOW)
                self._paint(labels, "grass", [(SNOW, 0.95)], GRASS)
        return labels
