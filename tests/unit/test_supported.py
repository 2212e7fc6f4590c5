"""What supported change is worth: a small run of ``benchmarks/transitions.py``, five places of each kind."""

import numpy as np
import pytest

from benchmarks.transitions import KINDS, MODES, SUPPORTED, simulated


@pytest.mark.parametrize("kind", ["evergreen", "seasonal"])
def test_the_rule_reaches_its_bars_and_maps_that_differ_do_not(kind: str) -> None:
    assert kind in KINDS
    tally = simulated(kind, 5)
    changed = {rule: np.mean([case.changed for case in cases]) for rule, cases in tally.quiet.items()}
    found = {rule: np.mean([case.found for case in cases]) for rule, cases in tally.cleared.items()}
    assert changed[SUPPORTED] <= 0.003
    assert found[SUPPORTED] >= 0.78
    assert changed[MODES] > 0.05, "unchanged ground differs between maps"
    assert found[MODES] > 0.9
    own_year, _, told = np.mean(tally.in_july, 0)
    assert own_year < 0.5 < 0.75 < told, "what happened within a year is its event's, not the year's"
