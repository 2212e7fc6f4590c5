"""Every statement before Google's own analyser, with the types that callers pass; and controls that it must refuse."""

from pathlib import Path

import pytest

from shared.messages.schedules import schedules
from shared.warehouse import files
from shared.warehouse.files import report_columns, sql
from tests.warehouse.analyser import DATASET, FLOOR, Warehouse
from tests.warehouse.parameters import QUERIES


@pytest.fixture(scope="session")
def warehouse() -> Warehouse:
    """Making it analyses every view."""
    return Warehouse()


def test_every_query_is_looked_at() -> None:
    folder = Path(files.__file__).with_name("sql") / "queries"
    assert set(QUERIES) == {path.stem for path in folder.glob("*.sql")}


@pytest.mark.parametrize("name", QUERIES)
def test_bigquery_takes_each_query(warehouse: Warehouse, name: str) -> None:
    assert warehouse.analyse(sql("queries", name, dataset=DATASET), QUERIES[name])


@pytest.mark.parametrize("name", [query.name for query in schedules().scheduled_queries])
def test_bigquery_takes_each_script(warehouse: Warehouse, name: str) -> None:
    text = sql("scheduled", name, dataset=DATASET, coverage_floor=FLOOR, network_in_summaries="fill")
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
