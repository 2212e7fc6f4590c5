"""News is told to a receiver signed, once it can be, and to nobody it should not reach; every attempt is on record."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from shapely import box
from shapely.geometry import mapping
from standardwebhooks import Webhook

from local.stack import Stack
from shared.webhooks import outgoing
from shared.webhooks.outgoing import Outcome, send
from tests.news import patch_event
from tests.receiver import Receiver, receiving
from tests.scenes import write_scene
from tests.stacks import announce, feature, quiet, register, rows, settle, start_stack

SECRETS = ["whsec_bmV3IHNlY3JldCBvZiB0d2VudHktZm91cg==", "whsec_b2xkIHNlY3JldCBvZiB0d2VudHktZm91cg=="]
FIRST, SECOND = "20210703T023111_20210703T023105_T51TYL", "20210708T023109_20210708T023105_T51TYL"
SECOND_TILE = "20210708T023109_20210708T023105_T51TYK"
SQUARE = dict(mapping(box(125.661, 45.1, 125.672, 45.108)))


def scene(folder: Path, name: str) -> None:
    write_scene(folder, name, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200))


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, receiver: Receiver) -> Iterator[Stack]:
    with start_stack(tmp_path, event_url=receiver.url, event_secrets=" ".join(SECRETS)) as running:
        scene(tmp_path / "scenes", FIRST)
        register(running, feature("a", SQUARE))
        yield running


def payload(call: tuple[dict[str, str], bytes]) -> Any:
    return json.loads(call[1])


def test_a_new_image_is_told_of_and_a_backfill_is_not(stack: Stack, receiver: Receiver, tmp_path: Path) -> None:
    assert receiver.calls == [], "the history of an AOI is no news"
    scene(tmp_path / "scenes", SECOND)
    announce(stack, SECOND)
    ((headers, body),) = receiver.calls
    for secret in SECRETS:
        Webhook(secret).verify(body, headers)
    told = json.loads(body)
    assert set(told) == {"type", "timestamp", "data"}
    (row,) = (r for r in rows(stack, "observations") if r["overpass_id"] == SECOND[:15])
    assert told["type"] == "observation.created"
    assert (told["data"]["aoi_id"], told["data"]["overpass_id"]) == ("a", SECOND[:15])
    assert told["data"]["coverage"] == row["coverage"]
    assert [c["label_area_m2"] for c in told["data"]["classes"]] == [c["label_area_m2"] for c in row["classes"]]
    (delivery,) = rows(stack, "deliveries")
    assert (delivery["outcome"], delivery["status_code"]) == ("delivered", 200)
    assert (delivery["event_id"], delivery["aoi_id"]) == (headers["webhook-id"], "a")
    assert delivery["host"] == receiver.url.split("/")[2]


def test_the_same_news_has_the_same_id_and_a_more_complete_measurement_another(
    stack: Stack, receiver: Receiver, tmp_path: Path
) -> None:
    scene(tmp_path / "scenes", SECOND)
    announce(stack, SECOND)
    announce(stack, SECOND)
    scene(tmp_path / "scenes", SECOND_TILE)
    announce(stack, SECOND_TILE)
    ids = [headers["webhook-id"] for headers, _ in receiver.calls]
    assert ids[0] == ids[1] != ids[2]


def test_what_is_not_taken_is_tried_again_under_the_same_id_and_redirects_are_not_followed(
    stack: Stack, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.answers = [500, 429, 302, 404, 204]
    scene(tmp_path / "scenes", SECOND)
    announce(stack, SECOND)
    assert len({headers["webhook-id"] for headers, _ in receiver.calls}) == 1
    assert [d["status_code"] for d in rows(stack, "deliveries", "attempted_at")] == [500, 429, 302, 404, 204]
    assert Counter(d["outcome"] for d in rows(stack, "deliveries")) == {"failed": 4, "delivered": 1}
    assert receiver.elsewhere == 0


def test_a_receiver_that_is_gone_is_not_asked_again(stack: Stack, receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [410]
    scene(tmp_path / "scenes", SECOND)
    stack.bus.publish("acquisitions", json.dumps({"image_id": SECOND}).encode(), {})
    quiet(stack)
    assert len(receiver.calls) == 1
    (letter,) = rows(stack, "dead_letters")
    assert (letter["topic"], letter["function"]) == ("events", "deliver_event")
    assert "410" in letter["reason"]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "172.16.9.9", "169.254.169.254", "[::1]", "[fd00::1]",
     "0.0.0.0", "2130706433", "100.64.0.1", "[::ffff:10.0.0.1]"],
)  # fmt: skip
def test_private_addresses_are_refused_without_a_request(host: str, tmp_path: Path) -> None:
    moment = datetime(2021, 7, 3, tzinfo=UTC)
    attempt = send(patch_event(), f"https://{host}/hook", SECRETS, moment)
    assert (attempt.outcome, attempt.status_code) == (Outcome.REFUSED, None)


def test_a_name_that_leads_to_a_private_address_ends_as_a_dead_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_stack(tmp_path, event_url="https://localhost:9/x", event_secrets=SECRETS[0]) as stack:
        stack.bus.publish(
            "events", patch_event().model_dump_json(exclude_none=True).encode(), {"type": "change.confirmed"}
        )
        quiet(stack)
        (delivery,) = rows(stack, "deliveries")
        (letter,) = rows(stack, "dead_letters")
    assert (delivery["outcome"], delivery["status_code"]) == ("refused", None)
    assert "not a public address" in letter["reason"]


def test_a_receiver_that_cannot_be_had_or_is_not_trusted_has_failed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2021, 7, 3, tzinfo=UTC)
    nobody = send(patch_event(), "https://localhost:9/x", SECRETS, moment)
    assert (nobody.outcome, nobody.reason) == (Outcome.FAILED, "ConnectionError")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert send(patch_event(), receiver.url, SECRETS, moment).reason == "SSLError"
    assert receiver.calls == []


def test_an_answer_that_does_not_end_has_failed(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, the whole never: the platform would end the function, and no attempt be on record."""
    monkeypatch.setattr(outgoing, "_DEADLINE_SECONDS", 0.5)
    receiver.trickles.set()
    moment = datetime(2021, 7, 3, tzinfo=UTC)
    attempts = [send(patch_event(), receiver.url, SECRETS, moment) for _ in range(9)]
    assert {(a.outcome, a.status_code) for a in attempts} == {(Outcome.FAILED, None)}
    assert [a.reason for a in attempts] == ["no answer within 0.5 s"] * 8 + ["ConnectionError"], "one more has to wait"
    receiver.trickles.clear()


def test_without_an_address_nobody_is_told(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        stack.bus.publish(
            "events", patch_event().model_dump_json(exclude_none=True).encode(), {"type": "change.confirmed"}
        )
        settle(stack)
        assert rows(stack, "deliveries") == []


def test_production_follows_no_redirect_and_lets_no_private_address_pass() -> None:
    config = outgoing._HTTP.config
    assert (config.ip_filter_enable, config.ip_filter_allow_loopback_ips, config.never_redirect) == (True, False, True)
