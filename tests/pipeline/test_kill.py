"""The process dies in the middle of its work; what it had promised is done after the next start."""

from pathlib import Path

from benchmarks.kill import OVERPASSES, kill_and_compare


def test_a_killed_stack_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    outcome = kill_and_compare(tmp_path, kills=3)
    assert outcome.different == []
    assert outcome.rows["observations_current"] == 3 * OVERPASSES
