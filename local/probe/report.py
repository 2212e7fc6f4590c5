"""Results in words, as JSON, and as the file of measures that budgets and the simulation read."""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.probe.deployment import Deployment
from local.probe.model import Outcome, Result
from shared.settings import Settings

# A request is to take half of Earth Engine's five minutes at most.
_AIM_SECONDS = 150.0


def lines(result: Result) -> Iterator[str]:
    """One line for a result; for a failure two more, with what it means and what to do."""
    finding = result.finding
    took = [f"{finding.seconds:.1f} s"] if finding.seconds is not None else []
    took += [f"{finding.eecu_seconds:.2f} EECU-s"] if finding.eecu_seconds is not None else []
    name = f"{result.check.name}{f' ({finding.part})' if finding.part else ''}"
    yield f"{finding.outcome:<7}  {name}: {finding.found}" + (f" [{', '.join(took)}]" if took else "")
    if finding.outcome is Outcome.FAIL:
        yield f"{'':9}{result.check.means}"
        yield f"{'':9}{result.check.remedy}"


def summary(results: Sequence[Result]) -> str:
    """How many of which outcome."""
    counts = Counter(result.finding.outcome for result in results)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])


def document(deployment: Deployment, results: Sequence[Result]) -> dict[str, Any]:
    """Everything that was found."""
    return {**_heading(deployment), "results": [_record(result) for result in results]}


def _heading(deployment: Deployment) -> dict[str, Any]:
    return {
        "probed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "project": deployment.settings.project,
        "dataset": deployment.settings.dataset,
        "embedded": deployment.embedded,
    }


def _record(result: Result) -> dict[str, Any]:
    check, finding = result.check, result.finding
    record: dict[str, Any] = {
        "check": check.name,
        "part": finding.part,
        "outcome": finding.outcome.lower(),
        "found": finding.found,
        "seconds": finding.seconds,
        "eecu_seconds": finding.eecu_seconds,
        "measures": dict(finding.measures),
    }
    if finding.outcome is Outcome.FAIL:
        record |= {"means": check.means, "remedy": check.remedy}
    return record


def write_measures(deployment: Deployment, results: Sequence[Result], path: Path) -> None:
    """Leave seconds by the names that ``benchmarks/simulation.py`` has for them, settings that follow, and all else."""
    measures = _measures(results)
    eecu = {
        f"{result.check.name} {result.finding.part}".strip(): result.finding.eecu_seconds
        for result in results
        if result.finding.eecu_seconds is not None
    }
    text = {
        **_heading(deployment),
        "seconds": _simulated(measures),
        "settings": {} if deployment.embedded else suggested(measures, deployment.settings),
        "eecu_seconds": eecu,
        "measures": measures,
    }
    path.write_text(json.dumps(text, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _measures(results: Sequence[Result]) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for result in results:
        for name, value in result.finding.measures.items():
            found[name].append(value)
    last = {"layers_answered", "layers_refused"}
    return {n: values[-1] if n in last else statistics.median(values) for n, values in found.items()}


def _simulated(measures: dict[str, float]) -> dict[str, float]:
    """A full request is what it took, less what any request takes."""
    seconds = {name: measures[name] for name in ("query", "listing", "computing", "appending") if name in measures}
    if "computing" in measures and "computing_request" in measures:
        seconds["computing_pairs"] = max(0.0, measures["computing_request"] - measures["computing"])
    return seconds


def suggested(measures: dict[str, float], settings: Settings) -> dict[str, str]:
    """Settings of the functions, as Terraform takes them, where what was measured does not bear the present ones."""
    found: dict[str, str] = {}
    if "layers_refused" in measures and measures["layers_answered"] < settings.layer_budget:
        found["layer_budget"] = str(max(1, int(measures["layers_answered"])))
    for name in ("pixel_budget", "label_pixel_budget"):
        seconds = measures.get(name)
        if seconds is not None and seconds > _AIM_SECONDS:
            found[name] = str(int(getattr(settings, name) * _AIM_SECONDS / seconds))
    return found
