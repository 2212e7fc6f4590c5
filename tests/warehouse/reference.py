"""Google's reference implementation of SQL, on rows that are given: what a statement answers by definition.

Part of the same package as the analyser. It holds no tables: every statement comes with the rows of those that it
names. What it cannot execute (geography, MERGE) raises ``ServerError``.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import Any

from zetasql.core import ZetaSqlLocalService
from zetasql.types import EvaluateModifyRequest, EvaluateQueryRequest, TypeKind
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2

from shared.warehouse.files import definitions, schema, sql
from tests.warehouse.analyser import DATASET, FLOOR, Warehouse, column_type, simple, steps

Row = dict[str, Any]
# A value and the name of its type, as callers pass parameters.
Typed = tuple[str, Any]

_EPOCH = date(1970, 1, 1)
_FIELDS = {
    TypeKind.TYPE_STRING: "string_value",
    TypeKind.TYPE_INT64: "int64_value",
    TypeKind.TYPE_DOUBLE: "double_value",
    TypeKind.TYPE_BOOL: "bool_value",
}


class Reference:
    """The dataset's tables, empty until ``load``, and its views, executed when they are asked for."""

    def __init__(self, analysed: Warehouse) -> None:
        self._analysed = analysed
        self._service = ZetaSqlLocalService.get_instance()
        self._contents: dict[str, Any] = {}
        self._catalogs: dict[frozenset[tuple[str, str]], Any] = {}
        self._types = {
            name: {f["name"]: column_type(f).to_proto() for f in schema(name)} for name in definitions()["tables"]
        }
        self.load({name: [] for name in self._types})

    def load(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Give tables the rows that they have from now on."""
        for name, rows in tables.items():
            content = local_service_pb2.EvaluateQueryResponse().content
            content.table_data.SetInParent()
            for row in rows:
                cells = content.table_data.row.add().cell
                for column, kind in self._types[name].items():
                    _write(cells.add(), kind, row[column])
            self._contents[name] = content
        for view in definitions()["views"]:
            self._contents.pop(view, None)

    def query(
        self, text: str, parameters: Mapping[str, Typed] | None = None, variables: Mapping[str, Typed] | None = None
    ) -> list[Row]:
        """The rows of a SELECT, in their order."""
        answer = self._ask(EvaluateQueryRequest, text, parameters or {}, variables or {})
        return _rows(answer.content.table_data.row, answer.prepared.columns)

    def inserted(
        self, text: str, parameters: Mapping[str, Typed], variables: Mapping[str, Typed] | None = None
    ) -> list[Row]:
        """The rows that an INSERT would add; the table keeps those it has."""
        answer = self._ask(EvaluateModifyRequest, text, parameters, variables or {})
        assert all(row.operation == row.INSERT for row in answer.content)
        kinds = self._types[answer.table_name.removeprefix(f"{DATASET}.")]
        return [{c: _read(v, k) for (c, k), v in zip(kinds.items(), row.cell, strict=True)} for row in answer.content]

    def variables(self, script: str, parameters: Mapping[str, Typed]) -> dict[str, Typed]:
        """The variables of a script, as they are when its last statement begins."""
        found: dict[str, Typed] = {}
        for step in steps(script):
            if step.variable is None:
                continue
            kind = step.declared_type or found[step.variable][0]
            asked = self.query(f"SELECT {step.text} AS value", parameters, found) if step.text else [{"value": None}]
            found[step.variable] = (kind, asked[0]["value"])
        return found

    def _ask(self, kind: Any, text: str, parameters: Mapping[str, Typed], variables: Mapping[str, Typed]) -> Any:
        named = self._service.extract_table_names_from_statement(
            sql_statement=text, options=self._analysed.language
        ).table_name
        options = self._analysed.options({name: typed[0] for name, typed in parameters.items()})
        request = kind(sql=text, options=options).to_proto()
        request.simple_catalog.CopyFrom(self._catalog(frozenset((name, typed[0]) for name, typed in variables.items())))
        for table in named:
            full_name = ".".join(table.table_name_segment)
            request.table_content[full_name].CopyFrom(self._content(full_name.removeprefix(f"{DATASET}.")))
        for name, typed in parameters.items():
            parameter = request.params.add()
            parameter.name = name
            _write(parameter.value, simple(typed[0]).to_proto(), typed[1])
        for constant in request.simple_catalog.constant:
            _write(constant.value, constant.type, variables[constant.name_path[0]][1])
        call = kind.__name__.removesuffix("Request")
        answer = getattr(local_service_pb2, f"{call}Response")
        return self._service.wasm_client.call_grpc_func(f"ZetaSqlLocalService_{call}", request, answer)

    def _catalog(self, variables: frozenset[tuple[str, str]]) -> Any:
        """Made once for the same variables: to make it takes longer than most statements."""
        if variables not in self._catalogs:
            self._catalogs[variables] = self._analysed.catalog(dict(variables)).to_proto()
        return self._catalogs[variables]

    def _content(self, name: str) -> Any:
        if name not in self._contents:
            self._contents[name] = self._ask(EvaluateQueryRequest, _view(name), {}, {}).content
        return self._contents[name]


def _view(name: str) -> str:
    return sql("views", name, dataset=DATASET, coverage_floor=FLOOR, network_in_summaries="fill")


def _write(cell: Any, kind: Any, value: Any) -> None:
    """A Python value into a typed cell; None leaves it NULL."""
    if value is None:
        return
    match kind.type_kind:
        case TypeKind.TYPE_ARRAY:
            cell.array_value.SetInParent()
            for element in value:
                _write(cell.array_value.element.add(), kind.array_type.element_type, element)
        case TypeKind.TYPE_STRUCT:
            cell.struct_value.SetInParent()
            for field in kind.struct_type.field:
                _write(cell.struct_value.field.add(), field.field_type, value[field.field_name])
        case TypeKind.TYPE_DATE:
            cell.date_value = (value - _EPOCH).days
        case TypeKind.TYPE_TIMESTAMP:
            cell.timestamp_value.FromDatetime(value)
        case other:
            setattr(cell, _FIELDS[other], value)


def _rows(rows: Any, columns: Any) -> list[Row]:
    return [{c.name: _read(v, c.type) for c, v in zip(columns, row.cell, strict=True)} for row in rows]


def _read(cell: Any, kind: Any) -> Any:
    """A cell's value as BigQuery's client gives it: a NULL array is an empty one."""
    if kind.type_kind == TypeKind.TYPE_ARRAY:
        return [_read(element, kind.array_type.element_type) for element in cell.array_value.element]
    if cell.WhichOneof("value") is None:
        return None
    match kind.type_kind:
        case TypeKind.TYPE_STRUCT:
            fields = zip(kind.struct_type.field, cell.struct_value.field, strict=True)
            return {field.field_name: _read(value, field.field_type) for field, value in fields}
        case TypeKind.TYPE_DATE:
            return _EPOCH + timedelta(days=cell.date_value)
        case TypeKind.TYPE_TIMESTAMP:
            return cell.timestamp_value.ToDatetime(UTC)
        case other:
            return getattr(cell, _FIELDS[other])
