"""What a Standard Webhooks signing secret looks like (specification, "Signature scheme")."""

import base64
import binascii

_PREFIX = "whsec_"
_FEWEST_BYTES, _MOST_BYTES = 24, 64


def secret_fault(secret: str) -> str | None:
    """What is wrong with a secret, without a character of it; None when it can sign."""
    if not secret.startswith(_PREFIX):
        return f"expected a secret that begins with {_PREFIX}"
    try:
        key = signing_key(secret)
    except (binascii.Error, UnicodeEncodeError):
        return f"expected base64 behind {_PREFIX}"
    if not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
        return f"expected a secret of {_FEWEST_BYTES} to {_MOST_BYTES} bytes, found {len(key)}"
    return None


def signing_key(secret: str) -> bytes:
    """The key behind the prefix. Raises binascii.Error, UnicodeEncodeError for what is no base64."""
    return base64.b64decode(secret.removeprefix(_PREFIX).encode(), validate=True)
