"""Errors on purpose: whether the pipeline takes each of Earth Engine's refusals for what it is."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import ee

from local.probe.asking import ask
from local.probe.deployment import Deployment
from local.probe.images import PERMITTED
from local.probe.model import Check, Finding, Outcome
from shared.errors import CollectionMissingError, LandcoverError, NeverError, RetryLaterError, TooBigError

_NO_IMAGE = "20150623T000000_20150623T000000_T01CAA"
_TOO_MANY_BYTES = 10_500_000


class Provoked(NamedTuple):
    """A request that cannot succeed, and the error that it has to be taken for."""

    part: str
    value: Any
    expected: type[LandcoverError]


class _NoSuchFunction(ee.encodable.Encodable):
    """The client knows all functions and would send no other."""

    def encode_cloud_value(self, encoder: Any) -> dict[str, Any]:
        return {"functionInvocationValue": {"functionName": "Image.noSuchFunction", "arguments": {}}}


def provoked_errors(deployment: Deployment) -> Iterator[Finding]:
    collection = deployment.settings.collection
    image_id = deployment.images[-1].image_id
    for provoked in (
        Provoked("missing image", ee.Image(f"{collection}/{_NO_IMAGE}").bandNames(), RetryLaterError),
        Provoked("missing collection", ee.ImageCollection(f"{collection}-none").size(), CollectionMissingError),
        Provoked("missing band", ee.Image(f"{collection}/{image_id}").select("none").bandNames(), NeverError),
        Provoked("missing function", _NoSuchFunction(), NeverError),
        Provoked("large body", ee.String("x" * _TOO_MANY_BYTES), TooBigError),
    ):
        answer = ask(provoked.value, tries=1)
        if answer.error is None:
            found, taken = "was answered", False
        else:
            found, taken = answer.refusal, type(answer.error) is provoked.expected
        expected = "" if taken else f"; expected {provoked.expected.__name__}"
        yield Finding(Outcome.PASS if taken else Outcome.FAIL, found + expected, provoked.part, answer.seconds)


CHECKS = (
    Check(
        "earth-engine/errors",
        "Text and status of errors that are provoked, and what the pipeline takes each for.",
        "An error is retried that should end, or ends that should be retried or split.",
        "Add its words to the markers in shared/earth_engine/client.py, and report them.",
        provoked_errors,
        needs=PERMITTED,
    ),
)
