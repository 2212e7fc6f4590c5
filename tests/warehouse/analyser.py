"""Google's own SQL analyser, as BigQuery configures it, on the project's tables and views.

ZetaSQL (PyPI ``zetasql``, the reference implementation compiled to WebAssembly) knows types and names; what only the
service knows, such as streaming or permissions, it does not.
"""

import re
from typing import Any

from zetasql.api import Analyzer, CatalogBuilder, ConstantBuilder, TableBuilder, TypeFactory
from zetasql.types import (
    AnalyzerOptions,
    LanguageFeature,
    LanguageOptions,
    ProductMode,
    TypeKind,
    ZetaSQLBuiltinFunctionOptions,
)

from shared.warehouse.sqlfiles import definitions, schema, sql

DATASET = "some-project.landcover"
FLOOR = 0.2

_KINDS = {
    "STRING": TypeKind.TYPE_STRING,
    "INTEGER": TypeKind.TYPE_INT64,
    "INT64": TypeKind.TYPE_INT64,
    "FLOAT": TypeKind.TYPE_DOUBLE,
    "BOOLEAN": TypeKind.TYPE_BOOL,
    "DATE": TypeKind.TYPE_DATE,
    "TIMESTAMP": TypeKind.TYPE_TIMESTAMP,
}
_DECLARE = re.compile(r"^DECLARE (?P<name>\w+) (?P<type>\w+)(?: DEFAULT (?P<value>.+))?$", re.DOTALL)
_SET = re.compile(r"^SET (?P<name>\w+) = (?P<value>.+)$", re.DOTALL)


def simple(kind: str) -> Any:
    """A type by its name in a schema or a parameter; ``ARRAY<…>`` for lists."""
    if kind.startswith("ARRAY<"):
        return TypeFactory.create_array_type(simple(kind[6:-1]))
    return TypeFactory.create_simple_type(_KINDS[kind])


def _column_type(field: dict[str, Any]) -> Any:
    if field["type"] == "RECORD":
        kind = TypeFactory.create_struct_type([(f["name"], _column_type(f)) for f in field["fields"]])
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
                table.add_column(field["name"], _column_type(field))
            self._tables.append(table.build())
        for name in definitions()["views"]:
            found = self.analyse(sql("views", name, dataset=DATASET, coverage_floor=FLOOR))
            view = TableBuilder(f"{DATASET}.{name}")
            for column in found.output_column_list:
                view.add_column(column.name, column.column.type)
            self._tables.append(view.build())

    def analyse(
        self, text: str, parameters: dict[str, str] | None = None, variables: dict[str, str] | None = None
    ) -> Any:
        """The statement as resolved; parameters and script variables by name, with their types."""
        catalog = CatalogBuilder("bigquery")
        for table in self._tables:
            catalog.add_table(table)
        for name, kind in (variables or {}).items():
            catalog.add_constant(ConstantBuilder(name).set_type(simple(kind)).build())
        functions = ZetaSQLBuiltinFunctionOptions(language_options=self.language)
        options = AnalyzerOptions(language_options=self.language)
        options.query_parameters = [
            AnalyzerOptions.QueryParameter(name=name, type=simple(kind)) for name, kind in (parameters or {}).items()
        ]
        return Analyzer(options, catalog.with_builtin_functions(functions).build()).analyze_statement(text)

    def analyse_script(self, text: str, parameters: dict[str, str]) -> int:
        """Every statement of a script, its variables declared before; returns how many there are."""
        variables: dict[str, str] = {}
        statements = [part.strip() for part in re.sub(r"--[^\n]*", "", text).split(";\n") if part.strip()]
        for statement in statements:
            statement = statement.rstrip(";").strip()  # noqa: PLW2901
            if declared := _DECLARE.match(statement):
                if declared["value"]:
                    self.analyse(
                        f"SELECT CAST(NULL AS {declared['type']}) = {declared['value']}", parameters, variables
                    )
                variables[declared["name"]] = declared["type"]
            elif assigned := _SET.match(statement):
                self.analyse(f"SELECT {assigned['name']} = {assigned['value']}", parameters, variables)
            else:
                self.analyse(statement, parameters, variables)
        return len(statements)
