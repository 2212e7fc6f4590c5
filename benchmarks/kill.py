"""The embedded stack is killed (SIGKILL) at random moments and started again, while areas are being registered, some
deleted again, and every call repeated after each start:

    python -m benchmarks.kill [--kills 20]

Two overpasses have a Sentinel-2 scene and no image of Dynamic World's; their products are announced, so that the
network classifies them. Of one of them an image is published half-way.

Prints whether the end state equals that of an undisturbed run: areas, observations, composites, monthly summaries.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np
import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PubsubMessage
from shapely import box
from shapely.geometry import mapping

from tests.l1c import clear_l1c, write_l1c
from tests.scenes import write_scene
from tests.stacks import signed_post

ROOT = Path(__file__).resolve().parent.parent
ORIGIN = (709_000.0, 5_000_000.0)
SEED = 7
SHAPE = (204, 204)
_FIRST = datetime(2026, 5, 3, 2, 31, 11, tzinfo=UTC)
_STAMPS = [f"{_FIRST + timedelta(days=11 * number):%Y%m%dT%H%M%S}" for number in range(8)]
IMAGES = [f"{stamp}_{stamp}_T51TYL" for stamp in _STAMPS]
OVERPASSES = len(IMAGES)
# July has one image less, so that its summary counts the network's row.
LEFT_OUT, LATE = IMAGES[6], IMAGES[5]
UNPUBLISHED = [f"S2A_MSIL1C_{name[:15]}_N0301_R046_T51TYL_{name[:15]}" for name in (LEFT_OUT, LATE)]
_PATIENCE_SECONDS = 900.0
_COLUMNS = {
    "aois": "aoi_id, aoi_version, geometry_sha256, area_m2",
    "observations_current": "aoi_id, aoi_version, overpass_id, source, image_ids, valid_area_m2, coverage",
    "composites_current": "aoi_id, aoi_version, period, period_start, valid_area_m2, overpass_count",
    "monthly_summary": "aoi_id, aoi_version, month, class_id, observation_count, network_count, mean_area_m2, "
    "composite_area_m2",
}
# two messages a backfill and more, so that there is something to lose in the middle
_SETTINGS = {"LANDCOVER_PAIR_BUDGET": "2"}
State = dict[str, list[tuple[Any, ...]]]


class Outcome(NamedTuple):
    """How often the stack was killed, how many rows each table had in the end, and the tables that differ."""

    kills: int
    rows: dict[str, int]
    different: list[str]


def kill_and_compare(folder: Path, kills: int) -> Outcome:
    """Run once undisturbed, once with kills; one area is registered for each kill."""
    draw = random.Random(SEED)
    calls = [_calls(number, draw) for number in range(kills)]
    scenes = _write_scenes(folder / "calm-scenes")
    _publish_late(scenes)
    with _serve(scenes, folder / "calm") as calm:
        for call in calls:
            _send(calm, call)
        _announce(calm, UNPUBLISHED)
        expected = _settled(calm)
    scenes = _write_scenes(folder / "stormy-scenes")
    for number in range(kills):
        if number == kills // 2:
            _publish_late(scenes)
        with _serve(scenes, folder / "stormy", most_seconds=draw.uniform(0.5, 8)) as stack:
            for call in calls[: number + 1]:
                _send(stack, call)
            _announce(stack, UNPUBLISHED)
            stack.process.wait(timeout=30)  # it is killed before
    with _serve(scenes, folder / "stormy") as stack:
        for call in calls:
            _send(stack, call)
        # a product of which there is an image by now has that measured
        _announce(stack, UNPUBLISHED)
        found = _settled(stack, expected)
    return Outcome(
        kills,
        {name: len(rows) for name, rows in found.items()},
        [name for name in expected if found[name] != expected[name]],
    )


def _write_scenes(folder: Path) -> Path:
    """Images, and the two scenes without one."""
    folder.mkdir()
    for seed, image_id in enumerate(IMAGES):
        if image_id in (LEFT_OUT, LATE):
            write_l1c(folder, image_id, clear_l1c(*SHAPE, seed), origin=ORIGIN, probability=np.zeros(SHAPE))
        else:
            write_scene(folder, image_id, crs="EPSG:32651", origin=ORIGIN, shape=SHAPE, seed=seed)
    return folder


def _publish_late(folder: Path) -> None:
    write_scene(folder, LATE, crs="EPSG:32651", origin=ORIGIN, shape=SHAPE, seed=OVERPASSES)


def _announce(serving: "_Serving", ids: Sequence[str]) -> None:
    """Publish images or products that have appeared, as anybody may."""
    if not serving.addresses:
        raise _KilledError
    channel = grpc.insecure_channel(serving.addresses["pubsub"])
    client = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    messages = [PubsubMessage(data=json.dumps({"image_id": scene_id}).encode()) for scene_id in ids]
    try:
        client.publish(
            topic=f"projects/{serving.addresses['project']}/topics/acquisitions", messages=messages, timeout=10
        )
    except GoogleAPICallError as error:
        raise _KilledError from error
    finally:
        channel.close()


class _KilledError(Exception):
    """The stack died while it was being talked to."""


class _Serving(NamedTuple):
    addresses: dict[str, str]
    process: "subprocess.Popen[str]"


@contextmanager
def _serve(scenes: Path, out: Path, most_seconds: float | None = None) -> Iterator[_Serving]:
    """``landcover serve`` as a process of its own; with ``most_seconds`` it is killed so long after its start, and
    ticks more often, so that there is more to lose.
    """
    command = [sys.executable, "-m", "local", "serve", "--json", "--every", "0.5" if most_seconds else "2"]
    process = subprocess.Popen(
        [*command, "--scenes", str(scenes), "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, **_SETTINGS},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    killer = subprocess.Popen(["sh", "-c", f"sleep {most_seconds}; kill -KILL {process.pid}"]) if most_seconds else None
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if line:
            yield _Serving(json.loads(line), process)
        elif killer is None:
            raise RuntimeError("landcover serve ended before it was ready")
        else:
            yield _Serving({}, process)
    except (_KilledError, requests.RequestException):
        if killer is None:
            raise
    finally:
        if killer is not None:
            killer.wait()
        else:
            process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def _calls(number: int, draw: random.Random) -> dict[str, str]:
    """Bodies by webhook id: the area of this number registered, and every third time the one before it deleted."""
    calls = {f"msg_{number}": _registration(f"a{number}", draw)}
    if number % 3 == 2:
        deletion = {"type": "aoi.deleted", "timestamp": "2026-08-02T00:00:00Z", "data": {"aoi_id": f"a{number - 1}"}}
        calls[f"msg_{number}_deletes"] = json.dumps(deletion)
    return calls


def _registration(aoi_id: str, draw: random.Random) -> str:
    west, south = 125.6612 + draw.random() * 0.008, 45.1025 + draw.random() * 0.004
    geometry = dict(mapping(box(west, south, west + 0.004, south + 0.003)))
    feature = {"type": "Feature", "id": aoi_id, "properties": {}, "geometry": geometry}
    return json.dumps({"type": "aoi.registered", "timestamp": "2026-08-01T00:00:00Z", "data": feature})


def _send(serving: _Serving, calls: dict[str, str]) -> None:
    """As a caller with retries does: the same id until there is an answer."""
    for webhook_id, body in calls.items():
        if not serving.addresses:
            raise _KilledError
        response = signed_post(serving.addresses["webhook"], serving.addresses["webhook_secret"], body, webhook_id)
        if response.status_code != 202 and serving.process.poll() is None:
            raise RuntimeError(f"the webhook answered {response.status_code}: {response.text[:200]}")


def _settled(serving: _Serving, wanted: State | None = None) -> State:
    """The state once it equals what is wanted or, when nothing is, once it has not changed for a while."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    last: State | None = None
    unchanged = 0
    while time.monotonic() < deadline:
        state = _state(serving)
        unchanged = unchanged + 1 if state == last and state["monthly_summary"] else 0
        last = state
        if state == wanted or (wanted is None and unchanged >= 5):
            break
        time.sleep(3)
    assert last is not None
    return last


def _state(serving: _Serving) -> State:
    addresses = serving.addresses
    os.environ["BIGQUERY_EMULATOR_HOST"] = addresses["bigquery"]
    client = bigquery.Client(project=addresses["project"], credentials=AnonymousCredentials())
    state: State = {}
    for table, columns in _COLUMNS.items():
        # what was measured of an area before it was deleted depends on the moment, and is nobody's
        dataset = f"{addresses['project']}.{addresses['dataset']}"
        query = f"SELECT {columns} FROM `{dataset}.{table}` WHERE aoi_id IN (SELECT aoi_id FROM `{dataset}.aois`)"
        try:
            rows = client.query_and_wait(query)
        except GoogleAPICallError as error:
            raise RuntimeError(f"{table}: {error}") from error
        rounded = [tuple(round(v, 6) if isinstance(v, float) else v for v in row.values()) for row in rows]
        state[table] = sorted(rounded, key=repr)
    return state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_and_compare(Path(folder), arguments.kills)
    print(f"{outcome.kills} kills; rows in the end: {json.dumps(outcome.rows)}")
    print(f"different from the undisturbed run: {', '.join(outcome.different) or 'nothing'}")


if __name__ == "__main__":
    main()
