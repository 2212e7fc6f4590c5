"""The order of the rooms: each stands on those before it, and rules know no client, however many imports away."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Modules directly in a folder are its ground floor ("" here), on which every room stands.
SHARED = [
    "",
    "geometry",
    "imagery",
    "warehouse",
    "messages",
    "webhooks",
    "aois",
    "measurement",
    "change",
    "earth_engine",
    "network",
    "cost",
]
LOCAL = [
    "servers",
    "earth_engine",
    "bigquery",
    "pubsub",
    "stack",
    "sample",
    "sentinel2",
    "network",
    "report",
    "runs",
    "probe",
    "upkeep",
    "accuracy",
    "commands",
    "cli",
]
# Rooms of rules, and the only modules of the others' that they may not lead to.
RULES = ["", "geometry", "imagery", "change"]
RULES_IN = {
    "aois": ["aoi", "feature", "geometry", "name_spaces", "neighbours", "registration"],
    "measurement": [
        "areas",
        "backfilling",
        "budgets",
        "composing",
        "discovery",
        "jobs",
        "overpasses",
        "pieces",
        "rows",
        "unseen",
    ],
    "cost": ["estimates", "orbits", "pixelwise", "playing", "prices", "usual", "work", "workload"],
    "messages": ["bodies", "schedules", "subscriptions"],
    "webhooks": ["hints", "news"],
}
CLIENTS = {"ee", "google", "flask", "cloudevents", "functions_framework", "requests", "requests_hardened", "grpc"}


def imports_of(source: str, root: Path = ROOT) -> Iterator[str]:
    """Every module that a source imports, anywhere in it: ours by their whole names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                within = f"{node.module}.{alias.name}"
                yield within if (root / (within.replace(".", "/") + ".py")).exists() else node.module


def room_of(module: str, order: list[str]) -> str:
    """The room in which a module stands; modules of the ground floor that have a place of their own keep it."""
    _, first, *rest = [*module.split("."), ""]
    return first if any(rest) or first in order else ""


def against_the_order(module: str, source: str, top: str, order: list[str]) -> list[str]:
    """The imports of a module that lead to a room after its own."""
    place = order.index(room_of(module, order))
    return [
        f"{module} imports {imported}"
        for imported in imports_of(source)
        if imported.startswith(f"{top}.") and order.index(room_of(imported, order)) > place
    ]


def modules(folder: str) -> dict[str, str]:
    """Every module below a folder with its source, packages by their own names left out."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name not in {"__init__.py", "__main__.py"}
    }


@pytest.mark.parametrize(("top", "order"), [("shared", SHARED), ("local", LOCAL)])
def test_each_room_stands_on_those_before_it(top: str, order: list[str]) -> None:
    faults = [f for module, source in modules(top).items() for f in against_the_order(module, source, top, order)]
    assert faults == []


def test_every_room_has_a_place_in_the_order() -> None:
    for top, order in (("shared", SHARED), ("local", LOCAL)):
        folders = {path.parent.name for path in (ROOT / top).glob("*/__init__.py")}
        assert folders <= set(order)
        for room in folders:
            assert (ROOT / top / room / "__init__.py").read_text(encoding="utf-8").startswith('"""'), (
                f"{room} says nothing"
            )


def test_an_import_against_the_order_is_found() -> None:
    planted = "from shared.measurement.rows import observation_row\nfrom shared.imagery import names\n"
    assert against_the_order("shared.geometry.cells", planted, "shared", SHARED) == [
        "shared.geometry.cells imports shared.measurement.rows",
        "shared.geometry.cells imports shared.imagery.names",
    ]
    within_a_function = "def late() -> None:\n    from local.runs import steps\n"
    assert against_the_order("local.report.data", within_a_function, "local", LOCAL) == [
        "local.report.data imports local.runs.steps"
    ]


def test_shared_knows_nothing_of_what_runs_on_a_laptop() -> None:
    for folder in ("shared", "functions"):
        for module, source in modules(folder).items():
            ours = {name.split(".")[0] for name in imports_of(source)} & {"local", "functions", "tests", "benchmarks"}
            assert not ours, f"{module} imports {ours}"


def test_rules_lead_to_no_client() -> None:
    sources = modules("shared")
    rules = [m for m in sources if room_of(m, SHARED) in RULES]
    rules += [f"shared.{room}.{name}" for room, names in RULES_IN.items() for name in names]
    for rule in rules:
        pending, reached = [rule], {rule}
        while pending:
            for imported in imports_of(sources[pending.pop()]):
                assert imported.split(".")[0] not in CLIENTS, f"{rule} leads to {imported}"
                if imported in sources and imported not in reached:
                    reached.add(imported)
                    pending.append(imported)
