"""Signing secrets: there, well formed, and those that the webhook itself accepts. None is ever shown."""

import base64
import binascii
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import requests
from pydantic import SecretStr
from standardwebhooks import Webhook

from local.probe import google
from local.probe.deployment import Deployment
from local.probe.model import Check, Finding, Outcome
from shared.clients import owned_secrets
from shared.credentials import form_fault

WEBHOOK = "secrets/webhook"
HINTS = "secrets/hints"
_PREFIX = "whsec_"
# Standard Webhooks asks for 24 to 64 random bytes.
_FEWEST_BYTES, _MOST_BYTES = 24, 64
_TIMEOUT_SECONDS = 60.0


def webhook_secrets(deployment: Deployment) -> Iterator[Finding]:
    yield _looked_at(_webhook_secrets(deployment), "nobody can register areas")


def event_secrets(deployment: Deployment) -> Iterator[Finding]:
    if deployment.embedded:
        found = deployment.settings.event_secrets.get_secret_value() or None
    else:
        found = google.secret(deployment.settings.project, _secret_id(deployment, "event-secrets"))
    if found is None:
        yield Finding(Outcome.SKIPPED, "no event is sent anywhere: event_url is not set")
    else:
        yield _looked_at(found, "events cannot be signed")


def _secret_id(deployment: Deployment, name: str) -> str:
    """Terraform puts the same prefix in front of secrets and topics."""
    return f"{deployment.settings.messaging_prefix}{name}"


def _webhook_secrets(deployment: Deployment) -> str | None:
    if deployment.embedded:
        return deployment.settings.webhook_secrets.get_secret_value()
    return google.secret(deployment.settings.project, _secret_id(deployment, "webhook-secrets"))


def _looked_at(found: str | None, without: str) -> Finding:
    secrets = [owned.secret for owned in owned_secrets(SecretStr(found or ""))]
    if not secrets:
        return Finding(Outcome.FAIL, f"none is there: {without}")
    faults = [f"number {number}: {fault}" for number, secret in enumerate(secrets, 1) if (fault := fault_of(secret))]
    if len(set(secrets)) < len(secrets):
        faults.append("one is there twice")
    if faults:
        return Finding(Outcome.FAIL, "; ".join(faults))
    return Finding(Outcome.PASS, f"{len(secrets)} active, well formed")


def fault_of(secret: str) -> str | None:
    """What is wrong with the form of a Standard Webhooks secret, in words that do not give it away."""
    if not secret.startswith(_PREFIX):
        return f"does not begin with {_PREFIX}"
    try:
        size = len(base64.b64decode(secret.removeprefix(_PREFIX), validate=True))
    except binascii.Error:
        return f"is not base64 behind {_PREFIX}"
    if not _FEWEST_BYTES <= size <= _MOST_BYTES:
        return f"has {size} bytes, expected {_FEWEST_BYTES} to {_MOST_BYTES}"
    return None


def signed_call(deployment: Deployment) -> Iterator[Finding]:
    """A body without content: refused for its signature when unsigned, for its content when signed."""
    if deployment.webhook_url is None:
        yield Finding(Outcome.SKIPPED, "no address of the webhook: give --url")
        return
    body = json.dumps({"type": "landcover.probe"})
    secrets = [owned.secret for owned in owned_secrets(SecretStr(_webhook_secrets(deployment) or ""))]
    unsigned = _called(deployment.webhook_url, body, {}, 401, "unsigned")
    yield unsigned
    if unsigned.outcome is not Outcome.PASS:
        return
    for number, secret in enumerate(secrets, 1):
        yield _called(deployment.webhook_url, body, _signed(secret, body), 422, f"secret {number}")


def hint_credentials(deployment: Deployment) -> Iterator[Finding]:
    found = SecretStr(_hint_credentials(deployment) or "")
    if not found.get_secret_value().split():
        yield Finding(Outcome.SKIPPED, "nobody may send hints: hint_senders is empty")
    elif fault := form_fault(found):
        yield Finding(Outcome.FAIL, fault)
    else:
        yield Finding(Outcome.PASS, f"{len(found.get_secret_value().split())} senders, well formed")


def hint_call(deployment: Deployment) -> Iterator[Finding]:
    """A body without content: refused for its credentials without any, for its content with them."""
    credentials = (_hint_credentials(deployment) or "").split()
    if deployment.hint_url is None or not credentials:
        yield Finding(Outcome.SKIPPED, "no address that takes hints: give --hint-url")
        return
    unknown = _called(deployment.hint_url, "{}", {}, 401, "unknown sender")
    yield unknown
    if unknown.outcome is not Outcome.PASS:
        return
    for each in credentials:
        header = {"authorization": f"Basic {base64.b64encode(each.encode()).decode()}"}
        yield _called(deployment.hint_url, "{}", header, 422, each.partition(":")[0])


def _hint_credentials(deployment: Deployment) -> str | None:
    if deployment.embedded:
        return deployment.settings.hint_credentials.get_secret_value()
    return google.secret(deployment.settings.project, _secret_id(deployment, "hint-credentials"))


def _signed(secret: str, body: str) -> dict[str, str]:
    now, webhook_id = datetime.now(UTC), f"msg_probe_{uuid.uuid4().hex}"
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, body),
    }


def _called(url: str, body: str, headers: dict[str, str], expected: int, part: str) -> Finding:
    headers = {"content-type": "application/json", **headers}
    response = requests.post(url, data=body.encode(), headers=headers, timeout=_TIMEOUT_SECONDS)
    if response.status_code == requests.codes.forbidden:
        text = "the platform lets nobody in without an identity token, so the webhook itself was not reached"
        return Finding(Outcome.SKIPPED, text, part, response.elapsed.total_seconds())
    outcome = Outcome.PASS if response.status_code == expected else Outcome.FAIL
    text = f"answered {response.status_code}, expected {expected}"
    return Finding(outcome, text, part, response.elapsed.total_seconds())


CHECKS = (
    Check(
        WEBHOOK,
        "Whether the secrets that sign registrations are there and well formed; they are never shown.",
        "Nobody can register areas, or only with a secret that is too short.",
        "Run terraform apply again; Terraform makes them, so none should be written by hand.",
        webhook_secrets,
    ),
    Check(
        "secrets/events",
        "Whether the secrets that sign events are there and well formed, where events are sent.",
        "Events are not sent, since they are sent signed only.",
        "Run terraform apply again with event_url.",
        event_secrets,
    ),
    Check(
        "secrets/signed-call",
        "Whether the webhook refuses an unsigned call, and knows each secret by a signed call without content.",
        "The service still runs with other secrets, or its address is another's.",
        "Run terraform apply again, so that the service starts anew with the newest version.",
        signed_call,
        needs=WEBHOOK,
    ),
    Check(
        HINTS,
        "Whether the credentials of who sends early hints are there and well formed; no password is shown.",
        "No hint is taken, so new scenes are known as late as without any.",
        "Run terraform apply again with hint_senders.",
        hint_credentials,
    ),
    Check(
        "secrets/hint-call",
        "Whether the address for hints refuses an unknown sender, and knows each sender by a call without content.",
        "The service still runs with other credentials, or its address is another's.",
        "Run terraform apply again, so that the service starts anew with the newest version.",
        hint_call,
        needs=HINTS,
    ),
)
