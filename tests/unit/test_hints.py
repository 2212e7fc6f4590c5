"""Notices from the Copernicus Data Space and the public SNS topic: what is theirs, and everything that is not."""

import base64
import csv
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from shared.errors import InvalidMessageError, LandcoverError
from shared.webhooks import hints
from shared.webhooks.hints import CredentialsError, product_ids, require_credentials

PRODUCT = "S2A_MSIL1C_20190115T145721_N0207_R039_T19MBP_20190115T164135"


def data_space(**changes: Any) -> bytes:
    """A push as documented by the Copernicus Data Space, shortened."""
    document = {
        "@odata.context": "$metadata#Notification/$entity",
        "SubscriptionEvent": "created",
        "ProductId": "0dd083d4-360e-4693-9791-1215da02c3a3",
        "ProductName": f"{PRODUCT}.SAFE",
        "SubscriptionId": "05d02462-6685-46e6-a1a4-bd1749330e43",
        "NotificationDate": "2024-04-03T10:08:38.507Z",
        "Value": {"Name": f"{PRODUCT}.SAFE", "S3Path": "https://example.com/never/opened"},
    }
    return json.dumps(document | changes).encode()


def sns(**changes: Any) -> bytes:
    message = json.dumps({"name": PRODUCT, "path": "https://example.com/never/opened"})
    document = {
        "Type": "Notification",
        "TopicArn": hints.SNS_TOPIC,
        "Message": message,
        "SigningCertURL": "https://example.com/never/opened.pem",
        "UnsubscribeURL": "https://example.com/never/opened",
    }
    return json.dumps(document | changes).encode()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a notice holds, no connection is made."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_notices_name_their_products() -> None:
    assert product_ids(data_space()) == [PRODUCT]
    assert product_ids(data_space(SubscriptionEvent=["created"])) == [PRODUCT]
    assert product_ids(sns()) == [PRODUCT]
    again = [{"EventSource": "aws:sns", "Sns": json.loads(sns())}] * 3
    assert product_ids(json.dumps({"Records": again}).encode()) == [PRODUCT], "the same product thrice is one"


@pytest.mark.parametrize("event", ["deleted", "modified", ["deleted"]])
def test_other_news_of_a_product_are_no_acquisition(event: object) -> None:
    assert product_ids(data_space(SubscriptionEvent=event)) == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "found an empty object"),
        (b'{"message": {"data": ""}, "subscription": "x"}', "found message, subscription"),
        (data_space(ProductName=None), "expected a product's name, found None"),
        (data_space(ProductName="S1A_IW_GRDH_1SDV_20230801T152912"), "neither a Dynamic World image id"),
        (data_space(ProductName=f"https://example.com/{PRODUCT}"), "expected a Sentinel-2 product's name"),
        (data_space(ProductName="20210103T023111_20210103T023107_T51TYL"), "expected a Sentinel-2 product's name"),
        (data_space(ProductName={"$ref": "http://example.com"}), "expected a product's name"),
        (sns(TopicArn="arn:aws:sns:eu-west-1:214830741341:SentinelOther"), "expected the topic"),
        (sns(Type="SubscriptionConfirmation", SubscribeURL="https://example.com"), "confirmed by hand"),
        (sns(Message="<xml/>"), "the message is not JSON"),
        (sns(Message=None), "the message is not JSON"),
        (sns(Message="7"), "the message is no JSON object"),
        (b'{"Records": 7}', "expected a list of records"),
        (b'{"Records": [{"s3": {}}]}', "expected the topic .* found None"),
    ],
)  # fmt: skip
def test_rubbish_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(InvalidMessageError, match=sentence):
        product_ids(body)


def test_every_captured_notification(shared_data: Path) -> None:
    """A real SNS notice is taken; Google's own notifications are somebody else's; ids are taken where they are ids."""
    folder = shared_data / "e_notifications"
    (captured,) = (folder / "captured").glob("*.json")
    assert product_ids(captured.read_bytes()) == [PRODUCT]
    others = list((folder / "google-cloudevents").rglob("*.json"))
    assert len(others) > 5
    for path in others:
        with pytest.raises(InvalidMessageError):
            product_ids(path.read_bytes())
    with (folder / "product_ids.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    taken = []
    for row in rows:
        try:
            taken += product_ids(data_space(ProductName=row["id"]))
        except LandcoverError:
            assert "_N" not in row["id"] or "/" in row["id"], row["id"]
    assert len(taken) == 16
    assert all(name.startswith("S2") and "/" not in name for name in taken)


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def test_credentials() -> None:
    known = ["copernicus:secret:with:colons", "sns:other"]
    for right in (basic(known[0]), basic(known[1]), basic(known[1]).replace("Basic", "basic")):
        require_credentials(right, known)
    wrong = [
        None, "", "Basic", "Basic ", "Basic !!!", basic(""), basic(":"), basic("sns"), basic("sns:"), basic("sns:othe"),
        basic("copernicus:other"), basic(known[1]).replace("Basic", "Bearer"), "Basic \u00e4", known[1],
    ]  # fmt: skip
    for header in wrong:
        with pytest.raises(CredentialsError) as refused:
            require_credentials(header, known)
        assert "other" not in str(refused.value)
    for none_known in ([], [""], ["name-without-password"]):
        with pytest.raises(CredentialsError):
            require_credentials(basic("".join(none_known)), none_known)
