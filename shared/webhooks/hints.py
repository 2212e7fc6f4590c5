"""Notices of others that a Sentinel-2 product has appeared: from their JSON to product ids for ``acquisitions``.

Two senders: push subscriptions of the Copernicus Data Space
(https://documentation.dataspace.copernicus.eu/APIs/Subscriptions.html), and the public SNS topic of Sentinel-2 on AWS,
as SNS delivers it or as a Lambda event. Both call with HTTP Basic credentials of their own, by which they are known.
Signatures of SNS are not checked, since its certificate lies at an address that the message itself names: no address in
a notice is ever opened.
"""

import json
import re
import reprlib
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shared.errors import InvalidMessageError
from shared.imagery.names import parse_scene_name, sensing_time

# SNS carries 256 KiB, escaped as JSON within JSON; a notice of the Copernicus Data Space has some 10 kB.
MOST_BYTES = 1_000_000
SNS_TOPIC = "arn:aws:sns:eu-west-1:214830741341:NewSentinel2Product"
_MOST_PRODUCTS = 100
_HOUR_SECONDS = 3600.0
# What the Copernicus Data Space writes before the names of a product when it tries an address.
_TRIAL = "test-notification-"
_TOKEN = re.compile(r"[A-Za-z0-9]{1,1024}")


class Notice(NamedTuple):
    """What a sender tells: products that have appeared (none where it tells of something else about a product), or the
    token by which a person confirms a subscription to the SNS topic.
    """

    product_ids: list[str]
    confirmation_token: str | None = None


def read_notice(body: bytes) -> Notice:
    """Raises InvalidMessageError for what neither sender sends."""
    document = _object(body, "the body")
    if document.get("Type") == "SubscriptionConfirmation" and document.get("TopicArn") == SNS_TOPIC:
        return Notice([], _token(document.get("Token")))
    found = dict.fromkeys(_checked(name) for name in _names(document))
    if len(found) > _MOST_PRODUCTS:
        raise InvalidMessageError(f"{len(found)} products in one notice, expected at most {_MOST_PRODUCTS}")
    return Notice(list(found))


def news(product_ids: Sequence[str], now: datetime, days: int) -> list[str]:
    """Those sensed in the last days: archives are processed anew, by the hundred thousand, and that is no early hint.

    Raises InvalidMessageError for a product of days to come.
    """
    sensed = {product: sensing_time(parse_scene_name(product).sensing_stamp) for product in product_ids}
    for product, moment in sensed.items():
        if moment > now + timedelta(days=1):
            raise InvalidMessageError(f"{product} is not sensed yet")
    return [product for product, moment in sensed.items() if moment >= now - timedelta(days=days)]


class HourlyCeiling:
    """How many products one process lets through in an hour."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = 0.0
        self._count = 0

    def wait_seconds(self, count: int, most: int, now_seconds: float) -> float:
        """Counts the products and returns 0, or, where they would be too many, how long to wait."""
        with self._lock:
            if not self._count or now_seconds - self._began >= _HOUR_SECONDS:
                self._began, self._count = now_seconds, 0
            if self._count + count > most:
                return self._began + _HOUR_SECONDS - now_seconds
            self._count += count
        return 0.0


def _names(document: dict[str, Any]) -> Iterator[Any]:
    if "SubscriptionEvent" in document:
        event = document["SubscriptionEvent"]
        name = document.get("ProductName")
        trial = isinstance(name, str) and name.startswith(_TRIAL)
        if "created" in (event if isinstance(event, list) else [event]) and not trial:
            yield name
    elif "Records" in document:
        records = document["Records"]
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise InvalidMessageError("expected a list of records")
        for record in records:
            yield _name_in_sns(record.get("Sns"))
    elif "TopicArn" in document:
        yield _name_in_sns(document)
    else:
        raise InvalidMessageError(
            "expected a notice of the Copernicus Data Space (SubscriptionEvent) or of SNS (TopicArn, Records), found "
            f"{', '.join(sorted(map(str, document))[:5])[:120] or 'an empty object'}"
        )


def _name_in_sns(notice: Any) -> Any:
    if not isinstance(notice, dict) or notice.get("TopicArn") != SNS_TOPIC:
        topic = notice.get("TopicArn") if isinstance(notice, dict) else notice
        raise InvalidMessageError(f"expected the topic {SNS_TOPIC}, found {_shown(topic)}")
    if notice.get("Type") != "Notification":
        raise InvalidMessageError(f"expected a Notification, found {_shown(notice.get('Type'))}")
    return _object(notice.get("Message"), "the message").get("name")


def _object(text: Any, what: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise InvalidMessageError(f"{what} is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidMessageError(f"{what} is no JSON object")
    return document


def _token(token: Any) -> str:
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise InvalidMessageError("expected the token of a subscription that waits for confirmation")
    return token


def _checked(name: Any) -> str:
    if not isinstance(name, str):
        raise InvalidMessageError(f"expected a product's name, found {_shown(name)}")
    product = name.removesuffix(".SAFE")
    if "/" in product or parse_scene_name(product).datastrip_stamp:
        raise InvalidMessageError(f"expected a Sentinel-2 product's name, found {_shown(name)}")
    return product


def _shown(value: Any) -> str:
    """A stranger's value in a few words, however long or deep it is."""
    return repr(value[:120]) if isinstance(value, str) else reprlib.repr(value)
