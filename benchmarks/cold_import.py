"""Cold import time of each function against the bare third-party clients it needs: python -m benchmarks.cold_import

Each figure is the median over fresh interpreters, function and clients taking turns. The bar is a ratio of 1.2.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

_ROUNDS = 15
_ROOT = Path(__file__).resolve().parents[1]
_WAREHOUSE = ["google.cloud.bigquery"]
_EARTH_ENGINE = ["ee"]
_PUBLISHER = ["google.pubsub_v1.services.publisher", "grpc"]
_EVERY = ["functions_framework", "pydantic", "pydantic_settings"]
_GEOMETRY = ["shapely", "shapely.geometry", "antimeridian"]

# What each function cannot do without. None receives from Pub/Sub with a client, and discover handles no geometry.
NEEDS = {
    "register_aoi": [*_EVERY, "flask", *_WAREHOUSE, *_PUBLISHER, *_GEOMETRY, "standardwebhooks"],
    "discover": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER],
    "dispatch": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER, *_GEOMETRY],
    "measure": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_GEOMETRY],
    "backfill": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER, *_GEOMETRY],
    "composite": [*_EVERY, *_WAREHOUSE, *_EARTH_ENGINE, *_PUBLISHER, *_GEOMETRY],
    "record_dead_letter": [*_EVERY, *_WAREHOUSE],
}


def _seconds(modules: list[str]) -> float:
    imports = "\n".join(f"import {module}" for module in modules)
    script = f"import time\nstart = time.perf_counter()\n{imports}\nprint(time.perf_counter() - start)"
    environment = {**os.environ, "LANDCOVER_PROJECT": "some-project"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=_ROOT, env=environment
    )
    return float(done.stdout)


def main() -> None:
    """Print a table of medians in milliseconds and their ratio."""
    print(f"{'function':<20}{'clients ms':>12}{'function ms':>12}{'ratio':>8}")
    for name, needs in NEEDS.items():
        pairs = [(_seconds(needs), _seconds([f"functions.{name}"])) for _ in range(_ROUNDS + 1)][1:]
        clients, function = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{name:<20}{clients * 1000:>12.0f}{function * 1000:>12.0f}{function / clients:>8.2f}")


if __name__ == "__main__":
    main()
