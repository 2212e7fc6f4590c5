"""What is said of months, and what repeatability is worth: a small run of ``benchmarks/shares.py``, six places."""

import numpy as np

from benchmarks.shares import ANY, BEFORE, PIXELS, SAID, TWICE, simulated
from benchmarks.world import TREES


def test_where_nothing_happens_nothing_is_said_and_a_sky_without_cloud_lies_within_what_repeats() -> None:
    tally = simulated("cloud leans to the forest", 6)
    for errors in (tally.months, tally.years):
        ours, before = (np.sqrt((errors[rule][:, TREES] ** 2).mean()) for rule in (PIXELS, BEFORE))
        assert ours <= 0.5 * before
    changed = {rule: np.mean([month.changed for month in said]) for rule, said in tally.said.items()}
    compared = {rule: np.mean([month.compared for month in said]) for rule, said in tally.said.items()}
    assert changed[SAID] == 0
    assert changed[ANY] > 0.1
    assert compared[SAID] > compared[TWICE]
    for period, cases in tally.repeated.items():
        assert np.mean([abs(case.error) <= case.spread for case in cases]) >= 0.89, period
