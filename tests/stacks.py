"""Driving an embedded stack from a test."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from standardwebhooks import Webhook

from local.servers.faults import Faults
from local.stack import Stack

WAIT_SECONDS = 120.0
# `make soak` sets it: what is shown a few times in each test run is shown often.
SOAK = "LANDCOVER_SOAK" in os.environ
_BACKFILL_START = date(2021, 1, 1)
# The settings that views are made with.
_IN_VIEWS = {"coverage_floor", "dataset", "network_in_summaries"}


@contextmanager
def start_stack(
    folder: Path, *, google_pubsub: bool = False, warehouse_faults: Faults | None = None, **settings: str
) -> Iterator[Stack]:
    """A stack on ``folder/scenes`` (made when absent), history from 2021."""
    scenes, out = folder / "scenes", folder / "out"
    scenes.mkdir(exist_ok=True)
    if not (out / "warehouse").exists():
        empty = _empty_warehouse(frozenset((name, settings[name]) for name in _IN_VIEWS & settings.keys()))
        shutil.copytree(Path(empty.name) / "out" / "warehouse", out / "warehouse")
    with Stack(
        scenes,
        out,
        backfill_start=_BACKFILL_START,
        settings=settings,
        google_pubsub=google_pubsub,
        warehouse_faults=warehouse_faults,
    ) as running:
        yield running


@cache
def _empty_warehouse(settings: frozenset[tuple[str, str]]) -> "TemporaryDirectory[str]":
    """``out/warehouse`` in it has all tables and views and no row: made once, since each stack of a test begins so."""
    kept = TemporaryDirectory()
    folder = Path(kept.name)
    with Stack(folder / "scenes", folder / "out", backfill_start=_BACKFILL_START, settings=dict(settings)):
        pass
    return kept


def signed_post(
    url: str, secret: str, body: str, webhook_id: str = "msg_1", at: datetime | None = None
) -> requests.Response:
    """Post a body to the webhook as a Standard Webhooks sender does."""
    moment = at or datetime.now(UTC)
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, moment, body),
        "content-type": "application/json",
    }
    return requests.post(url, data=body.encode(), headers=headers, timeout=30)


def feature(aoi_id: str, geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """A GeoJSON Feature with an id."""
    return {"type": "Feature", "id": aoi_id, "properties": properties, "geometry": geometry}


def event(kind: str, data: Any, timestamp: str | None = None) -> str:
    """The body of a webhook call about something that happened at a moment, or just now."""
    return json.dumps({"type": kind, "timestamp": timestamp or datetime.now(UTC).isoformat(), "data": data})


def register(
    stack: Stack, *features: dict[str, Any], webhook_id: str = "msg_1", timestamp: str | None = None
) -> list[Any]:
    """Register AOIs and wait until the pipeline is idle; returns the webhook's answers."""
    data = {"type": "FeatureCollection", "features": list(features)}
    body = event("aoi.registered", data, timestamp)
    response = signed_post(stack.webhook_url, stack.webhook_secret, body, webhook_id)
    assert response.status_code == 202, response.text
    settle(stack)
    answers: list[Any] = response.json()["aois"]
    return answers


def settle(stack: Stack) -> None:
    """Wait until every message is handled and none is dead."""
    quiet(stack)
    assert stack.warehouse.query("dead_letters_brief") == []


def quiet(stack: Stack) -> None:
    """Wait until every message is handled and every streamed row shows."""
    assert stack.bus.wait_idle(WAIT_SECONDS), "messages are still waiting"
    stack.bigquery.settle()


def announce(stack: Stack, image_id: str) -> None:
    """Publish one image by hand on the public topic and wait."""
    stack.bus.publish("acquisitions", json.dumps({"image_id": image_id}).encode(), {})
    settle(stack)


def rows(stack: Stack, table: str, order: str = "1") -> list[dict[str, Any]]:
    """All rows of a table or view, with what was streamed so far."""
    stack.bigquery.settle()
    return stack.warehouse.run(f"SELECT * FROM `{stack.warehouse.table(table)}` ORDER BY {order}", {})
