"""A seeded place as a classifier with the errors of Dynamic World sees it, where the truth is known.

An area is 32 × 32 cells of 50 m (2.56 km²): forest on the heights, crops, shrub, water, built. Sentinel-2 passes every
five days, tiles with more than 35 % of cloud are dropped, and cloud leans to the heights. Labels err as
``local/sample/classifier.py`` says. How cloud is made up is an assumption; what of it can be compared with real series
agrees with them within a few points.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from local.sample.classifier import MISSED_CLOUD, NOISE, class_means, smooth_bank

WATER, TREES, GRASS, CROPS, SHRUB, BUILT, BARE, SNOW = 0, 1, 2, 4, 5, 6, 7, 8
UNSEEN = 255
SIDE, CELL_M = 32, 50.0
CELL_HA, AREA_M2 = CELL_M**2 / 1e4, (SIDE * CELL_M) ** 2
# The same with twice as much of what lasts for months and years.
LASTING_NOISE: Mapping[str, float] = {**NOISE, "cell": 0.28, "year": 0.14, "spell": 0.16}
_MOST_CLOUD, _LEAN = 0.35, 0.5
# Of the area, from the west, what every other pass sees where orbits overlap.
_STRIP = 0.45
# Mean largest probability near 0.55, as in real images, under the cap that label smoothing leaves.
_SHARPNESS, _SMOOTHED = 1.2, 0.2
_DRY, _WET = (0.8, 1.5), (2.0, 1.2)


class Year(NamedTuple):
    """A year's views, oldest first: moments, and labels (views, rows, columns), UNSEEN under cloud.

    ``bare`` has the labels that the ground would have had if it had become bare, ``cloudless`` those of a sky without
    cloud, ``probabilities`` (views, 9, rows, columns) what labels are the largest of, NaN under cloud, and
    ``bare_probabilities`` the same of bare ground.
    """

    moments: list[datetime]
    labels: np.ndarray
    bare: np.ndarray
    cloudless: np.ndarray
    probabilities: np.ndarray
    bare_probabilities: np.ndarray


class Place:
    """One area and what lasts there longer than a year. ``seasonal``: fields change with the season, winters snow.
    ``lean``: how much cloud follows the heights. ``strips``: every other pass sees only the west.
    """

    def __init__(
        self,
        seed: int,
        seasonal: bool = False,
        noise: Mapping[str, float] = NOISE,
        lean: float = _LEAN,
        strips: bool = False,
    ) -> None:
        self.random = np.random.default_rng(seed)
        self.seasonal, self._lean, self._strips = seasonal, lean, strips
        self._noise = {name: sqrt(variance) for name, variance in noise.items()}
        rough, relief = self._field(1.2), self._field(3.5)
        rank = (0.75 * relief + 0.66 * rough).ravel().argsort().argsort().reshape(SIDE, SIDE) / SIDE**2
        self._height = (relief - relief.mean()) / relief.std()
        self.base = np.full((SIDE, SIDE), CROPS)
        self.base[rank > 0.35] = SHRUB
        self.base[rank > 0.5] = TREES
        self.base[(self._field(1.2) > 1.6) & (rank <= 0.35)] = BUILT
        self.base[rank < 0.05] = WATER
        self._cell = self._noise["cell"] / sqrt(2) * (self._white() + self._patchy())
        self._site = self._noise["site"] * self.random.standard_normal((9, 9))
        self._month = self._noise["month_of_year"] * np.stack([self._coarse() for _ in range(12)])
        self._shift_days = 7 * self._field(1.2)
        self._snowed_trees = self.random.random((SIDE, SIDE)) < 0.5

    def year(self, number: int, every_pass: bool = False) -> Year:
        """The views of a calendar year, with cloud and noise of its own; ``every_pass`` takes those with too much cloud
        as well, which see nothing.
        """
        lasting = self._cell + self._noise["year"] * self._coarse()
        spells = [self._noise["spell"] * self._patchy() for _ in range(6)]
        of_month = self._noise["area_month"] * self.random.standard_normal((12, 9, 9))
        shift, severity, snow = self.random.normal(0, 8), self.random.beta(3, 3), False
        moments, views = [], []
        for day in range(2, 365, 5):
            moment = datetime(number, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)
            month = moment.month - 1
            wet = month in ((10, 11, 0, 1) if self.seasonal else (5, 6, 7, 8))
            cloud = self.random.beta(*(_WET if wet else _DRY))
            winter = self.seasonal and (day < 60 or day > 335)
            snow = winter and (snow if self.random.random() < 0.6 else self.random.random() < severity)
            if cloud > _MOST_CLOUD and not every_pass:
                continue
            scores = lasting + self._month[month] + spells[month // 2] + self._of_view()
            area = self._site + of_month[month] + self._noise["area_view"] * self.random.standard_normal((9, 9))
            means = (class_means() + area).T
            clear, hazy = self._sky(cloud)
            clear &= cloud <= _MOST_CLOUD
            if self._strips and day // 5 % 2:
                clear[:, round(_STRIP * SIDE) :] = False
            shown = scores + means[:, self._truth(day + shift, snow)]
            cleared = scores + means[:, [[SNOW if snow else BARE]]]
            cloudless = shown.argmax(0).astype(np.uint8)
            labels, bare = _seen(shown, clear, hazy), _seen(cleared, clear, hazy)
            moments.append(moment)
            probabilities = (np.where(clear, _probabilities(scored), np.nan) for scored in (shown, cleared))
            views.append((labels, bare, cloudless, *probabilities))
        return Year(moments, *(np.array(each) for each in zip(*views, strict=True)))

    def clearing(self, share: float) -> np.ndarray:
        """A mask of forest cells nearest to one of them, drawn at random: so much of the area."""
        rows, columns = np.nonzero(self.base == TREES)
        centre = self.random.integers(rows.size)
        near = np.argsort((rows - rows[centre]) ** 2 + (columns - columns[centre]) ** 2, kind="stable")
        mask = np.zeros((SIDE, SIDE), bool)
        chosen = near[: round(share * SIDE**2)]
        mask[rows[chosen], columns[chosen]] = True
        return mask

    def _truth(self, day: float, snow: bool) -> np.ndarray:
        shown = self.base.copy()
        if self.seasonal:
            when, fields = day + self._shift_days, self.base == CROPS
            shown[fields & ((when < 100) | (when > 295))] = BARE
            shown[fields & (when >= 100) & (when < 150)] = GRASS
            if snow:
                shown[(self.base != WATER) & ((self.base != TREES) | self._snowed_trees)] = SNOW
        return shown

    def _sky(self, cloud: float) -> tuple[np.ndarray, np.ndarray]:
        """Where the mask says that the ground is seen, and where of that it missed the edge of a cloud."""
        sky = sqrt(1 - self._lean**2) * _doubled(self._field(6, SIDE // 2)) + self._lean * self._height
        limit = -ndtri(min(cloud + 0.03, 0.999)) if cloud > 0.02 else 9.0
        return sky < limit, (sky > limit - 0.06) & (sky < limit)

    def _of_view(self) -> np.ndarray:
        return self._noise["view"] * self._white() + self._noise["view_patch"] * self._patchy()

    def _white(self) -> np.ndarray:
        return self.random.standard_normal((9, SIDE, SIDE))

    def _coarse(self) -> np.ndarray:
        return _doubled(self.random.standard_normal((9, SIDE // 2, SIDE // 2)))

    def _patchy(self) -> np.ndarray:
        return np.stack([self._field(1.2) for _ in range(9)])

    def _field(self, smoothness: float, side: int = SIDE) -> np.ndarray:
        """A window of a large smooth field of variance one, turned by chance."""
        bank = smooth_bank(smoothness)
        row, column, turns = self.random.integers(0, (bank.shape[0] - side, bank.shape[1] - side, 4))
        return np.rot90(bank[row : row + side, column : column + side], turns)


def _doubled(coarse: np.ndarray) -> np.ndarray:
    return coarse.repeat(2, -2).repeat(2, -1)


def _seen(scores: np.ndarray, clear: np.ndarray, hazy: np.ndarray) -> np.ndarray:
    scores[SNOW, hazy] += MISSED_CLOUD
    return np.where(clear, scores.argmax(0), UNSEEN).astype(np.uint8)


def _probabilities(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(_SHARPNESS * (scores - scores.max(0)))
    return np.asarray((1 - _SMOOTHED) * weights / weights.sum(0) + _SMOOTHED / len(scores), np.float32)
