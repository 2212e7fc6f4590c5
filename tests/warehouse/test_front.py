"""The embedded warehouse refuses what BigQuery refuses, and the pipeline's client makes the right thing of it."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core.exceptions import BadRequest, MethodNotImplemented
from google.cloud import bigquery

from local.stack import Stack
from shared.errors import InvalidRowsError, NeverError, RetryLaterError
from shared.warehouse import client as warehouse_client
from tests.stacks import rows, start_stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with start_stack(tmp_path_factory.mktemp("front")) as running:
        yield running


def observation(overpass_id: str) -> dict[str, Any]:
    day = f"{overpass_id[:4]}-{overpass_id[4:6]}-{overpass_id[6:8]}"
    return {
        "aoi_id": "a",
        "aoi_version": 1,
        "overpass_id": overpass_id,
        "acquired_at": f"{day}T00:00:00Z",
        "acquired_date": day,
        "acquired_month": int(overpass_id[:6]),
        "valid_area_m2": 1.0,
        "aoi_area_m2": 1.0,
        "coverage": 1.0,
        "classes": [],
        "image_ids": ["x"],
        "image_versions": [1],
        "listed_image_count": 1,
        "algorithm_versions": [],
        "qa_versions": [],
        "code_version": "test",
        "processed_at": "2021-01-01T00:00:00Z",
    }


@pytest.mark.parametrize("text", ["SELEC 1", "SELECT 1 / 0", "SELECT ERROR('boom')", "SELECT nowhere FROM `{aois}`"])
def test_a_failed_statement_is_an_error(stack: Stack, text: str) -> None:
    with pytest.raises(NeverError, match="BigQuery refused the query"):
        stack.warehouse.run(text.format(aois=stack.warehouse.table("aois")), {})


def test_a_failed_statement_of_a_script_is_an_error(stack: Stack) -> None:
    table = stack.warehouse.table("annual_summary")
    script = f"DECLARE x INT64 DEFAULT 1;\nDELETE FROM `{table}` WHERE nowhere = x;"
    with pytest.raises(NeverError):
        stack.warehouse.run(script, {})


def test_an_empty_list_arrives_as_null_and_the_queries_know(stack: Stack) -> None:
    assert stack.warehouse.run("SELECT ARRAY_LENGTH(@x) AS length", {"x": []}) == [{"length": None}]
    assert stack.warehouse.run("SELECT ARRAY_LENGTH(@x) AS length", {"x": ["a"]}) == [{"length": 1}]
    assert stack.warehouse.run("SELECT 1 AS one WHERE ARRAY_LENGTH(@x) = 0", {"x": []}) == []


def test_a_date_partition_takes_no_row_that_is_too_old_or_too_new(stack: Stack) -> None:
    client = stack.warehouse.client
    table = bigquery.Table(
        stack.warehouse.table("by_date"),
        schema=[bigquery.SchemaField("day", "DATE", "REQUIRED"), bigquery.SchemaField("n", "INT64")],
    )
    table.time_partitioning = bigquery.TimePartitioning(type_="MONTH", field="day")
    client.create_table(table)
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=1825), today - timedelta(days=1826), today, today + timedelta(days=367)]
    errors = client.insert_rows_json(
        table, [{"day": day.isoformat(), "n": n} for n, day in enumerate(days)], skip_invalid_rows=True
    )
    assert [e["index"] for e in errors] == [1, 3]
    assert "You can only stream to date range within 1825 days" in errors[0]["errors"][0]["message"]
    assert [row["n"] for row in rows(stack, "by_date", "n")] == [0, 2]
    errors = client.insert_rows_json(table, [{"day": day.isoformat(), "n": 9} for day in days])
    assert {e["index"]: e["errors"][0]["reason"] for e in errors} == {
        0: "stopped",
        1: "invalid",
        2: "stopped",
        3: "invalid",
    }


def test_observations_of_any_age_can_be_streamed(stack: Stack) -> None:
    old = [observation("20150627T000000"), observation("20210103T000000"), observation("20990101T000000")]
    stack.warehouse.append("observations", old)
    found = [row["acquired_date"] for row in rows(stack, "observations_current", "acquired_date")]
    assert found == [date(2015, 6, 27), date(2021, 1, 3), date(2099, 1, 1)]


def test_streamed_rows_show_after_a_while_and_in_order(stack: Stack) -> None:
    replays = [{"dead_letter_id": f"late-{n}", "replayed_at": "2021-01-01T00:00:00Z"} for n in range(3)]
    for row in replays:
        stack.warehouse.append("dead_letter_replays", [row])
    text = f"SELECT dead_letter_id FROM `{stack.warehouse.table('dead_letter_replays')}`"
    assert stack.warehouse.run(text, {}) == []
    stack.bigquery.settle()
    assert [row["dead_letter_id"] for row in stack.warehouse.run(text, {})] == ["late-0", "late-1", "late-2"]


def test_streamed_rows_outlive_the_process(tmp_path: Path) -> None:
    with start_stack(tmp_path) as first:
        first.warehouse.append("observations", [observation("20210103T000000")])
    with start_stack(tmp_path) as second:
        assert len(rows(second, "observations")) == 1


def test_one_bad_row_takes_no_other_along(stack: Stack) -> None:
    now = datetime.now(UTC).isoformat()
    good = [{"event_id": f"e{n}", "event_type": "t", "aoi_id": "a", "attempted_at": now, "host": "h",
             "outcome": "o", "seconds": 1.0} for n in range(1200)]  # fmt: skip
    bad = {k: v for k, v in good[0].items() if k != "event_id"}
    with pytest.raises(
        InvalidRowsError, match=r"refused 1 of 500 rows for deliveries.*Missing required field: event_id"
    ):
        stack.warehouse.append("deliveries", [good[0], bad, *good[1:]])
    assert len(rows(stack, "deliveries")) == 1200, "those of the same request, and of the ones behind it"


def test_a_new_column_is_unknown_to_streaming_for_a_while(stack: Stack) -> None:
    client = stack.warehouse.client
    name = stack.warehouse.table("growing")
    client.create_table(bigquery.Table(name, schema=[bigquery.SchemaField("a", "INT64")]))
    stack.warehouse.append("growing", [{"a": 1}])
    stack.bigquery.settle()
    stack.warehouse.run(f"ALTER TABLE `{name}` ADD COLUMN b INT64", {})
    table = client.get_table(name)
    table.schema = [*table.schema, bigquery.SchemaField("b", "INT64")]
    client.update_table(table, ["schema"])
    with pytest.raises(RetryLaterError, match="no such field: b"):
        stack.warehouse.append("growing", [{"a": 2, "b": 2}])
    deadline = time.monotonic() + 20
    while True:
        try:
            stack.warehouse.append("growing", [{"a": 2, "b": 2}])
            break
        except RetryLaterError:
            assert time.monotonic() < deadline
    assert [(row["a"], row["b"]) for row in rows(stack, "growing", "a")] == [(1, None), (2, 2)]


def dry(stack: Stack, text: str, *parameters: Any) -> Any:
    config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False, query_parameters=list(parameters))
    return stack.warehouse.client.query(text, job_config=config)


def test_a_dry_run_checks_and_runs_nothing(stack: Stack) -> None:
    touches = stack.warehouse.table("touches")
    before = len(rows(stack, "touches"))
    insert = f"INSERT INTO `{touches}` (month, period, touched_date) SELECT @d, 'month', @d"
    script = (
        f"DECLARE day DATE;\nSET day = (SELECT MAX(month) FROM `{touches}`);\n"
        f"INSERT INTO `{touches}` (month, period, touched_date) SELECT IFNULL(day, @d), 'month', @d"
    )
    first_day = bigquery.ScalarQueryParameter("d", "DATE", date(2021, 1, 1))
    for text in ("SELECT @d AS d", insert, script):
        job = dry(stack, text, first_day)
        assert job.state == "DONE"
        assert job.dry_run
        assert job.total_bytes_processed is None, "what the service would read is not known here"
    assert len(rows(stack, "touches")) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELEC 1", "Syntax error"),
        ("SELECT nowhere FROM `{touches}`", "nowhere"),
        ("INSERT INTO `{touches}` (nowhere) VALUES (1)", "nowhere"),
        ("DELETE FROM `{touches}` WHERE nowhere = 1", "nowhere"),
        (
            "MERGE `{touches}` t USING `{touches}` s ON t.month = s.month WHEN MATCHED THEN UPDATE SET nowhere = 1",
            "nowhere",
        ),
        ("DECLARE x INT64 DEFAULT 1;\nDELETE FROM `{touches}` WHERE nowhere = x", "nowhere"),
        ("DECLARE x INT64 DEFAULT nowhere;\nSELECT x", "nowhere"),
        ("DECLARE x INT64;\nSET y = 1;\nSELECT x", "Undeclared variable: y"),
        ("SELECT @nobody", "nobody"),
    ],
)
def test_a_dry_run_refuses_what_a_run_would(stack: Stack, text: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        dry(stack, text.format(touches=stack.warehouse.table("touches")))


def test_a_dry_run_says_what_it_cannot_look_into(stack: Stack) -> None:
    for text in ("CREATE TABLE `{made}` (a INT64)", "DECLARE x INT64;\nIF TRUE THEN SELECT 1; END IF;"):
        with pytest.raises(MethodNotImplemented, match="is not implemented"):
            dry(stack, text.format(made=stack.warehouse.table("made_by_nobody")))
    query = {"query": "SELECT 1", "useLegacySql": False, "dryRun": True}
    address = f"{stack.bigquery.url}/bigquery/v2/projects/{stack.settings.project}/queries"
    answer = requests.post(address, json=query, timeout=10).json()
    assert answer["jobComplete"]
    assert "totalBytesProcessed" not in answer


def test_a_statement_that_met_another_is_run_again_and_in_the_end_the_message_is(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[str] = []
    real = bigquery.Client.query_and_wait

    def crowded(self: bigquery.Client, *arguments: Any, **options: Any) -> Any:
        if met:
            raise BadRequest(met.pop())  # type: ignore[no-untyped-call]
        return real(self, *arguments, **options)

    monkeypatch.setattr(bigquery.Client, "query_and_wait", crowded)
    monkeypatch.setattr(warehouse_client, "_TURN_SECONDS", 0)
    conflict = "Could not serialize access to table p:d.t due to concurrent update"
    met[:] = [conflict] * 5 + [
        "Resources exceeded: Too many DML statements outstanding against table p:d.t, limit is 20."
    ]
    assert stack.warehouse.run("SELECT 1 AS one", {}) == [{"one": 1}]
    met[:] = [conflict] * 7
    with pytest.raises(RetryLaterError, match="due to concurrent update"):
        stack.warehouse.run("SELECT 1 AS one", {})
    assert met == []
