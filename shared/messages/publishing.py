"""Publishing message bodies to topics. Synchronous: when ``publish`` returns, Pub/Sub has the messages."""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import grpc
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PubsubMessage

from shared.errors import RetryLaterError
from shared.messages.bodies import Message, Topic
from shared.settings import Settings

_TIMEOUT_SECONDS = 30.0
# The service takes 1,000 messages and 10 MB in one request, of which the topic and the framing are a part.
_MESSAGES_PER_REQUEST = 100
_BYTES_PER_REQUEST = 9_000_000


def publish(
    settings: Settings, topic: Topic, bodies: Iterable[Message], attributes: Mapping[str, str] | None = None
) -> int:
    """Publish each body as JSON. Returns how many were published; raises RetryLaterError when Pub/Sub refuses."""
    encoded = (body.model_dump_json(exclude_none=True).encode() for body in bodies)
    return publish_raw(settings, topic, [(data, attributes or {}) for data in encoded])


def publish_raw(settings: Settings, topic: str, messages: Iterable[tuple[bytes, Mapping[str, str]]]) -> int:
    """Publish bytes with their attributes. Returns how many were published; raises RetryLaterError."""
    path = f"projects/{settings.project}/topics/{settings.messaging_prefix}{topic}"
    published = 0
    for batch in _batches(PubsubMessage(data=data, attributes=dict(attributes)) for data, attributes in messages):
        try:
            publisher().publish(topic=path, messages=batch, timeout=_TIMEOUT_SECONDS)
        except (GoogleAPICallError, RetryError) as error:
            raise RetryLaterError(f"Pub/Sub topic {topic}: {error}") from error
        published += len(batch)
    return published


def _batches(messages: Iterable[PubsubMessage]) -> Iterator[list[PubsubMessage]]:
    """Messages in order, in requests that the service takes."""
    batch: list[PubsubMessage] = []
    batch_bytes = 0
    for message in messages:
        message_bytes = PubsubMessage.pb(message).ByteSize()
        if batch and (len(batch) == _MESSAGES_PER_REQUEST or batch_bytes + message_bytes > _BYTES_PER_REQUEST):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(message)
        batch_bytes += message_bytes
    if batch:
        yield batch


@lru_cache(maxsize=1)
def publisher() -> PublisherClient:
    """The client of this process, or of the emulator that the environment names."""
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    if emulator:
        return PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(emulator)))
    return PublisherClient()
