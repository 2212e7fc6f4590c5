"""One dataset in Google's reference implementation and in the embedded warehouse, and how their rows compare."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from local.bigquery.definition import create_warehouse
from local.bigquery.embedded import run_script
from shared.settings import Settings
from shared.warehouse.files import definitions, schema, sql
from tests.warehouse.analyser import DATASET, FLOOR
from tests.warehouse.analyser import Warehouse as Analysed
from tests.warehouse.generated import Row, Rows
from tests.warehouse.reference import Reference, Typed

PROJECT = "executed-project"
_SOURCE = re.compile(r"\nUSING \(\n(?P<text>.*)\n\) AS source\n", re.DOTALL)


class Run(NamedTuple):
    """What a run of a scheduled query did: its source as each engine has it, and the summary before and after."""

    expected: list[Row]
    found: list[Row]
    before: list[Row]
    after: list[Row]


class TwoEngines:
    """``rows`` are those of each table by now; ``runs`` those of each scheduled query so far."""

    def __init__(self, analysed: Analysed) -> None:
        self.embedded = create_warehouse(Settings(project=PROJECT, coverage_floor=FLOOR))
        self.reference = Reference(analysed)
        self.rows: Rows = {name: [] for name in definitions()["tables"]}
        self.runs: dict[str, list[Run]] = {}

    def add(self, rows: Rows) -> None:
        """Rows into both engines; streamed, but where BigQuery does not stream rows of any age."""
        for name, added in rows.items():
            if not added:
                continue
            if definitions()["tables"][name]["partition_type"] in {"DAY", "MONTH"}:
                columns = [field["name"] for field in schema(name)]
                values = ", ".join(f"({', '.join(_literal(row[column]) for column in columns)})" for row in added)
                table = self.embedded.table(name)
                self.embedded.run(f"INSERT INTO `{table}` ({', '.join(columns)}) VALUES {values}", {})
            else:
                self.embedded.append(name, _plain(added))
            self.know(name, [*self.rows[name], *added])

    def know(self, table: str, rows: list[Row]) -> None:
        """Give the reference the rows that a table of the embedded warehouse has."""
        self.rows[table] = rows
        self.reference.load({table: rows})

    def table(self, name: str) -> list[Row]:
        """All rows of a table or view of the embedded warehouse."""
        return self.embedded.run(f"SELECT * FROM `{self.embedded.table(name)}`", {})

    def answers(self, text: str, parameters: Mapping[str, Typed]) -> tuple[list[Row], list[Row]]:
        """The reference's rows of a SELECT, and the embedded warehouse's; parameters that it does not name are left out."""
        named = {name: typed for name, typed in parameters.items() if _names(text, name)}
        return self.reference.query(text, named), self.change(text, named)

    def change(self, text: str, parameters: Mapping[str, Typed]) -> list[Row]:
        """Run a statement in the embedded warehouse only."""
        own = text.replace(f"{DATASET}.", self.embedded.table(""))
        return self.embedded.run(own, {name: value for name, (_, value) in parameters.items()})

    def summarise(self, name: str, run_time: datetime) -> None:
        """Run a scheduled query, after its source was asked for in both engines."""
        expected, found = self.answers(*source_of_script(self.reference, name, run_time))
        before = self.rows[name]
        run_script(self.embedded, name, run_time)
        self.know(name, self.table(name))
        self.runs.setdefault(name, []).append(Run(expected, found, before, self.rows[name]))


def _names(text: str, parameter: str) -> bool:
    return re.search(rf"@{parameter}\b", text) is not None


def source_of_merge(text: str) -> str:
    """The query whose rows a MERGE takes."""
    match = _SOURCE.search(text)
    assert match, "a MERGE names its source as USING (…) AS source, on lines of their own"
    return match["text"]


def source_of_script(reference: Reference, name: str, run_time: datetime) -> tuple[str, dict[str, Typed]]:
    """The source of a scheduled MERGE, and its parameters: the run time, and the script's variables as they are then."""
    script = sql("scheduled", name, dataset=DATASET, coverage_floor=FLOOR, network_in_summaries="fill")
    given: dict[str, Typed] = {"run_time": ("TIMESTAMP", run_time)}
    variables = reference.variables(script, given)
    text = source_of_merge(script)
    for variable in variables:
        text = re.sub(rf"\b{variable}\b", f"@{variable}", text)
    return text, {name: typed for name, typed in (given | variables).items() if _names(text, name)}


def differences(expected: Sequence[Row], found: Sequence[Row], *, ordered: bool = False) -> list[str]:
    """In what the rows differ, in words; without an order, each is compared with its like."""
    if len(expected) != len(found):
        return [f"{len(expected)} rows expected, {len(found)} found"]
    if not ordered:
        expected, found = sorted(expected, key=_key), sorted(found, key=_key)
    return [
        f"row {number}, {column}: {row.get(column)!r} expected, {other.get(column)!r} found, in {other}"
        for number, (row, other) in enumerate(zip(expected, found, strict=True))
        for column in dict.fromkeys([*row, *other])
        if not (column in row and column in other and _same(row[column], other[column]))
    ]


def _key(row: Row) -> list[str]:
    """Sorts rows by all that is exact first."""
    exact = [repr(value) for value in row.values() if not isinstance(value, float)]
    return [*exact, *(f"{value:.6g}" for value in row.values() if isinstance(value, float))]


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    match one:
        case float():
            return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
        case list():
            return len(one) == len(other) and all(map(_same, one, other))
        case dict():
            return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
        case _:
            return bool(one == other)


def _plain(value: Any) -> Any:
    """As JSON has it."""
    match value:
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case date():
            return value.isoformat()
        case _:
            return value


def _literal(value: Any) -> str:
    """As SQL has it."""
    match value:
        case None:
            return "NULL"
        case datetime():
            return f"TIMESTAMP '{value.isoformat()}'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(_literal, value))}]"
        case dict():
            return f"STRUCT({', '.join(f'{_literal(item)} AS {name}' for name, item in value.items())})"
        case _:
            return repr(value)
