"""Every statement before Google's own analyser, with the types that callers pass; and controls that it must refuse."""

from datetime import date, datetime
from pathlib import Path

import pytest

from local.probe.statements import PARAMETERS
from shared.schedules import schedules
from shared.warehouse import sqlfiles
from shared.warehouse.sqlfiles import report_columns, sql
from tests.warehouse.analyser import DATASET, FLOOR, Warehouse

STRINGS = "ARRAY<STRING>"
REF = {"aoi_id": "STRING", "aoi_version": "INT64"}
BOX = dict.fromkeys(("west_deg", "south_deg", "east_deg", "north_deg"), "FLOAT")
QUERIES: dict[str, dict[str, str]] = {
    "aoi_cells": {},
    "aois_by_id": {"aoi_ids": STRINGS},
    "aois_to_examine": {"aoi_ids": STRINGS},
    "aois_touching": {"footprint": "STRING", **BOX},
    "dead_letters": {"since": "TIMESTAMP", "topic": "STRING", "reason": "STRING"},
    "dead_letters_brief": {},
    "earliest_touch": {"since": "DATE"},
    **{
        f"erase_{table}": {"aoi_ids": STRINGS, "before": "TIMESTAMP"}
        for table in ("observations", "composites", "passes", "change_alerts", "deliveries", "dead_letters")
    },
    **{
        f"erase_{table}": {"aoi_ids": STRINGS}
        for table in ("aoi_events", "histories", "monthly_summary", "annual_summary")
    },
    "events_of_webhook": {"webhook_id": "STRING"},
    "export_annual": {},
    "export_monthly": {},
    "export_observations": {},
    "first_aoi": {},
    "flagged_changes": {"since": "DATE"},
    "freshness": {},
    "histories_asked": {"aoi_ids": STRINGS},
    "histories_wanted": {"webhook_id": "STRING"},
    "measured_images": {"aoi_ids": STRINGS, "first_day": "DATE", "last_day": "DATE"},
    "new_acquisitions": {"boxes": "STRING", "since": "DATE"},
    "new_passes": {"scenes": "STRING", "day": "DATE"},
    "note_histories": {"rows": "STRING", "asked_at": "TIMESTAMP"},
    "observed_overpasses": {**REF, "since": "DATE"},
    "open_register": {"recorded_at": "TIMESTAMP", "code_version": "STRING"},
    "record_aoi_events": {
        "rows": "STRING",
        "webhook_id": "STRING",
        "body_sha256": "STRING",
        "event_type": "STRING",
        "event_time": "TIMESTAMP",
        "recorded_at": "TIMESTAMP",
        "code_version": "STRING",
    },
    "register_totals": {"aoi_ids": STRINGS, "name_space": "STRING"},
    "report_annual": {"aoi_id": "STRING", "year": "INT64"},
    "report_index": {"aoi_ids": STRINGS, "year": "INT64"},
    "report_index_annual": {"aoi_ids": STRINGS, "year": "INT64"},
    "report_year": {"aoi_id": "STRING", "year": "INT64"},
    "rows_of_aois": {"aoi_ids": STRINGS},
    "stale_composites": {
        "period": "STRING",
        "since": "DATE",
        "after_aoi": "STRING",
        "aoi_ids": STRINGS,
        "most": "INT64",
    },
}


@pytest.fixture(scope="session")
def warehouse() -> Warehouse:
    """Making it analyses every view."""
    return Warehouse()


def test_every_query_is_looked_at() -> None:
    folder = Path(sqlfiles.__file__).with_name("sql") / "queries"
    assert set(QUERIES) == {path.stem for path in folder.glob("*.sql")}


def test_the_probe_passes_the_types_that_callers_pass() -> None:
    names = {str: "STRING", int: "INT64", float: "FLOAT", date: "DATE", datetime: "TIMESTAMP", list: STRINGS}
    assert {
        query: {name: names[type(value)] for name, value in given.items()} for query, given in PARAMETERS.items()
    } == QUERIES


@pytest.mark.parametrize("name", QUERIES)
def test_bigquery_takes_each_query(warehouse: Warehouse, name: str) -> None:
    assert warehouse.analyse(sql("queries", name, dataset=DATASET), QUERIES[name])


@pytest.mark.parametrize("name", [query.name for query in schedules().scheduled_queries])
def test_bigquery_takes_each_script(warehouse: Warehouse, name: str) -> None:
    text = sql("scheduled", name, dataset=DATASET, coverage_floor=FLOOR)
    assert warehouse.analyse_script(text, {"run_time": "TIMESTAMP"}) >= 4


@pytest.mark.parametrize("name", report_columns())
def test_bigquery_takes_each_view_of_a_client_with_the_columns_of_the_report(warehouse: Warehouse, name: str) -> None:
    found = warehouse.analyse(sql("clients", "report", dataset=DATASET, view=name, client="acme"))
    assert [column.name for column in found.output_column_list] == list(report_columns()[name])


OBSERVATIONS = f"`{DATASET}.observations`"


@pytest.mark.parametrize(
    "text",
    [
        "SELEC 1",
        f"SELECT acquired FROM {OBSERVATIONS}",
        f"SELECT aoi_id FROM `{DATASET}.nowhere`",
        "SELECT CAST(1 AS INT32)",
        "SELECT CAST(1 AS DOUBLE)",
        "SELECT CAST(1 AS FLOAT32)",
        "SELECT CAST(1 AS UINT64)",
        f"SELECT 1 FROM {OBSERVATIONS} WHERE acquired_date > acquired_at",
        f"SELECT 1 FROM {OBSERVATIONS} WHERE acquired_date = 20210103",
        f"SELECT 1 FROM {OBSERVATIONS} WHERE TRUE QUALIFY aoi_id = 'a'",
        f"SELECT aoi_id, COUNT(*) FROM {OBSERVATIONS}",
        f"SELECT aoi_id, MAX(coverage) FROM {OBSERVATIONS} GROUP BY overpass_id",
        f"SELECT classes.class_id FROM {OBSERVATIONS}",
        f"SELECT aoi_id FROM {OBSERVATIONS} WHERE image_ids = 'x'",
        "SELECT @nobody + 1",
        "SELECT DATE_SUB(CURRENT_DATE(), INTERVAL 1 FORTNIGHT)",
        "SELECT IF(1, 2, 3)",
        "SELECT NO_SUCH_FUNCTION(1)",
        f"INSERT INTO {OBSERVATIONS} (aoi_id) VALUES (1)",
        f"MERGE {OBSERVATIONS} t USING {OBSERVATIONS} s ON t.aoi_id = s.aoi_id WHEN MATCHED THEN UPDATE SET nowhere = 1",
    ],
)
def test_what_bigquery_refuses_is_refused(warehouse: Warehouse, text: str) -> None:
    with pytest.raises(Exception, match=r"INVALID_ARGUMENT|not found|Syntax error"):
        warehouse.analyse(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        f"SELECT aoi_id, ROW_NUMBER() OVER (ORDER BY coverage) AS n FROM {OBSERVATIONS} WHERE TRUE QUALIFY n = 1",
        f"SELECT class.class_id FROM {OBSERVATIONS} CROSS JOIN UNNEST(classes) AS class",
        "SELECT DATE_TRUNC(CURRENT_DATE(), MONTH), SAFE.PARSE_TIMESTAMP('%Y', 'x')",
        f"DELETE FROM {OBSERVATIONS} WHERE aoi_id = 'a'",
    ],
)
def test_what_bigquery_takes_is_taken(warehouse: Warehouse, text: str) -> None:
    assert warehouse.analyse(text)
