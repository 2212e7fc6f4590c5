"""Making the checks one after the other. What goes wrong within one is its finding, and no reason to stop."""

from collections.abc import Iterator, Sequence

from local.probe.deployment import Deployment
from local.probe.model import Check, Finding, Outcome, Result
from shared.errors import LandcoverError


def chosen(checks: Sequence[Check], prefix: str) -> list[Check]:
    """The checks whose name begins so, and those that they need."""
    wanted = [check for check in checks if check.name.startswith(prefix)]
    needed = {check.needs for check in wanted}
    return [check for check in checks if check in wanted or check.name in needed]


def probe(deployment: Deployment, checks: Sequence[Check]) -> Iterator[Result]:
    """The results as they come."""
    failed: set[str] = set()
    for check in checks:
        for finding in _findings(check, deployment, failed):
            if finding.outcome is Outcome.FAIL:
                failed.add(check.name)
            yield Result(check, finding)


def _findings(check: Check, deployment: Deployment, failed: set[str]) -> Iterator[Finding]:
    if check.needs in failed:
        yield Finding(Outcome.SKIPPED, f"needs {check.needs}")
        return
    try:
        yield from check.run(deployment)
    except LandcoverError as error:
        yield Finding(Outcome.FAIL, str(error))
    except Exception as error:  # a probe that stops at the first surprise tells less than one that names it
        yield Finding(Outcome.FAIL, f"{type(error).__name__}: {error}")
