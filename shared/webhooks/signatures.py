"""Standard Webhooks: signature checks with several active secrets."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from shared.clients import OwnedSecret

_TOLERANCE_SECONDS = 5 * 60
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
# A signature of the one form that shared secrets make: base64 of an HMAC-SHA256.
_SIGNATURE = re.compile(r"v1,[A-Za-z0-9+/]{43}=")


class SignatureError(Exception):
    """The call is not signed by anyone we know, or not within ±5 minutes; the message holds no secret."""

    def __init__(self) -> None:
        super().__init__("the webhook signature is missing, malformed, expired or wrong")


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The signature headers of a call, without the signatures of other forms, which may stand beside ours.

    Raises SignatureError where no body could make the call right: for these none needs to be read.
    """
    given = {name.lower(): value for name, value in headers.items()}
    wanted = {name: given.get(name, "") for name in _HEADERS}
    wanted["webhook-signature"] = " ".join(filter(_SIGNATURE.fullmatch, wanted["webhook-signature"].split(" ")))
    try:
        off_seconds = abs(float(wanted["webhook-timestamp"]) - time.time())
    except ValueError:
        raise SignatureError from None
    if not all(wanted.values()) or not off_seconds <= _TOLERANCE_SECONDS:
        raise SignatureError
    return wanted


class Signed(NamedTuple):
    """A call that somebody we know has signed. ``client`` is None for the operator."""

    client: str | None
    webhook_id: str


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[OwnedSecret]) -> Signed:
    """Check a call against every active secret; who has the one that signed it is who calls.

    Raises SignatureError for whatever is wrong with headers or signature: a caller learns nothing from which.
    """
    wanted = check_headers(headers)
    signers = [owned.client for owned in secrets if _signs(owned.secret, body, wanted)]
    if not signers:
        raise SignatureError
    return Signed(signers[0], wanted["webhook-id"])


def _signs(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        # a body that is no UTF-8 is a ValueError; it was not signed
        return False
    return True
