"""Cold import of each function, time and memory, against the bare third-party clients it needs.

Each figure is the median over fresh interpreters, function and clients taking turns after a warm-up.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Bar, Row

_AREA = "cold import"
_ROUNDS = 9
_ROOT = Path(__file__).resolve().parents[1]
# Not the environment with the peers in it: pydantic looks for plugins in every distribution that is installed.
_PLAIN = _ROOT / ".venv" / "bin" / "python"
_PYTHON = str(_PLAIN) if _PLAIN.exists() else sys.executable
_WAREHOUSE = ["google.cloud.bigquery"]
_EARTH_ENGINE = ["ee"]
_PUBLISHER = ["google.pubsub_v1.services.publisher", "grpc"]
_EVERY = ["functions_framework", "pydantic", "pydantic_settings"]
_GEOMETRY = ["shapely", "shapely.geometry", "antimeridian"]

# What each function cannot do without. None receives from Pub/Sub with a client, and discover handles no geometry.
NEEDS = {
    "register_aoi": [*_EVERY, "flask", *_WAREHOUSE, *_PUBLISHER, *_GEOMETRY, "standardwebhooks"],
    "hint": [*_EVERY, "flask", *_PUBLISHER],
    "discover": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER],
    "dispatch": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER, *_GEOMETRY],
    "measure": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER, *_GEOMETRY],
    "backfill": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER, *_GEOMETRY],
    "composite": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER, *_GEOMETRY],
    "plan_transitions": [*_EVERY, *_WAREHOUSE, *_PUBLISHER, *_GEOMETRY],
    "transition": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER, *_GEOMETRY],
    "record_passes": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER, *_GEOMETRY],
    "plan_changes": [*_EVERY, *_WAREHOUSE, *_PUBLISHER, *_GEOMETRY],
    "find_changes": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER, *_GEOMETRY],
    "alert_changes": [*_EVERY, *_WAREHOUSE, *_PUBLISHER],
    "deliver_event": [*_EVERY, *_WAREHOUSE, "requests_hardened", "standardwebhooks"],
    "record_dead_letter": [*_EVERY, *_WAREHOUSE],
}


_SCRIPT = """
import time
start = time.perf_counter()
{imports}
print(time.perf_counter() - start)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def rows() -> Iterator[Row]:
    """Milliseconds and megabytes of each function."""
    for name, needs in NEEDS.items():
        pairs = [(_imported(needs), _imported([f"functions.{name}"])) for _ in range(_ROUNDS + 1)][1:]
        clients, function = (
            [statistics.median(v) for v in zip(*side, strict=True)] for side in zip(*pairs, strict=True)
        )
        reading = "the bare clients it needs"
        yield Row(_AREA, f"{name}: time", "ms", function[0] * 1000, "clients", clients[0] * 1000, Bar(1.2), reading)
        yield Row(_AREA, f"{name}: memory", "MB", function[1] / 1000, "clients", clients[1] / 1000, None, reading)


def _imported(modules: list[str]) -> tuple[float, float]:
    """(seconds, peak kilobytes) of importing modules in a fresh interpreter."""
    script = _SCRIPT.format(imports="\n".join(f"import {module}" for module in modules))
    environment = {**os.environ, "LANDCOVER_PROJECT": "some-project"}
    done = subprocess.run(
        [_PYTHON, "-c", script], capture_output=True, text=True, check=True, cwd=_ROOT, env=environment
    )
    seconds, kilobytes = done.stdout.split()
    return float(seconds), float(kilobytes)
