"""Standard Webhooks: signature checks with several active secrets."""

from collections.abc import Mapping

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError


class SignatureError(Exception):
    """The call is not signed by anyone we know, or not within ±5 minutes; the message holds no secret."""


def verify(body: bytes, headers: Mapping[str, str], secrets: list[str]) -> str:
    """Check a call against every active secret and return its ``webhook-id``.

    Raises SignatureError for whatever is wrong with headers or signature: a caller learns nothing from which.
    """
    given = {name.lower(): value for name, value in headers.items()}
    wanted = {name: given.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    for secret in secrets:
        try:
            Webhook(secret).verify(body, wanted, json_parse=False)
        except (WebhookVerificationError, ValueError):
            # malformed headers surface as ValueError (base64, unpacking, encoding); all mean "not signed"
            continue
        return wanted["webhook-id"]
    raise SignatureError("the webhook signature is missing, malformed, expired or wrong")
