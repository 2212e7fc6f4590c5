"""The tables and views of the one definition, made in the embedded warehouse and kept as they are defined now."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from google.cloud import bigquery

from shared.errors import UserInputError
from shared.settings import Settings
from shared.warehouse.client import Warehouse
from shared.warehouse.files import definitions, schema, sql

_LABEL = "definition"


def create_warehouse(settings: Settings) -> Warehouse:
    """The dataset with all tables and views, which are made where they are missing.

    The dataset's label says what they were made of: after a change of that, views are made anew. Raises UserInputError
    where a table that is there has other columns than it should.
    """
    warehouse = Warehouse(settings)
    client, dataset_id = warehouse.client, f"{settings.project}.{settings.dataset}"
    views = {name: _view(warehouse.table(name), name, settings) for name in definitions()["views"]}
    made_of = _digest([view.view_query for view in views.values()])
    dataset = client.create_dataset(dataset_id, exists_ok=True)
    if dataset.labels.get(_LABEL) == made_of:
        return warehouse
    there = {table.table_id for table in client.list_tables(dataset)}
    for name in definitions()["tables"]:
        if name in there:
            _check_columns(client.get_table(warehouse.table(name)), name)
        else:
            client.create_table(defined_table(warehouse.table(name), name))
    for name in reversed(views):
        client.delete_table(warehouse.table(name), not_found_ok=True)
    for view in views.values():
        client.create_table(view)
    dataset.labels = {_LABEL: made_of}
    client.update_dataset(dataset, ["labels"])
    return warehouse


def _view(table_id: str, name: str, settings: Settings) -> bigquery.Table:
    view = bigquery.Table(table_id)
    view.view_query = sql(
        "views",
        name,
        dataset=f"{settings.project}.{settings.dataset}",
        coverage_floor=settings.coverage_floor,
        network_in_summaries=settings.network_in_summaries,
    )
    return view


def _digest(views: list[str]) -> str:
    """Of all definitions; a label's value has 63 characters at most."""
    tables = {name: [definition, schema(name)] for name, definition in definitions()["tables"].items()}
    return hashlib.sha256(json.dumps([tables, views], sort_keys=True).encode()).hexdigest()[:32]


def _check_columns(found: bigquery.Table, name: str) -> None:
    wanted = set(_columns([_field(definition) for definition in schema(name)]))
    if differing := sorted(wanted ^ set(_columns(found.schema))):
        raise UserInputError(
            f"this warehouse is of another version: its table {name} differs in {', '.join(differing)}; "
            "name another folder, or make this one anew (run --overwrite)"
        )


def _columns(fields: list[bigquery.SchemaField], within: str = "") -> Iterator[str]:
    for field in fields:
        yield f"{within}{field.name}"
        yield from _columns(list(field.fields), f"{within}{field.name}.")


def defined_table(table_id: str, name: str) -> bigquery.Table:
    """A table to be created, as the definition of ``name`` has it: schema, partitions, clustering."""
    definition = definitions()["tables"][name]
    table = bigquery.Table(table_id, schema=[_field(f) for f in schema(name)])
    table.description = definition["description"]
    if definition["partition_type"] == "RANGE":
        table.range_partitioning = bigquery.RangePartitioning(
            field=definition["partition_field"], range_=bigquery.PartitionRange(**definitions()["month_range"])
        )
    elif definition["partition_field"]:
        table.time_partitioning = bigquery.TimePartitioning(
            type_=definition["partition_type"], field=definition["partition_field"]
        )
    table.clustering_fields = definition["clustering"]
    return table


def _field(definition: dict[str, Any]) -> bigquery.SchemaField:
    return bigquery.SchemaField.from_api_repr(definition)
