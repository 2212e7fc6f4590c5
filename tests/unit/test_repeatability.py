"""How far shares would have come out elsewhere, beside the bootstrap of another library and by hand."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from local.report.repeatability import spread


def test_months_spread_as_much_as_scipys_bootstrap_of_them() -> None:
    random = np.random.default_rng(5)
    months = []
    for views in (8, 12, 6):
        covered, trees = random.uniform(0.3, 1, views), random.uniform(0.3, 0.7, views)
        months.append(np.stack([covered * trees, covered * (1 - trees)], 1))
    variance = 0.0
    for month in months:
        of = (month[:, 0], month[:, 1])
        drawn = bootstrap(
            of, lambda a, b, axis: a.sum(axis) / (a + b).sum(axis), paired=True, n_resamples=5_000, random_state=random
        )
        variance += drawn.standard_error**2 * len(month) / (len(month) - 1)
    found = spread(months)
    assert found is not None
    # sixty draws know their own spread to a tenth
    assert found == pytest.approx([1.96 * np.sqrt(variance) / 3] * 2, rel=0.25)
    again = spread(months)
    assert again is not None
    assert (found == again).all()


def test_overpasses_that_agree_do_not_spread_and_single_ones_count_as_the_others() -> None:
    apart = np.array([[1.0, 1.0], [2.0, 0.0]])
    several, one_more = spread([apart, apart]), spread([apart, apart, np.array([[1.0, 1.0]])])
    assert several is not None
    assert one_more is not None
    # by hand: variances of a view over 2, 2 and 1 of them, and over the months squared
    assert one_more == pytest.approx(several * np.sqrt((1 / 2 + 1 / 2 + 1) / 9 / ((1 / 2 + 1 / 2) / 4)))
    alike, single = np.array([[2.0, 1.0], [4.0, 2.0]]), np.array([[1.0, 1.0]])
    found = spread([alike, single])
    assert found is not None
    assert found == pytest.approx([0, 0], abs=1e-12)
    assert spread([alike, single, single]) is None
    assert spread([single]) is None
    assert spread([]) is None
