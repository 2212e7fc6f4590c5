"""Statements that meet on a table run one after the other, and one that meets too many is refused."""

import threading
from collections.abc import Callable
from contextlib import ExitStack

from local.bigquery.limits import RERUNS_OF_A_STATEMENT
from local.bigquery.turns import Turns, changed_tables


def waiting(turns: Turns, tables: set[str]) -> tuple[threading.Thread, list[str | None]]:
    """Somebody who asks for a turn; the second is what came of it, once something did."""
    found: list[str | None] = []

    def ask() -> None:
        with turns.turn(tables) as refused:
            found.append(refused)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, found


def until(holds: Callable[[], bool]) -> None:
    while not holds():
        threading.Event().wait(0.001)


def test_others_that_end_meanwhile_do_not_count() -> None:
    turns = Turns()
    with ExitStack() as first:
        first.enter_context(turns.turn({"a"}))
        thread, found = waiting(turns, {"a", "b"})
        until(lambda: bool(turns._changed._waiters))  # type: ignore[attr-defined]
        for _ in range(3 * RERUNS_OF_A_STATEMENT):
            with turns.turn({"c"}) as refused:
                assert refused is None
        assert found == []
    thread.join()
    assert found == [None]


def test_who_meets_one_after_the_other_is_refused() -> None:
    turns = Turns()
    before = ExitStack()
    before.enter_context(turns.turn({"a"}))
    thread, found = waiting(turns, {"a"})
    for _ in range(RERUNS_OF_A_STATEMENT + 1):
        until(lambda: bool(turns._changed._waiters))  # type: ignore[attr-defined]
        # the next begins in the moment in which this one ends
        with turns._changed:
            before.close()
            before.enter_context(turns.turn({"a"}))
    thread.join()
    before.close()
    assert found == ["a"]


def test_what_only_inserts_changes_no_row() -> None:
    merge = b'{"query": "MERGE `p.d.t` AS target USING x ON TRUE WHEN MATCHED THEN DELETE"}'
    assert changed_tables(merge) == {"p.d.t"}
    assert changed_tables(b'{"query": "INSERT INTO `p.d.t` (a) SELECT 1"}') == set()
