"""Checks of BigQuery, Pub/Sub and secrets fail where they should, and say what failed."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.cloud import bigquery
from google.pubsub_v1.types import PushConfig
from requests import Session
from werkzeug.wrappers import Request, Response

from local.probe import google, pubsub, secrets
from local.probe.deployment import Deployment
from local.probe.model import Finding, Outcome
from local.pubsub.subscriptions import subscription_of
from local.servers.pooled_server import PooledServer
from shared.messages.subscriptions import messaging
from tests.probe.scenes import AT


def test_an_unwilling_table_fails_and_is_deleted(
    deployment: Deployment, again: Callable[[str], dict[str, Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partitioned by day, the table refuses the oldest row: what this check is there to see."""

    def by_day(table_id: str, name: str) -> bigquery.Table:
        table = defined_table(table_id, name)
        table.range_partitioning = None
        table.time_partitioning = bigquery.TimePartitioning(type_="MONTH", field="acquired_date")
        return table

    from local.probe import bigquery as checked  # noqa: PLC0415

    defined_table = checked.defined_table
    monkeypatch.setattr(checked, "defined_table", by_day)
    found = again("bigquery/oldest-row")[""]
    assert found.outcome is Outcome.FAIL
    assert "You can only stream to date range within 1825 days" in found.found
    tables = deployment.warehouse.client.list_tables(deployment.settings.dataset)
    assert not [table for table in tables if table.table_id.startswith("probe")]


def test_subscriptions_that_were_changed_by_hand_fail() -> None:
    (measure,) = (s for s in messaging().subscriptions if s.name == "measure")
    made = subscription_of(measure, "p", "https://f.example")
    assert list(pubsub._differences(measure, made, "")) == []
    made.filter = ""
    made.dead_letter_policy.max_delivery_attempts = 5
    made.push_config = PushConfig()
    assert list(pubsub._differences(measure, made, "")) == [
        "measure: filter is '', expected 'attributes.lane = \"live\"'",
        "measure: attempts is 5, expected 100",
        "measure does not push",
    ]


def test_push_identity_is_looked_at(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against subscriptions as Terraform makes them, and a function that lets in the world, or does not."""
    answers = {"measure": 204}
    pushed: list[Any] = []

    def function(environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        name = request.path.strip("/")
        pushed.append(request.get_json())
        return Response(status=answers.get(name, 403))(environ, start_response)

    server = PooledServer(function).start()
    token = PushConfig.OidcToken(service_account_email="push@p.iam.gserviceaccount.com", audience="https://a.example")

    class Subscriber:
        def get_subscription(self, subscription: str, timeout: float) -> Any:
            name = subscription.rsplit("/", 1)[-1]
            (defined,) = (s for s in messaging().subscriptions if s.name == name)
            made = subscription_of(defined, "p", server.url)
            made.push_config.oidc_token = token if name != "composite" else PushConfig.OidcToken()
            return made

    monkeypatch.setattr(pubsub, "_subscriber", Subscriber)
    try:
        found = {f.part: f for f in pubsub.push_identity(Deployment(deployment.warehouse, None, None, AT))}
    finally:
        server.stop()
    assert found["token"].found == "no account or audience: composite"
    assert {part: finding.outcome for part, finding in found.items()} == {
        "token": Outcome.FAIL,
        **dict.fromkeys(
            ("discover", "plan-composites", "plan-transitions", "record-passes", "plan-changes", "alert-changes"),
            Outcome.PASS,
        ),
        **dict.fromkeys(("dispatch", "backfill", "composite", "transition", "find-changes"), Outcome.PASS),
        **dict.fromkeys(("measure", "measure-backfill"), Outcome.FAIL),
    }
    assert all(base64.b64decode(envelope["message"]["data"]) for envelope in pushed)


def test_google_is_asked_for_secrets_and_log_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Any]] = []

    def services(environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        asked.append((request.path, request.get_json(silent=True)))
        if request.path.endswith("/landcover-event-secrets/versions/latest:access"):
            return Response("{}", 404)(environ, start_response)
        if request.path.endswith(":access"):
            body: Any = {"payload": {"data": base64.b64encode(b"whsec_short whsec_short").decode()}}
        else:
            body = {"entries": [{"jsonPayload": {"message": "done", "message_id": "7", "function": "measure"}}]}
        return Response(json.dumps(body), content_type="application/json")(environ, start_response)

    server = PooledServer(services).start()
    monkeypatch.setattr(google, "_SECRET_MANAGER", server.url)
    monkeypatch.setattr(google, "_LOGGING", server.url)
    monkeypatch.setattr(google, "session", Session)
    try:
        assert google.secret("p", "landcover-event-secrets") is None
        assert google.secret("p", "landcover-webhook-secrets") == "whsec_short whsec_short"
        lines_found = google.log_lines("p", pubsub.datetime.now(pubsub.UTC), ["7", "8"])
    finally:
        server.stop()
    assert [line["message_id"] for line in lines_found] == ["7"]
    assert asked[-1][0] == "/v2/entries:list"
    assert asked[-1][1]["filter"].endswith('AND jsonPayload.message_id=("7" OR "8")')
    assert asked[1][0] == "/v1/projects/p/secrets/landcover-webhook-secrets/versions/latest:access"


@pytest.mark.parametrize(
    ("secret", "fault"),
    [
        ("whsec_" + base64.b64encode(bytes(32)).decode(), None),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "has 23 bytes, expected 24 to 64"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "has 65 bytes, expected 24 to 64"),
        ("whsec_###", "is not base64 behind whsec_"),
        (base64.b64encode(bytes(32)).decode(), "does not begin with whsec_"),
    ],
)
def test_the_form_of_secrets(secret: str, fault: str | None) -> None:
    assert secrets.fault_of(secret) == fault


def hint_call(deployment: Deployment, url: str | None) -> dict[str, str]:
    """What is found at an address for hints, by part."""
    return {finding.part: finding.found for finding in secrets.hint_call(replace(deployment, hint_url=url))}


def test_an_address_with_other_secrets_fails(deployment: Deployment) -> None:
    other = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    signed = secrets._called(str(deployment.webhook_url), "{}", secrets._signed(other, "{}"), 422, "secret 1")
    assert (signed.outcome, signed.found) == (Outcome.FAIL, "answered 401, expected 422")
    assert hint_call(deployment, None) == {"": "no address that takes hints: give --hint-url"}
    assert hint_call(deployment, deployment.webhook_url) == {
        "unknown sender": "answered 401, expected 401",
        "local": "answered 401, expected 422",
    }
    assert secrets._looked_at("", "x").found == "none is there: x"
    assert secrets._looked_at(f"{other} {other}", "x").found == "one is there twice"
