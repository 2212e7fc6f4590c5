"""What every Pub/Sub function does around its work: decode, run, and decide between retry and dead letter.

Returning acknowledges, raising asks for another delivery. A message that can never succeed is recorded in
``dead_letters`` and acknowledged.
"""

import base64
import binascii
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from cloudevents.http import CloudEvent
from flask import request
from pydantic import ValidationError
from werkzeug.exceptions import Unauthorized

from shared.errors import DeploymentError, InvalidMessageError, NeverError, RetryLaterError, UntrustedCallerError
from shared.logs import log, log_fields, trace_field
from shared.messages.bodies import MeasurementRequest, Message, Topic
from shared.messages.push_token import require_push_account
from shared.settings import Settings, load_settings
from shared.warehouse.client import Warehouse

M = TypeVar("M", bound=Message)
# Message attribute of a dead letter that is published again: the id of the message that it was.
REPLAY_OF = "landcover_replay_of"


class Delivery(NamedTuple):
    """One delivered Pub/Sub message."""

    message_id: str
    body: bytes
    attributes: dict[str, str]


def read_delivery(event: CloudEvent) -> Delivery:
    """The Pub/Sub message inside a CloudEvent. Raises InvalidMessageError when there is none."""
    data = event.get_data()
    message = data.get("message") if isinstance(data, dict) else None
    if not isinstance(message, dict):
        raise InvalidMessageError("expected a Pub/Sub message in the event data")
    message_id = str(message.get("messageId") or message.get("message_id") or event["id"])
    try:
        body = base64.b64decode(message.get("data") or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise InvalidMessageError(f"message {message_id}: data is not base64") from None
    return Delivery(message_id, body, message.get("attributes") or {})


def parse(model: type[M], body: bytes) -> M:
    """A message body as its model. Raises InvalidMessageError that names each fault."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(p) for p in f['loc']) or 'body'}: {f['msg']}"
            for f in error.errors(include_input=False, include_url=False)[:10]
        )
        raise InvalidMessageError(f"not a valid {model.__name__}: {faults}") from None


@contextmanager
def trusted_push(function: str, settings: Settings) -> Iterator[None]:
    """Around the work of one push: refuse callers that may not push (401), name the request in every log line.

    Raises RetryLaterError when it cannot be told who pushes.
    """
    with log_fields(function=function, attempt=_attempt(), **trace_field(request.headers, settings.project)):
        try:
            require_push_account(request.headers.get("Authorization"), settings)
        except UntrustedCallerError as error:
            log(logging.WARNING, "refused: caller", reason=str(error))
            raise Unauthorized from None
        except RetryLaterError as error:
            log(logging.WARNING, "will be retried", error=f"{type(error).__name__}: {error}")
            raise
        yield


def delivery_attempt() -> int:
    """Which attempt at the message this request is, from 1 on; 1 where Pub/Sub does not say."""
    return _attempt() or 1


def _attempt() -> int | None:
    envelope = request.get_json(silent=True)
    attempt = envelope.get("deliveryAttempt") if isinstance(envelope, dict) else None
    return attempt if isinstance(attempt, int) and attempt >= 1 else None


def handle(
    event: CloudEvent,
    function: str,
    topic: str,
    model: type[M],
    work: Callable[[M, Settings], dict[str, Any]],
) -> None:
    """Run ``work`` on the message of an event and log one line with what it returns.

    Raises whatever should be delivered again, and Unauthorized for a caller that may not push; NeverError is
    recorded as a dead letter instead.
    """
    settings = load_settings()
    with trusted_push(function, settings):
        _run(event, function, topic, model, work, settings)


def _run(
    event: CloudEvent,
    function: str,
    topic: str,
    model: type[M],
    work: Callable[[M, Settings], dict[str, Any]],
    settings: Settings,
) -> None:
    started = time.monotonic()
    fields: dict[str, Any] = {"message_id": str(event["id"])}
    delivery = Delivery(str(event["id"]), b"", {})
    try:
        delivery = read_delivery(event)
        fields["message_id"] = delivery.message_id
        message = parse(model, delivery.body)
        fields |= message.subject()
        outcome = work(message, settings)
    except NeverError as error:
        append_dead_letter(settings, delivery, function, topic, str(error))
        log(logging.ERROR, "dead letter", **fields, reason=str(error))
        return
    except DeploymentError as error:
        # the words of an alert of its own: no message is at fault, and all wait until an operator or time mends it
        log(logging.ERROR, "deployment refused", **fields, error=str(error))
        raise
    except Exception as error:
        log(logging.WARNING, "will be retried", **fields, error=f"{type(error).__name__}: {error}")
        raise
    log(logging.INFO, "done", **fields, seconds=round(time.monotonic() - started, 3), **outcome)


def append_dead_letter(settings: Settings, delivery: Delivery, function: str, topic: str, reason: str) -> None:
    """Append one row to ``dead_letters``, with what the message was about where it can be told.

    One message has one letter in one function, however often it is delivered or replayed in vain.
    """
    origin = delivery.attributes.get(REPLAY_OF, delivery.message_id)
    about = _measurements(delivery) if topic == Topic.MEASUREMENTS else None
    row = {
        "dead_letter_id": hashlib.sha256(f"{origin}|{function}".encode()).hexdigest()[:32],
        "recorded_at": datetime.now(UTC).isoformat(),
        "topic": topic,
        "message_id": delivery.message_id,
        "function": function,
        "reason": reason[:4000],
        "body": delivery.body.decode("utf-8", "replace"),
        "attributes": json.dumps(delivery.attributes),
        "aois": [ref.model_dump() for ref in about.aois] if about else [],
        "overpass_ids": about.overpass_ids if about else [],
    }
    Warehouse(settings).append("dead_letters", [row])


def _measurements(delivery: Delivery) -> MeasurementRequest | None:
    try:
        return parse(MeasurementRequest, delivery.body)
    except InvalidMessageError:
        return None
