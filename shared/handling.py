"""What every Pub/Sub function does around its work: decode, run, and decide between retry and dead letter.

Returning acknowledges, raising asks for another delivery. A message that can never succeed is recorded in
``dead_letters`` and acknowledged.
"""

import base64
import binascii
import json
import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from cloudevents.http import CloudEvent
from pydantic import ValidationError

from shared.errors import InvalidMessageError, NeverError
from shared.logs import log
from shared.messages import Message
from shared.settings import Settings, load_settings
from shared.warehouse.client import Warehouse

M = TypeVar("M", bound=Message)


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


def handle(
    event: CloudEvent,
    function: str,
    topic: str,
    model: type[M],
    work: Callable[[M, Settings], dict[str, Any]],
) -> None:
    """Run ``work`` on the message of an event and log one line with what it returns.

    Raises whatever should be delivered again; NeverError is recorded as a dead letter instead.
    """
    settings = load_settings()
    started = time.monotonic()
    delivery = Delivery(str(event["id"]), b"", {})
    try:
        delivery = read_delivery(event)
        outcome = work(parse(model, delivery.body), settings)
    except NeverError as error:
        append_dead_letter(settings, delivery, function, topic, str(error))
        log(logging.ERROR, "dead letter", function=function, message_id=delivery.message_id, reason=str(error))
        return
    except Exception as error:
        log(
            logging.WARNING,
            "will be retried",
            function=function,
            message_id=delivery.message_id,
            error=f"{type(error).__name__}: {error}",
        )
        raise
    seconds = round(time.monotonic() - started, 3)
    log(logging.INFO, "done", function=function, message_id=delivery.message_id, seconds=seconds, **outcome)


def append_dead_letter(settings: Settings, delivery: Delivery, function: str, topic: str, reason: str) -> None:
    """Append one row to ``dead_letters``."""
    row = {
        "dead_letter_id": uuid.uuid4().hex,
        "recorded_at": datetime.now(UTC).isoformat(),
        "topic": topic,
        "message_id": delivery.message_id,
        "function": function,
        "reason": reason[:4000],
        "body": delivery.body.decode("utf-8", "replace"),
        "attributes": json.dumps(delivery.attributes),
    }
    Warehouse(settings).append("dead_letters", [row])
