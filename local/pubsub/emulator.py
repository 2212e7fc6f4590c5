"""Google's own Pub/Sub emulator, set up from the shared definition, in place of the in-process bus.

The emulator takes subscription filters but delivers every message to every subscription of a topic; the functions
cope, since a tick for another job is ignored and a measurement done twice counts once.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import grpc
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import PubsubMessage

from local.pubsub.subscriptions import UNRECORDED_TOPIC, subscription_of
from local.servers.ports import free_port
from shared.errors import UserInputError
from shared.messages.subscriptions import messaging

_START_SECONDS = 60.0
# The emulator does not say what is still to come; it pushes at once, so a silence this long means that nothing is.
_QUIET_SECONDS = 4.0


class GooglePubSub:
    """The emulator as a child process. Raises UserInputError where gcloud or its emulator is not installed."""

    def __init__(self, project: str) -> None:
        gcloud = shutil.which("gcloud")
        if gcloud is None:
            raise UserInputError("gcloud is not installed; it brings Google's Pub/Sub emulator")
        self._project = project
        self.address = f"127.0.0.1:{free_port()}"
        options = [f"--project={project}", f"--host-port={self.address}"]
        self._command = [gcloud, "beta", "emulators", "pubsub", "start", *options]
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = threading.Condition()
        self._in_flight = 0
        self._last_push = time.monotonic()
        self.delivered: dict[str, int] = {}

    def start(self) -> "GooglePubSub":
        self._process = subprocess.Popen(  # noqa: S603 — no shell, no outside input
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        channel = grpc.insecure_channel(self.address)
        try:
            grpc.channel_ready_future(channel).result(timeout=_START_SECONDS)
        except grpc.FutureTimeoutError:
            self.stop()
            raise UserInputError(
                "Google's Pub/Sub emulator did not start; is it installed (gcloud components)?"
            ) from None
        self._publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        self._subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        for topic in (*messaging().topics, UNRECORDED_TOPIC):
            self._publisher.create_topic(name=self._topic(topic))
        return self

    def subscribe(self, functions_url: str) -> None:
        """Create the push subscriptions, each pushing to ``functions_url/FUNCTION``."""
        for subscription in messaging().subscriptions:
            self._subscriber.create_subscription(request=subscription_of(subscription, self._project, functions_url))

    def stop(self) -> None:
        """End the emulator and the Java process it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(timeout=20)

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish one message; returns its id."""
        message = PubsubMessage(data=data, attributes=dict(attributes))
        with self._watch:
            self._last_push = time.monotonic()
        answer = self._publisher.publish(topic=self._topic(topic), messages=[message])
        return str(answer.message_ids[0])

    @contextlib.contextmanager
    def noticing(self, function: str) -> Iterator[None]:
        """Around each push that arrives, so that ``wait_idle`` knows of it."""
        with self._watch:
            self._in_flight += 1
        try:
            yield
        finally:
            with self._watch:
                self._in_flight -= 1
                self._last_push = time.monotonic()
                self.delivered[function] = self.delivered.get(function, 0) + 1

    def wait_idle(self, timeout_seconds: float, watch: Callable[[], None] = lambda: None) -> bool:
        """Wait until nothing was pushed for a while; False when time runs out."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            with self._watch:
                if not self._in_flight and time.monotonic() - self._last_push > _QUIET_SECONDS:
                    return True
            watch()
            time.sleep(0.2)
        return False

    @property
    def unfinished(self) -> int:
        """Pushes being handled right now."""
        return self._in_flight

    def _topic(self, name: str) -> str:
        return f"projects/{self._project}/topics/{name}"
