"""When ticks are published and summaries rebuilt: one definition for Terraform, the embedded stack and the tests."""

import json
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from shared.messages.bodies import Tick


class ScheduledTick(BaseModel):
    """A tick that a scheduler publishes. ``cron`` is unix-cron in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    cron: str
    tick: Tick


class ScheduledQuery(BaseModel):
    """A file of ``sql/scheduled`` and when it runs, in the words of the BigQuery data transfer service (UTC)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    schedule: str


class Schedules(BaseModel):
    """All schedules, in the order in which one depends on the other."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ticks: tuple[ScheduledTick, ...]
    scheduled_queries: tuple[ScheduledQuery, ...]


@lru_cache(maxsize=1)
def schedules() -> Schedules:
    """The definition in ``schedules.json``."""
    return Schedules.model_validate(json.loads(Path(__file__).with_name("schedules.json").read_text(encoding="utf-8")))
