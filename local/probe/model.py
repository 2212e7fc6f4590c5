"""What a check is and what it finds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from local.probe.deployment import Deployment


class Outcome(StrEnum):
    """``NOTE`` is something worth knowing that the pipeline can live with, such as where a limit lies."""

    PASS = "pass"  # noqa: S105 — no password
    FAIL = "FAIL"
    NOTE = "note"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One line of the probe: ``found`` says what was found, ``part`` of what where a check looks at several things.

    ``measures`` are numbers for the file that ``--write`` leaves, by name; seconds unless the name says otherwise.
    """

    outcome: Outcome
    found: str
    part: str = ""
    seconds: float | None = None
    eecu_seconds: float | None = None
    measures: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Check:
    """One thing to look at, as a table of ``docs/probe.md`` has it.

    ``asks`` says what is looked at, ``means`` what a failure means, ``remedy`` what to do then, each in one sentence.
    A check is skipped when the one that it ``needs`` failed.
    """

    name: str
    asks: str
    means: str
    remedy: str
    run: Callable[[Deployment], Iterator[Finding]]
    needs: str | None = None


@dataclass(frozen=True)
class Result:
    """A finding and the check that it belongs to."""

    check: Check
    finding: Finding
