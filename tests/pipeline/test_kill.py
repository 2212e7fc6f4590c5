"""The process dies in the middle of its work; what it had promised is done after the next start."""

from pathlib import Path

from benchmarks.kill import OVERPASSES, kill_and_compare
from tests.stacks import SOAK, rows, start_stack


def test_a_killed_stack_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    outcome = kill_and_compare(tmp_path, kills=10 if SOAK else 2)
    assert outcome.different == []
    assert outcome.rows["aois"] == 2, "one of the three is deleted again"
    assert outcome.rows["observations_current"] == 2 * OVERPASSES, "one of them the network's"


def test_a_warehouse_whose_making_was_cut_short_is_made_anew_and_a_finished_one_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "warehouse").mkdir(parents=True)
    (folder / "warehouse" / "bqemulator.duckdb").write_bytes(b"half a file")
    (folder / "warehouse.unfinished").touch()
    with start_stack(tmp_path) as stack:
        stack.warehouse.append("dead_letter_replays", [{"dead_letter_id": "x", "replayed_at": "2021-01-01T00:00:00Z"}])
    assert not (folder / "warehouse.unfinished").exists()
    with start_stack(tmp_path) as stack:
        assert [row["dead_letter_id"] for row in rows(stack, "dead_letter_replays")] == ["x"]
