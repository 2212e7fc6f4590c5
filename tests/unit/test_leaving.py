"""The rule of alarms: what leaves, for how long, over how much ground; and what it is worth in the simulation."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.ndimage import label as connected

from benchmarks.alarms import simulated
from shared.change.connected import patches
from shared.change.leaving import (
    NONE,
    TREES,
    UNSEEN,
    Found,
    State,
    follow,
    smallest_patch_ha,
    usual_class,
)

BARE, SNOW, SIDE = 7, 8, 12
START, END = datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
FOREST = np.full((SIDE, SIDE), TREES, np.uint8)
BLOCK = np.zeros((SIDE, SIDE), bool)
BLOCK[3:7, 3:7] = True


def views(text: str, where: np.ndarray = BLOCK) -> np.ndarray:
    """Views of a forest of which one place shows, a letter a view: trees, bare, snow, or nothing (-)."""
    shown = {"t": TREES, "b": BARE, "s": SNOW, "-": UNSEEN}
    return np.stack([np.where(where, np.uint8(shown[letter]), FOREST) for letter in text])


def followed(labels: np.ndarray, every_days: int = 10, before: np.ndarray = FOREST, fewest: int = 10) -> Found:
    moments = [START + timedelta(days=every_days * n) for n in range(len(labels))]
    return follow(FOREST, before, labels, moments, END, fewest)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("ttttt", None),
        ("ttbb", None),
        ("ttbbb", State.PROVISIONAL),
        ("ttbbbb", State.CONFIRMED),
        ("ttbbsb-b", State.CONFIRMED),
        ("ttbbbtbbb", State.PROVISIONAL),
        ("ttbbbtbb", None),
        ("ttbbbbtt", State.CONFIRMED),
        ("ttbbbbttt", State.WITHDRAWN),
        ("ttbbbbttbt", State.CONFIRMED),
        ("ttsssss", None),
    ],
)
def test_three_clear_views_in_a_row_are_shown_four_confirmed_three_back_withdrawn(text: str, state: State) -> None:
    found = followed(views(text)).patches
    assert [patch.state for patch in found] == ([] if state is None else [state])
    for patch in found:
        assert (patch.cells == BLOCK).all()
        assert (patch.from_class, patch.to_class) == (TREES, BARE)
        if text.startswith("ttb") and "tb" not in text[3:]:
            assert (patch.last_usual, patch.first_other) == (1, 2)


def test_a_patch_that_grows_is_one_patch_with_its_first_day() -> None:
    larger = np.zeros_like(BLOCK)
    larger[3:7, 3:10] = True
    labels = np.concatenate([views("ttbbbb"), views("bbbb", larger)])
    (patch,) = followed(labels).patches
    assert (patch.cells == larger).all()
    assert patch.confirmed == 5


def test_two_patches_that_grow_together_are_the_older_one() -> None:
    left, right, both = (np.zeros_like(BLOCK) for _ in range(3))
    left[2:6, 1:5], right[2:6, 7:11], both[2:6, 1:11] = True, True, True
    labels = np.concatenate(
        [views("tbb", left), views("bb", left | right), views("bb", left | right), views("bbbb", both)]
    )
    (patch,) = followed(labels).patches
    assert (patch.cells == both).all()
    assert patch.confirmed == 4


def test_what_had_left_before_the_year_belongs_to_the_year_before() -> None:
    gone = np.where(BLOCK, np.uint8(BARE), FOREST)
    assert followed(views("bbbbbb"), before=gone).patches == []
    (again,) = followed(views("bbttbbbb"), before=gone).patches
    assert (again.last_usual, again.first_other) == (3, 4)
    unknown = np.full_like(FOREST, UNSEEN)
    (new,) = followed(views("bbbb"), before=unknown).patches
    assert (new.last_usual, new.first_other) == (-1, 0)


def test_what_leaves_after_the_year_belongs_to_the_next_and_what_left_in_it_is_confirmed_after_it() -> None:
    # a view each 30 days: the twelfth is of 27 November, the fourteenth of 26 January
    assert followed(views("t" * 13 + "bbbb"), every_days=30).patches == []
    (late,) = followed(views("t" * 11 + "bbbb"), every_days=30).patches
    assert (late.state, late.confirmed) == (State.CONFIRMED, 14)


def test_a_row_that_takes_longer_than_two_thirds_of_a_year_is_none() -> None:
    assert followed(views("tbbbb"), every_days=80).patches[0].state is State.CONFIRMED
    assert followed(views("tb-bb-b"), every_days=55).patches == []


def test_a_patch_under_the_limit_is_nothing_and_corners_do_not_connect() -> None:
    assert followed(views("tbbbb"), fewest=16).patches
    assert followed(views("tbbbb"), fewest=17).patches == []
    corner = BLOCK.copy()
    corner[7:11, 7:11] = True
    assert len(followed(views("tbbbb", corner)).patches) == 2


def test_the_usual_class_is_a_lasting_one_that_nearly_all_of_enough_votes_give() -> None:
    votes = np.array([[[0, 0, 0, 0, 9]], [[8, 7, 9, 2, 0]], [[0, 0, 0, 0, 1]]])
    of = np.array([[10, 10, 9, 10, 10]])
    assert usual_class(votes, of).tolist() == [[TREES, NONE, NONE, NONE, 0]]


def test_the_limit_grows_with_the_area() -> None:
    assert smallest_patch_ha(2.5e6) == 1.5
    assert smallest_patch_ha(2.5e7) == pytest.approx(2.1)
    assert smallest_patch_ha(2.5e5) == pytest.approx(0.9)
    assert smallest_patch_ha(1e4) == 0.5


@pytest.mark.parametrize("share", [0.1, 0.4, 0.6, 0.9])
def test_patches_are_those_of_an_independent_labelling(share: float) -> None:
    random = np.random.default_rng(5)
    for _ in range(5):
        cells = random.random((40, 30)) < share
        numbered, count = connected(cells)
        wanted = [numbered == n for n in range(1, count + 1) if (numbered == n).sum() >= 5]
        found, largest = patches(cells, 5)
        assert largest == np.bincount(numbered.ravel())[1:].max()
        assert len(found) == len(wanted)
        for mask, other in zip(found, wanted, strict=True):
            assert (mask == other).all()


@pytest.mark.parametrize(("kind", "places"), [("evergreen", 6), ("seasonal", 6)])
def test_the_rule_reaches_its_bars_and_the_one_before_does_not(kind: str, places: int) -> None:
    """A small run of ``benchmarks/alarms.py``: 36 area-years and six clearings of 2 % of 2.5 km² of each kind."""
    tally = simulated(kind, places)
    assert not any(tally.alarms)
    assert np.mean(tally.alarms_before) > 0.5
    clearings = tally.clearings[0.02]
    assert sum(case.days is not None for case in clearings) >= places - 1
    told = [case for case in clearings if case.days is not None]
    assert np.median([case.months for case in told]) <= 3, "of a handful; of many it is two"
    assert np.mean([case.found for case in told]) > 0.7
