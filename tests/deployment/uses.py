"""What each function's code can reach: settings, queries, tables, topics, Earth Engine. Read from the source, not run.

A name is followed wherever it leads inside ``functions`` and ``shared``; a class counts with all its methods. So nothing
that a function might do is missed, whichever path a message takes.
"""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from shared.messages.bodies import Topic
from shared.settings import Settings
from shared.warehouse.files import definitions

ROOT = Path(__file__).resolve().parents[2]
SQL = ROOT / "shared" / "warehouse" / "sql"


class Uses(NamedTuple):
    """What one function needs to be given."""

    settings: frozenset[str]
    publishes: frozenset[str]
    reads: frozenset[str]
    appends: frozenset[str]
    earth_engine: bool


class _Module(NamedTuple):
    definitions: dict[str, ast.AST]
    imports: dict[str, tuple[str, str]]


@cache
def _module(name: str) -> _Module:
    path = ROOT / (name.replace(".", "/") + ".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: dict[str, ast.AST] = {}
    imports: dict[str, tuple[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "shared":
            imports |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
    return _Module(found, imports)


def reached(function: str) -> list[ast.AST]:
    """Every definition that the entry point of a function can reach."""
    pending = [(f"functions.{function}", function)]
    seen = set(pending)
    nodes = []
    while pending:
        module_name, name = pending.pop()
        module = _module(module_name)
        node = module.definitions.get(name)
        if node is None:
            continue
        nodes.append(node)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                target = module.imports.get(inner.id, (module_name, inner.id))
                if target not in seen:
                    seen.add(target)
                    pending.append(target)
    return nodes


def uses(function: str) -> Uses:
    """What the code of a function can reach, by the name of its file."""
    calls = [n for node in reached(function) for n in ast.walk(node) if isinstance(n, ast.Call)]
    attributes = [n for node in reached(function) for n in ast.walk(node) if isinstance(n, ast.Attribute)]
    settings = {
        a.attr
        for a in attributes
        if a.attr in Settings.model_fields and (_name(a.value) == "settings" or _name(a.value).endswith(".settings"))
    }
    queries = {_text(c.args[0]) for c in calls if _method(c) == "query" and c.args}
    appends = {_text(c.args[0]) for c in calls if _method(c) == "append" and len(c.args) == 2}
    topics = {Topic[a.attr].value for c in calls if _name(c.func) == "publish" for a in c.args if _is_topic(a)}
    files = [SQL / "queries" / f"{query}.sql" for query in queries if query]
    reads = {table for file in files for table in tables_of(file)}
    appends |= {table for file in files for table in inserted_into(file)}
    return Uses(
        frozenset(settings),
        frozenset(topics),
        frozenset(reads),
        frozenset(table for table in appends if table),
        any(_name(c.func) == "connect" for c in calls),
    )


def tables_of(path: Path) -> set[str]:
    """The tables and views that a SQL file names, and those behind the views."""
    named = set(re.findall(r"\$\{dataset\}\.(\w+)", path.read_text(encoding="utf-8")))
    behind = [tables_of(SQL / "views" / f"{name}.sql") for name in named if name in definitions()["views"]]
    return named.union(*behind)


def inserted_into(path: Path) -> set[str]:
    """The tables that a SQL file adds rows to."""
    return set(re.findall(r"(?:INSERT|MERGE)\s+(?:INTO\s+)?`?\$\{dataset\}\.(\w+)", path.read_text(encoding="utf-8")))


def _is_topic(node: Any) -> bool:
    return isinstance(node, ast.Attribute) and _name(node.value) == "Topic"


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
