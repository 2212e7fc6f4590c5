"""An in-process Pub/Sub: the real publisher client talks to it over gRPC, and it pushes to the functions.

At least once, with filters, redelivery after a backoff and dead-lettering after the attempts that the shared
definition states; what is not acknowledged outlives the process. Backoffs are shortened: nobody on a laptop waits
ten minutes.
"""

import base64
import heapq
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent import futures
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from google.pubsub_v1 import types

from local.pubsub.journal import Journal, Message
from local.pubsub.subscriptions import subscription_of
from shared.messages.subscriptions import Subscription, messaging

# Delivers one push body to a function and answers the HTTP status.
Push = Callable[[str, dict[str, Any]], int]

_BACKOFF_SCALE = 0.01
_LONGEST_BACKOFF_SECONDS = 2.0
_DEAD_LETTER_TOPIC = "dead-letters"
# The service's limit and its words (googleapis/google-cloud-python#5898). gRPC itself stops at 4 MB, unless told.
_MOST_REQUEST_BYTES = 10_000_000
_GRPC_OPTIONS = [("grpc.max_receive_message_length", 2 * _MOST_REQUEST_BYTES)]
_LOG = logging.getLogger("landcover.bus")


class _Delivery(NamedTuple):
    """A message on its way to one subscription."""

    delivery_id: int
    message: Message
    attempt: int


class _Queue:
    """Messages waiting for one subscription, by the time at which they are due."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.waiting: list[tuple[float, _Delivery]] = []


class Bus:
    """Topics and subscriptions, one delivery at a time for each subscription.

    ``journal`` is the file that keeps what was not acknowledged; what an earlier process left there is delivered.
    ``prefix`` begins the names by which the functions know topics and subscriptions.
    """

    def __init__(self, project: str, push: Push, journal: Path | None = None, prefix: str = "") -> None:
        self._project = project
        self.prefix = prefix
        self._push = push
        self._journal = Journal(journal)
        self._changed = threading.Condition()
        self._queues = [_Queue(subscription) for subscription in messaging().subscriptions]
        self._unfinished = 0
        queues = {queue.subscription.name: queue for queue in self._queues}
        for delivery_id, name, message, attempt in self._journal.waiting():
            self._enqueue(queues[name], _Delivery(delivery_id, message, attempt), delay_seconds=0)
            self._unfinished += 1
        self._stopping = False
        self.delivered: dict[str, int] = {}
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=_GRPC_OPTIONS)
        self._server.add_generic_rpc_handlers((_publisher_service(self), _subscriber_service(project, prefix)))
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
        """Stop delivering; what was not acknowledged stays in the journal."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._server.stop(grace=None)
        for thread in self._threads:
            thread.join(timeout=10)
        if not any(thread.is_alive() for thread in self._threads):
            self._journal.close()

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        """Queue a message for every subscription of the topic whose filter it passes; returns its id."""
        message = Message(uuid.uuid4().hex, data, dict(attributes), datetime.now(UTC).isoformat())
        takers = [
            queue
            for queue in self._queues
            if queue.subscription.topic == topic and queue.subscription.filter.items() <= message.attributes.items()
        ]
        ids = self._journal.add(message, [queue.subscription.name for queue in takers])
        with self._changed:
            for queue, delivery_id in zip(takers, ids, strict=True):
                self._enqueue(queue, _Delivery(delivery_id, message, attempt=1), delay_seconds=0)
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

    def _enqueue(self, queue: _Queue, delivery: _Delivery, delay_seconds: float) -> None:
        heapq.heappush(queue.waiting, (time.monotonic() + delay_seconds, delivery))

    def _next(self, queue: _Queue) -> _Delivery | None:
        with self._changed:
            while not self._stopping:
                if queue.waiting:
                    due_in = queue.waiting[0][0] - time.monotonic()
                    if due_in <= 0:
                        return heapq.heappop(queue.waiting)[1]
                    self._changed.wait(due_in)
                else:
                    self._changed.wait()
            return None

    def _deliver(self, queue: _Queue) -> None:
        subscription = queue.subscription
        while (delivery := self._next(queue)) is not None:
            try:
                status = self._push(subscription.function, self._envelope(subscription, delivery))
            except Exception:
                _LOG.exception("push to %s failed", subscription.function)
                status = 500
            accepted = 200 <= status < 300
            if not accepted and delivery.attempt >= subscription.max_delivery_attempts:
                self._bury(subscription, delivery)
                accepted = True
            with self._changed:
                if accepted:
                    self._journal.done(delivery.delivery_id)
                    self._unfinished -= 1
                    self.delivered[subscription.function] = self.delivered.get(subscription.function, 0) + 1
                else:
                    again = delivery._replace(attempt=delivery.attempt + 1)
                    self._journal.attempted(again.delivery_id, again.attempt)
                    delay = subscription.minimum_backoff_seconds * _BACKOFF_SCALE * 2 ** (delivery.attempt - 1)
                    self._enqueue(queue, again, min(delay, _LONGEST_BACKOFF_SECONDS))
                self._changed.notify_all()

    def _bury(self, subscription: Subscription, delivery: _Delivery) -> None:
        message = delivery.message
        if subscription.topic == _DEAD_LETTER_TOPIC:
            _LOG.error("dead letter %s could not be recorded", message.message_id)
            return
        origin = {
            "CloudPubSubDeadLetterSourceSubscription": f"{self.prefix}{subscription.name}",
            "CloudPubSubDeadLetterSourceDeliveryCount": str(delivery.attempt),
        }
        self.publish(_DEAD_LETTER_TOPIC, message.data, {**message.attributes, **origin})

    def _envelope(self, subscription: Subscription, delivery: _Delivery) -> dict[str, Any]:
        """The body of a Pub/Sub push request."""
        message = delivery.message
        return {
            "message": {
                "data": base64.b64encode(message.data).decode(),
                "attributes": message.attributes,
                "messageId": message.message_id,
                "message_id": message.message_id,
                "publishTime": message.published_at,
            },
            "subscription": f"projects/{self._project}/subscriptions/{self.prefix}{subscription.name}",
            "deliveryAttempt": delivery.attempt,
        }


def _publisher_service(bus: Bus) -> grpc.GenericRpcHandler:
    """google.pubsub.v1.Publisher with the one method the functions call."""
    request_type = types.PublishRequest.pb()
    known = {f"{bus.prefix}{topic}": topic for topic in messaging().topics}

    def publish(request: Any, context: grpc.ServicerContext) -> Any:
        name = request.topic.rsplit("/", 1)[-1]
        topic = known.get(name)
        if topic is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={name}).")
        if request.ByteSize() > _MOST_REQUEST_BYTES:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"The value for request_size is too large. You passed {request.ByteSize()} in the request, but the "
                f"maximum value is {_MOST_REQUEST_BYTES}.",
            )
        ids = [bus.publish(topic, bytes(m.data), dict(m.attributes)) for m in request.messages]
        return types.PublishResponse.pb(types.PublishResponse(message_ids=ids))

    handler = grpc.unary_unary_rpc_method_handler(
        publish, request_deserializer=request_type.FromString, response_serializer=lambda m: m.SerializeToString()
    )
    return grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": handler})


def _subscriber_service(project: str, prefix: str) -> grpc.GenericRpcHandler:
    """google.pubsub.v1.Subscriber with the one method that looks at a subscription."""
    request_type = types.GetSubscriptionRequest.pb()
    known = {f"projects/{project}/subscriptions/{prefix}{s.name}": s for s in messaging().subscriptions}

    def get(request: Any, context: grpc.ServicerContext) -> Any:
        if request.subscription not in known:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={request.subscription}).")
        return types.Subscription.pb(subscription_of(known[request.subscription], project, "in-process:", prefix))

    handler = grpc.unary_unary_rpc_method_handler(
        get, request_deserializer=request_type.FromString, response_serializer=lambda m: m.SerializeToString()
    )
    return grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", {"GetSubscription": handler})
