"""The warehouse: tables and views as defined, a row of the oldest day, and every statement without running it."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.exceptions import GoogleAPICallError, NotFound
from google.cloud import bigquery

from local.bigquery.definition import defined_table
from local.probe.deployment import Deployment
from local.probe.model import Check, Finding, Outcome
from local.probe.statements import Statement, statements
from shared.errors import RetryLaterError
from shared.measurement.areas import Areas
from shared.measurement.rows import observation_row, provenance
from shared.settings import DYNAMIC_WORLD_START
from shared.warehouse.client import Warehouse, parameter
from shared.warehouse.files import definitions, schema

TABLES = "bigquery/tables"
# Streaming into a table that was just made may say "not found" for a while, and a row shows after seconds.
_PATIENCE_SECONDS = 90.0
_PAUSE_SECONDS = 1.0
_EXPIRES = timedelta(hours=1)


def tables(deployment: Deployment) -> Iterator[Finding]:
    warehouse = deployment.warehouse
    faults = [fault for name in definitions()["tables"] for fault in _faults(deployment, name)]
    for name in definitions()["views"]:
        try:
            warehouse.client.get_table(warehouse.table(name))
        except NotFound:
            faults.append(f"{name} is missing")
    if faults:
        yield Finding(Outcome.FAIL, "; ".join(faults[:5]) + ("" if len(faults) < 6 else f"; {len(faults) - 5} more"))
        return
    started = time.monotonic()
    warehouse.query("aoi_cells")
    seconds = time.monotonic() - started
    found = f"{len(definitions()['tables'])} tables and {len(definitions()['views'])} views; a query of the register"
    yield Finding(Outcome.PASS, found, seconds=seconds, measures={"query": seconds})


def _faults(deployment: Deployment, name: str) -> Iterator[str]:
    warehouse = deployment.warehouse
    try:
        table = warehouse.client.get_table(warehouse.table(name))
    except NotFound:
        yield f"{name} is missing"
        return
    lacking = {field["name"] for field in schema(name)} - {field.name for field in table.schema}
    if lacking:
        yield f"{name} lacks the columns {', '.join(sorted(lacking))}"
    if deployment.embedded:
        return  # the emulator keeps no partitions
    wanted = definitions()["tables"][name]["partition_field"]
    partitioning = table.range_partitioning or table.time_partitioning
    found = partitioning.field if partitioning is not None else None
    if found != wanted:
        yield f"{name} is partitioned by {found}, expected {wanted}"


def oldest_row(deployment: Deployment) -> Iterator[Finding]:
    """In a table of its own, defined as ``observations``, that is deleted again and expires if that fails."""
    warehouse = deployment.warehouse
    name = f"probe_{uuid.uuid4().hex}"
    table = defined_table(warehouse.table(name), "observations")
    table.expires = datetime.now(UTC) + _EXPIRES
    warehouse.client.create_table(table)
    try:
        yield _streamed(deployment, name)
    finally:
        warehouse.client.delete_table(table, not_found_ok=True)


def _streamed(deployment: Deployment, name: str) -> Finding:
    warehouse = deployment.warehouse
    nothing = Areas(1.0, 0.0, dict.fromkeys(range(9), 0.0), None)
    overpass_id = f"{DYNAMIC_WORLD_START:%Y%m%d}T000000"
    row = observation_row(deployment.square(100.0), overpass_id, nothing, provenance([], datetime.now(UTC)))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        started = time.monotonic()
        try:
            warehouse.append(name, [row])
            break
        except RetryLaterError as error:
            if time.monotonic() > deadline:
                return Finding(Outcome.FAIL, f"was not taken: {error}")
            time.sleep(_PAUSE_SECONDS)
    taken = time.monotonic()
    while time.monotonic() < deadline:
        found = warehouse.run(f"SELECT acquired_date, aoi_id FROM `{warehouse.table(name)}`", {})  # noqa: S608
        if found:
            same = found[0]["acquired_date"] == DYNAMIC_WORLD_START and found[0]["aoi_id"] == row["aoi_id"]
            text = f"{found[0]['acquired_date']} shows {time.monotonic() - taken:.1f} s after it was taken"
            measures = {"appending": taken - started, "showing": time.monotonic() - taken}
            return Finding(Outcome.PASS if same else Outcome.FAIL, text, seconds=taken - started, measures=measures)
        time.sleep(_PAUSE_SECONDS / 5)
    return Finding(Outcome.FAIL, f"was taken and does not show after {_PATIENCE_SECONDS:.0f} s")


def dry_run(deployment: Deployment) -> Iterator[Finding]:
    """One line for all that hold, and one for each that does not."""
    most = deployment.settings.max_bytes_billed
    held: dict[str, int | None] = {}
    started = time.monotonic()
    for statement in statements(deployment.settings):
        try:
            held[statement.name] = found = _bytes(deployment.warehouse, statement)
        except GoogleAPICallError as error:
            yield Finding(Outcome.FAIL, str(error.message), statement.name)
            continue
        if statement.metered and found is not None and found > most:
            yield Finding(Outcome.FAIL, f"would read {found:,} bytes of {most:,} allowed", statement.name)
    if not held:
        return
    seconds = time.monotonic() - started
    known = {name: found for name, found in held.items() if found is not None}
    largest = max(known, key=lambda name: known[name], default=None)
    reading = f"the largest, {largest}, would read {known[largest]:,} bytes" if largest else "bytes are not told here"
    measures = {f"bytes of {name}": float(found) for name, found in known.items()}
    yield Finding(Outcome.PASS, f"{len(held)} statements hold; {reading}", "", seconds, measures=measures)


def _bytes(warehouse: Warehouse, statement: Statement) -> int | None:
    parameters: list[Any] = [parameter(name, value) for name, value in statement.parameters.items()]
    config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False, query_parameters=parameters)
    found = warehouse.client.query(statement.text, job_config=config).total_bytes_processed
    return None if found is None else int(found)


CHECKS = (
    Check(
        TABLES,
        "Whether every table and view is there, with its columns and partitions, and the register can be queried.",
        "The last apply did not end, or your account may not read the dataset.",
        "Run terraform apply again and read what it says.",
        tables,
    ),
    Check(
        "bigquery/oldest-row",
        "Whether a row of 2015 can be streamed and read back, in a table of its own that is deleted again.",
        "The rows of a default history are refused, or streamed rows do not show.",
        "Look at the partitions of observations: they must be ranges of months, as shared/warehouse/tables.json says.",
        oldest_row,
        needs=TABLES,
    ),
    Check(
        "bigquery/dry-run",
        "Whether every view, query and scheduled script holds, and how many bytes each would read.",
        "A function or a scheduled query fails each time it runs, or would read more than one query may.",
        "Apply again where a column is missing; raise max_bytes_billed_per_query where a query reads too much.",
        dry_run,
        needs=TABLES,
    ),
)
