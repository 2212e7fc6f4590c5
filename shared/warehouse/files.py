"""SQL and schema files: the one source that the functions, Terraform, the embedded stack and the tests share."""

import json
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any, Literal

_HERE = Path(__file__).parent


class _Placeholders(Template):
    """``${name}`` only, as in Terraform's templates: JSON paths begin with a dollar too."""

    pattern = r"\$\{(?P<braced>[a-z_]+)\}|(?P<escaped>(?!))|(?P<named>(?!))|(?P<invalid>(?!))"  # type: ignore[assignment]


Kind = Literal["views", "scheduled", "queries", "clients"]


@lru_cache(maxsize=1)
def definitions() -> dict[str, Any]:
    """Tables with partitioning and clustering, and views in order of creation."""
    return json.loads((_HERE / "tables.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def report_columns() -> dict[str, dict[str, str]]:
    """What each column of each ``report_*`` view means, in their order."""
    return json.loads((_HERE / "report_columns.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def schema(table: str) -> list[dict[str, Any]]:
    """BigQuery schema of a table, in the JSON form the service and Terraform take."""
    return json.loads((_HERE / "schemas" / f"{table}.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def query_names() -> list[str]:
    """The names of all ad-hoc queries, in order."""
    return sorted(path.stem for path in (_HERE / "sql" / "queries").glob("*.sql"))


def sql(kind: Kind, name: str, **placeholders: str | float) -> str:
    """A SQL file with its ``${…}`` placeholders filled in. Raises KeyError for one that is not given."""
    text = (_HERE / "sql" / kind / f"{name}.sql").read_text(encoding="utf-8")
    return _Placeholders(text).substitute(placeholders)
