"""HTTP Basic credentials (RFC 7617) of who may send hints, a name and a password of each sender."""

import base64
import binascii
import hmac
import re

from pydantic import SecretStr

# Of characters that stand in an address (https://name:password@host) as they are; a password is 32 to 128 of them.
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,22}[a-z0-9])?")
_PASSWORD = re.compile(r"[A-Za-z0-9._~-]{32,128}")


class CredentialsError(Exception):
    """The call carries no credentials that we know; the message holds none either."""


def form_fault(setting: SecretStr) -> str | None:
    """What is wrong with the form of credentials, without a character of a password; None when all can be used."""
    names = []
    for number, text in enumerate(setting.get_secret_value().split(), 1):
        name, _, password = text.partition(":")
        if not _NAME.fullmatch(name):
            return f"number {number}: expected a name of a sender before a colon"
        if not _PASSWORD.fullmatch(password):
            return f"number {number}: expected a password of 32 to 128 letters, digits and . _ ~ -"
        names.append(name)
    return None if len(set(names)) == len(names) else "a name is there twice"


def sender_of(authorization: str | None, setting: SecretStr) -> str:
    """Whose credentials the value of an ``Authorization`` header holds, of those in a setting (``name:password …``).

    Raises CredentialsError for whatever is wrong: a caller learns nothing from which.
    """
    scheme, _, encoded = (authorization or "").partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        given = b""
    known = setting.get_secret_value().split()
    # every one is compared, so that time tells nothing either
    found = [each.partition(":")[0] for each in known if hmac.compare_digest(given, each.encode())]
    if scheme.lower() != "basic" or not found:
        raise CredentialsError("the credentials are missing, malformed or wrong")
    return found[0]
