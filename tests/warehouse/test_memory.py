"""What the embedded warehouse remembers of a text is what it would find anew, in this process and in the next."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bqemulator.jobs import executor

from local.bigquery import embedded
from local.bigquery.memory import KeptAnswers, Memory
from local.stack import Stack
from tests.stacks import start_stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with start_stack(tmp_path_factory.mktemp("memory")) as running:
        yield running


def answers(stack: Stack, text: str) -> list[object]:
    name = stack.warehouse.table("looked_at")
    return [value for row in stack.warehouse.run(text.format(it=name), {}) for value in row.values()]


def test_a_text_means_the_views_and_columns_of_now(stack: Stack) -> None:
    looked = "SELECT * FROM `{it}`"
    for definition, found in (("SELECT 1 AS x", [1]), ("SELECT 2 AS x", [2]), ("SELECT 'a' AS y, 3 AS x", ["a", 3])):
        answers(stack, f"CREATE OR REPLACE VIEW `{{it}}` AS {definition}")
        assert answers(stack, looked) == found
    answers(stack, "DROP VIEW `{it}`")
    answers(stack, "CREATE TABLE `{it}` AS SELECT 4 AS z")
    assert answers(stack, looked) == [4]
    answers(stack, "DROP TABLE `{it}`")


def test_rows_that_a_policy_hides_are_hidden_from_a_text_that_has_seen_them(stack: Stack) -> None:
    answers(stack, "CREATE TABLE `{it}` AS SELECT n FROM UNNEST([1, 2]) AS n")
    assert sorted(answers(stack, "SELECT n FROM `{it}`")) == [1, 2]
    answers(
        stack,
        "CREATE ROW ACCESS POLICY hides ON `{it}` GRANT TO ('allAuthenticatedUsers', 'allUsers') FILTER USING (n = 1)",
    )
    assert 2 not in answers(stack, "SELECT n FROM `{it}`")
    answers(stack, "DROP ROW ACCESS POLICY hides ON `{it}`")
    assert sorted(answers(stack, "SELECT n FROM `{it}`")) == [1, 2]
    answers(stack, "DROP TABLE `{it}`")


def test_only_the_newest_results_are_kept_and_none_of_a_stack_that_has_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_MOST_JOBS", 3)
    before = set(executor.JOB_RESULTS)
    with start_stack(tmp_path) as stack:
        for number in range(8):
            assert stack.warehouse.run(f"SELECT {number} AS n", {}) == [{"n": number}]
        assert len(executor.JOB_RESULTS.keys() - before) <= 3
    assert executor.JOB_RESULTS.keys() <= before
    assert executor.JOB_SCHEMAS.keys() <= before


def test_each_question_is_asked_once_and_what_cannot_be_answered_again() -> None:
    memory, asked = Memory(), []

    def find() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise ValueError("not this time")
        return "found"

    with pytest.raises(ValueError, match="not this time"):
        memory.get("question", find)
    assert [memory.get("question", find) for _ in range(3)] == ["found"] * 3
    assert len(asked) == 2


@pytest.mark.parametrize("answer", ["a text", "", None, (None, None)])
def test_an_answer_is_there_in_the_next_process_for_the_same_question(tmp_path: Path, answer: object) -> None:
    path = tmp_path / "deep" / "answers.sqlite"
    assert Memory("of", KeptAnswers(path, "v1")).get(("text", 1), lambda: answer) == answer
    assert KeptAnswers(path, "v1").get("of", ("text", 1)) == (answer,)
    assert KeptAnswers(path, "v1").get("of", ("text", 2)) is None
    assert KeptAnswers(path, "v1").get("of others", ("text", 1)) is None


def test_what_another_version_answered_is_forgotten(tmp_path: Path) -> None:
    KeptAnswers(tmp_path / "answers", "v1").put("of", "text", "old")
    assert KeptAnswers(tmp_path / "answers", "v2").get("of", "text") is None
    assert KeptAnswers(tmp_path / "answers", "v1").get("of", "text") is None


@pytest.mark.parametrize("spoil", ["no folder", "no database"])
def test_where_nothing_can_be_kept_all_is_found_anew(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "answers"
    if spoil == "no folder":
        (tmp_path / "file").touch()
        path = tmp_path / "file" / "answers"
    else:
        path.write_bytes(b"no database at all, but longer than a header of one would be" * 20)
    kept = KeptAnswers(path, "v1")
    for _ in range(2):
        assert Memory("of", kept).get("text", lambda: "found") == "found"
