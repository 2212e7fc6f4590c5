"""Alerts count what the code writes, can be made on the first day, and tell the operators."""

import json
import re

import pytest

from tests.deployment.terraform import ROOT, Deployed


def test_log_counters_count_fields_and_messages_that_the_code_writes(deployed: Deployed) -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for folder in ("functions", "shared") for path in (ROOT / folder).rglob("*.py")
    )
    counters = deployed.of("google_logging_metric")
    for counter in counters.values():
        for field in re.findall(r"jsonPayload\.(\w+)", counter["filter"]):
            assert re.search(rf'"{field}"|\b{field}=', code), f"nothing logs a field {field}"
        for message in re.findall(r'jsonPayload\.message="([^"]+)"', counter["filter"]):
            assert f'"{message}"' in code, f"nothing logs {message!r}"
    known = {"logging_googleapis_com:user_" + values["name"].replace("/", "_") for values in counters.values()}
    policies = deployed.of("google_monitoring_alert_policy").values()
    queries = [p["conditions"][0]["condition_prometheus_query_language"][0]["query"] for p in policies]
    charts = json.dumps([json.loads(d["dashboard_json"]) for d in deployed.of("google_monitoring_dashboard").values()])
    used = set(re.findall(r"logging_googleapis_com:user_\w+", " ".join([*queries, charts])))
    assert used == known


def test_alerts_can_be_made_before_anything_was_counted_and_name_what_they_count(deployed: Deployed) -> None:
    resources = {
        "logging_googleapis_com:user_" + values["name"].replace("/", "_"): re.findall(
            r'resource\.type="(\w+)"', values["filter"]
        )
        for values in deployed.of("google_logging_metric").values()
    }
    assert {len(kinds) for kinds in resources.values()} == {1}, "PromQL has to name one kind of resource"
    for policy in deployed.of("google_monitoring_alert_policy").values():
        (condition,) = policy["conditions"][0]["condition_prometheus_query_language"]
        assert condition["disable_metric_validation"] is True
        for metric, rest in re.findall(r"(logging_googleapis_com:user_\w+)(\{[^}]*\})?", condition["query"]):
            assert rest == f'{{monitored_resource="{resources[metric][0]}"}}'
        assert "absent" not in condition["query"] or condition["duration"] != "0s", "it would fire before the first"


def test_the_dashboard_has_no_position_that_the_api_leaves_out(deployed: Deployed) -> None:
    (dashboard,) = deployed.of("google_monitoring_dashboard").values()
    tiles = json.loads(dashboard["dashboard_json"])["mosaicLayout"]["tiles"]
    places = [(tile.get("xPos"), tile.get("yPos")) for tile in tiles]
    assert len(set(places)) == len(places)
    assert 0 not in {position for place in places for position in place}


@pytest.mark.parametrize(
    "alert",
    [
        "dead_letters",
        "unrecorded",
        "silence",
        "undiscovered",
        "errors",
        "backlog",
        "unclassified",
        "earth_engine_limits",
        "tick_failures",
        "query_failures",
        "deployment_refusals",
        "late_finds",
        "refused_callers",
        "earth_engine_time",
    ],
)
def test_operators_are_told(deployed: Deployed, alert: str) -> None:
    policy = deployed.of("google_monitoring_alert_policy")[f"alert[{alert}]"]
    (channel,) = deployed.of("google_monitoring_notification_channel").values()
    assert policy["notification_channels"] == [channel["id"]]
    assert policy["documentation"][0]["content"]
