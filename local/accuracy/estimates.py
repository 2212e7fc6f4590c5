"""Unbiased areas and accuracies, with standard errors, from a stratified sample that somebody interpreted.

Stehman 2014 (doi 10.1080/01431161.2014.930207), whose strata need not be the map's classes; where they are, these are
the formulas of Olofsson et al. 2014 (doi 10.1016/j.rse.2014.02.015). No finite-population correction but where every
pixel of a stratum was interpreted.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Z_95 = 1.96
# With fewer points of what is estimated in a stratum, its textbook variance is too small (docs/accuracy.md).
FEW_POINTS = 5
FEWEST_FOR_REGRESSION = 100


class Estimate(NamedTuple):
    """A share, or a ratio of shares, with its standard error."""

    value: float
    standard_error: float

    @property
    def half_width(self) -> float:
        """Of the interval that holds the truth 95 times in 100."""
        return Z_95 * self.standard_error


class Careful(NamedTuple):
    """Beside a textbook estimate where strata have few points: the standard error by (x + ½) / (n + 1), and the share
    that strata without any point may hold all the same (95 %), or None where each has one.
    """

    standard_error: float
    missed_at_most: float | None


class Sample(NamedTuple):
    """``stratum`` is each point's, as a number; ``weights`` the strata's shares of the area; ``sizes`` their pixels."""

    stratum: np.ndarray
    weights: np.ndarray
    sizes: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        return np.bincount(self.stratum, minlength=self.weights.size)


def mean(sample: Sample, values: np.ndarray) -> Estimate:
    """The mean over the area of what has these values at the points, such as an indicator of a class."""
    variance = (sample.weights**2 * _variances(sample, values) / sample.counts).sum()
    return Estimate(float((sample.weights * _means(sample, values)).sum()), float(np.sqrt(variance)))


def ratio(sample: Sample, numerator: np.ndarray, denominator: np.ndarray) -> Estimate | None:
    """The ratio of two means, such as user's accuracy; None where the sample holds nothing of the denominator."""
    below = mean(sample, denominator).value
    if below == 0:
        return None
    found = mean(sample, numerator).value / below
    return Estimate(found, mean(sample, numerator - found * denominator).standard_error / below)


def careful(sample: Sample, indicator: np.ndarray) -> Careful | None:
    """None where each stratum has FEW_POINTS or more that are counted."""
    found = np.bincount(sample.stratum, indicator, sample.weights.size)
    open_ = sample.counts < sample.sizes
    if not (open_ & (found < FEW_POINTS)).any():
        return None
    p = (found + 0.5) / (sample.counts + 1)
    variance = (sample.weights**2 * p * (1 - p) / sample.counts)[open_].sum()
    without = open_ & (found == 0)
    # of all shares under which nothing would be seen in these strata with a chance of 5 %: sum of n p = 3
    most = 3 * (sample.weights / sample.counts)[without].max() if without.any() else None
    return Careful(float(np.sqrt(variance)), None if most is None else float(most))


def by_regression(
    sample: Sample, indicator: np.ndarray, probabilities: np.ndarray, area_means: Sequence[float], seen_share: float
) -> Estimate | None:
    """The mean with the help of mean probabilities: fitted over the area, the residuals by the sample (model-assisted).

    ``probabilities`` (points, 9) are NaN where the map has none, ``area_means`` their means over the ground that has
    some, which is ``seen_share`` of it. None with fewer than FEWEST_FOR_REGRESSION points on it.
    """
    seen = ~np.isnan(probabilities[:, 0])
    if seen.sum() < FEWEST_FOR_REGRESSION:
        return None
    # eight of nine: they sum to one
    design = np.column_stack([np.ones(seen.sum()), probabilities[seen, :8]])
    weight = np.sqrt((sample.weights / sample.counts)[sample.stratum[seen]])
    coefficients = np.linalg.lstsq(design * weight[:, None], indicator[seen] * weight, rcond=None)[0]
    fitted = np.zeros(indicator.shape)
    fitted[seen] = design @ coefficients
    over_area = seen_share * float(np.array([1, *area_means[:8]]) @ coefficients)
    residual = mean(sample, indicator - fitted)
    free = seen.sum() / (seen.sum() - design.shape[1])
    return Estimate(over_area + residual.value, residual.standard_error * float(np.sqrt(free)))


def error_matrix(sample: Sample, mapped: np.ndarray, reference: np.ndarray, classes: int) -> np.ndarray:
    """Shares of the area by map class (rows, the last for ground that was not seen, -1) and reference class."""
    weight = (sample.weights / sample.counts)[sample.stratum]
    found = np.zeros((classes + 1, classes))
    np.add.at(found, (mapped, reference), weight)
    return found


def _means(sample: Sample, values: np.ndarray) -> np.ndarray:
    return np.bincount(sample.stratum, values, sample.weights.size) / sample.counts


def _variances(sample: Sample, values: np.ndarray) -> np.ndarray:
    squares = (values - _means(sample, values)[sample.stratum]) ** 2
    found = np.bincount(sample.stratum, squares, sample.weights.size) / np.maximum(sample.counts - 1, 1)
    return np.where(sample.counts < sample.sizes, found, 0.0)
