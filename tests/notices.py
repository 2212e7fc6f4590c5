"""Notices as the two senders send them, shortened; and what others might send in their place."""

import base64
import json
from typing import Any

from hypothesis import strategies as st

from shared.webhooks.hints import SNS_TOPIC
from tests.hostile import anything, crafted_bodies, hostile_bodies

PRODUCT = "S2A_MSIL1C_20190115T145721_N0207_R039_T19MBP_20190115T164135"
NOWHERE = "https://example.com/never/opened"


def data_space(product: Any = f"{PRODUCT}.SAFE", **changes: Any) -> bytes:
    """A push as documented by the Copernicus Data Space."""
    document = {
        "@odata.context": "$metadata#Notification/$entity",
        "SubscriptionEvent": "created",
        "ProductId": "0dd083d4-360e-4693-9791-1215da02c3a3",
        "ProductName": product,
        "SubscriptionId": "05d02462-6685-46e6-a1a4-bd1749330e43",
        "NotificationDate": "2024-04-03T10:08:38.507Z",
        "value": {"Name": product, "S3Path": NOWHERE, "Assets": [{"Type": "QUICKLOOK", "DownloadLink": NOWHERE}]},
    }
    return json.dumps(document | changes).encode()


def sns(product: Any = PRODUCT, **changes: Any) -> bytes:
    """A notice as SNS delivers it."""
    document = {
        "Type": "Notification",
        "MessageId": "2283514d-9c1a-5cf7-b387-05f5b4c9f03a",
        "TopicArn": SNS_TOPIC,
        "Subject": product,
        "Message": json.dumps({"name": product, "path": NOWHERE, "tiles": [{"path": NOWHERE}]}),
        "SignatureVersion": "1",
        "Signature": "AAAA",
        "SigningCertURL": f"{NOWHERE}.pem",
        "UnsubscribeURL": NOWHERE,
    }
    return json.dumps(document | changes).encode()


def sns_event(*notices: bytes) -> bytes:
    """The event that a Lambda function gets and hands on."""
    records = [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": json.loads(notice)} for notice in notices]
    return json.dumps({"Records": records}).encode()


def confirmation(**changes: Any) -> bytes:
    """What SNS sends to an address that was subscribed."""
    return sns(**{"Type": "SubscriptionConfirmation", "Token": "2336412f37fb687f", "SubscribeURL": NOWHERE, **changes})


def basic(text: str) -> str:
    """The header that carries ``name:password``."""
    return f"Basic {base64.b64encode(text.encode()).decode()}"


_names = st.one_of(st.sampled_from([PRODUCT, f"{PRODUCT}.SAFE", NOWHERE]), anything)
# Near a notice, each part right, odd or missing; bodies made to break a registration; any bytes at all.
rubbish = st.one_of(
    st.builds(
        lambda document: json.dumps(document).encode(),
        st.fixed_dictionaries(
            {},
            optional={
                "SubscriptionEvent": st.one_of(st.sampled_from(["created", ["created"], "deleted"]), anything),
                "ProductName": _names,
                "TopicArn": st.one_of(st.just(SNS_TOPIC), anything),
                "Type": st.one_of(st.sampled_from(["Notification", "SubscriptionConfirmation"]), anything),
                "Token": st.one_of(st.just("2336412f37fb687f"), anything),
                "Message": st.one_of(st.builds(json.dumps, st.fixed_dictionaries({"name": _names})), anything),
                "SubscribeURL": st.just(NOWHERE),
                "Records": st.one_of(st.lists(anything, max_size=3), anything),
            },
        ),
    ),
    hostile_bodies(),
    crafted_bodies(),
    st.binary(max_size=200),
    st.builds(
        lambda depth, name: data_space().replace(
            json.dumps(f"{PRODUCT}.SAFE").encode(), b"[" * depth + name + b"]" * depth
        ),
        st.integers(0, 1_100),
        st.sampled_from([b"1", b'"x"']),
    ),
)
