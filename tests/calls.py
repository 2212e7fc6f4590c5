"""Calling the webhook of a running stack, and reading what it answered and recorded."""

from typing import Any

import requests
from shapely import box
from shapely.geometry import mapping

from local.stack import Stack
from tests.stacks import event, rows, signed_post

SQUARE = dict(mapping(box(125.0, 45.0, 125.02, 45.01)))


def body(*features: dict[str, Any], timestamp: str | None = None) -> str:
    return event("aoi.registered", {"type": "FeatureCollection", "features": list(features)}, timestamp)


def deletion(aoi_id: str) -> str:
    return event("aoi.deleted", {"aoi_id": aoi_id})


def send(stack: Stack, text: str, webhook_id: str) -> requests.Response:
    return signed_post(stack.webhook_url, stack.webhook_secret, text, webhook_id)


def problem(response: requests.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["title"]
    return document


def events(stack: Stack) -> list[dict[str, Any]]:
    return rows(stack, "aoi_events", "recorded_at")
