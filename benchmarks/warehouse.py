"""What the scheduled queries and the report views read as history grows, by our own SQL on DuckDB.

BigQuery bills the columns that a query names in the partitions that it cannot leave out. Its bytes cannot be had
without it, so they are counted on another real engine: DuckDB plans the same SQL (turned into its dialect by sqlglot,
constants in the place of script variables) over tables sorted by partition and by clustering columns, in blocks of
2,048 rows. Rows that its scans touch × BigQuery's size of the columns that they name are the bytes. BigQuery's blocks
are larger: what clustering saves here it saves there with as many times more AOIs. As there, common table expressions
are inlined.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from benchmarks.rows import Bar, Row
from shared.warehouse.files import definitions, schema, sql

_AREA = "warehouse"
_AOIS, _VIEWS_A_YEAR, _LAST_YEAR = 1_000, 73, 2025
_ROW_GROUP = 2_048
_DATASET = "landcover"
_FLOOR = 0.2
_WIDTH = {"STRING": 20, "INTEGER": 8, "FLOAT": 8, "TIMESTAMP": 8, "DATE": 8, "BOOLEAN": 1}
_TYPES = {"STRING": "VARCHAR", "INTEGER": "BIGINT", "FLOAT": "DOUBLE", "TIMESTAMP": "TIMESTAMPTZ", "DATE": "DATE"}
_REPEATS = {"classes": 9, "image_ids": 2}
_RUN_TIME = f"{_LAST_YEAR + 1}-01-01 07:00:00+00"


def rows() -> Iterator[Row]:
    """Monthly and annual job at 1 and 10 years, and each report view with and without filters at 10."""
    with tempfile.TemporaryDirectory() as folder:
        one, ten = (_history(Path(folder) / f"{years}.duckdb", years) for years in (1, 10))
        for name, bar in (("monthly_summary", Bar(1.2)), ("annual_summary", None)):
            after_one, after_ten = (_job_megabytes(connection, name) for connection in (one, ten))
            what = f"{name} job, ten years of {_AOIS:,} AOIs"
            yield Row(_AREA, what, "MB", after_ten, "one year", after_one, bar, "megabytes read; a day's new rows")
        for view, condition in _FILTERS.items():
            whole = _megabytes(ten, f"SELECT * FROM {_DATASET}.{view}")
            some = _megabytes(ten, f"SELECT * FROM {_DATASET}.{view} WHERE {condition}")
            reading = f"megabytes read WHERE {condition}"
            yield Row(_AREA, f"{view} with a filter, ten years", "MB", some, "without", whole, Bar(0.9), reading)


_FILTERS = {
    "report_monthly": f"aoi_id = 'a500' AND month = DATE '{_LAST_YEAR}-07-01'",
    "report_annual": f"aoi_id = 'a500' AND year = {_LAST_YEAR}",
    "report_change": f"aoi_id = 'a500' AND month = DATE '{_LAST_YEAR}-07-01'",
    "report_freshness": "aoi_id = 'a500'",
}


def _history(path: Path, years: int) -> duckdb.DuckDBPyConnection:
    """A warehouse of so many years up to the end of the last, summaries made, and a day's observations touched."""
    connection = duckdb.connect()
    connection.execute(
        f"ATTACH '{path}' AS warehouse (ROW_GROUP_SIZE {_ROW_GROUP}); USE warehouse; SET timezone = 'UTC'"
    )
    # it would fetch the columns of the rows it wants in a second scan
    connection.execute("SET disabled_optimizers = 'late_materialization,top_n_window_elimination'")
    connection.execute(f"CREATE SCHEMA {_DATASET}")
    connection.execute("CREATE MACRO farm_fingerprint(x) AS CAST(hash(x) >> 1 AS BIGINT)")
    for name in definitions()["tables"]:
        columns = ", ".join(f"{field['name']} {_type(field)}" for field in schema(name))
        connection.execute(f"CREATE TABLE {_DATASET}.{name} ({columns})")
    first = date(_LAST_YEAR - years + 1, 1, 1)
    connection.execute(f"CREATE TABLE aois AS SELECT 'a' || i AS aoi_id FROM range({_AOIS}) t(i)")
    _fill(connection, "aoi_events", first, "aois")
    step = 365 / _VIEWS_A_YEAR
    days = f"SELECT DATE '{first}' + CAST(n * {step} AS INTEGER) AS day FROM range({years * _VIEWS_A_YEAR}) t(n)"
    _fill(connection, "observations", first, f"aois, ({days})", "date_trunc('month', acquired_date), aoi_id")
    every_month = f"generate_series(DATE '{first}', DATE '{_LAST_YEAR}-12-01', INTERVAL 1 MONTH)"
    months = f"SELECT CAST(day AS DATE) AS day FROM {every_month} t(day)"
    _fill(connection, "passes", first, f"aois, ({days})", "date_trunc('month', acquired_date), aoi_id")
    classes = "SELECT CAST(c AS BIGINT) AS class_id FROM range(9) t(c)"
    _fill(connection, "composites", first, f"aois, ({months})", "period_start, aoi_id")
    _fill(connection, "monthly_summary", first, f"aois, ({months}), ({classes})", "month, aoi_id")
    _fill(connection, "annual_summary", first, f"aois, ({months} WHERE MONTH(day) = 1), ({classes})", "aoi_id")
    _fill(connection, "touches", date(_LAST_YEAR, 12, 31), f"(SELECT DATE '{_LAST_YEAR}-12-31' AS day)", "day")
    connection.execute(
        "CREATE MACRO st_geogfromgeojson(outline) AS outline"
    )  # what is read counts, not what is made of it
    for view in definitions()["views"]:
        text = sql("views", view, dataset=_DATASET, coverage_floor=_FLOOR, network_in_summaries="fill")
        connection.execute(f"CREATE VIEW {_DATASET}.{view} AS {_translated(text)}")
    connection.execute("CHECKPOINT")
    return connection


def _type(field: dict[str, Any]) -> str:
    if field["type"] == "RECORD":
        inner = ", ".join(f"{f['name']} {_type(f)}" for f in field["fields"])
        kind = f"STRUCT({inner})"
    else:
        kind = _TYPES[field["type"]]
    return f"{kind}[]" if field["mode"] == "REPEATED" else kind


# Values that matter to what is read; every other column gets a constant of its type.
_VALUES = {
    "acquired_date": "day", "month": "day", "period_start": "day", "period": "'month'", "year": "YEAR(day)",
    "acquired_at": "day + INTERVAL 2 HOUR", "overpass_id": "strftime(day, '%Y%m%dT023111')", "class_id": "class_id",
    "processed_at": "day + INTERVAL 30 HOUR", "source_changed_at": "day + INTERVAL 40 DAY", "coverage": "0.9",
    "event_type": "'aoi.registered'", "aoi_id": "aoi_id", "aoi_version": "1", "mean_coverage": "0.9",
    "run_time": f"LEAST(day + INTERVAL 40 DAY, TIMESTAMP '{_LAST_YEAR}-12-31 07:00:00+00')",
    "touched_at": "day + INTERVAL 12 HOUR", "acquired_month": "YEAR(day) * 100 + MONTH(day)",
    "period_month": "YEAR(day) * 100 + MONTH(day)",
}  # fmt: skip


def _fill(connection: duckdb.DuckDBPyConnection, table: str, first: date, source: str, order: str = "aoi_id") -> None:
    values = []
    for field in schema(table):
        name = field["name"]
        if table == "aoi_events" and name in {"recorded_at", "event_time", "backfill_start"}:
            value = f"DATE '{first}'"
        elif field["mode"] == "REPEATED":
            value = "[]"
        else:
            value = _VALUES.get(name) or {"VARCHAR": "'x'", "DATE": "day", "TIMESTAMPTZ": "day"}.get(
                _TYPES[field["type"]], "1"
            )
        values.append(f"{value} AS {name}")
    connection.execute(f"INSERT INTO {_DATASET}.{table} SELECT {', '.join(values)} FROM {source} ORDER BY {order}")


def _translated(text: str) -> str:
    def dated(node: exp.Expression) -> exp.Expression:
        """DuckDB takes a day out of a moment by a cast."""
        if isinstance(node, exp.Extract) and node.name.upper() == "DATE":
            return exp.cast(node.expression, "DATE")
        if isinstance(node, exp.CTE):
            node.set("materialized", False)
        return node

    def truncated(node: exp.Expression) -> exp.Expression:
        """A truncated day stays a day, so that a comparison with it prunes as BigQuery's does."""
        return exp.cast(node, "DATE") if isinstance(node, exp.DateTrunc) else node

    text = text.replace("SAFE.PARSE_TIMESTAMP", "PARSE_TIMESTAMP")  # sqlglot leaves SAFE functions as they are
    return str(sqlglot.parse_one(text, read="bigquery").transform(dated).transform(truncated).sql("duckdb"))


def _job_megabytes(connection: duckdb.DuckDBPyConnection, name: str) -> float:
    """What a scheduled script reads: the queries that find how far back to look, the MERGE's source, and its target."""
    text = sql("scheduled", name, dataset=_DATASET, coverage_floor=_FLOOR, network_in_summaries="fill")
    text = text.replace("@run_time", f"TIMESTAMP '{_RUN_TIME}'")
    last_run = re.search(r"SET since = \((.*?)\n\);", text, re.DOTALL)
    bound = re.search(r"SET built_from = \((.*?)\n\);\n(?:SET usual_from = (.*?);\n)?MERGE", text, re.DOTALL)
    source = re.search(r"USING \((.*)\) AS source\nON", text, re.DOTALL)
    assert last_run and bound and source, "the script has another shape now"
    (since,) = connection.execute(_translated(last_run[1])).fetchone() or (None,)
    assert since is not None, "there is a run to look back to"
    finding = re.sub(r"\bsince\b", f"TIMESTAMP '{since}'", bound[1])
    (first,) = connection.execute(_translated(finding)).fetchone() or (None,)
    constant = f"DATE '{first:%Y-%m-%d}'"
    merged = source[1].replace("usual_from", bound[2] or "").replace("built_from", constant)
    keys = "aoi_id, aoi_version, class_id, " + ("month" if name == "monthly_summary" else "year")
    pruned = f" WHERE month >= {constant}" if "target.month >= built_from" in text else ""
    target = f"SELECT {keys} FROM {_DATASET}.{name}{pruned}"
    return sum(_megabytes(connection, query) for query in (last_run[1], finding, merged, target))


def _megabytes(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    connection.execute("PRAGMA enable_profiling = 'no_output'; PRAGMA profiling_mode = 'detailed'")
    connection.execute(_translated(query)).fetchall()
    profile = json.loads(connection.get_profiling_information("json"))
    connection.execute("PRAGMA disable_profiling")
    return sum(_scans(profile)) / 1e6


def _scans(node: dict[str, Any]) -> Iterator[float]:
    """Bytes of each table scan under a node of a profile."""
    info = node.get("extra_info", {})
    table = str(info.get("Table", "")).rsplit(".", 1)[-1]
    if "SCAN" in str(node.get("operator_type", "")) and table in definitions()["tables"]:
        named = info.get("Projections", [])
        columns = {c.split(".")[0].strip('"') for c in ([named] if isinstance(named, str) else named)}
        columns |= {field["name"] for field in schema(table) if field["name"] in str(info.get("Filters", ""))}
        width = sum(_width(field) for field in schema(table) if field["name"] in columns)
        yield node["operator_rows_scanned"] * width
    for child in node.get("children", []):
        yield from _scans(child)


def _width(field: dict[str, Any]) -> float:
    one = sum(map(_width, field["fields"])) if field["type"] == "RECORD" else _WIDTH[field["type"]]
    return one * _REPEATS.get(field["name"], 1)
