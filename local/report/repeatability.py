"""How far shares would have come out elsewhere under other cloud and haze: repeatability, and nothing else.

The overpasses of each month are drawn anew, as many with replacement, and pooled. How far such draws spread says what
other days without cloud would have given of the same ground by the same classifier; ``benchmarks/shares.py`` shows how
often the shares of a sky without cloud lie within it. Whether the classifier is right it does not know: its views share
their errors, and only a reference sample tells.
"""

from collections.abc import Sequence

import numpy as np

_DRAWS, _SEED = 60, 1
_NORMAL_95 = 1.96


def spread(months: Sequence[np.ndarray]) -> np.ndarray | None:
    """By class, how far from the mean over ``months`` of pooled shares 95 of 100 such means lie, 0..1.

    Each month is (overpasses, classes), areas of any unit. A month of one overpass has nothing to draw from and counts
    as one overpass of the others does: None where that is more than half of them, or where there is none.
    """
    several = [month for month in months if len(month) > 1]
    if not several or 2 * len(several) < len(months):
        return None
    random = np.random.default_rng(_SEED)
    of_view = {id(month): _variance_of_view(month, random) for month in several}
    usual = np.mean(list(of_view.values()), axis=0)
    of_months = [of_view.get(id(month), usual) / len(month) for month in months]
    return np.asarray(_NORMAL_95 * np.sqrt(np.sum(of_months, axis=0)) / len(months))


def _variance_of_view(month: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Of one overpass, from the spread of draws of several: that of n has n - 1 n-ths of the variance of their mean."""
    count = len(month)
    draws = [_pooled(month[random.integers(0, count, count)]) for _ in range(_DRAWS)]
    return np.asarray(np.var(draws, axis=0, ddof=1) * count**2 / (count - 1))


def _pooled(areas: np.ndarray) -> np.ndarray:
    return np.asarray(areas.sum(0) / areas.sum())
