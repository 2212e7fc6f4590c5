"""The LookML project parses, and names the columns of the report views: all of them, and no others."""

import re
from pathlib import Path
from typing import Any

import duckdb
import lkml
import pytest
import sqlglot
import yaml

from shared.aois.name_spaces import client_of
from shared.classes import CLASSES
from shared.clients import Client
from shared.warehouse.files import report_columns

LOOKER = Path(__file__).resolve().parents[2] / "looker"
VIEWS = report_columns()


def parsed(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = lkml.load(path.read_text(encoding="utf-8"))
    return found


def view(name: str) -> dict[str, Any]:
    (found,) = parsed(LOOKER / "views" / f"{name}.view.lkml")["views"]
    assert found["name"] == name
    return found  # type: ignore[no-any-return]


def fields(name: str) -> set[str]:
    """What an explore offers, with the timeframes of date groups."""
    made = view(name)
    plain = {field["name"] for kind in ("dimensions", "measures") for field in made.get(kind, [])}
    timed = {f"{g['name']}_{frame}" for g in made.get("dimension_groups", []) for frame in g["timeframes"]}
    return plain | timed


def test_there_is_a_file_for_each_report_view() -> None:
    assert {path.name.removesuffix(".view.lkml") for path in (LOOKER / "views").glob("*.lkml")} == VIEWS.keys()


@pytest.mark.parametrize("name", VIEWS)
def test_columns_and_dimensions_are_the_same_both_ways(name: str) -> None:
    made = view(name)
    dimensions = [*made["dimensions"], *made.get("dimension_groups", [])]
    described = {d["name"]: d["description"] for d in dimensions if d["name"] != "row_key"}
    assert described == VIEWS[name]
    assert made["sql_table_name"] == f"`@{{project}}.@{{dataset}}.{name}`"
    for field in [*dimensions, *(measure for measure in made["measures"] if measure["type"] != "count")]:
        used = set(re.findall(r"\$\{TABLE\}\.(\w+)", field["sql"]))
        assert used
        assert used <= VIEWS[name].keys()


def test_explores_and_dashboard_name_fields_that_exist() -> None:
    offered = parsed(LOOKER / "explores.explore.lkml")
    assert {explore["name"] for explore in offered["explores"]} == VIEWS.keys()
    assert "/explores.explore.lkml" in parsed(LOOKER / "landcover.model.lkml")["includes"]
    (dashboard,) = yaml.safe_load((LOOKER / "dashboards" / "year.dashboard.lookml").read_text(encoding="utf-8"))
    for element in dashboard["elements"]:
        assert element["explore"] in VIEWS
        named = [*element["fields"], *element.get("pivots", []), *element["sorts"], *element["listen"].values()]
        for field in named:
            explore, _, column = field.split()[0].partition(".")
            assert column in fields(explore), field
    for listened in dashboard["filters"]:
        assert listened["field"].partition(".")[2] in fields(listened["explore"])


def test_without_clients_nothing_is_filtered_and_with_them_everything_is() -> None:
    """The model for clients offers no explore without a filter, by a field that each view has there."""
    assert "access_filter" not in (LOOKER / "landcover.model.lkml").read_text(encoding="utf-8")
    assert "access_filter" not in (LOOKER / "explores.explore.lkml").read_text(encoding="utf-8")
    model = parsed(LOOKER / "landcover_clients.model.lkml")
    assert model["includes"] == ["/explores.explore.lkml"], "a dashboard would ask another model"
    filters = {explore["name"]: explore["access_filters"] for explore in model["explores"]}
    assert filters == {
        f"+{name}": [{"field": f"{name}.client", "user_attribute": "landcover_client"}] for name in VIEWS
    }
    refined = {made["name"]: [dimension["name"] for dimension in made["dimensions"]] for made in model["views"]}
    assert refined == {f"+{name}": ["client"] for name in VIEWS}


def test_the_field_that_filters_is_the_name_before_the_first_dot() -> None:
    """As ``shared/aois/name_spaces.py`` has it, by another engine; an id of the operator's is no client's."""
    fields = [view["dimensions"][0]["sql"] for view in parsed(LOOKER / "landcover_clients.model.lkml")["views"]]
    (field,) = set(fields)
    ids = ["acme.field", "acme.eu.field", "field", "acme-eu.field"]
    text = f"SELECT {field.replace('${TABLE}.', '')} FROM UNNEST({ids}) AS aoi_id WITH OFFSET AS n ORDER BY n"
    engine = duckdb.connect()
    (query,) = sqlglot.transpile(text, read="bigquery", write="duckdb")
    clients: dict[str, Client] = {"acme": Client(), "acme-eu": Client()}
    assert [row[0] for row in engine.execute(query).fetchall()] == [client_of(aoi_id, clients) for aoi_id in ids]


def test_the_dashboard_uses_the_official_colours() -> None:
    (dashboard,) = yaml.safe_load((LOOKER / "dashboards" / "year.dashboard.lookml").read_text(encoding="utf-8"))
    colours = dashboard["elements"][0]["series_colors"]
    assert {key.split(" - ")[0]: value for key, value in colours.items()} == {c.name: f"#{c.colour}" for c in CLASSES}


def test_the_manifest_declares_the_constants_that_are_used() -> None:
    declared = {constant["name"] for constant in parsed(LOOKER / "manifest.lkml")["constants"]}
    text = "\n".join(path.read_text(encoding="utf-8") for path in LOOKER.rglob("*.lkml"))
    assert set(re.findall(r"@\{(\w+)\}", text)) == declared
