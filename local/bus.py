"""An in-process Pub/Sub: the real publisher client talks to it over gRPC, and it pushes to the functions.

At least once, with filters, redelivery after a backoff and dead-lettering after the attempts that the shared
definition states. Backoffs are shortened: nobody on a laptop waits ten minutes.
"""

import base64
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent import futures
from datetime import UTC, datetime
from typing import Any, NamedTuple

import grpc
from google.pubsub_v1 import types

from shared.messaging import Subscription, messaging

# Delivers one push body to a function and answers the HTTP status.
Push = Callable[[str, dict[str, Any]], int]

_BACKOFF_SCALE = 0.01
_LONGEST_BACKOFF_SECONDS = 2.0
_DEAD_LETTER_TOPIC = "dead-letters"
_LOG = logging.getLogger("landcover.bus")


class _Message(NamedTuple):
    message_id: str
    data: bytes
    attributes: dict[str, str]
    published_at: str


class _Queue:
    """Messages waiting for one subscription, by the time at which they are due."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.waiting: list[tuple[float, int, _Message, int]] = []


class Bus:
    """Topics and subscriptions in memory, one delivery at a time for each subscription."""

    def __init__(self, project: str, push: Push) -> None:
        self._project = project
        self._push = push
        self._ids = itertools.count(1)
        self._changed = threading.Condition()
        self._queues = [_Queue(subscription) for subscription in messaging().subscriptions]
        self._unfinished = 0
        self._stopping = False
        self.delivered: dict[str, int] = {}
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
        self._server.add_generic_rpc_handlers((_publisher_service(self),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._threads = [
            threading.Thread(target=self._deliver, args=(queue,), name=f"push-{queue.subscription.name}", daemon=True)
            for queue in self._queues
        ]

    def start(self) -> "Bus":
        self._server.start()
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Stop delivering; what was not acknowledged is lost with the process."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._server.stop(grace=None)
        for thread in self._threads:
            thread.join(timeout=10)

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        """Queue a message for every subscription of the topic whose filter it passes; returns its id."""
        message = _Message(str(next(self._ids)), data, dict(attributes), datetime.now(UTC).isoformat())
        with self._changed:
            for queue in self._queues:
                wanted = queue.subscription
                if wanted.topic == topic and wanted.filter.items() <= message.attributes.items():
                    self._enqueue(queue, message, attempt=1, delay_seconds=0)
                    self._unfinished += 1
            self._changed.notify_all()
        return message.message_id

    def wait_idle(self, timeout_seconds: float, watch: Callable[[], None] = lambda: None) -> bool:
        """Wait until every message is acknowledged or dead; False when time runs out. Calls ``watch`` meanwhile."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while self._unfinished:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return False
                self._changed.wait(min(0.5, remaining))
                watch()
        return True

    @property
    def unfinished(self) -> int:
        """Messages not yet acknowledged."""
        return self._unfinished

    def _enqueue(self, queue: _Queue, message: _Message, attempt: int, delay_seconds: float) -> None:
        heapq.heappush(queue.waiting, (time.monotonic() + delay_seconds, next(self._ids), message, attempt))

    def _next(self, queue: _Queue) -> tuple[_Message, int] | None:
        with self._changed:
            while not self._stopping:
                if queue.waiting:
                    due_in = queue.waiting[0][0] - time.monotonic()
                    if due_in <= 0:
                        _, _, message, attempt = heapq.heappop(queue.waiting)
                        return message, attempt
                    self._changed.wait(due_in)
                else:
                    self._changed.wait()
            return None

    def _deliver(self, queue: _Queue) -> None:
        subscription = queue.subscription
        while (taken := self._next(queue)) is not None:
            message, attempt = taken
            try:
                accepted = (
                    200 <= self._push(subscription.function, self._envelope(subscription, message, attempt)) < 300
                )
            except Exception:
                _LOG.exception("push to %s failed", subscription.function)
                accepted = False
            if not accepted and attempt >= subscription.max_delivery_attempts:
                self._bury(subscription, message, attempt)
                accepted = True
            with self._changed:
                if accepted:
                    self._unfinished -= 1
                    self.delivered[subscription.function] = self.delivered.get(subscription.function, 0) + 1
                else:
                    delay = subscription.minimum_backoff_seconds * _BACKOFF_SCALE * 2 ** (attempt - 1)
                    self._enqueue(queue, message, attempt + 1, min(delay, _LONGEST_BACKOFF_SECONDS))
                self._changed.notify_all()

    def _bury(self, subscription: Subscription, message: _Message, attempt: int) -> None:
        if subscription.topic == _DEAD_LETTER_TOPIC:
            _LOG.error("dead letter %s could not be recorded", message.message_id)
            return
        origin = {
            "CloudPubSubDeadLetterSourceSubscription": subscription.name,
            "CloudPubSubDeadLetterSourceDeliveryCount": str(attempt),
            "topic": subscription.topic,
        }
        self.publish(_DEAD_LETTER_TOPIC, message.data, {**message.attributes, **origin})

    def _envelope(self, subscription: Subscription, message: _Message, attempt: int) -> dict[str, Any]:
        """The body of a Pub/Sub push request."""
        return {
            "message": {
                "data": base64.b64encode(message.data).decode(),
                "attributes": message.attributes,
                "messageId": message.message_id,
                "message_id": message.message_id,
                "publishTime": message.published_at,
            },
            "subscription": f"projects/{self._project}/subscriptions/{subscription.name}",
            "deliveryAttempt": attempt,
        }


def _publisher_service(bus: Bus) -> grpc.GenericRpcHandler:
    """google.pubsub.v1.Publisher with the one method the functions call."""
    request_type = types.PublishRequest.pb()
    known = set(messaging().topics)

    def publish(request: Any, context: grpc.ServicerContext) -> Any:
        topic = request.topic.rsplit("/", 1)[-1]
        if topic not in known:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={topic}).")
        ids = [bus.publish(topic, bytes(m.data), dict(m.attributes)) for m in request.messages]
        return types.PublishResponse.pb(types.PublishResponse(message_ids=ids))

    handler = grpc.unary_unary_rpc_method_handler(
        publish, request_deserializer=request_type.FromString, response_serializer=lambda m: m.SerializeToString()
    )
    return grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": handler})
