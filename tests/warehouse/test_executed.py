"""Views, sources of MERGE and queries answer the same in Google's reference implementation and in the embedded warehouse.

Random warehouses from fixed seeds, loaded and summarised twice. Rows are equal with their types and, where a query orders
them, in their order; floats to 1e-9, since sums differ in the last digits by the order of their terms.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from zetasql.core.exceptions import ServerError

from local.bigquery.embedded import EmbeddedBigQuery
from local.stack import forget_clients
from shared.messages.schedules import schedules
from shared.warehouse.files import Kind, definitions, sql
from tests.warehouse.analyser import DATASET, FLOOR, steps
from tests.warehouse.analyser import Warehouse as Analysed
from tests.warehouse.generated import RUN_TIMES, loads
from tests.warehouse.parameters import QUERIES, parameters
from tests.warehouse.reference import Reference
from tests.warehouse.two_engines import PROJECT, TwoEngines, differences, source_of_merge, source_of_script

SEEDS = (1, 2, 3)
SCRIPTS = [query.name for query in schedules().scheduled_queries]
SUMMARY_KEYS = {
    "monthly_summary": ("aoi_id", "aoi_version", "month", "class_id"),
    "annual_summary": ("aoi_id", "aoi_version", "year", "class_id"),
}
# What the reference implementation cannot execute, and what it says. Of a MERGE the source is executed all the same, and
# queries with geography without it.
NO_GEOGRAPHY = "Unsupported built-in function: st_geogfromgeojson"
NO_MERGE = "Statement kind RESOLVED_MERGE_STMT does not correspond to a DML statement"
NOT_EXECUTED = {
    "aois_touching": NO_GEOGRAPHY,
    "new_passes": NO_GEOGRAPHY,
    "patch_shapes": NO_GEOGRAPHY,
    "record_aoi_events": NO_MERGE,
    "monthly_summary": NO_MERGE,
    "annual_summary": NO_MERGE,
}
VIEWS = [name for name in definitions()["views"] if name not in NOT_EXECUTED]
_GEOGRAPHY = re.compile(r"IFNULL\(\s*ST_INTERSECTS\(.*?\),\s*TRUE\s*\)", re.DOTALL)
_RECORDS = re.compile(rf"^(?:INSERT INTO|MERGE) `{re.escape(DATASET)}\.(?P<table>\w+)`", re.MULTILINE)
# One operator for another; the text stays one that both engines take.
_ALTERATIONS = {" DESC": " ASC", "MIN(": "MAX(", "MAX(": "MIN(", " >= ": " < ", " > ": " <= ", " / ": " * ", " IS NOT NULL": " IS NULL"}  # fmt: skip


def statement(kind: Kind, name: str) -> str:
    return sql(kind, name, dataset=DATASET, coverage_floor=FLOOR, network_in_summaries="fill")


# Erasures are DELETEs: they are not executed here, only analysed.
ERASING = [name for name in QUERIES if name.startswith("erase_")]
RECORDING = [name for name in QUERIES if _RECORDS.search(statement("queries", name))]


@pytest.fixture(scope="module")
def analysed() -> Analysed:
    return Analysed()


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory, analysed: Analysed) -> Iterator[Callable[[int], TwoEngines]]:
    """Generated warehouses by their seed, each made once."""
    folder = tmp_path_factory.mktemp("executed")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as running:

        @cache
        def made(seed: int) -> TwoEngines:
            bigquery = EmbeddedBigQuery(folder / str(seed), PROJECT).start()
            running.callback(bigquery.stop)
            patch.setenv("BIGQUERY_EMULATOR_HOST", bigquery.url)
            forget_clients()
            world = TwoEngines(analysed)
            for load in loads(seed):
                world.add(load.rows)
                bigquery.settle()
                for name in SCRIPTS:
                    world.summarise(name, load.run_time)
            return world

        yield made
    forget_clients()


@pytest.fixture(params=SEEDS)
def world(request: pytest.FixtureRequest, worlds: Callable[[int], TwoEngines]) -> TwoEngines:
    return worlds(request.param)


def test_both_engines_have_the_generated_rows(world: TwoEngines) -> None:
    for name, rows in world.rows.items():
        assert rows, f"nothing was generated for {name}"
        assert differences(rows, world.table(name)) == [], name


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_equal(world: TwoEngines, name: str) -> None:
    expected = world.reference.query(f"SELECT * FROM `{DATASET}.{name}`")
    assert expected
    assert differences(expected, world.table(name)) == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_sources_of_merge_are_equal_and_become_the_summary(world: TwoEngines, name: str) -> None:
    first, second = world.runs[name]
    assert first.before == []
    assert second.before
    for run in (first, second):
        assert run.expected
        assert differences(run.expected, run.found) == []
        merged = {tuple(row[key] for key in SUMMARY_KEYS[name]): row for row in run.expected}
        assert len(merged) == len(run.expected), "a MERGE fails where two rows of its source meet one row"
        kept = {tuple(row[key] for key in SUMMARY_KEYS[name]): row for row in run.before}
        assert differences(list({**kept, **merged}.values()), run.after) == []


@pytest.mark.parametrize("name", [name for name in QUERIES if name not in [*RECORDING, *ERASING]])
def test_queries_are_equal(worlds: Callable[[int], TwoEngines], name: str) -> None:
    text = statement("queries", name)
    if NOT_EXECUTED.get(name) == NO_GEOGRAPHY:
        text, times = _GEOGRAPHY.subn("TRUE", text)
        assert times == 1
    answered = 0
    for number, world in enumerate(map(worlds, SEEDS)):
        given = parameters(name, QUERIES[name], world.rows, number)
        expected, found = world.answers(text, given)
        assert differences(expected, found, ordered="\nORDER BY" in text) == [], given
        answered += len(expected)
    assert answered, "no call had an answer"


@pytest.mark.parametrize("name", RECORDING)
def test_statements_record_the_same_rows(worlds: Callable[[int], TwoEngines], name: str) -> None:
    text = statement("queries", name)
    table = _RECORDS.search(text)["table"]  # type: ignore[index]
    for number, world in enumerate(map(worlds, SEEDS)):
        given = parameters(name, QUERIES[name], world.rows, number)
        if NOT_EXECUTED.get(name) == NO_MERGE:
            expected, found = world.answers(source_of_merge(text), given)
            assert expected
        else:
            added = world.reference.inserted(text, given)
            assert added
            expected = [*world.rows[table], *added]
            world.change(text, given)
            found = world.table(table)
            world.know(table, found)
        assert differences(expected, found) == [], given


@pytest.mark.parametrize("name", NOT_EXECUTED)
def test_what_is_not_executed_cannot_be(analysed: Analysed, name: str) -> None:
    reference = Reference(analysed)
    variables = {}
    if name in SCRIPTS:
        given = {"run_time": ("TIMESTAMP", RUN_TIMES[0])}
        variables = reference.variables(statement("scheduled", name), given)
        text = next(step.text for step in steps(statement("scheduled", name)) if step.variable is None)
    elif name in QUERIES:
        given = {parameter: (kind, None) for parameter, kind in QUERIES[name].items()}
        text = statement("queries", name)
    else:
        given, text = {}, statement("views", name)
    execute = reference.query if NOT_EXECUTED[name] == NO_GEOGRAPHY else reference.inserted
    with pytest.raises(ServerError, match=NOT_EXECUTED[name]):
        execute(text, given, variables)


@pytest.mark.parametrize("name", VIEWS)
def test_an_altered_view_is_a_difference(worlds: Callable[[int], TwoEngines], name: str) -> None:
    world = worlds(SEEDS[0])
    found = world.table(name)
    assert any(differences(world.reference.query(text), found) for text in alterations(statement("views", name)))


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_altered_source_of_merge_is_a_difference(worlds: Callable[[int], TwoEngines], name: str) -> None:
    world = worlds(SEEDS[0])
    *_, run = world.runs[name]
    world.reference.load({name: run.before})
    text, given = source_of_script(world.reference, name, RUN_TIMES[-1])
    assert differences(world.reference.query(text, given), run.found) == [], "as it is, it is none"
    assert any(differences(world.reference.query(altered, given), run.found) for altered in alterations(text))
    world.reference.load({name: run.after})


def alterations(text: str) -> Iterator[str]:
    """The text with one operator changed, for each place where there is one."""
    text = re.sub(r"--[^\n]*", "", text)
    for operator, other in _ALTERATIONS.items():
        for place in re.finditer(re.escape(operator), text):
            yield text[: place.start()] + other + text[place.end() :]
