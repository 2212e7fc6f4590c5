"""The errors of Dynamic World as a model: how often a class is taken for another, and how long an error lasts.

A view's label is the largest of nine scores: the mean of the true class, fitted so that a single view has the confusion
of Brown et al. 2022 (doi 10.1038/s41597-022-01307-4, Table 7), and noise of variance one, most of which outlasts the
view. How the noise is made up is an assumption; what of it can be compared with real series agrees with them within a
few points.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

# Rows Dynamic World, columns experts' consensus, pixels.
TABLE_7 = np.array([
    [7664249, 47476, 34405, 160034, 333689, 54613, 45573, 112658, 4178],
    [121205, 17522174, 1019096, 803380, 2565217, 2529992, 281318, 120507, 8921],
    [5956, 83205, 876142, 149792, 1343601, 311448, 39657, 101129, 695],
    [51371, 68818, 45450, 722106, 120045, 56370, 6860, 35856, 6],
    [21083, 93924, 139766, 35422, 9841373, 574660, 126895, 241771, 38],
    [17666, 628594, 380724, 75929, 1220212, 3552589, 151919, 440744, 29373],
    [10375, 146794, 55121, 3930, 610401, 94431, 6489015, 75899, 744],
    [171029, 15374, 28976, 8811, 313838, 661030, 183342, 2214615, 42538],
    [68277, 195648, 8649, 550, 59474, 104295, 14122, 122907, 1417512],
], float)  # fmt: skip
# Share of the noise's variance by how long it lasts and how far it reaches.
NOISE: Mapping[str, float] = {
    "site": 0.04, "cell": 0.40, "month_of_year": 0.08, "year": 0.08, "spell": 0.10,
    "view": 0.16, "view_patch": 0.08, "area_view": 0.04, "area_month": 0.02,
}  # fmt: skip
# Scores of snow rise by so much where the mask missed the edge of a cloud.
MISSED_CLOUD = 2.5


@lru_cache(maxsize=1)
def class_means() -> np.ndarray:
    """Mean scores (true class, label) with which single views have the confusion of Table 7, by stochastic search."""
    draws = np.random.default_rng(7).standard_normal((30_000, 9))
    target = np.maximum((TABLE_7 / TABLE_7.sum(0)).T, 3e-4)
    target /= target.sum(1, keepdims=True)
    means = 0.6 * np.log(target)
    for _ in range(60):
        for true in range(9):
            found = np.bincount((means[true] + draws).argmax(1), minlength=9) / len(draws)
            means[true] += 0.35 * (np.log(target[true] + 3e-4) - np.log(found + 3e-4))
    return means - means.max(1, keepdims=True)


@lru_cache(maxsize=8)
def smooth_bank(smoothness: float, side: int = 1024) -> np.ndarray:
    """A large smooth random field of variance one, to draw windows from; smoothness in its cells."""
    field = gaussian_filter(np.random.default_rng(11).standard_normal((side, side)), smoothness, mode="wrap")
    return np.asarray(field / field.std())
