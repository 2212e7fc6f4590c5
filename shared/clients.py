"""Clients of one deployment: what each may do, and whose signing secret is whose.

Without clients everybody who has a secret is the operator. With them, a secret is a client's where the client's name
and a colon stand before it, and the operator's otherwise; ``shared/aois/name_spaces.py`` says which areas are whose.
"""

import re
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from shared.signing import secret_fault, signing_key

# In ids, workload tags and names of datasets (with underscores): no dot, which ends the name within an id.
_NAME = r"^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$"
ClientName = Annotated[str, Field(pattern=_NAME)]
# A call is compared with the secrets of all.
MOST_CLIENTS = 100


class Scope(StrEnum):
    """What a client's calls may do."""

    REGISTER = "register"
    DELETE = "delete"


class Client(BaseModel):
    """One client. Ceilings of the deployment hold beside its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    scopes: frozenset[Scope] = Field(default=frozenset(Scope), min_length=1)
    max_registered_aois: int | None = Field(default=None, gt=0)
    max_registered_km2: float | None = Field(default=None, gt=0)
    event_url: str | None = Field(default=None, pattern=r"^https://[^\s/@?#]+(/\S*)?$")


class OwnedSecret(NamedTuple):
    """A signing secret and the client that has it; None is the operator."""

    client: str | None
    secret: str


def owned_secrets(setting: SecretStr) -> list[OwnedSecret]:
    """The secrets of a setting: ``whsec_…`` of the operator, ``NAME:whsec_…`` of clients, separated by blanks."""
    found = []
    for text in setting.get_secret_value().split():
        name, colon, secret = text.partition(":")
        found.append(OwnedSecret(name, secret) if colon else OwnedSecret(None, text))
    return found


def secrets_of(client: str | None, setting: SecretStr) -> list[str]:
    """The active secrets of one client, or of the operator."""
    return [owned.secret for owned in owned_secrets(setting) if owned.client == client]


def form_fault(setting: SecretStr) -> str | None:
    """What is wrong with the form of secrets, without a character of any; None when all can sign."""
    for number, owned in enumerate(owned_secrets(setting), 1):
        if owned.client is not None and not re.fullmatch(_NAME, owned.client):
            return f"secret {number}: expected the name of a client before the colon"
        if fault := secret_fault(owned.secret):
            return f"secret {number}: {fault}"
    return None


def owner_fault(setting: SecretStr, clients: dict[str, Client]) -> str | None:
    """Whether a secret is of nobody, or of two, who could then pass for each other; None when each is somebody's."""
    owners: dict[bytes, str | None] = {}
    for number, owned in enumerate(owned_secrets(setting), 1):
        if owned.client is not None and owned.client not in clients:
            return f"secret {number} is of a client that CLIENTS does not have"
        if owners.setdefault(signing_key(owned.secret), owned.client) != owned.client:
            return f"secret {number} is another's as well"
    return None
