"""HTTP: the registration webhook. Records AOI events and asks for the history of new AOI versions."""

import json
import logging

import functions_framework
from flask import Request, Response
from werkzeug.exceptions import HTTPException

from shared.aois.histories import histories_wanted, note_histories
from shared.aois.name_spaces import idempotency_key, name_space, own_id
from shared.aois.neighbours import registrations_of
from shared.aois.recording import OtherBodyError, record
from shared.aois.registration import InvalidRegistrationError, in_name_space, parse_event
from shared.clients import owned_secrets
from shared.cost.ceilings import refuse_costly_history, refuse_over_ceiling
from shared.cost.dry_run import tried
from shared.errors import LandcoverError, OverCeilingError
from shared.logs import log, log_fields, trace_field
from shared.messages.bodies import Topic
from shared.messages.publishing import publish
from shared.settings import Settings, load_settings
from shared.warehouse.client import Warehouse
from shared.webhooks.problems import body_problem, problem
from shared.webhooks.request_body import read_body
from shared.webhooks.signatures import SignatureError, check_headers, verify

_MOST_ID_CHARACTERS = 256


@functions_framework.http
def register_aoi(request: Request) -> Response:
    """202 with id, version and area of each AOI, 200 with what they would cost for a dry run, or problem+json
    (RFC 9457) that lists every fault.
    """
    settings = load_settings()
    with log_fields(function="register_aoi", **trace_field(request.headers, settings.project)):
        return _answer(request, settings)


def _answer(request: Request, settings: Settings) -> Response:
    if request.method != "POST":
        return problem(405, "Method not allowed", f"expected POST, found {request.method}")
    headers = dict(request.headers.items())
    try:
        check_headers(headers)
        body = read_body(request, settings.max_body_bytes, settings.max_body_seconds)
        client, webhook_id = verify(body, headers, owned_secrets(settings.webhook_secrets))
    except SignatureError as error:
        log(logging.WARNING, "refused: signature")
        return problem(401, "Not signed", str(error))
    except HTTPException as error:
        return body_problem(error, settings.max_body_bytes, settings.max_body_seconds)
    if len(webhook_id) > _MOST_ID_CHARACTERS:
        return problem(400, "Invalid webhook-id", f"at most {_MOST_ID_CHARACTERS} characters are kept")
    with log_fields(client=client):
        return _signed_answer(body, client, idempotency_key(webhook_id, client), settings)


def _signed_answer(body: bytes, client: str | None, webhook_id: str, settings: Settings) -> Response:
    """The answer to a call of a client, or of the operator (None), by the key of which repetitions are known."""
    try:
        event = in_name_space(parse_event(body, settings), name_space(client))
    except InvalidRegistrationError as error:
        log(logging.WARNING, "refused: content", faults=len(error.faults))
        return problem(422, "Invalid registration", f"{len(error.faults)} faults found", error.faults)
    if client is not None and event.scope not in settings.clients[client].scopes:
        log(logging.WARNING, "refused: scope", event=event.event_type)
        return problem(403, "Out of scope", f"this secret may not send {event.event_type}")
    warehouse = Warehouse(settings)
    try:
        if event.dry_run:
            answer = json.dumps(tried(event, client, warehouse))
            return Response(answer, status=200, content_type="application/json")
        refuse_over_ceiling(event, client, warehouse)
        refuse_costly_history(event, warehouse)
        answers = record(event, webhook_id, body, warehouse)
        wanted = histories_wanted(webhook_id, warehouse)
        publish(settings, Topic.AOI_REGISTRATIONS, registrations_of(wanted))
        note_histories(wanted, warehouse)
    except OtherBodyError:
        log(logging.WARNING, "refused: webhook-id")
        return problem(409, "Conflict", "this webhook-id came with another body before")
    except OverCeilingError as error:
        log(logging.ERROR, "refused: ceiling", reason=str(error))
        return problem(403, "Over a ceiling", str(error))
    except LandcoverError as error:
        # nothing that is left can be mended by the sender: refused queries are the operator's
        log(logging.ERROR, "registration not recorded", error=str(error))
        return problem(
            503, "Try again", "the registration could not be recorded; send it again", headers={"Retry-After": "30"}
        )
    log(logging.INFO, "done", event=event.event_type, aoi=[a["aoi_id"] for a in answers[:20]])
    own = [{**answer, "aoi_id": own_id(answer["aoi_id"], client)} for answer in answers]
    return Response(json.dumps({"aois": own}), status=202, content_type="application/json")
