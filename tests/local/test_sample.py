"""The sample's classifier errs as Dynamic World does: in places, for long, and leaning nowhere in the published year."""

from typing import NamedTuple

import numpy as np
import pytest

from local.sample.classifier import TABLE_7, class_means
from local.sample.landscape import (
    BARE,
    BUILT,
    CLEARED_HA,
    CLEARED_ON,
    CROPS,
    FLOODED,
    GRASS,
    POND_HA,
    POND_ON,
    SHRUB,
    SNOW,
    TREES,
    WATER,
    Landscape,
)
from local.sample.passes import SKIPPED_DAY, kept_passes
from local.sample.place import aoi_mask
from local.sample.reflectance import reflectance
from local.sample.views import Classifier, Sky, fitted_lean, leaning, view
from shared.classes import CLASSES
from tests.l1c import classified_at_once

AUGUST = 8


class Seen(NamedTuple):
    truth: np.ndarray
    skies: dict[int, list[Sky]]
    labels: dict[int, np.ndarray]


@pytest.fixture(scope="module")
def landscape() -> Landscape:
    return Landscape(aoi_mask())


@pytest.fixture(scope="module")
def august(landscape: Landscape) -> Seen:
    """The labels of all passes of August in two years, AOI or not, cloud or not."""
    truth, mask = landscape.season[AUGUST - 1], aoi_mask()
    shares = np.bincount(truth[mask], minlength=9) / np.count_nonzero(mask)
    classifier, lean = Classifier(11, mask.shape), None
    skies, labels = {}, {}
    for year in (2021, 2020):
        skies[year] = [sky for _, sky in kept_passes(year, AUGUST)]
        scores = classifier.scores(year, AUGUST, [truth] * len(skies[year]), skies[year], shares > 0)
        lean = fitted_lean(scores, truth, skies[year], mask, shares) if lean is None else lean
        labels[year] = np.stack([view(leaning(of_pass, truth, lean)).label for of_pass in scores])
    return Seen(truth, skies, labels)


def mode(august: Seen, year: int) -> np.ndarray:
    clear = np.stack([sky.clear for sky in august.skies[year]])
    return np.stack([((august.labels[year] == c.class_id) & clear).sum(0) for c in CLASSES]).argmax(0)


def test_an_error_outlasts_its_view_and_its_year(august: Seen) -> None:
    wrong = august.labels[2021] != august.truth
    rate = wrong[0].mean()
    assert 0.05 < rate < 0.2
    assert wrong[1][wrong[0]].mean() > 3 * rate, "what errs, errs five days later"
    assert (august.labels[2020][0] != august.truth)[wrong[0]].mean() > 2 * rate, "and in the year before"
    beside = wrong[0][:, 3:][wrong[0][:, :-3]].mean()
    assert beside > 2 * rate, "and 30 m further"


def test_maps_of_two_years_differ_where_nothing_changed(august: Seen) -> None:
    differ = (mode(august, 2020) != mode(august, 2021))[aoi_mask()].mean()
    assert 0.05 < differ < 0.2
    wrong = mode(august, 2021) != august.truth
    assert 0.05 < wrong[aoi_mask()].mean() < 0.15, "more views do not mend it"


def test_the_published_year_leans_nowhere(august: Seen) -> None:
    mask = aoi_mask() & np.any([sky.clear for sky in august.skies[2021]], axis=0)
    found = np.bincount(mode(august, 2021)[mask], minlength=9) / np.count_nonzero(mask)
    truth = np.bincount(august.truth[mask], minlength=9) / np.count_nonzero(mask)
    assert found == pytest.approx(truth, abs=0.005)


def test_means_give_the_published_confusion_of_single_views() -> None:
    draws = np.random.default_rng(1).standard_normal((20_000, 9))
    for true in range(9):
        found = np.bincount((class_means()[true] + draws).argmax(1), minlength=9) / len(draws)
        assert found == pytest.approx(TABLE_7[:, true] / TABLE_7[:, true].sum(), abs=0.015)


def test_the_season_returns_but_for_the_clearing_and_the_pond(landscape: Landscape) -> None:
    before, after = CLEARED_ON.replace(year=CLEARED_ON.year - 1, month=8), CLEARED_ON.replace(month=8)
    changed = landscape.truth(before) != landscape.truth(after)
    assert np.array_equal(changed, landscape.clearing | landscape.pond)
    assert (landscape.clearing.sum(), landscape.pond.sum()) == (100 * CLEARED_HA, 100 * POND_HA)
    assert (landscape.truth(before)[landscape.clearing] == TREES).all()
    assert (landscape.truth(POND_ON)[landscape.pond] == WATER).all()
    spring = [landscape.season[month - 1][landscape.clearing] for month in range(3, 12)]
    assert (np.stack(spring) == TREES).all(), "evergreen: no season looks like a clearing"


def test_the_network_labels_synthetic_reflectance_as_meant(landscape: Landscape) -> None:
    truth, mask = landscape.truth(SKIPPED_DAY), aoi_mask()
    found = classified_at_once(reflectance(truth, np.random.default_rng(1))).argmax(0)
    assert (found == truth)[mask].mean() > 0.9
    for class_id in (WATER, TREES, CROPS, BUILT):
        assert (found == class_id)[mask & (truth == class_id)].mean() > 0.9
    assert (found[landscape.clearing] == BARE).mean() > 0.8
    assert (found[landscape.pond] == WATER).mean() > 0.8


@pytest.mark.parametrize("class_id", [GRASS, FLOODED, SHRUB, SNOW])
def test_and_so_do_wide_patches_of_the_classes_that_july_has_little_of(class_id: int) -> None:
    found = classified_at_once(reflectance(np.full((96, 96), class_id), np.random.default_rng(1))).argmax(0)
    assert (found == class_id).mean() > 0.8
