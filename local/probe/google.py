"""Google's REST services that the probe alone asks, with the account of the person who runs it."""

import base64
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

import google.auth
from google.auth.transport.requests import AuthorizedSession

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_SECRET_MANAGER = "https://secretmanager.googleapis.com"  # noqa: S105 — an address
_LOGGING = "https://logging.googleapis.com"
_TIMEOUT_SECONDS = 30.0


@lru_cache(maxsize=1)
def session() -> AuthorizedSession:
    """A session that carries the credentials of the environment."""
    credentials, _ = google.auth.default(scopes=[_SCOPE])
    return AuthorizedSession(credentials)


def secret(project: str, secret_id: str) -> str | None:
    """The newest version of a secret; None when there is no such secret. Raises HTTPError when it may not be read."""
    address = f"{_SECRET_MANAGER}/v1/projects/{project}/secrets/{secret_id}/versions/latest:access"
    response = session().get(address, timeout=_TIMEOUT_SECONDS)
    if response.status_code == 404:
        return None
    response.raise_for_status()
    return base64.b64decode(response.json()["payload"]["data"]).decode()


def log_lines(project: str, since: datetime, message_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The log lines of functions that name one of these Pub/Sub messages, written since a moment."""
    named = " OR ".join(f'"{message_id}"' for message_id in message_ids)
    body = {
        "resourceNames": [f"projects/{project}"],
        "filter": f'timestamp>="{since.isoformat()}" AND jsonPayload.message_id=({named})',
        "pageSize": 1000,
    }
    response = session().post(f"{_LOGGING}/v2/entries:list", json=body, timeout=_TIMEOUT_SECONDS)
    response.raise_for_status()
    return [entry["jsonPayload"] for entry in response.json().get("entries", [])]
