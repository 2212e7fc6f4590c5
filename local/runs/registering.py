"""Registering areas at a webhook, the stack's own or a deployed one: signed, and sent to that address alone."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from standardwebhooks import Webhook

from local.servers.pooled_server import LOOPBACK_NAMES
from shared.errors import UserInputError
from shared.signing import secret_fault

_POST_TIMEOUT_SECONDS = 60.0
_SHOWN_FAULTS = 5


def post_registration(collection: dict[str, Any], url: str, secret: str) -> list[dict[str, Any]]:
    """Sign and post AOIs to a registration webhook; returns what it answered for each.

    Raises UserInputError when the webhook cannot be reached or refuses, with its reasons. Body and signature go to this
    address alone: over HTTPS, or to this machine, and to nowhere that it redirects to.
    """
    _check_address(url)
    if fault := secret_fault(secret):
        raise UserInputError(f"the signing secret cannot sign: {fault}")
    body = json.dumps({"type": "aoi.registered", "timestamp": datetime.now(UTC).isoformat(), "data": collection})
    webhook_id = f"msg_{uuid.uuid4().hex}"
    now = datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, body),
    }
    try:
        response = requests.post(
            url, data=body.encode(), headers=headers, timeout=_POST_TIMEOUT_SECONDS, allow_redirects=False
        )
        if response.is_redirect:
            raise UserInputError(f"{url}: redirects to {response.headers['location']}, which is not followed")
        answer = response.json()
        if response.status_code == requests.codes.accepted:
            return list(answer["aois"])
        faults = answer.get("errors", [])[:_SHOWN_FAULTS]
        reasons = "; ".join(f"{fault['pointer']}: {fault['detail']}" for fault in faults) or answer.get("detail")
        raise UserInputError(f"{url}: {answer.get('title')} ({response.status_code}): {reasons}")
    except requests.JSONDecodeError:
        raise UserInputError(f"{url}: answered {response.status_code} and no JSON; is it the webhook?") from None
    except requests.RequestException as error:
        raise UserInputError(f"{url}: cannot be reached ({type(error).__name__})") from None
    except (AttributeError, KeyError, TypeError):
        raise UserInputError(f"{url}: answered {response.status_code} and not like the webhook") from None


def _check_address(url: str) -> None:
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    except ValueError:
        scheme, host = "", None
    if host is None or not (scheme == "https" or (scheme == "http" and host in {*LOOPBACK_NAMES, "::1"})):
        raise UserInputError(f"{url}: expected an https:// address, or http:// on this machine")
