"""Long histories and wide registers, through every function, within what the services allow."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from affine import Affine
from shapely import box
from shapely.geometry import mapping

from benchmarks.strict import InvocationClock, requests, square, write_overpasses
from local.earth_engine import limits
from local.earth_engine.algorithms import collections
from local.earth_engine.values import Band, Collection, Geometry, Image, Projection
from shared.messages.bodies import Tick
from tests.stacks import feature, register, rows, start_stack

ROOT = Path(__file__).resolve().parents[2]
OVERPASSES, DAYS_APART = 240, 15
REFUSED = 2 * len(limits.REFUSALS)
WINDOW_END = date(2021, 7, 15)
ELSEWHERE = 300_000
NEAR_EACH = 40
FIRST_SECOND = int(datetime(2021, 6, 1, tzinfo=UTC).timestamp())
LONGEST_DATATAKE_SECONDS = 25 * 60
AT_ONCE = 10_000
PLACES = ((10.2, 50.2), (-60.3, -3.3))


def test_ten_years_of_an_area_arrive_though_the_project_is_not_set_up_at_first(tmp_path: Path) -> None:
    first = date(2015, 6, 28)
    days = [first + timedelta(days=DAYS_APART * n) for n in range(OVERPASSES)]
    write_overpasses(tmp_path / "scenes", days, 600)
    with start_stack(tmp_path, backfill_start="2015-06-27") as stack, InvocationClock(stack).watching() as clock:
        stack.earth_engine.app.refuse_first = REFUSED
        register(stack, feature("a", dict(mapping(square(0.3)))))
        spent = clock.spent(0)
        found = [row["acquired_date"] for row in rows(stack, "observations_current", "acquired_date")]
        log = (tmp_path / "out" / "functions.log").read_text()
    assert found == days, "the oldest, older than any limit on streaming, and all others"
    assert spent.dead_letters == 0
    assert stack.earth_engine.app.refuse_first == 0
    assert log.count('"message": "deployment refused"') >= 2, "said in words of its own, and tried again"
    # two or three listings to plan, by how long ago 2015 is; then a listing and four requests of fifty for each message
    assert spent.requests <= 3 + 2 + math.ceil(OVERPASSES / 50)
    assert max(spent.invocations) < 540


class Elsewhere(Sequence[Image]):
    """Metadata of images all over the Earth, made when they are looked at, and of some over two places."""

    def __init__(self) -> None:
        draw = np.random.default_rng(1)
        near = [place for place in PLACES for _ in range(NEAR_EACH)]
        # two degrees and more from both places, so that none of these touches a cell around them
        lon, lat = draw.uniform(30, 178, ELSEWHERE), draw.uniform(-70, 70, ELSEWHERE)
        self._lon = np.concatenate([[x for x, _ in near], lon])
        self._lat = np.concatenate([[y for _, y in near], lat])
        self._minutes = draw.integers(0, 44 * 24 * 60, len(self._lon))
        self._band = Band("label", Projection("EPSG:32633", Affine(10, 0, 0, 0, -10, 0)), _unread)

    def __len__(self) -> int:
        return len(self._lon)

    def __getitem__(self, number: Any) -> Any:
        return self._images(number, number + 1)[0]

    def __iter__(self) -> Iterator[Image]:
        return (image for start in range(0, len(self), AT_ONCE) for image in self._images(start, start + AT_ONCE))

    def _images(self, start: int, end: int) -> list[Image]:
        lon, lat = self._lon[start:end], self._lat[start:end]
        outlines = shapely.box(lon - 0.5, lat - 0.5, lon + 0.5, lat + 0.5)
        return [
            Image(self._properties(number), Geometry(outline, False), (self._band,))
            for number, outline in enumerate(outlines, start)
        ]

    def _properties(self, number: int) -> dict[str, Any]:
        seconds = FIRST_SECOND + 60 * int(self._minutes[number])
        moment = _named(seconds)
        return {
            "system:index": f"{moment}_{moment}_T33{'UVW'[number % 3]}{_letters(number)}",
            "system:time_start": 1000 * (seconds + number % LONGEST_DATATAKE_SECONDS),
            "system:version": 1_000_000 * seconds + 3_600_000_000,
        }


@cache
def _named(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S}"


def _letters(number: int) -> str:
    return chr(65 + number % 26) + chr(65 + number // 26 % 26)


def _unread(_: Any) -> Any:
    raise AssertionError("a listing reads no pixel")


class _Catalog:
    def __init__(self) -> None:
        self._images = Elsewhere()

    def collection(self, asset_id: str) -> Collection:
        return Collection(self._images, asset_id=asset_id)


FULL_TICK = """
import base64, json, re, sys
from pathlib import Path
import functions_framework
from werkzeug.test import Client
client = Client(functions_framework.create_app("discover", "functions/discover.py"))
data = base64.b64encode(sys.argv[1].encode()).decode()
answer = client.post("/", json={"message": {"data": data, "messageId": "1"}, "subscription": "projects/p/subscriptions/s"})
peak_kib = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(json.dumps({"status": answer.status_code, "peak_mib": int(peak_kib) / 1024}))
"""


def test_a_full_tick_over_two_continents_lists_what_is_there_and_not_the_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_stack(tmp_path) as stack:
        areas = [box(x, y, x + 0.01, y + 0.01) for x, y in PLACES]
        register(stack, *(feature(f"a{n}", dict(mapping(area))) for n, area in enumerate(areas)))
        monkeypatch.setitem(collections._CATALOGS, stack.settings.collection, _Catalog())
        before = requests(stack)
        tick = Tick(job="discover", run_date=WINDOW_END).model_dump_json(exclude_none=True)
        done = subprocess.run(
            [sys.executable, "-c", FULL_TICK, tick],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
        )
        said = [json.loads(line) for line in done.stdout.splitlines()]
        logged = rows(stack, "acquisitions")
    (outcome,) = (line for line in said if line.get("message") == "done")
    assert outcome["listed"] == outcome["announced"] == len(PLACES) * NEAR_EACH == len(logged)
    assert requests(stack) - before >= 1
    assert said[-1]["status"] == 200
    assert said[-1]["peak_mib"] < 256
