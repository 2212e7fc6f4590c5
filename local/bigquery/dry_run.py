"""Dry runs: a statement or script is checked, not run.

The emulator runs scripts that it should only check, looks at no INSERT or MERGE, and names 0 bytes whatever is read.
Here each statement is translated as for running and then explained by DuckDB, which resolves every name and type. How
many bytes the service would read cannot be told, so no number is.
"""

import re
from typing import Any, NamedTuple

from bqemulator.domain.errors import DomainError
from bqemulator.jobs.error_mapper import translate_runtime_error
from bqemulator.jobs.executor import classify_statement_type
from bqemulator.row_access.identity import CallerIdentity
from bqemulator.scripting.ast import DeclareStmt, SetStmt, SqlStmt
from bqemulator.scripting.parser import parse_script
from bqemulator.sql.inner_query import rewrite_and_translate_statement
from bqemulator.sql.parameters import bind_parameters
from bqemulator.sql.table_rewriter import rewrite_table_refs
from bqemulator.sql.translator import SQLTranslator

_EXPLAINED = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"}
_CALLER = CallerIdentity("user:local")


class Refusal(NamedTuple):
    """Why a statement does not hold: HTTP status, BigQuery's word for the reason, and the message."""

    status: int
    reason: str
    message: str


async def check(text: str, parameters: list[dict[str, Any]], project: str, context: Any) -> Refusal | None:
    """What is wrong with a statement or a script; None when it holds.

    ``parameters`` are as in BigQuery's REST, ``context`` is the emulator's. A script may declare and set variables
    besides its statements; control flow is not looked into, and said so.
    """
    try:
        statements = parse_script(text).statements
    except DomainError as error:
        return Refusal(400, "invalidQuery", str(error))
    types: dict[str, str] = {}
    for statement in statements:
        match statement:
            case DeclareStmt():
                types |= dict.fromkeys(statement.names, statement.type_name)
                sources = [f"SELECT {statement.default_expr}"] if statement.default_expr else []
            case SetStmt():
                if unknown := [name for name in statement.targets if name not in types]:
                    return Refusal(400, "invalidQuery", f"Undeclared variable: {unknown[0]}")
                sources = [f"SELECT {statement.source_expr}"]
            case SqlStmt() if classify_statement_type(statement.sql) in _EXPLAINED | {""}:
                sources = [statement.sql]
            case _:
                return Refusal(501, "notImplemented", f"a dry run of {type(statement).__name__} is not implemented")
        for source in sources:
            refusal = await _explain(_without_variables(source, types), parameters, project, context)
            if refusal is not None:
                return refusal
    return None


def _without_variables(text: str, types: dict[str, str]) -> str:
    for name, kind in types.items():
        text = re.sub(rf"(?<![\w.`@]){re.escape(name)}(?![\w`])", f"CAST(NULL AS {kind})", text)
    return text


async def _explain(text: str, parameters: list[dict[str, Any]], project: str, context: Any) -> Refusal | None:
    translated = ""
    try:
        translated = await rewrite_and_translate_statement(
            text, project_id=project, ctx=context, caller=_CALLER, translator=SQLTranslator()
        )
        bound, values = bind_parameters(rewrite_table_refs(translated, project), parameters)
        context.engine.fetch_arrow(f"EXPLAIN {bound}", values or None)
    except Exception as error:  # whatever DuckDB or the translation raises is what is wrong with the statement
        found = error if isinstance(error, DomainError) else translate_runtime_error(error, duckdb_sql=translated)
        return Refusal(400, "invalidQuery", str(found))
    return None
