"""What the emulator finds out about a text of SQL, remembered: for every statement it parses the same text some thirty
times, and that is most of its work.
"""

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

_MOST_TEXTS = 2000
# functions of the emulator that look at nothing but a text: what kind of statement it is, whether it is a certain one
# on schemas, tables or routines
_LOOKS = {
    "bqemulator.catalog.ddl_sync": (
        "_detect_catalog_drop",
        "_detect_create_schema",
        "_detect_plain_create_table",
        "_detect_plain_create_view",
    ),
    "bqemulator.jobs.executor": ("classify_statement_type", "detect_drop_routine"),
}


class _Memory:
    """Answers by what was asked; forgets all when there are too many."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def get(self, key: Any, find: Callable[[], Any], worth_keeping: Callable[[Any], bool]) -> Any:
        known = self._known.get(key, self)
        if known is not self:
            return known
        found = find()
        if worth_keeping(found):
            if len(self._known) >= _MOST_TEXTS:
                self._known.clear()
            self._known[key] = found
        return found


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
    translations = _Memory()

    def translate(self: Any, bq_sql: str, *, schema: Any = None, caller: Any = None, **more: Any) -> Any:
        return translations.get(
            (bq_sql, repr(schema), caller),
            lambda: translate_anew(self, bq_sql, schema=schema, caller=caller, **more),
            lambda translation: isinstance(translation, Ok),
        )

    SQLTranslator.translate = translate  # type: ignore[method-assign]
    _remember_trees()
    for name, looks in _LOOKS.items():
        module = import_module(name)
        for look in looks:
            setattr(module, look, _remembering(getattr(module, look)))


def _remember_trees() -> None:
    """Who has a text parsed again gets a copy of the tree; what does not parse is looked at anew each time.

    The one that only reads the names of tables, at every statement, needs no copy.
    """
    import sqlglot  # noqa: PLC0415
    from bqemulator.sql import catalog_schema  # noqa: PLC0415

    parse_anew = sqlglot.parse_one
    trees = _Memory()

    def tree(sql: str, *read: Any, **how: Any) -> Any:
        key = (sql, *map(repr, read), *map(repr, sorted(how.items())))
        return trees.get(key, lambda: parse_anew(sql, *read, **how), lambda _: True)

    def parse_one(sql: str, *read: Any, **how: Any) -> Any:
        return tree(sql, *read, **how).copy()

    sqlglot.parse_one = parse_one  # type: ignore[assignment]
    catalog_schema.sqlglot = SimpleNamespace(parse_one=tree, errors=sqlglot.errors)  # type: ignore[attr-defined]


def _remembering(look: Callable[..., Any]) -> Callable[..., Any]:
    """A word or nothing is remembered; a parsed statement, which others may change, is found anew."""
    answers = _Memory()
    return lambda *asked: answers.get(
        asked, lambda: look(*asked), lambda found: isinstance(found, str) or found in (None, (None, None))
    )
