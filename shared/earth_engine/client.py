"""One connection to Earth Engine a process, and its errors told apart by text.

The official client drops the HTTP status, so the message is all there is. Texts: the service's error guide and
the messages seen in use; unknown texts count as transient, so that nothing is dropped for a new wording.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import ee
import requests
from google.api_core.exceptions import RetryError
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials

from shared.errors import (
    CollectionMissingError,
    DeploymentError,
    LandcoverError,
    NeverError,
    RetryLaterError,
    TileMemoryError,
    TooBigError,
    TooManyAggregationsError,
)
from shared.settings import Settings

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

# The first class that has a marker in the text, in this order: "Computation timed out" asks for smaller work, not only
# for patience; "Too many concurrent aggregations" comes behind the words "Quota exceeded"; an image that vanished
# between listing and computing is left out by the next listing.
_MARKERS: tuple[tuple[type[LandcoverError], tuple[str, ...]], ...] = (
    (TooManyAggregationsError, ("too many concurrent aggregations",)),
    (TileMemoryError, ("user memory limit exceeded", "output of image computation is too large")),
    (
        TooBigError,
        (
            "computed value is too large",
            "too many pixels in the region",
            "request payload size exceeds the limit",
            "response size exceeds",
            "total request size",
            "computation timed out",
            "deadline exceeded",
            "memory capacity exceeded",
            "collection query aborted after accumulating over",
        ),
    ),
    (CollectionMissingError, ("imagecollection asset '",)),
    (
        DeploymentError,
        (
            "permission",
            "has not been used in project",
            "is not registered to use earth engine",
            "not signed up for earth engine",
            "quota",
            "billing",
        ),
    ),
    (
        NeverError,
        (
            "did not match any bands",
            "invalid geojson geometry",
            "unknown function",
            "function '",
            "algorithm '",
            "unrecognized argument",
            "invalid argument",
        ),
    ),
)


def connect(settings: Settings, workload: str) -> None:
    """Initialise the client of this process, once, and tag its requests with the function's name, or a client's too.

    Raises RetryLaterError, DeploymentError where the service refuses the project.
    """
    _initialise(settings.project, settings.earth_engine_url, settings.earth_engine_deadline_seconds)
    ee.data.setWorkloadTag(workload)


@lru_cache(maxsize=1)
def _initialise(project: str, url: str | None, deadline_seconds: float) -> None:
    try:
        if url is not None and urlsplit(url).hostname in _LOOPBACK:
            anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
            ee.Initialize(credentials=anonymous, url=url, project=project)
        else:
            ee.Initialize(url=url, project=project)
    except (ee.EEException, requests.RequestException, OSError) as error:
        raise as_our_error(error) from error
    ee.data.setDeadline(deadline_seconds * 1000)
    # The client would try a call that hangs four times, four deadlines long; an invocation ends before the second.
    ee.data.setMaxRetries(0)


def compute(value: Any, patience_seconds: float) -> Any:
    """Evaluate an Earth Engine object on the service.

    A passing error is tried again, one to ten seconds apart, until ``patience_seconds`` have passed; from then on
    Pub/Sub is the retry. Raises RetryLaterError, TooBigError or NeverError.
    """
    return _patiently(lambda: ee.data.computeValue(value), patience_seconds)


def compute_pixels(request: dict[str, Any], patience_seconds: float) -> Any:
    """Pixels of an image, as ``ee.data.computePixels`` takes and gives them. Raises as ``compute``."""
    return _patiently(lambda: ee.data.computePixels(request), patience_seconds)


def _patiently(ask: Callable[[], Any], patience_seconds: float) -> Any:
    def asked() -> Any:
        try:
            return ask()
        except (ee.EEException, requests.RequestException, OSError, json.JSONDecodeError) as error:
            raise as_our_error(error) from error

    patient = Retry(predicate=_is_passing, initial=1.0, maximum=10.0, timeout=patience_seconds)
    try:
        return patient(asked)()
    except RetryError as error:
        raise error.cause if isinstance(error.cause, LandcoverError) else RetryLaterError(str(error)) from error


def _is_passing(error: Exception) -> bool:
    return isinstance(error, RetryLaterError) and not isinstance(error, DeploymentError)


def as_our_error(error: Exception) -> LandcoverError:
    """The error to raise for one of the client's: split, never, deployment, or retry for everything else."""
    text = str(error)
    lower = text.lower()
    for kind, markers in _MARKERS:
        if any(marker in lower for marker in markers):
            return kind(f"Earth Engine: {text}")
    # the client has no words for an answer that is not JSON; what it was made of has
    cause = error.__cause__ or error.__context__
    named = f"{type(error).__name__}, after {type(cause).__name__}" if cause else type(error).__name__
    return RetryLaterError(f"Earth Engine: {text or 'no message'} ({named})")
