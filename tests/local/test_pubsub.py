"""The in-process bus and Google's emulator keep the same promises, from the same definition."""

import base64
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from local.pubsub import bus, emulator
from local.pubsub.bus import Bus
from local.pubsub.emulator import GooglePubSub
from shared.errors import RetryLaterError
from shared.messages import publishing
from shared.messages.bodies import Topic
from shared.messages.subscriptions import Messaging, messaging
from shared.settings import Settings

WAIT_SECONDS = 90.0


class Push(NamedTuple):
    """One delivery as the function sees it."""

    function: str
    subscription: str
    message_id: str
    data: bytes
    attributes: dict[str, str]
    attempt: int


class Receiver:
    """Stands where the functions stand: notes every push and answers as ``answer`` says."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.answer: Callable[[Push], int] = lambda push: 200
        self._lock = threading.Lock()

    def push(self, function: str, body: dict[str, Any]) -> int:
        message = body["message"]
        push = Push(
            function,
            body["subscription"].rsplit("/", 1)[-1],
            message["messageId"],
            base64.b64decode(message.get("data", "")),
            message.get("attributes") or {},
            body.get("deliveryAttempt", 1),
        )
        with self._lock:
            self.pushes.append(push)
        return self.answer(push)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        status = self.push(request.path.strip("/"), request.get_json())
        return Response(status=status)(environ, start_response)

    def of(self, subscription: str) -> list[Push]:
        with self._lock:
            return [push for push in self.pushes if push.subscription == subscription]

    def eventually(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain; pushed so far: {self.pushes}"
            time.sleep(0.05)


def quick() -> Messaging:
    """The real definition but for patience: five attempts (the fewest Pub/Sub takes), no backoff to speak of."""
    impatient = {"max_delivery_attempts": 5, "minimum_backoff_seconds": 0, "maximum_backoff_seconds": 1}
    defined = messaging()
    return defined.model_copy(
        update={"subscriptions": tuple(s.model_copy(update=impatient) for s in defined.subscriptions)}
    )


Carrier = tuple[Bus | GooglePubSub, Receiver]


class Forwarding:
    """Where the emulator pushes to for the whole module: on to whoever receives at the time."""

    def __init__(self, google: GooglePubSub) -> None:
        self.google = google
        self.receiver = Receiver()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        return self.receiver(environ, start_response)


@pytest.fixture(scope="module")
def forwarding() -> Iterator[Forwarding]:
    """Google's emulator, which takes seconds to start."""
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not on this machine")
    running = Forwarding(GooglePubSub("local-project").start())
    server = make_server("127.0.0.1", 0, running, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emulator, "messaging", quick)
        running.google.subscribe(f"http://127.0.0.1:{server.port}")
    yield running
    running.google.stop()
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["bus", "emulator"])
def carrier(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Carrier]:
    if request.param == "emulator":
        running: Forwarding = request.getfixturevalue("forwarding")
        running.receiver = Receiver()
        yield running.google, running.receiver
        return
    receiver = Receiver()
    monkeypatch.setattr(bus, "messaging", quick)
    own = Bus("local-project", receiver.push).start()
    yield own, receiver
    own.stop()


def test_a_message_arrives_whole_at_the_subscription_of_its_topic_and_lane(carrier: Carrier) -> None:
    pubsub, receiver = carrier
    pubsub.publish("measurements", b'{"x": "\xc3\xa9"}', {"lane": "backfill"})
    receiver.eventually(lambda: bool(receiver.of("measure-backfill")))
    (push,) = receiver.of("measure-backfill")
    assert (push.function, push.data, push.attributes) == ("measure", b'{"x": "\xc3\xa9"}', {"lane": "backfill"})


def test_what_is_not_acknowledged_comes_again_until_it_is(carrier: Carrier) -> None:
    pubsub, receiver = carrier
    receiver.answer = lambda push: 500 if len(receiver.of("dispatch")) < 4 else 200
    pubsub.publish("acquisitions", b"{}", {})
    receiver.eventually(lambda: len(receiver.of("dispatch")) == 4)
    pushes = receiver.of("dispatch")
    assert len({push.message_id for push in pushes}) == 1
    if isinstance(pubsub, Bus):  # as the service does; the emulator leaves the count out of its pushes
        assert [push.attempt for push in pushes] == [1, 2, 3, 4]
    assert receiver.of("record-dead-letter") == []


def test_a_poison_message_blocks_no_other_and_ends_as_a_dead_letter(carrier: Carrier) -> None:
    pubsub, receiver = carrier
    receiver.answer = lambda push: 500 if push.data == b"poison" and push.subscription == "dispatch" else 200
    pubsub.publish("acquisitions", b"poison", {"origin": "test"})
    for number in range(20):
        pubsub.publish("acquisitions", str(number).encode(), {})
    receiver.eventually(lambda: {p.data for p in receiver.of("dispatch")} >= {str(n).encode() for n in range(20)})
    receiver.eventually(lambda: bool(receiver.of("record-dead-letter")))
    (dead,) = receiver.of("record-dead-letter")
    assert dead.data == b"poison"
    assert "topic" not in dead.attributes, "Pub/Sub names the subscription only"
    assert dead.attributes["origin"] == "test"
    assert dead.attributes["CloudPubSubDeadLetterSourceSubscription"] == "dispatch"
    assert int(dead.attributes["CloudPubSubDeadLetterSourceDeliveryCount"]) >= 5


def test_the_same_body_published_twice_is_two_messages(carrier: Carrier) -> None:
    pubsub, receiver = carrier
    ids = {pubsub.publish("aoi-registrations", b"same", {}) for _ in range(2)}
    receiver.eventually(lambda: {push.message_id for push in receiver.of("backfill")} == ids)
    assert len(ids) == 2


def test_the_bus_delivers_after_a_restart_what_was_not_acknowledged(tmp_path: Path) -> None:
    before, after = Receiver(), Receiver()
    before.answer = lambda push: 200 if push.data == b"done" else 500
    first = Bus("local-project", before.push, tmp_path / "messages.sqlite").start()
    first.publish("acquisitions", b"done", {})
    first.publish("acquisitions", b"pending", {"a": "b"})
    before.eventually(lambda: {push.data for push in before.of("dispatch")} == {b"done", b"pending"})
    first.stop()
    second = Bus("local-project", after.push, tmp_path / "messages.sqlite").start()
    assert second.wait_idle(WAIT_SECONDS)
    second.stop()
    (push,) = after.of("dispatch")
    assert (push.data, push.attributes) == (b"pending", {"a": "b"})
    assert push.attempt > 1


def test_a_request_is_as_large_as_the_service_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages for 1,000 areas with the longest ids are 158 kB each: a hundred of them are too many bytes at once."""
    received = Receiver()
    running = Bus("some-project", received.push).start()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", running.address)
    publishing.publisher.cache_clear()
    sizes: list[int] = []
    kept = running.publish
    monkeypatch.setattr(
        running, "publish", lambda topic, data, given: (sizes.append(len(data)), kept(topic, data, given))[1]
    )
    settings = Settings(project="some-project")
    try:
        messages = [(bytes([n % 256]) * 158_000, {"n": str(n)}) for n in range(130)]
        assert publishing.publish_raw(settings, Topic.DEAD_LETTERS, messages) == 130
        assert sizes == [158_000] * 130
        assert publishing.publish_raw(settings, Topic.DEAD_LETTERS, []) == 0
        with pytest.raises(RetryLaterError, match="request_size is too large"):
            publishing.publish_raw(settings, Topic.DEAD_LETTERS, [(b"x" * 10_000_001, {})])
    finally:
        running.stop()
        publishing.publisher.cache_clear()
