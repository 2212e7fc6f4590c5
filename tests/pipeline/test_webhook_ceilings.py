"""What a registration costs: the ceilings that refuse it, the dry run that tells, the first day where none is named."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from shapely import box
from shapely.geometry import mapping

from local.stack import Stack
from shared.settings import load_settings
from tests.calls import SQUARE, body, deletion, events, problem, send
from tests.stacks import feature, rows, start_stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with start_stack(tmp_path_factory.mktemp("ceilings"), max_area_km2="100") as running:
        yield running


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Changes settings of the functions of a running stack."""

    def change(**values: float | date) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"LANDCOVER_{name.upper()}", str(value))
        load_settings.cache_clear()

    yield change
    monkeypatch.undo()
    load_settings.cache_clear()


def test_over_a_ceiling_is_403_and_costs_nothing(stack: Stack, setting: Any) -> None:
    send(stack, body(feature("held-1", SQUARE)), "c1")
    assert stack.bus.wait_idle(60)
    present = rows(stack, "aois")
    count, km2 = len(present), sum(row["area_m2"] for row in present) / 1e6
    setting(max_registered_aois=count + 1)
    before = (len(events(stack)), dict(stack.bus.delivered))
    refused = problem(send(stack, body(feature("held-2", SQUARE), feature("held-3", SQUARE)), "c2"), 403)
    assert refused["detail"] == f"{count + 2} AOIs would be registered, the limit is {count + 1}"
    setting(max_registered_aois=count, max_registered_km2=km2 + 1)
    refused = problem(send(stack, body(feature("held-1", dict(mapping(box(125, 45, 125.04, 45.02))))), "c3"), 403)
    assert "km² would be registered" in refused["detail"]
    assert (len(events(stack)), dict(stack.bus.delivered)) == before
    smaller = dict(mapping(box(125, 45, 125.02, 45.009)))
    setting(max_registered_aois=1, max_registered_km2=1)
    assert send(stack, body(feature("held-1", smaller)), "c4").status_code == 202, "what adds nothing is let through"
    assert send(stack, deletion("held-1"), "c5").status_code == 202


def test_a_dry_run_says_what_it_would_cost_and_does_nothing(stack: Stack, setting: Any) -> None:
    def tried(*features: dict[str, Any]) -> dict[str, Any]:
        response = send(stack, json.dumps({**json.loads(body(*features)), "dry_run": True}), "dry")
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    assert stack.bus.wait_idle(60)
    before = (len(events(stack)), len(rows(stack, "histories")), dict(stack.bus.delivered))
    answer = tried(feature("tried", SQUARE, backfill_start="2022-01-01"))
    assert answer["would_be_refused"] is None
    assert [aoi["status"] for aoi in answer["aois"]] == ["not registered"]
    fewest, most = answer["cost"]["history"]["overpasses"]
    assert 0 < fewest < most
    longer = tried(feature("tried", SQUARE, backfill_start="2016-01-01"))["cost"]["history"]
    assert longer["eecu_hours"][1] > answer["cost"]["history"]["eecu_hours"][1] > 0
    setting(max_registered_aois=1, max_history_eecu_hours=1e-9)
    assert "would be registered" in tried(feature("tried", SQUARE), feature("other", SQUARE))["would_be_refused"]
    setting(max_registered_aois=100_000)
    assert "EECU-hours" in tried(feature("tried", SQUARE))["would_be_refused"]
    assert (len(events(stack)), len(rows(stack, "histories")), dict(stack.bus.delivered)) == before
    for document, detail in (
        ({**json.loads(body(feature("tried", SQUARE))), "dry_run": "yes"}, "expected true or false, found 'yes'"),
        ({**json.loads(deletion("tried")), "dry_run": True}, "a deletion costs nothing; only a registration is tried"),
    ):
        refused = problem(send(stack, json.dumps(document), "dry"), 422)
        assert refused["errors"] == [{"pointer": "/dry_run", "detail": detail}]


def test_a_history_over_the_ceiling_is_403_and_costs_nothing(stack: Stack, setting: Any) -> None:
    place = dict(mapping(box(125, 45, 125.04, 45.02)))
    send(stack, body(feature("long", place, backfill_start="2024-01-01")), "h1")
    assert stack.bus.wait_idle(60)
    before = (len(events(stack)), dict(stack.bus.delivered))
    setting(max_history_eecu_hours=1e-3)
    longer = body(feature("long", place, backfill_start="2023-01-01"))
    refused = problem(send(stack, longer, "h2"), 403)
    assert refused["detail"].startswith("the history of 1 AOIs is estimated at up to ")
    assert "EECU-hours, the limit is 0.001: register fewer at once" in refused["detail"]
    assert (len(events(stack)), dict(stack.bus.delivered)) == before
    again = body(feature("long", place, backfill_start="2024-06-01"))
    assert send(stack, again, "h3").status_code == 202, "what was asked for before adds nothing"
    today = body(feature("news", place, backfill_start=datetime.now(UTC).date().isoformat()))
    assert send(stack, today, "h4").status_code == 202, "nor does an area without a history"


def test_where_the_first_day_is_still_to_come_it_is_that_of_the_registration(stack: Stack, setting: Any) -> None:
    setting(backfill_start=date(2999, 1, 1))
    before = datetime.now(UTC).date()
    assert send(stack, body(feature("early", SQUARE)), "early").status_code == 202
    assert stack.bus.wait_idle(60)
    (registered,) = [row for row in events(stack) if row["aoi_id"] == "early"]
    assert before <= registered["backfill_start"] <= datetime.now(UTC).date()
