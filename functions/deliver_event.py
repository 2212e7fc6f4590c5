"""events → a signed webhook, where one is configured: the client's own, or the deployment's. Every attempt is a row of
``deliveries``.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois.name_spaces import client_of, told_to
from shared.clients import secrets_of
from shared.errors import DeploymentError, NeverError, RetryLaterError
from shared.messages.bodies import Event, Topic
from shared.messages.receiving import handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse
from shared.webhooks.outgoing import Outcome, send


@functions_framework.cloud_event
def deliver_event(event: CloudEvent) -> None:
    """Handle one event."""
    handle(event, "deliver_event", Topic.EVENTS, Event, _deliver)


def _deliver(event: Event, settings: Settings) -> dict[str, Any]:
    client = client_of(event.data.aoi_id, settings.clients)
    url = None if client is None else settings.clients[client].event_url
    if url is None:
        client, url = None, settings.event_url
    if url is None:
        return {"outcome": "nobody to tell"}
    secrets = secrets_of(client, settings.event_secrets)
    if not secrets:
        raise DeploymentError(f"events of {client} are sent signed only, and EVENT_SECRETS is empty")
    attempted_at = datetime.now(UTC)
    attempt = send(told_to(event, client), url, secrets, attempted_at)
    row = {
        "event_id": event.event_id,
        "event_type": event.type,
        "aoi_id": event.data.aoi_id,
        "attempted_at": attempted_at.isoformat(),
        "host": urlsplit(url).netloc,
        "outcome": attempt.outcome,
        "status_code": attempt.status_code,
        "reason": attempt.reason or None,
        "seconds": attempt.seconds,
    }
    Warehouse(settings).append("deliveries", [row])
    if attempt.outcome in {Outcome.GONE, Outcome.REFUSED}:
        raise NeverError(f"event {event.event_id} cannot be delivered: {attempt.reason}")
    if attempt.outcome is Outcome.FAILED:
        raise RetryLaterError(f"event {event.event_id} was not taken: {attempt.reason}")
    return {"outcome": attempt.outcome}
