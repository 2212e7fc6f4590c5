"""One request to Earth Engine and what it took: seconds, EECU where the service tells, status and kind of an error."""

import json
import time
from typing import Any, NamedTuple

import ee
import requests

from shared.earth_engine.client import as_our_error
from shared.errors import DeploymentError, LandcoverError, RetryLaterError

_PAUSE_SECONDS = 2.0


class Answer(NamedTuple):
    """What came of a request: a value, or an error with the HTTP status that the client does not show."""

    value: Any
    seconds: float
    eecu_seconds: float | None = None
    error: LandcoverError | None = None
    status: int | None = None

    @property
    def refusal(self) -> str:
        """The error in words, with its status and what the pipeline makes of it."""
        return f"{self.error} (status {self.status or 'unknown'}, taken for {type(self.error).__name__})"


def ask(value: Any, *, tries: int = 2, profiled: bool = False) -> Answer:
    """Evaluate an Earth Engine object. A passing error is tried again; what it says in the end is in the answer.

    ``profiled`` asks for EECU as well, which takes a request more.
    """
    while True:
        answer = _asked(value, profiled)
        tries -= 1
        passing = isinstance(answer.error, RetryLaterError) and not isinstance(answer.error, DeploymentError)
        if not passing or tries <= 0:
            return answer
        time.sleep(_PAUSE_SECONDS)


def _asked(value: Any, profiled: bool) -> Answer:
    profiles: list[str] = []
    started = time.monotonic()
    try:
        with ee.data.profiling(profiles.append if profiled else None):
            found = ee.data.computeValue(value)
    except (ee.EEException, requests.RequestException, OSError, json.JSONDecodeError) as error:
        response = getattr(error.__context__, "resp", None)
        return Answer(None, time.monotonic() - started, None, as_our_error(error), getattr(response, "status", None))
    seconds = time.monotonic() - started
    return Answer(found, seconds, _eecu_seconds(profiles))


def _eecu_seconds(profiles: list[str]) -> float | None:
    """EECU-seconds of the profiles that came with a request; None where none came or it cannot be read."""
    if not profiles:
        return None
    try:
        return eecu_of_text(ee.data.computeValue(ee.ApiFunction.lookup("Profile.getProfiles").call(ids=profiles)))
    except (ee.EEException, requests.RequestException, OSError, json.JSONDecodeError):
        return None  # what a request took is worth knowing, and no reason to fail it


def eecu_of_text(text: str) -> float | None:
    """The sum of the first column, ``EECU·s``, of a profile as ``ee.profilePrinting`` prints it."""
    found = []
    for line in text.splitlines():
        first = line.split(maxsplit=1)[:1]
        try:
            found.append(float(first[0]))
        except (IndexError, ValueError):
            continue  # the heading, or a line whose use is too small to be shown
    return sum(found) if found else None
