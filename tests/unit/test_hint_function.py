"""The function ``hint`` as it is deployed, but for Pub/Sub: whatever is sent, one of its answers, and no connection."""

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from hypothesis import HealthCheck, given, settings
from werkzeug.test import Client, TestResponse

from local.stack import forget_clients
from shared.errors import RetryLaterError
from shared.imagery.names import parse_scene_name
from shared.messages import publishing
from shared.webhooks.hints import MOST_BYTES
from tests import connections
from tests.notices import NOWHERE, PRODUCT, basic, confirmation, data_space, rubbish, sns, sns_event

ROOT = Path(__file__).resolve().parents[2]
CREDENTIALS = f"copernicus:{'c' * 40} sns:{'s' * 40}"
RIGHT = {"Authorization": basic(CREDENTIALS.split(maxsplit=1)[0])}
# what the pipeline lists when nobody says otherwise, and longer than Sentinel-2 flies
USUAL, EVER = "45", "20000"


class Hint:
    """The function behind its WSGI application, and what it publishes."""

    def __init__(self) -> None:
        app = functions_framework.create_app("hint", str(ROOT / "functions" / "hint.py"))
        self._client = Client(app)
        self.published: list[str] = []

    def send(self, body: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> TestResponse:
        with connections.none_made():
            return self._client.open("/", method=method, data=body, headers=RIGHT if headers is None else headers)

    def publish(self, settings: Any, topic: str, messages: Any) -> int:
        assert topic == "acquisitions"
        found = [json.loads(data) for data, _ in messages]
        assert all(message == {"image_id": message["image_id"], "also": []} for message in found), (
            "an id, and nothing else of the notice"
        )
        self.published += [message["image_id"] for message in found]
        return len(found)


@pytest.fixture(scope="module")
def hint() -> Iterator[Hint]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LANDCOVER_PROJECT", "some-project")
        patched.setenv("LANDCOVER_HINT_CREDENTIALS", CREDENTIALS)
        patched.setenv("LANDCOVER_DISCOVER_WINDOW_DAYS", EVER)
        patched.setenv("LANDCOVER_MAX_HINTS_PER_HOUR", "1000000")
        forget_clients()
        made = Hint()
        patched.setattr(publishing, "publish_raw", made.publish)
        yield made
    forget_clients()


@pytest.fixture
def setting(hint: Hint, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Changes a setting for a test, with an hour that begins anew."""
    ceiling = sys.modules["hint"].ceiling  # as functions-framework names it

    def change(name: str, value: str) -> None:
        monkeypatch.setenv(f"LANDCOVER_{name}", value)
        forget_clients()
        ceiling.cache_clear()

    yield change
    monkeypatch.undo()
    forget_clients()
    ceiling.cache_clear()


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = response.get_json(force=True)
    assert document["status"] == status
    return document


def test_notices_become_acquisitions_and_repetitions_do_so_again(hint: Hint) -> None:
    hint.published.clear()
    for body in (data_space(), sns(), sns_event(sns()), data_space()):
        response = hint.send(body)
        assert (response.status_code, response.get_json()) == (202, {"product_ids": [PRODUCT]})
    assert hint.published == [PRODUCT] * 4


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": basic("copernicus:" + "x" * 40)},
        {"Authorization": basic("sns:" + "c" * 40)},
        {"Authorization": basic(CREDENTIALS)},
        {"Authorization": RIGHT["Authorization"].replace("Basic", "Bearer")},
        {"X-Authorization": RIGHT["Authorization"]},
        {"Proxy-Authorization": RIGHT["Authorization"]},
    ],
)
def test_who_has_no_credentials_is_asked_for_them_and_publishes_nothing(hint: Hint, headers: dict[str, str]) -> None:
    hint.published.clear()
    response = hint.send(data_space(), headers)
    problem(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Basic realm="), "else SNS never sends them"
    assert hint.published == []


def test_without_credentials_in_the_settings_nobody_is_known(hint: Hint, setting: Any) -> None:
    setting("HINT_CREDENTIALS", "")
    for headers in (RIGHT, {}, {"Authorization": basic(":")}, {"Authorization": "Basic "}):
        problem(hint.send(data_space(), headers), 401)


def test_what_was_sensed_long_ago_is_taken_and_not_passed_on(hint: Hint, setting: Any) -> None:
    setting("DISCOVER_WINDOW_DAYS", USUAL)
    hint.published.clear()
    response = hint.send(data_space())
    assert (response.status_code, response.get_json()) == (202, {"product_ids": []})
    assert hint.published == []


def test_a_product_of_days_to_come_is_refused(hint: Hint) -> None:
    assert "not sensed yet" in problem(hint.send(data_space(PRODUCT.replace("2019", "2099"))), 422)["detail"]


def test_a_subscription_that_waits_is_told_to_the_operator_and_never_confirmed(
    hint: Hint, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("landcover")
    logger.addHandler(caplog.handler)
    try:
        response = hint.send(confirmation())
    finally:
        logger.removeHandler(caplog.handler)
    assert (response.status_code, response.get_json()) == (202, {"product_ids": []})
    (waits,) = (record for record in caplog.records if record.getMessage() == "subscription waits")
    fields = waits.__dict__["fields"]
    assert (fields["token"], fields["sender"]) == ("2336412f37fb687f", "copernicus")
    assert NOWHERE not in json.dumps(fields)


def test_too_many_in_an_hour_are_refused_until_it_is_over(hint: Hint, setting: Any) -> None:
    setting("MAX_HINTS_PER_HOUR", "2")
    hint.published.clear()
    assert [hint.send(data_space()).status_code for _ in range(2)] == [202, 202]
    response = hint.send(sns())
    problem(response, 429)
    assert 0 < int(response.headers["Retry-After"]) <= 3600
    assert len(hint.published) == 2
    problem(hint.send(b"{}"), 422)


def test_what_pubsub_does_not_take_is_worth_sending_again(hint: Hint, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise RetryLaterError("no")

    monkeypatch.setattr(publishing, "publish_raw", refuse)
    response = hint.send(data_space())
    problem(response, 503)
    assert response.headers["Retry-After"] == "30"


def test_only_post_is_taken_and_large_bodies_are_not(hint: Hint) -> None:
    for method in ("GET", "PUT", "DELETE"):
        problem(hint.send(b"", method=method), 405)
    assert str(MOST_BYTES) in problem(hint.send(b" " * (MOST_BYTES + 1)), 413)["detail"]
    problem(hint.send(b" " * (MOST_BYTES + 1), {}), 401)


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(rubbish)
def test_whatever_is_sent_one_of_the_answers_comes_and_only_products_are_published(hint: Hint, body: bytes) -> None:
    hint.published.clear()
    response = hint.send(body)
    if response.status_code != 202:
        problem(response, 422)
        assert hint.published == []
    for product in hint.published:
        assert parse_scene_name(product).datastrip_stamp == ""
        assert "/" not in product


def test_every_file_of_notifications(hint: Hint, shared_data: Path) -> None:
    folder = shared_data / "e_notifications"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hint.published.clear()
    statuses = {path.relative_to(folder).parts[0]: set() for path in files}
    for path in files:
        statuses[path.relative_to(folder).parts[0]].add(hint.send(path.read_bytes()).status_code)
    assert statuses == {"captured": {202}, "google-cloudevents": {422}, "product_ids.tsv": {422}}
    assert hint.published == [PRODUCT]
