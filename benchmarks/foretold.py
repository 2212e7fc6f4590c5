"""What ``landcover cost`` says of 1, 100 and 10,000 areas beside what the embedded stack then does: Earth Engine
requests and rows, from registration to the composites of a month and a year and the patches of changed ground.
"""

import json
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from benchmarks.rows import Bar, Row
from benchmarks.strict import feature, pixel_requests, register, requests, square, write_overpasses
from local.cli import app
from local.stack import Stack
from shared.messages.bodies import Tick

_AREA = "landcover cost"
_SIZES = (1, 100, 10_000)
_DAYS = (date(2021, 1, 3), date(2021, 1, 8))
_FEATURES_PER_CALL = 1_000
_COLUMNS, _SPACING_M = 100, 150
_WAIT_SECONDS = 3_600.0


def rows() -> Iterator[Row]:
    """Requests and rows, told and done; the ratio is to be 1."""
    for count in _SIZES:
        with tempfile.TemporaryDirectory() as folder:
            told, done = told_and_done(Path(folder), count)
        for what in ("earth_engine_requests", "rows"):
            least, most = told[what]
            name = f"{count:,} areas: {what.replace('_', ' ')}"
            yield Row(_AREA, name, "", least, "done", done[what], Bar(1), f"told: {least:,} to {most:,}")
            yield Row(_AREA, name, "", most, "done", done[what], Bar(1, at_least=True))


def told_and_done(folder: Path, count: int) -> tuple[dict[str, Any], dict[str, int]]:
    """The history that the command foretells for so many small fields, and what came of registering them."""
    fields = [
        feature(f"a{n:05}", square(0.06, 200 + _SPACING_M * (n % _COLUMNS), 200 + _SPACING_M * (n // _COLUMNS)))
        for n in range(count)
    ]
    write_overpasses(folder / "scenes", _DAYS, 20 + _COLUMNS * _SPACING_M // 10 + 20)
    path = folder / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": fields}))
    with Stack(folder / "scenes", folder / "out", backfill_start=_DAYS[0]) as stack:
        said = CliRunner().invoke(app, ["cost", str(path), "--json"], catch_exceptions=False)
        before = requests(stack) + pixel_requests(stack)
        for first in range(0, count, _FEATURES_PER_CALL):
            register(stack, *fields[first : first + _FEATURES_PER_CALL])
        _settle(stack)
        composites = (Tick(job="composite", period="month"), Tick(job="composite", period="year"))
        for tick in (*composites, Tick(job="transition"), Tick(job="find-changes")):
            stack.publish_tick(tick)
            _settle(stack)
        kept = [
            stack.warehouse.run(f"SELECT COUNT(*) AS n FROM `{stack.warehouse.table(table)}`", {})[0]["n"]
            for table in ("observations", "composites", "transitions", "changes")
        ]
        done = {"earth_engine_requests": requests(stack) + pixel_requests(stack) - before, "rows": sum(kept)}
    return json.loads(said.output)["history"], done


def _settle(stack: Stack) -> None:
    assert stack.bus.wait_idle(_WAIT_SECONDS), "messages are still waiting"
    stack.bigquery.settle()
