"""A warehouse of an earlier version, or of other settings: views follow, rows stay, other tables are refused."""

from pathlib import Path

import pytest
from google.cloud import bigquery

from local.bigquery.definition import create_warehouse, defined_table
from local.stack import Stack
from shared.errors import UserInputError
from shared.warehouse.files import report_columns
from tests.stacks import rows, start_stack


def age(stack: Stack) -> None:
    """Let the definitions be those of another version."""
    client = stack.warehouse.client
    dataset = client.get_dataset(stack.settings.dataset)
    assert dataset.labels
    dataset.labels = {"definition": "another"}
    client.update_dataset(dataset, ["labels"])


def test_views_are_made_anew_and_rows_stay(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        stack.warehouse.append("dead_letter_replays", [{"dead_letter_id": "x", "replayed_at": "2021-01-01T00:00:00Z"}])
        older = bigquery.Table(stack.warehouse.table("report_areas"))
        older.view_query = "SELECT 1 AS other"
        stack.warehouse.client.delete_table(older)
        stack.warehouse.client.create_table(older)
        age(stack)
    with start_stack(tmp_path) as stack:
        found = stack.warehouse.client.query_and_wait(f"SELECT * FROM `{stack.warehouse.table('report_areas')}`")
        assert [field.name for field in found.schema] == list(report_columns()["report_areas"])
        assert [row["dead_letter_id"] for row in rows(stack, "dead_letter_replays")] == ["x"]


def test_another_coverage_floor_is_another_definition(tmp_path: Path) -> None:
    labels = set()
    for floor in ("0.2", "0.9"):
        with start_stack(tmp_path, coverage_floor=floor) as stack:
            labels.add(stack.warehouse.client.get_dataset(stack.settings.dataset).labels["definition"])
    assert len(labels) == 2


def test_a_table_with_other_columns_is_refused(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        name = stack.warehouse.table("passes")
        older = defined_table(name, "passes")
        older.schema = [field for field in older.schema if field.name != "least_cloud_percent"]
        assert len(older.schema) == len(defined_table(name, "passes").schema) - 1
        stack.warehouse.client.delete_table(name)
        stack.warehouse.client.create_table(older)
        age(stack)
        with pytest.raises(UserInputError, match="passes differs in least_cloud_percent; name another folder"):
            create_warehouse(stack.settings)
