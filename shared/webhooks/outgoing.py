"""Sending one event as a Standard Webhook: HTTPS only, no redirect followed, never to an address of a private network.

The address is resolved once, checked, and that very address is connected to, so a name that changes between check and
call leads nowhere. Retries are Pub/Sub's: an attempt here is one request.
"""

import threading
import time
from concurrent.futures import Future
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import requests
from requests_hardened import Config, Manager
from requests_hardened.ip_filter import InvalidIPAddress
from standardwebhooks import Webhook

from shared.messages.bodies import Event

_HTTP = Manager(
    Config(
        ip_filter_enable=True,
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(5, 15),  # seconds to connect, and between bytes
        user_agent_override="landcover-watch",
    )
)
# The whole of an attempt; those above are waits for one byte each. The platform ends the function after 60 s.
_DEADLINE_SECONDS = 25.0
# An attempt that is given up still waits for the receiver, on a thread of its own: so many, and no more is sent.
_WAITING = threading.BoundedSemaphore(8)


class Outcome(StrEnum):
    """What came of an attempt; the words of the delivery log."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GONE = "gone"
    REFUSED = "refused"


class Attempt(NamedTuple):
    """One request and what came of it. ``status_code`` is None when there was no answer."""

    outcome: Outcome
    status_code: int | None
    reason: str
    seconds: float


def send(event: Event, url: str, secrets: list[str], now: datetime) -> Attempt:
    """Post an event, signed with every active secret, its id as ``webhook-id``.

    2xx is delivered. 410 is gone: the receiver wants no more. A private address is refused without a request. All else,
    redirects and answers that take longer than 25 s too, has failed and may be tried again.
    """
    body = event.model_dump_json(include={"type", "timestamp", "data"}, exclude_none=True)
    headers = {
        "content-type": "application/json",
        "webhook-id": event.event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(event.event_id, now, body) for secret in secrets),
    }
    started = time.monotonic()
    try:
        status = _post(url, body.encode(), headers).result(_DEADLINE_SECONDS)
    except InvalidIPAddress as error:
        return Attempt(Outcome.REFUSED, None, f"{error} is not a public address", time.monotonic() - started)
    except requests.RequestException as error:
        return Attempt(Outcome.FAILED, None, type(error).__name__, time.monotonic() - started)
    except TimeoutError:
        reason = f"no answer within {_DEADLINE_SECONDS:g} s"
        return Attempt(Outcome.FAILED, None, reason, time.monotonic() - started)
    seconds = time.monotonic() - started
    if 200 <= status < 300:
        return Attempt(Outcome.DELIVERED, status, "", seconds)
    if status == requests.codes.gone:
        return Attempt(Outcome.GONE, status, "the receiver answered 410", seconds)
    reason = "redirects are not followed" if 300 <= status < 400 else f"the receiver answered {status}"
    return Attempt(Outcome.FAILED, status, reason, seconds)


def _post(url: str, body: bytes, headers: dict[str, str]) -> Future[int]:
    """Begin one request; the status of its answer comes, or what went wrong."""
    answer: Future[int] = Future()

    def run() -> None:
        try:
            with _HTTP.send_request("POST", url, data=body, headers=headers, stream=True) as response:
                answer.set_result(response.status_code)
        except Exception as error:
            answer.set_exception(error)
        finally:
            _WAITING.release()

    if _WAITING.acquire(blocking=False):
        threading.Thread(target=run, name="outbound", daemon=True).start()
    else:
        answer.set_exception(requests.ConnectionError("earlier attempts still wait for the receiver"))
    return answer
