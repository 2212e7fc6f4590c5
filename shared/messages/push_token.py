"""Who pushes: the identity token (OIDC) that Pub/Sub puts on every push, checked by the function itself.

The platform refuses other callers already; this check stands when somebody opens a function by mistake. Claims and
checks: https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions

Cloud Run may hand on a token whose signature it has checked and then removed, so that nobody can use the token again:
https://docs.cloud.google.com/run/docs/troubleshooting. There the claims of such a token are taken as they stand.
"""

import os
import time
from functools import lru_cache
from typing import Any

import requests
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

from shared.errors import RetryLaterError, UntrustedCallerError
from shared.settings import Settings

_CERTIFICATES_URL = "https://www.googleapis.com/oauth2/v1/certs"
_ISSUERS = {"https://accounts.google.com", "accounts.google.com"}
_CLOCK_SKEW_SECONDS = 60
_CERTIFICATES_KEPT_SECONDS = 3600
_TIMEOUT_SECONDS = 10.0
_REMOVED_SIGNATURE = ".SIGNATURE_REMOVED_BY_GOOGLE"
# Cloud Run sets it for every service (container contract).
_CLOUD_RUN = "K_SERVICE"


def require_push_account(authorization: str | None, settings: Settings) -> None:
    """Check the value of an ``Authorization`` header. Does nothing when no account is set: the embedded stack.

    Raises UntrustedCallerError for any token but one that Google signed for the set account and audience, for every
    push when no account is set on Cloud Run, and RetryLaterError when Google's certificates cannot be had.
    """
    if settings.push_service_account is None:
        if _CLOUD_RUN in os.environ:
            raise UntrustedCallerError("no account that may push is set: LANDCOVER_PUSH_SERVICE_ACCOUNT")
        return
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UntrustedCallerError("expected an identity token, found none")
    if token.endswith(_REMOVED_SIGNATURE) and _CLOUD_RUN in os.environ:
        claims = _checked_by_cloud_run(token, settings)
    else:
        claims = _checked_here(token, settings)
    if claims.get("iss") not in _ISSUERS:
        raise UntrustedCallerError("the identity token is not Google's")
    if claims.get("email") != settings.push_service_account or claims.get("email_verified") is not True:
        raise UntrustedCallerError("the identity token is another account's")


def _checked_here(token: str, settings: Settings) -> dict[str, Any]:
    certificates = _certificates(int(time.time() // _CERTIFICATES_KEPT_SECONDS))
    try:
        return dict(
            jwt.decode(  # type: ignore[no-untyped-call]
                token, certs=certificates, audience=settings.push_audience, clock_skew_in_seconds=_CLOCK_SKEW_SECONDS
            )
        )
    except (ValueError, RecursionError, GoogleAuthError) as error:
        raise UntrustedCallerError(f"the identity token does not hold: {type(error).__name__}") from error


def _checked_by_cloud_run(token: str, settings: Settings) -> dict[str, Any]:
    try:
        claims = dict(jwt.decode(token, verify=False))  # type: ignore[no-untyped-call]
        issued, expires = float(claims["iat"]), float(claims["exp"])
    except (KeyError, TypeError, ValueError, RecursionError, GoogleAuthError) as error:
        raise UntrustedCallerError(f"the identity token does not hold: {type(error).__name__}") from error
    if not issued - _CLOCK_SKEW_SECONDS <= time.time() <= expires + _CLOCK_SKEW_SECONDS:
        raise UntrustedCallerError("the identity token is not of this time")
    if claims.get("aud") != settings.push_audience:
        raise UntrustedCallerError("the identity token is for another audience")
    return claims


@lru_cache(maxsize=1)
def _certificates(period: int) -> dict[str, str]:
    """Google's signing certificates by key id; fetched anew in each period."""
    try:
        response = requests.get(_CERTIFICATES_URL, timeout=_TIMEOUT_SECONDS)
        response.raise_for_status()
        return dict(response.json())
    except (requests.RequestException, ValueError) as error:
        raise RetryLaterError(f"Google's certificates: {error}") from error
