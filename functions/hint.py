"""HTTP: early hints. Notices of others that a Sentinel-2 product has appeared → acquisitions."""

import json
import logging
import time
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil

import functions_framework
from flask import Request, Response
from werkzeug.exceptions import HTTPException

from shared.credentials import CredentialsError, sender_of
from shared.errors import InvalidMessageError, LandcoverError
from shared.logs import log, log_fields, trace_field
from shared.messages.bodies import Acquisition, Topic
from shared.messages.publishing import publish
from shared.settings import Settings, load_settings
from shared.webhooks.hints import MOST_BYTES, SNS_TOPIC, HourlyCeiling, news, read_notice
from shared.webhooks.problems import body_problem, problem
from shared.webhooks.request_body import read_body

# SNS sends credentials only to an address that asks for them, and asks for a realm.
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="landcover hints", charset="UTF-8"'}


@functions_framework.http
def hint(request: Request) -> Response:
    """202 with the ids of the products that were published, or problem+json (RFC 9457)."""
    settings = load_settings()
    with log_fields(function="hint", **trace_field(request.headers, settings.project)):
        return _answer(request, settings)


def _answer(request: Request, settings: Settings) -> Response:
    if request.method != "POST":
        return problem(405, "Method not allowed", f"expected POST, found {request.method}")
    try:
        sender = sender_of(request.headers.get("Authorization"), settings.hint_credentials)
        body = read_body(request, MOST_BYTES, settings.max_body_seconds)
    except CredentialsError as error:
        log(logging.WARNING, "refused: credentials")
        return problem(401, "Unknown sender", str(error), headers=_CHALLENGE)
    except HTTPException as error:
        return body_problem(error, MOST_BYTES, settings.max_body_seconds)
    with log_fields(sender=sender):
        return _known_answer(body, settings)


def _known_answer(body: bytes, settings: Settings) -> Response:
    try:
        notice = read_notice(body)
        product_ids = news(notice.product_ids, datetime.now(UTC), settings.discover_window_days)
    except InvalidMessageError as error:
        log(logging.WARNING, "refused: content", reason=str(error))
        return problem(422, "Not a notice", str(error))
    if notice.confirmation_token is not None:
        # nothing here opens the address that came with it: a person confirms, by topic and token
        log(logging.WARNING, "subscription waits", topic=SNS_TOPIC, token=notice.confirmation_token)
    wait_seconds = ceiling().wait_seconds(len(product_ids), settings.max_hints_per_hour, time.monotonic())
    if wait_seconds:
        log(logging.ERROR, "refused: ceiling", limit=settings.max_hints_per_hour)
        detail = f"more than {settings.max_hints_per_hour} products in an hour"
        return problem(429, "Too many", detail, headers={"Retry-After": str(ceil(wait_seconds))})
    try:
        publish(settings, Topic.ACQUISITIONS, [Acquisition(image_id=product) for product in product_ids])
    except LandcoverError as error:
        log(logging.ERROR, "hint not published", error=str(error))
        return problem(503, "Try again", "the hint could not be passed on", headers={"Retry-After": "30"})
    log(logging.INFO, "done", product=product_ids[:20], passed_over=len(notice.product_ids) - len(product_ids))
    return Response(json.dumps({"product_ids": product_ids}), status=202, content_type="application/json")


@lru_cache(maxsize=1)
def ceiling() -> HourlyCeiling:
    """The count of this process, of which Terraform makes one."""
    return HourlyCeiling()
