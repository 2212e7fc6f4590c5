"""What the emulator finds out about a text of SQL, remembered: for every statement it parses the same text some thirty
times, and that is most of its work.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from local.bigquery.memory import KeptAnswers, Memory, cache_folder

# functions of the emulator that look at nothing but a text and a project: what kind of statement it is, whether it is a
# certain one on schemas, tables or routines, what it is with the names that DuckDB knows tables by
_LOOKS = {
    "bqemulator.catalog.ddl_sync": (
        "_detect_catalog_drop",
        "_detect_create_schema",
        "_detect_plain_create_table",
        "_detect_plain_create_view",
    ),
    "bqemulator.jobs.executor": ("classify_statement_type", "detect_drop_routine", "rewrite_table_refs"),
    "bqemulator.scripting.interpreter": ("rewrite_table_refs",),
}


@cache
def remember_texts() -> None:
    """A text, schema and caller seen before get the same translation, and what a text is not is not looked for again.

    The translator keeps nothing between two texts and looks at nothing but these three. What is refused, and statements
    on schemas, tables and routines, are looked at anew each time.
    """
    from importlib import import_module  # noqa: PLC0415

    from bqemulator.domain.result import Ok  # noqa: PLC0415 — slow; only the embedded stack pays
    from bqemulator.sql.translator import SQLTranslator  # noqa: PLC0415

    translate_anew = SQLTranslator.translate
    translations = Memory("translations", _kept())

    def translate(self: Any, bq_sql: str, *, schema: Any = None, caller: Any = None, **more: Any) -> Any:
        def find() -> str:
            answer = translate_anew(self, bq_sql, schema=schema, caller=caller, **more)
            if not isinstance(answer, Ok):
                raise _RefusedError(answer)
            return str(answer.value)

        try:
            return Ok(translations.get((bq_sql, repr(schema), repr(caller)), find))
        except _RefusedError as refused:
            return refused.args[0]

    SQLTranslator.translate = translate  # type: ignore[method-assign]
    _remember_trees()
    for name, looks in _LOOKS.items():
        module = import_module(name)
        for look in looks:
            setattr(module, look, _remembering(f"{name}.{look}", getattr(module, look)))
    _remember_scripts()
    _remember_tables()
    _remember_views()
    _look_for_changes_only_where_rows_change()


def _remember_trees() -> None:
    """Who has a text parsed again gets a copy of the tree; what does not parse is looked at anew each time."""
    import sqlglot  # noqa: PLC0415

    parse_anew = sqlglot.parse_one
    trees = Memory()

    def parse_one(sql: str, *read: Any, **how: Any) -> Any:
        key = (sql, *map(repr, read), *map(repr, sorted(how.items())))
        return trees.get(key, lambda: parse_anew(sql, *read, **how)).copy()

    sqlglot.parse_one = parse_one  # type: ignore[assignment]


def _remember_tables() -> None:
    """The types of a text's columns are looked up with a short text that names the same tables, in their order."""
    import sqlglot  # noqa: PLC0415
    from bqemulator.sql import inner_query  # noqa: PLC0415
    from sqlglot import exp  # noqa: PLC0415

    look_up = inner_query.build_catalog_schema
    names = Memory("tables", _kept())

    def short(text: str) -> str:
        found = sqlglot.parse_one(text, read="bigquery").find_all(exp.Table)
        tables = [exp.table_(table.name, table.db, table.catalog) for table in found if table.name and table.db]
        listed = ", ".join(dict.fromkeys(table.sql(dialect="bigquery") for table in tables))
        return f"SELECT 1 FROM {listed}" if listed else "SELECT 1"  # noqa: S608 — only parsed

    def build_catalog_schema(bq_sql: str, *, project_id: str, catalog: Any) -> dict[str, dict[str, str]]:
        try:
            text = names.get(bq_sql, lambda: short(bq_sql))
        except sqlglot.errors.ParseError:
            return {}
        return look_up(text, project_id=project_id, catalog=catalog)

    inner_query.build_catalog_schema = build_catalog_schema


def _remember_scripts() -> None:
    """A parsed script, which nobody can change; all who parse one share it."""
    from bqemulator.jobs import executor  # noqa: PLC0415
    from bqemulator.scripting import interpreter, parser  # noqa: PLC0415

    scripts = Memory()
    parse_anew = parser.parse_script

    def parse_script(source: str) -> Any:
        return scripts.get(source, lambda: parse_anew(source))

    executor.parse_script = interpreter.parse_script = parse_script


def _remember_views() -> None:
    """A statement with its views put in is remembered for the views as they are, while no policy hides rows."""
    from bqemulator.sql import inner_query  # noqa: PLC0415

    expand_anew = inner_query.rewrite_for_row_access
    texts = Memory("views", _kept())

    def expand(bq_sql: str, *, project_id: str, caller: Any, catalog: Any) -> str:
        def find() -> str:
            return expand_anew(bq_sql, project_id=project_id, caller=caller, catalog=catalog)

        if catalog.list_all_row_access_policies():
            return find()
        views = tuple(
            (view.project_id, view.dataset_id, view.table_id, view.view_query)
            for dataset in catalog.list_all_datasets()
            for view in catalog.list_views(dataset.project_id, dataset.dataset_id)
        )
        text: str = texts.get((bq_sql, project_id, views), find)
        return text

    inner_query.rewrite_for_row_access = expand


def _look_for_changes_only_where_rows_change() -> None:
    """A statement that only reads, or a script that begins with a variable, changes no table: the emulator parses it
    twice to find that out.
    """
    from bqemulator.jobs import executor  # noqa: PLC0415
    from bqemulator.scripting.ast import SqlStmt  # noqa: PLC0415

    refuse, capture = executor._reject_dml_on_immutable, executor._capture_dml_snapshots

    def may_change(bq_sql: str) -> bool:
        first = next(iter(executor.parse_script(bq_sql).statements), None)
        return isinstance(first, SqlStmt) and executor.classify_statement_type(first.sql) != "SELECT"

    def refuse_if_it_changes(project_id: str, bq_sql: str, ctx: Any) -> None:
        if may_change(bq_sql):
            refuse(project_id, bq_sql, ctx)

    async def capture_if_it_changes(project_id: str, bq_sql: str, ctx: Any) -> None:
        if may_change(bq_sql):
            await capture(project_id, bq_sql, ctx)

    executor._reject_dml_on_immutable = refuse_if_it_changes
    executor._capture_dml_snapshots = capture_if_it_changes


def _remembering(name: str, look: Callable[..., Any]) -> Callable[..., Any]:
    """A word or nothing is remembered; a parsed statement, which others may change, is found anew."""
    answers = Memory(name, _kept())
    return lambda *asked: answers.get(
        asked, lambda: look(*asked), lambda found: isinstance(found, str) or found in (None, (None, None))
    )


class _RefusedError(Exception):
    """Carries the refusal of a text, which is no answer to keep."""


@cache
def _kept() -> KeptAnswers:
    versions = [version(name) for name in ("bqemulator", "sqlglot", "duckdb")]
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return KeptAnswers(cache_folder() / "translations.sqlite", " ".join([*versions, own]))
