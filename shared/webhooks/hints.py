"""Notices of others that a Sentinel-2 product has appeared: from their JSON to product ids for ``acquisitions``.

Two senders: push subscriptions of the Copernicus Data Space (documentation.dataspace.copernicus.eu, "Catalog
subscriptions"), and the public SNS topic of Sentinel-2 on AWS, as delivered or as a Lambda event. Both can call with
HTTP Basic credentials of their own, which is how they are known. Signatures of SNS are not checked, since its
certificate lies at an address that the message itself names: no address in a notice is ever opened.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Iterator, Sequence
from typing import Any

from shared.errors import InvalidMessageError
from shared.imagery.names import parse_scene_name

SNS_TOPIC = "arn:aws:sns:eu-west-1:214830741341:NewSentinel2Product"
_MOST_PRODUCTS = 100


class CredentialsError(Exception):
    """The call carries no credentials that we know; the message holds none either."""


def require_credentials(authorization: str | None, known: Sequence[str]) -> None:
    """Check the value of an ``Authorization`` header against credentials, each ``name:password``.

    Raises CredentialsError for whatever is wrong: a caller learns nothing from which.
    """
    scheme, _, encoded = (authorization or "").partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        given = b""
    # every one is compared, so that time tells nothing either
    matches = [hmac.compare_digest(given, each.encode()) for each in known]
    if scheme.lower() != "basic" or b":" not in given or not any(matches):
        raise CredentialsError("the credentials are missing, malformed or wrong")


def product_ids(body: bytes) -> list[str]:
    """The ids of the products that a notice says have appeared; none where it tells of something else about a product.

    Raises InvalidMessageError for what neither sender sends.
    """
    document = _object(body, "the body")
    found = dict.fromkeys(_checked(name) for name in _names(document))
    if len(found) > _MOST_PRODUCTS:
        raise InvalidMessageError(f"{len(found)} products in one notice, expected at most {_MOST_PRODUCTS}")
    return list(found)


def _names(document: dict[str, Any]) -> Iterator[Any]:
    if "SubscriptionEvent" in document:
        event = document["SubscriptionEvent"]
        if "created" in (event if isinstance(event, list) else [event]):
            yield document.get("ProductName")
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
        raise InvalidMessageError(f"expected the topic {SNS_TOPIC}, found {repr(topic)[:120]}")
    if notice.get("Type") != "Notification":
        raise InvalidMessageError(
            f"expected a Notification, found {repr(notice.get('Type'))[:60]}; a subscription is confirmed by hand: no "
            "address is opened from here"
        )
    return _object(notice.get("Message"), "the message").get("name")


def _object(text: Any, what: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise InvalidMessageError(f"{what} is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidMessageError(f"{what} is no JSON object")
    return document


def _checked(name: Any) -> str:
    if not isinstance(name, str):
        raise InvalidMessageError(f"expected a product's name, found {repr(name)[:60]}")
    product = name.removesuffix(".SAFE")
    if "/" in product or parse_scene_name(product).datastrip_stamp:
        raise InvalidMessageError(f"expected a Sentinel-2 product's name, found {name[:120]!r}")
    return product
