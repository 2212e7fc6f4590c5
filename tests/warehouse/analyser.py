"""Google's own SQL analyser, as BigQuery configures it, on the project's tables and views.

ZetaSQL (PyPI ``zetasql``, the reference implementation compiled to WebAssembly) knows types and names; what only the
service knows, such as streaming or permissions, it does not.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from wasmtime import WasmtimeError
from zetasql.api import Analyzer, CatalogBuilder, ConstantBuilder, TableBuilder, TypeFactory
from zetasql.core import wasm_client
from zetasql.types import (
    AnalyzerOptions,
    LanguageFeature,
    LanguageOptions,
    ProductMode,
    TypeKind,
    ZetaSQLBuiltinFunctionOptions,
)

from shared.warehouse.files import definitions, schema, sql

DATASET = "some-project.landcover"
FLOOR = 0.2

_KINDS = {
    "STRING": TypeKind.TYPE_STRING,
    "INTEGER": TypeKind.TYPE_INT64,
    "INT64": TypeKind.TYPE_INT64,
    "FLOAT": TypeKind.TYPE_DOUBLE,
    "FLOAT64": TypeKind.TYPE_DOUBLE,
    "BOOLEAN": TypeKind.TYPE_BOOL,
    "DATE": TypeKind.TYPE_DATE,
    "TIMESTAMP": TypeKind.TYPE_TIMESTAMP,
}
_DECLARE = re.compile(r"^DECLARE (?P<name>\w+) (?P<type>\w+)(?: DEFAULT (?P<value>.+))?$", re.DOTALL)
_SET = re.compile(r"^SET (?P<name>\w+) = (?P<value>.+)$", re.DOTALL)
_Config = wasm_client.Config


def _cached() -> Any:
    """Compiled once for a machine, not once for each run: that takes half a minute of processor time."""
    config = _Config()
    # where there is no home for it, every run compiles
    with contextlib.suppress(WasmtimeError):
        config.cache = True
    return config


wasm_client.Config = _cached


class Step(NamedTuple):
    """A statement of a script; one that declares or sets a variable has its name, and as text the value or nothing."""

    text: str
    variable: str | None = None
    declared_type: str | None = None


def steps(script: str) -> Iterator[Step]:
    """The statements of a script, in order."""
    for part in re.sub(r"--[^\n]*", "", script).split(";\n"):
        statement = part.strip().rstrip(";").strip()
        if declared := _DECLARE.match(statement):
            yield Step(declared["value"] or "", declared["name"], declared["type"])
        elif assigned := _SET.match(statement):
            yield Step(assigned["value"], assigned["name"])
        elif statement:
            yield Step(statement)


def simple(kind: str) -> Any:
    """A type by its name in a schema or a parameter; ``ARRAY<…>`` for lists."""
    if kind.startswith("ARRAY<"):
        return TypeFactory.create_array_type(simple(kind[6:-1]))
    return TypeFactory.create_simple_type(_KINDS[kind])


def column_type(field: dict[str, Any]) -> Any:
    if field["type"] == "RECORD":
        kind = TypeFactory.create_struct_type([(f["name"], column_type(f)) for f in field["fields"]])
    else:
        kind = simple(field["type"])
    return TypeFactory.create_array_type(kind) if field["mode"] == "REPEATED" else kind


class Warehouse:
    """Tables as their schemas say, views as the analyser finds them. ``analyse`` raises for what BigQuery refuses."""

    def __init__(self) -> None:
        self.language = LanguageOptions.maximum_features()
        self.language.product_mode = ProductMode.PRODUCT_EXTERNAL
        self.language.reserved_keywords = ["QUALIFY"]
        features = [*self.language.enabled_language_features, LanguageFeature.FEATURE_DISABLE_FLOAT32]
        self.language.enabled_language_features = features
        self._tables = []
        for name in definitions()["tables"]:
            table = TableBuilder(f"{DATASET}.{name}")
            for field in schema(name):
                table.add_column(field["name"], column_type(field))
            self._tables.append(table.build())
        for name in definitions()["views"]:
            found = self.analyse(sql("views", name, dataset=DATASET, coverage_floor=FLOOR, network_in_summaries="fill"))
            view = TableBuilder(f"{DATASET}.{name}")
            for column in found.output_column_list:
                view.add_column(column.name, column.column.type)
            self._tables.append(view.build())

    def options(self, parameters: Mapping[str, str]) -> Any:
        """How to analyse a statement with these parameters, by name with their types."""
        options = AnalyzerOptions(language_options=self.language, default_timezone="UTC")
        options.query_parameters = [
            AnalyzerOptions.QueryParameter(name=name, type=simple(kind)) for name, kind in parameters.items()
        ]
        return options

    def catalog(self, variables: Mapping[str, str]) -> Any:
        """Tables, views and functions, and the variables of a script by name with their types."""
        catalog = CatalogBuilder("bigquery")
        for table in self._tables:
            catalog.add_table(table)
        for name, kind in variables.items():
            catalog.add_constant(ConstantBuilder(name).set_type(simple(kind)).build())
        functions = ZetaSQLBuiltinFunctionOptions(language_options=self.language)
        return catalog.with_builtin_functions(functions).build()

    def analyse(
        self, text: str, parameters: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None
    ) -> Any:
        """The statement as resolved; parameters and script variables by name, with their types."""
        return Analyzer(self.options(parameters or {}), self.catalog(variables or {})).analyze_statement(text)

    def analyse_script(self, text: str, parameters: dict[str, str]) -> int:
        """Every statement of a script, its variables declared before; returns how many there are."""
        variables: dict[str, str] = {}
        count = 0
        for count, step in enumerate(steps(text), 1):  # noqa: B007
            if step.variable is None:
                self.analyse(step.text, parameters, variables)
                continue
            kind = step.declared_type or variables[step.variable]
            if step.text:
                self.analyse(f"SELECT CAST(NULL AS {kind}) = {step.text}", parameters, variables)
            variables[step.variable] = kind
        return count
