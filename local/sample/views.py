"""What a classifier with the errors of Dynamic World makes of the sample's ground, pass by pass.

Noise lasts and reaches as in ``classifier.py``: for good, in one month of every year, for a year, for a spell of two
months, for one view. Two things are this place's own: the classifier is surer than on the world's expert tiles (nine of
ten views of a pixel are right, seven of eight in summer), and how it leans in each month (there: ``site``,
``area_month``) is not drawn but fitted, so that the mode composites of the published year have the ground's shares.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt
from typing import NamedTuple

import numpy as np

from local.sample.classifier import MISSED_CLOUD, NOISE, class_means, smooth_bank
from local.sample.landscape import SNOW

# The model's cells of 50 m, squares of 100 m and patches of 150 m as smooth fields, in pixels of 10 m.
_CELL, _SQUARE, _PATCH = 1.5, 3.0, 6.0
_BANK_SIDE = 1200
_SURER = 1.25
# A score that no class wins with.
_UNTOLD = np.float32(-60)
# Rounds, each so manieth pixel each way, and step of the fit.
_FITS = ((40, 5, 0.6), (15, 2, 0.8))
_ABSENT = 2e-5


class Sky(NamedTuple):
    """Where a pass sees the ground, and where of that the mask missed the edge of a cloud."""

    clear: np.ndarray
    hazy: np.ndarray


class View(NamedTuple):
    """How a pass is classified: the likeliest class, the second, and by how much the first leads it in score."""

    label: np.ndarray
    second: np.ndarray
    lead: np.ndarray


class Classifier:
    """One classifier at one place, with those of its errors that last."""

    def __init__(self, seed: int, shape: tuple[int, int]) -> None:
        self._seed, self._shape = seed, shape
        random = np.random.default_rng([seed, 0])
        self._lasting = np.float32(sqrt(NOISE["cell"] / 2)) * (
            self._fields(random, _CELL) + self._fields(random, _PATCH)
        )

    def scores(
        self, year: int, month: int, truths: Sequence[np.ndarray], skies: Sequence[Sky], told: np.ndarray
    ) -> np.ndarray:
        """The classes' scores at each pass of a month: (passes, 9, rows, columns).

        ``told`` (9, booleans) are the classes that the classifier knows in such a month; it sees the others only where
        they truly are, and snow where the mask missed cloud.
        """
        lasting = self._lasting + self._drawn("month_of_year", _SQUARE, month) + self._drawn("year", _SQUARE, year)
        lasting += self._drawn("spell", _PATCH, year, (month + 1) // 2)
        random = np.random.default_rng([self._seed, len(NOISE), year, month])
        found = np.empty((len(truths), *lasting.shape), np.float32)
        for number, (truth, sky) in enumerate(zip(truths, skies, strict=True)):
            means = _SURER * class_means() + sqrt(NOISE["area_view"]) * random.standard_normal((9, 9))
            of_view = found[number]
            np.take(means.T.astype(np.float32), truth, axis=1, out=of_view)
            of_view += lasting
            of_view += np.float32(sqrt(NOISE["view"])) * self._fields(random, _CELL)
            of_view += np.float32(sqrt(NOISE["view_patch"])) * self._fields(random, _PATCH)
            of_view[SNOW, sky.hazy] += MISSED_CLOUD
            for class_id in np.flatnonzero(~told):
                hidden = truth != class_id
                of_view[class_id][hidden & ~sky.hazy if class_id == SNOW else hidden] = _UNTOLD
        return found

    def _drawn(self, kind: str, smoothness: float, *key: int) -> np.ndarray:
        """Noise of one kind, the same for the same month, year or spell."""
        random = np.random.default_rng([self._seed, list(NOISE).index(kind), *key])
        return np.float32(sqrt(NOISE[kind])) * self._fields(random, smoothness)

    def _fields(self, random: np.random.Generator, smoothness: float) -> np.ndarray:
        """A field for each class: windows of a large one."""
        bank, (rows, columns) = _bank(smoothness), self._shape
        corners = random.integers(0, (_BANK_SIDE - rows, _BANK_SIDE - columns), (9, 2))
        return np.stack([bank[r : r + rows, c : c + columns] for r, c in corners])


def fitted_lean(
    scores: np.ndarray, truth: np.ndarray, skies: Sequence[Sky], among: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """What to add to the scores of each class where it is not the true one (9), so that the mode of a month's passes
    has these shares of a mask.

    Classes with no share keep their scores. By steps towards the wanted logarithms, at a part of the pixels.
    """
    lean = np.zeros(9, np.float32)
    wanted = np.flatnonzero(shares)
    for rounds, every, step in _FITS:
        chosen = np.zeros_like(among)
        chosen[::every, ::every] = among[::every, ::every]
        of_pixels = np.ascontiguousarray(scores[:, :, chosen].swapaxes(0, 1))
        wrong = (truth[chosen] != np.arange(9)[:, None])[:, None].astype(np.float32)
        clear = np.stack([sky.clear[chosen] for sky in skies])
        for _ in range(rounds):
            labels = _likeliest(of_pixels + lean[:, None, None] * wrong)
            votes = np.stack([((labels == c) & clear).sum(0) for c in range(9)])
            found = np.bincount(votes.argmax(0)[clear.any(0)], minlength=9) / np.count_nonzero(clear.any(0))
            lean[wanted] += step * (np.log(shares[wanted] + _ABSENT) - np.log(found[wanted] + _ABSENT))
    return lean


def leaning(scores: np.ndarray, truth: np.ndarray, lean: np.ndarray) -> np.ndarray:
    """The scores of one pass (9, rows, columns) with what ``fitted_lean`` found."""
    return np.asarray(scores + np.take((lean * (1 - np.eye(9, dtype=np.float32))).T, truth, axis=1))


def view(scores: np.ndarray) -> View:
    """The classification that scores (9, rows, columns) give."""
    label = np.zeros(scores.shape[1:], np.uint8)
    second = np.zeros_like(label)
    best, next_best = scores[0].copy(), np.full(scores.shape[1:], -np.inf, np.float32)
    for class_id in range(1, 9):
        score = scores[class_id]
        leads = score > best
        follows = score > next_best
        second[follows] = class_id
        np.maximum(next_best, score, out=next_best)
        second[leads] = label[leads]
        next_best[leads] = best[leads]
        label[leads] = class_id
        np.maximum(best, score, out=best)
    return View(label, second, best - next_best)


def _likeliest(scores: np.ndarray) -> np.ndarray:
    best, label = scores[0].copy(), np.zeros(scores.shape[1:], np.uint8)
    for class_id in range(1, len(scores)):
        label[scores[class_id] > best] = class_id
        np.maximum(best, scores[class_id], out=best)
    return label


@lru_cache(maxsize=3)
def _bank(smoothness: float) -> np.ndarray:
    return smooth_bank(smoothness, _BANK_SIDE).astype(np.float32)
