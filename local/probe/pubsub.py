"""Messages: subscriptions as defined, one message through each function that can take a harmless one, and who may push.

The messages ask for nothing: ticks that name another job than their attribute, and work on an area that nobody
registered. Functions acknowledge them and leave a log line, which is what the probe waits for.
"""

import base64
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import grpc
import requests
from google.api_core.exceptions import GoogleAPICallError
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import PubsubMessage
from google.pubsub_v1.types import Subscription as GoogleSubscription

from local.probe import google
from local.probe.deployment import Deployment
from local.probe.model import Check, Finding, Outcome
from local.pubsub.subscriptions import filter_of
from shared.messages.bodies import (
    Acquisition,
    AoiRef,
    AoiRegistration,
    ChangeRef,
    ChangeRequest,
    CompositeRef,
    CompositeRequest,
    MeasurementRequest,
    Message,
    NewAoi,
    Tick,
    Topic,
    TransitionRef,
    TransitionRequest,
)
from shared.messages.publishing import publisher
from shared.messages.subscriptions import Subscription, messaging

SUBSCRIPTIONS = "pubsub/subscriptions"
# Cold starts, and the minute that a log line may take to be found.
_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 2.0
_TIMEOUT_SECONDS = 30.0
_NOBODY = AoiRef(aoi_id="landcover-probe-nobody", aoi_version=1)
_NEVER = "20150623T000000"
# At the edge of the grid of tiles, where the south polar ice ends all land cover.
_NOWHERE = {
    "type": "Polygon",
    "coordinates": [[[-176.99, -79.0], [-176.98, -79.0], [-176.98, -78.99], [-176.99, -79.0]]],
}
_ANSWERS = {"done": Outcome.PASS, "will be retried": Outcome.FAIL, "deployment refused": Outcome.FAIL}


def subscriptions(deployment: Deployment) -> Iterator[Finding]:
    faults = []
    found = 0
    for defined, made in _subscriptions(deployment):
        if made is None:
            # events are delivered only where there is somebody to tell
            if defined.topic != Topic.EVENTS:
                faults.append(f"{defined.name} is missing")
            continue
        found += 1
        faults += _differences(defined, made, deployment.settings.messaging_prefix)
    if faults:
        yield Finding(Outcome.FAIL, "; ".join(faults))
    else:
        yield Finding(Outcome.PASS, f"{found} subscriptions with their filters, retries and dead letters")


def _subscriptions(deployment: Deployment) -> Iterator[tuple[Subscription, GoogleSubscription | None]]:
    client, settings = _subscriber(), deployment.settings
    for defined in messaging().subscriptions:
        name = f"projects/{settings.project}/subscriptions/{settings.messaging_prefix}{defined.name}"
        try:
            yield defined, client.get_subscription(subscription=name, timeout=_TIMEOUT_SECONDS)
        except GoogleAPICallError as error:
            if error.grpc_status_code is not grpc.StatusCode.NOT_FOUND:
                raise
            yield defined, None


def _differences(defined: Subscription, made: GoogleSubscription, prefix: str) -> Iterator[str]:
    pairs = {
        "topic": (made.topic.rsplit("/", 1)[-1], f"{prefix}{defined.topic}"),
        "filter": (made.filter, filter_of(defined)),
        "acknowledgement deadline": (made.ack_deadline_seconds, defined.ack_deadline_seconds),
        "attempts": (made.dead_letter_policy.max_delivery_attempts, defined.max_delivery_attempts),
    }
    for what, (found, expected) in pairs.items():
        if found != expected:
            yield f"{defined.name}: {what} is {found!r}, expected {expected!r}"
    if not made.push_config.push_endpoint:
        yield f"{defined.name} does not push"


def _subscriber() -> SubscriberClient:
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    if emulator:
        return SubscriberClient(transport=SubscriberGrpcTransport(channel=grpc.insecure_channel(emulator)))
    return SubscriberClient()


class Harmless(NamedTuple):
    """A message that asks one function for nothing, on the way that its subscription takes."""

    subscription: str
    topic: Topic
    body: Message
    attributes: dict[str, str]


def harmless() -> list[Harmless]:
    """One message for each function that can be asked for nothing; the others would leave a row or a retry."""
    ignored = {
        "discover": "alert-changes",
        "composite": "discover",
        "transition": "discover",
        "record-passes": "discover",
        "find-changes": "discover",
        "alert-changes": "discover",
    }
    ticking = [s for s in messaging().subscriptions if s.topic == Topic.TICKS]
    measuring = [s for s in messaging().subscriptions if s.topic == Topic.MEASUREMENTS]
    nothing = MeasurementRequest(overpass_ids=[_NEVER], aois=[_NOBODY])
    new = NewAoi(**_NOBODY.model_dump(), backfill_start=date(2015, 6, 27))
    composite = CompositeRef(**_NOBODY.model_dump(), period="month", period_start=date(2015, 1, 1))
    changes = ChangeRequest(changes=[ChangeRef(**_NOBODY.model_dump(), year=2015)])
    pair = TransitionRef(**_NOBODY.model_dump(), year=2021, compared_with="previous", from_year=2020, to_year=2021)
    image = Acquisition(image_id=f"{_NEVER}_{_NEVER}_T01CDH", footprint=_NOWHERE)
    return [
        *(
            Harmless(s.name, Topic.TICKS, Tick.model_validate({"job": ignored[s.filter["job"]]}), s.filter)
            for s in ticking
        ),
        Harmless("dispatch", Topic.ACQUISITIONS, image, {}),
        *(Harmless(s.name, Topic.MEASUREMENTS, nothing, s.filter) for s in measuring),
        Harmless("backfill", Topic.AOI_REGISTRATIONS, AoiRegistration(aois=[new]), {}),
        Harmless("composite", Topic.COMPOSITE_REQUESTS, CompositeRequest(composites=[composite]), {}),
        Harmless("transition", Topic.TRANSITION_REQUESTS, TransitionRequest(transitions=[pair]), {}),
        Harmless("find-changes", Topic.CHANGE_REQUESTS, changes, {}),
    ]


def round_trip(deployment: Deployment) -> Iterator[Finding]:
    began = datetime.now(UTC)
    started = time.monotonic()
    functions = {subscription.name: subscription.function for subscription in messaging().subscriptions}
    waiting = {_published(deployment, message): message.subscription for message in harmless()}
    while waiting and time.monotonic() - started < _PATIENCE_SECONDS:
        for line in _log_lines(deployment, began, list(waiting)):
            about = waiting.get(line["message_id"], "")
            # Google's emulator sends a tick to each function, and only the subscription's own one is asked
            if about and line.get("function") == functions[about] and line["message"] in {*_ANSWERS, "dead letter"}:
                seconds = time.monotonic() - started
                outcome = _ANSWERS.get(line["message"], Outcome.FAIL)
                reason = line.get("error") or line.get("reason") or ""
                text = f"{line['function']}: {line['message']}{': ' if reason else ''}{reason}"
                yield Finding(outcome, text, waiting.pop(line["message_id"]), seconds)
        if waiting:
            time.sleep(_PAUSE_SECONDS / 10 if deployment.embedded else _PAUSE_SECONDS)
    for subscription in waiting.values():
        yield Finding(Outcome.FAIL, f"no log line within {_PATIENCE_SECONDS:.0f} s", subscription)


def _published(deployment: Deployment, message: Harmless) -> str:
    settings = deployment.settings
    answer = publisher().publish(
        topic=f"projects/{settings.project}/topics/{settings.messaging_prefix}{message.topic}",
        messages=[PubsubMessage(data=_body(message), attributes=message.attributes)],
        timeout=_TIMEOUT_SECONDS,
    )
    return str(answer.message_ids[0])


def _body(message: Harmless) -> bytes:
    return message.body.model_dump_json(exclude_none=True).encode()


def _log_lines(deployment: Deployment, since: datetime, message_ids: list[str]) -> list[dict[str, Any]]:
    if deployment.stack is None:
        return google.log_lines(deployment.settings.project, since, message_ids)
    lines = [json.loads(line) for line in deployment.stack.log_path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line.get("message_id") in message_ids]


def push_identity(deployment: Deployment) -> Iterator[Finding]:
    if deployment.embedded and deployment.settings.push_service_account is None:
        yield Finding(Outcome.SKIPPED, "the embedded stack pushes without an identity")
        return
    made = {defined.name: found for defined, found in _subscriptions(deployment) if found is not None}
    tokens = {name: found.push_config.oidc_token for name, found in made.items()}
    if without := sorted(
        name for name, token in tokens.items() if not token.service_account_email or not token.audience
    ):
        yield Finding(Outcome.FAIL, f"no account or audience: {', '.join(without)}", "token")
    else:
        accounts = sorted({token.service_account_email for token in tokens.values()})
        yield Finding(Outcome.PASS, f"{len(tokens)} subscriptions push as {', '.join(accounts)}", "token")
    for message in harmless():
        endpoint = made[message.subscription].push_config.push_endpoint if message.subscription in made else ""
        if endpoint.startswith("http"):
            yield _refused(message, endpoint)


def _refused(message: Harmless, endpoint: str) -> Finding:
    """What a function says to a push that carries no token; the message would do nothing if it came through."""
    data = base64.b64encode(_body(message)).decode()
    envelope = {"message": {"data": data, "attributes": message.attributes, "messageId": "0"}, "subscription": "probe"}
    response = requests.post(endpoint, json=envelope, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
    refused = response.status_code in {401, 403, 404}
    text = f"a push without a token is answered {response.status_code}"
    return Finding(
        Outcome.PASS if refused else Outcome.FAIL, text, message.subscription, response.elapsed.total_seconds()
    )


CHECKS = (
    Check(
        SUBSCRIPTIONS,
        "Whether each subscription is there, with its topic, filter, deadline and dead-letter policy.",
        "Messages of a topic reach nobody, or are given up sooner or later than they should be.",
        "Set LANDCOVER_MESSAGING_PREFIX as Terraform does (landcover-), and run terraform apply again where that is "
        "right.",
        subscriptions,
    ),
    Check(
        "pubsub/round-trip",
        "Whether a message that asks for nothing is pushed to each function that can take one, and acknowledged.",
        "A function does not start, or refuses what Pub/Sub pushes.",
        'Read the log of the service; "refused: caller" means that token and settings name different accounts.',
        round_trip,
        needs=SUBSCRIPTIONS,
    ),
    Check(
        "pubsub/push-identity",
        "Whether pushes carry the token of one account, and pushes without a token are refused.",
        "Anybody who finds a function's address could push to it, or Pub/Sub itself may not.",
        "Run terraform apply again, and take back any run.invoker that was granted to allUsers by hand.",
        push_identity,
        needs=SUBSCRIPTIONS,
    ),
)
