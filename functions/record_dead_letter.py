"""dead-letters → dead_letters: keep what used up its attempts, with where it came from, so that it can be replayed."""

import logging

import functions_framework
from cloudevents.http import CloudEvent

from shared.errors import InvalidMessageError
from shared.logs import log
from shared.messages.receiving import Delivery, append_dead_letter, read_delivery, trusted_push
from shared.messages.subscriptions import messaging
from shared.settings import load_settings

# Set by Pub/Sub on every message it forwards to a dead-letter topic.
_SUBSCRIPTION = "CloudPubSubDeadLetterSourceSubscription"
_ATTEMPTS = "CloudPubSubDeadLetterSourceDeliveryCount"


@functions_framework.cloud_event
def record_dead_letter(event: CloudEvent) -> None:
    """Append one row; anything at all is recorded, since this is where messages end."""
    settings = load_settings()
    with trusted_push("record_dead_letter", settings):
        try:
            delivery = read_delivery(event)
        except InvalidMessageError as error:
            delivery = Delivery(str(event["id"]), str(error).encode(), {})
        name = delivery.attributes.get(_SUBSCRIPTION, "unknown").removeprefix(settings.messaging_prefix)
        origin = next((s for s in messaging().subscriptions if s.name == name), None)
        function, topic = (origin.function, origin.topic) if origin else ("unknown", "unknown")
        attempts = delivery.attributes.get(_ATTEMPTS, "an unknown number of")
        reason = f"given up after {attempts} attempts by subscription {name}"
        append_dead_letter(settings, delivery, function, topic, reason)
        log(logging.ERROR, "dead letter", message_id=delivery.message_id, reason=reason)
