"""A day's 6,000 images against the register: the query that discover runs, in the embedded warehouse.

In a process of its own; seconds are medians of three after a warm-up, memory is the peak of warehouse and client.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from benchmarks.rows import Bar, Row, medians
from local.stack import forget_clients
from shared.settings import load_settings
from shared.warehouse.client import Warehouse

_AREA = "spatial match"
_IMAGES = 6_000
_PROJECT = "local-project"
_SIZES = (1_000, 100_000, 1_000_000)
_MOST_SECONDS, _MOST_MEGABYTES = 10.0, 2_000.0


def rows() -> Iterator[Row]:
    """Seconds and memory at each size of the register; the bars are those of a million."""
    for aois in _SIZES:
        command = [sys.executable, "-m", "benchmarks.spatial_match", str(aois)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        what = f"{_IMAGES:,} images against {aois:,} AOIs"
        reading = f"{found['images']:,} images meet an AOI"
        yield Row(_AREA, what, "s", found["seconds"], bar=Bar(_MOST_SECONDS), reading=reading)
        yield Row(_AREA, f"{what}: peak memory", "MB", found["megabytes"], bar=Bar(_MOST_MEGABYTES))


def _measure(aois: int, folder: Path) -> dict[str, float]:
    """Make a warehouse, fill its register while nobody has it open, and ask it."""
    with _running(folder):
        pass
    _fill(folder / "warehouse" / "bqemulator.duckdb", aois)
    images = _boxes()
    with _running(folder) as warehouse:
        found: list[dict[str, Any]] = []

        def match() -> None:
            found[:] = warehouse.query("new_acquisitions", boxes=json.dumps(images), since=date(2026, 1, 1))

        (seconds,) = medians(match, rounds=3)
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (peak,) = [line for line in status if line.startswith("VmHWM")]
    return {"seconds": seconds, "megabytes": int(peak.split()[1]) / 1000, "images": len(found)}


@contextmanager
def _running(folder: Path) -> Iterator[Warehouse]:
    from local.bigquery.definition import create_warehouse  # noqa: PLC0415 — only this process pays
    from local.bigquery.embedded import EmbeddedBigQuery  # noqa: PLC0415

    bigquery = EmbeddedBigQuery(folder / "warehouse", _PROJECT).start()
    os.environ |= {"BIGQUERY_EMULATOR_HOST": bigquery.url, "LANDCOVER_PROJECT": _PROJECT}
    forget_clients()
    try:
        warehouse = create_warehouse(load_settings())
        bigquery.made()
        yield warehouse
    finally:
        bigquery.stop()


def _fill(file: Path, aois: int) -> None:
    """Areas of a square kilometre anywhere on land's latitudes; by insertAll a million would take an hour."""
    ring = ",".join(["[{:.5f},{:.5f}]"] * 5)
    corners = "w, s, w + 0.01, s, w + 0.01, s + 0.01, w, s + 0.01, w, s"
    geometry = f"""format('{{{{"type":"Polygon","coordinates":[[{ring}]]}}}}', {corners})"""
    given = {
        "webhook_id": "'w'", "event_type": "'aoi.registered'", "event_time": "TIMESTAMPTZ '2026-01-01'",
        "recorded_at": "TIMESTAMPTZ '2026-01-01'", "aoi_id": "'a' || i", "aoi_version": "1", "geometry": geometry,
        "geometry_sha256": "'x'", "area_m2": "1e6", "west_deg": "w", "south_deg": "s", "east_deg": "w + 0.01",
        "north_deg": "s + 0.01", "backfill_start": "DATE '2026-01-01'", "code_version": "'x'",
    }  # fmt: skip
    with duckdb.connect(str(file)) as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute(
            f'INSERT INTO "{_PROJECT}__landcover".aoi_events ({", ".join(given)}) SELECT {", ".join(given.values())} '
            f"FROM (SELECT i, random() * 358 - 179 AS w, random() * 130 - 60 AS s FROM range({aois}) t(i))"
        )


def _boxes() -> list[dict[str, Any]]:
    random = Random(7)
    corners = [(random.uniform(-179, 178), random.uniform(-60, 70)) for _ in range(_IMAGES)]
    return [
        {
            "image_id": f"image-{number}", "version_us": 1,
            "west_deg": west, "south_deg": south, "east_deg": west + 1.4, "north_deg": south + 1.0,
        }
        for number, (west, south) in enumerate(corners)
    ]  # fmt: skip


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(_measure(int(sys.argv[1]), Path(place))))
