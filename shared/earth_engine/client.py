"""One connection to Earth Engine a process, and its errors told apart by text.

The official client drops the HTTP status, so the message is all there is. Texts: the service's error guide and
the messages seen in use; unknown texts count as transient, so that nothing is dropped for a new wording.
"""

import json
from functools import lru_cache
from typing import Any

import ee
import requests
from google.auth.credentials import AnonymousCredentials

from shared.errors import LandcoverError, NeverError, RetryLaterError, TooBigError
from shared.settings import Settings

_CLIENT_RETRIES = 3

# Order matters: "Computation timed out." asks for smaller work, not only for patience.
_SPLIT = (
    "User memory limit exceeded",
    "Computed value is too large",
    "Too many pixels in the region",
    "Request payload size exceeds the limit",
    "Computation timed out",
    "Collection query aborted after accumulating over",
    "Output of image computation is too large",
)
_NEVER = (
    "not found",
    "does not exist or caller does not have access",
    "Permission",
    "has not been used in project",
    "did not match any bands",
    "Invalid GeoJSON geometry",
    "Unknown function",
    "Invalid argument",
)


def connect(settings: Settings, workload: str) -> None:
    """Initialise the client of this process, once, and tag its requests with the function's name."""
    _initialise(settings.project, settings.earth_engine_url, settings.earth_engine_deadline_seconds)
    ee.data.setWorkloadTag(workload)


@lru_cache(maxsize=1)
def _initialise(project: str, url: str | None, deadline_seconds: float) -> None:
    try:
        if url is None:
            ee.Initialize(project=project)
        else:
            anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
            ee.Initialize(credentials=anonymous, url=url, project=project)
    except (ee.EEException, requests.RequestException, OSError) as error:
        raise classify(error) from error
    ee.data.setDeadline(deadline_seconds * 1000)
    ee.data.setMaxRetries(_CLIENT_RETRIES)


def compute(value: Any) -> Any:
    """Evaluate an Earth Engine object on the service. Raises RetryLaterError, TooBigError or NeverError."""
    try:
        return ee.data.computeValue(value)
    except (ee.EEException, requests.RequestException, OSError, json.JSONDecodeError) as error:
        raise classify(error) from error


def classify(error: Exception) -> LandcoverError:
    """The error to raise for one of the client's: split, never, or retry for everything else."""
    text = str(error)
    if any(marker in text for marker in _SPLIT):
        return TooBigError(f"Earth Engine: {text}")
    if any(marker in text for marker in _NEVER):
        return NeverError(f"Earth Engine: {text}")
    return RetryLaterError(f"Earth Engine: {text or type(error).__name__}")
