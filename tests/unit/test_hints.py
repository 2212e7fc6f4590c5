"""Notices from the Copernicus Data Space and the public SNS topic: what is theirs, and everything that is not."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from shared.credentials import CredentialsError, form_fault, sender_of
from shared.errors import InvalidMessageError, LandcoverError
from shared.settings import Settings
from shared.webhooks.hints import HourlyCeiling, Notice, news, read_notice
from tests import connections
from tests.notices import NOWHERE, PRODUCT, basic, confirmation, data_space, sns, sns_event

SENSED = datetime(2019, 1, 15, 14, 57, 21, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_connection() -> Iterator[None]:
    with connections.none_made():
        yield


def test_notices_name_their_products() -> None:
    for body in (data_space(), data_space(SubscriptionEvent=["created"]), sns(), sns_event(sns(), sns(), sns())):
        assert read_notice(body) == Notice([PRODUCT])
    other = PRODUCT.replace("T19MBP", "T19MBQ")
    assert read_notice(sns_event(sns(), sns(other))).product_ids == [PRODUCT, other]


@pytest.mark.parametrize("event", ["deleted", "modified", ["deleted"]])
def test_other_news_of_a_product_are_no_acquisition(event: object) -> None:
    assert read_notice(data_space(SubscriptionEvent=event)) == Notice([])


def test_a_trial_of_the_address_is_no_acquisition_and_no_fault() -> None:
    """The Copernicus Data Space would take the address for one that does not answer."""
    trial = "test-notification-S1A_S3_GRDH_1SDV_20230801T152912_20230801T152931_049683_05F970_0441_COG.SAFE"
    assert read_notice(data_space(trial)) == Notice([])


def test_a_subscription_that_waits_tells_its_token_and_no_address() -> None:
    assert read_notice(confirmation()) == Notice([], "2336412f37fb687f")
    for token in (None, "", 7, NOWHERE, "a b", "a" * 2_000, ["a"]):
        with pytest.raises(InvalidMessageError, match="expected the token"):
            read_notice(confirmation(Token=token))
    with pytest.raises(InvalidMessageError, match="expected the topic"):
        read_notice(confirmation(TopicArn="arn:aws:sns:eu-west-1:1:Other"))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "found an empty object"),
        (b'{"message": {"data": ""}, "subscription": "x"}', "found message, subscription"),
        (data_space(None), "expected a product's name, found None"),
        (data_space("S1A_IW_GRDH_1SDV_20230801T152912"), "neither a Dynamic World image id"),
        (data_space(f"https://example.com/{PRODUCT}"), "expected a Sentinel-2 product's name"),
        (data_space("20210103T023111_20210103T023107_T51TYL"), "expected a Sentinel-2 product's name"),
        (data_space({"$ref": NOWHERE}), "expected a product's name"),
        (sns(TopicArn="arn:aws:sns:eu-west-1:214830741341:SentinelOther"), "expected the topic"),
        (sns(Type="UnsubscribeConfirmation"), "expected a Notification"),
        (sns(Message="<xml/>"), "the message is not JSON"),
        (sns(Message=None), "the message is not JSON"),
        (sns(Message="7"), "the message is no JSON object"),
        (b'{"Records": 7}', "expected a list of records"),
        (b'{"Records": [{"s3": {}}]}', "expected the topic .* found None"),
        (sns_event(*(sns(PRODUCT[:-3] + str(n)) for n in range(100, 201))), "101 products in one notice"),
    ],
)  # fmt: skip
def test_rubbish_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(InvalidMessageError, match=sentence):
        read_notice(body)


def test_only_what_was_sensed_lately_is_news() -> None:
    older = PRODUCT.replace("20190115T145721", "20181215T145721")
    assert news([PRODUCT, older], SENSED + timedelta(hours=3), 10) == [PRODUCT]
    assert news([PRODUCT, older], SENSED + timedelta(days=10), 41) == [PRODUCT, older]
    assert news([PRODUCT, older], SENSED + timedelta(days=10, seconds=1), 10) == []
    assert news([PRODUCT], SENSED - timedelta(hours=23), 10) == [PRODUCT], "clocks differ"
    with pytest.raises(InvalidMessageError, match="is not sensed yet"):
        news([PRODUCT], SENSED - timedelta(hours=25), 10)


def test_an_hour_has_room_for_so_many() -> None:
    ceiling = HourlyCeiling()
    assert [ceiling.wait_seconds(count, 10, now) for count, now in ((6, 100.0), (4, 200.0), (0, 300.0))] == [0, 0, 0]
    assert ceiling.wait_seconds(1, 10, 400.0) == 3_300, "until the hour that began with the first is over"
    assert ceiling.wait_seconds(10, 10, 3_700.0) == 0
    assert ceiling.wait_seconds(1, 10, 3_800.0) == 3_500
    assert HourlyCeiling().wait_seconds(11, 10, 0.0) == 3_600


def test_every_captured_notification(shared_data: Path) -> None:
    """A real SNS notice is taken; Google's own notifications are somebody else's; ids are taken where they are ids."""
    folder = shared_data / "e_notifications"
    (captured,) = (folder / "captured").glob("*.json")
    assert read_notice(captured.read_bytes()) == Notice([PRODUCT])
    others = list((folder / "google-cloudevents").rglob("*.json"))
    assert len(others) > 5
    for path in others:
        with pytest.raises(InvalidMessageError):
            read_notice(path.read_bytes())
    with (folder / "product_ids.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    taken = []
    for row in rows:
        try:
            taken += read_notice(data_space(row["id"])).product_ids
        except LandcoverError:
            assert "_N" not in row["id"] or "/" in row["id"], row["id"]
    assert len(taken) == 16
    assert all(name.startswith("S2") and "/" not in name for name in taken)


PASSWORDS = {"copernicus": "c" * 20 + "-._~" * 5, "sns": "s" * 32}


def test_senders_are_known_by_name_and_password() -> None:
    known = SecretStr(" ".join(f"{name}:{password}" for name, password in PASSWORDS.items()))
    for name, password in PASSWORDS.items():
        assert sender_of(basic(f"{name}:{password}"), known) == name
        assert sender_of(basic(f"{name}:{password}").replace("Basic", "basic"), known) == name
    sns = f"sns:{PASSWORDS['sns']}"
    wrong = [
        None, "", "Basic", "Basic ", "Basic !!!", basic(""), basic(":"), basic("sns"), basic("sns:"), basic(sns[:-1]),
        basic(f"{sns}s"), basic(f"copernicus:{PASSWORDS['sns']}"), basic(known.get_secret_value()),
        basic(sns).replace("Basic", "Bearer"), "Basic \u00e4", sns,
    ]  # fmt: skip
    for header in wrong:
        with pytest.raises(CredentialsError) as refused:
            sender_of(header, known)
        assert PASSWORDS["sns"][:5] not in str(refused.value)
    for header in (None, basic(""), basic(":")):
        with pytest.raises(CredentialsError):
            sender_of(header, SecretStr(""))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", None),
        (f"copernicus:{'p' * 32} sns-2:{'q' * 128}", None),
        ("p" * 40, "number 1: expected a name of a sender before a colon"),
        (f"Sns:{'p' * 32}", "number 1: expected a name of a sender before a colon"),
        (f"sns:{'p' * 32} copernicus:short", "number 2: expected a password of 32 to 128 letters, digits and . _ ~ -"),
        (f"sns:{'p' * 31}/", "number 1: expected a password of 32 to 128 letters, digits and . _ ~ -"),
        (f"sns:{'p' * 32} sns:{'q' * 32}", "a name is there twice"),
    ],
)
def test_credentials_that_are_weak_or_cannot_be_told_apart_are_a_fault(text: str, fault: str | None) -> None:
    assert form_fault(SecretStr(text)) == fault


def test_settings_refuse_such_credentials_without_showing_the_password() -> None:
    with pytest.raises(ValidationError, match="expected a password of 32") as refused:
        Settings(project="some-project", hint_credentials=SecretStr("sns:short"))
    assert "short" not in str(refused.value)
