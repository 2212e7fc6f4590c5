"""Topics and push subscriptions: one definition for Terraform, the embedded stack and the tests."""

import json
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Subscription(BaseModel):
    """One push subscription. ``filter`` are the message attributes it takes, all of which must match."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    topic: str
    function: str
    filter: dict[str, str]
    ack_deadline_seconds: int
    max_delivery_attempts: int
    minimum_backoff_seconds: int
    maximum_backoff_seconds: int


class Messaging(BaseModel):
    """All topics and subscriptions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topics: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]


@lru_cache(maxsize=1)
def messaging() -> Messaging:
    """The definition in ``subscriptions.json``."""
    return Messaging.model_validate(
        json.loads(Path(__file__).with_name("subscriptions.json").read_text(encoding="utf-8"))
    )
