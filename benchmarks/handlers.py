"""What the functions themselves take, without waiting for anybody: each runs through its whole WSGI application, while
Earth Engine, BigQuery and Pub/Sub answer at once. Expressions are built and serialised, rows are made, as in the cloud.

Also messages a second through the whole embedded stack, where all of these do their work on the same two cores.
"""

import base64
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ee
from shapely import Polygon, box
from shapely.geometry import mapping
from werkzeug.test import Client

from benchmarks.rows import Bar, Row, timed
from local.earth_engine.server import EarthEngineServer
from local.runs.registering import post_registration
from local.sample.place import sample_aoi
from local.sample.years import write_finished_year
from local.stack import Stack, _function_app, forget_clients
from shared.classes import CLASSES
from shared.earth_engine import expressions, listing
from shared.measurement.pieces import Piece
from shared.messages import publishing
from shared.settings import Settings
from shared.warehouse.client import Warehouse

_AREA = "functions"
_ROUNDS = 15
_SIZES = (1, 1_000)
_MESSAGE_MS, _ROW_US = 5.0, 50.0
_IMAGES = ("20210703T023111_20210703T023105_T51TYL", "20210703T023111_20210703T023119_T51TYK")
_FOOTPRINT = dict(mapping(box(125, 44, 127, 46)))


def rows() -> Iterator[Row]:
    """Handler time a message and an AOI row, allocations, and messages a second.

    In a process of its own: what other benchmarks left in memory would be looked through at each garbage collection.
    """
    done = subprocess.run([sys.executable, "-m", __name__], capture_output=True, text=True, check=True)
    for *values, limit in json.loads(done.stdout.splitlines()[-1]):
        area, what, unit, ours, reading = values
        yield Row(area, what, unit, ours, bar=Bar(limit) if limit else None, reading=reading)


def _measured() -> Iterator[Row]:
    with ExitStack() as patched:
        _answer_at_once(patched)
        yield from _measure_rows()
        for name, body in _MESSAGES.items():
            milliseconds, _ = _handled(name, body)
            yield Row(_AREA, f"{name}: handler time a message", "ms", milliseconds, bar=Bar(_MESSAGE_MS))
    yield _through_the_stack()


_MESSAGES: dict[str, dict[str, Any]] = {
    "dispatch": {"image_id": _IMAGES[0], "footprint": _FOOTPRINT},
    "discover": {"job": "discover", "scope": "frequent"},
    "backfill": {"aois": [{"aoi_id": "a0", "aoi_version": 1, "backfill_start": "2021-07-01"}]},
    "record_dead_letter": {"anything": "at all"},
}


def _measure_rows() -> Iterator[Row]:
    found = {count: _handled("measure", _request(count)) for count in _SIZES}
    few, many = _SIZES
    a_row_us = (found[many][0] - found[few][0]) / (many - few) * 1000
    yield Row(_AREA, "measure: handler time of a message with one AOI", "ms", found[few][0], bar=Bar(_MESSAGE_MS))
    yield Row(_AREA, "measure: handler time of each further AOI row", "µs", a_row_us, bar=Bar(_ROW_US))
    reading = "peak of what Python allocates"
    yield Row(_AREA, f"measure: memory for {many:,} AOIs", "MB", found[many][1], reading=reading)


def _request(count: int) -> dict[str, Any]:
    return {
        "overpass_ids": [_IMAGES[0][:15]],
        "aois": [{"aoi_id": f"a{i}", "aoi_version": 1} for i in range(count)],
        "announce": True,
    }


def _handled(function: str, body: dict[str, Any]) -> tuple[float, float]:
    """(median milliseconds of processor time, peak megabytes) of one message."""
    client = Client(_function_app(function))
    data = base64.b64encode(json.dumps(body).encode()).decode()
    envelope = {
        "message": {"data": data, "attributes": {}, "messageId": "1"},
        "subscription": "projects/p/subscriptions/s",
    }
    spent = []
    for number in range(_ROUNDS + 3):
        started = time.process_time()
        response = client.post("/", json=envelope)
        if number >= 3:
            spent.append(time.process_time() - started)
        assert response.status_code == 200, response.get_data()
    tracemalloc.start()
    client.post("/", json=envelope)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return statistics.median(spent) * 1000, peak / 1e6


def _answer_at_once(patched: ExitStack) -> None:
    """Replace what waits by what answers at once, keeping the work that precedes a request."""
    folder = Path(patched.enter_context(tempfile.TemporaryDirectory()))
    server = EarthEngineServer({Settings.model_fields["collection"].default: folder}).start()
    patched.callback(server.stop)
    variables = {"LANDCOVER_PROJECT": "some-project", "LANDCOVER_EARTH_ENGINE_URL": server.url}
    patched.enter_context(patch.dict(os.environ, variables))
    patched.callback(forget_clients)
    logging.getLogger("landcover").addHandler(logging.NullHandler())
    patched.enter_context(patch.object(Warehouse, "__init__", _warehouse))
    patched.enter_context(patch.object(Warehouse, "query", _query))
    patched.enter_context(patch.object(Warehouse, "append", lambda self, table, rows: json.dumps(list(rows))))
    patched.enter_context(patch.object(publishing, "publisher", _Publisher))
    patched.enter_context(patch.object(listing, "compute", _listed))
    wanted: list[Piece] = []
    expression = expressions.expression

    def remembered(collection: str, pieces: list[Piece], tile_scale: int) -> Any:
        wanted[:] = pieces
        return expression(collection, pieces, tile_scale)

    patched.enter_context(patch.object(expressions, "expression", remembered))
    patched.enter_context(patch.object(expressions, "compute", lambda value, patience: _areas(value, wanted)))


class _Publisher:
    def publish(self, topic: str, messages: list[Any], timeout: float) -> None:
        """Takes everything."""


def _warehouse(self: Warehouse, settings: Settings) -> None:
    self.settings = settings


def _query(self: Warehouse, name: str, **parameters: Any) -> list[dict[str, Any]]:
    if name == "aois_by_id":
        return _registered(tuple(parameters["aoi_ids"]))
    if name == "aoi_extent":
        return [{"aoi_count": 1, "west_deg": 125.0, "south_deg": 44.0, "east_deg": 127.0, "north_deg": 46.0}]
    if name == "aois_touching":
        return [{"aoi_id": "a0", "aoi_version": 1, "area_m2": 1e5, "geometry_bytes": 300}]
    return []


@lru_cache
def _registered(aoi_ids: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {"aoi_id": aoi_id, "aoi_version": 1, "area_m2": 1e5, "geometry": _GEOMETRIES[int(aoi_id[1:])]}
        for aoi_id in aoi_ids
    ]


def _field(number: int) -> Any:
    west, south = 125.5 + 0.004 * (number % 32), 45.0 + 0.003 * (number // 32)
    corners = [(west, south), (west + 0.003, south), (west + 0.0025, south + 0.002), (west, south + 0.002)]
    return mapping(Polygon(corners))


_GEOMETRIES = [json.dumps(_field(number)) for number in range(max(_SIZES))]


def _sent(value: Any) -> None:
    """What the client does with an object before it waits."""
    json.dumps(ee.serializer.encode(value, for_cloud_api=True))


def _listed(value: Any, patience_seconds: float) -> dict[str, Any]:
    _sent(value)
    described = {"version_us": 1, "crs": "EPSG:32651", "bands": [*(c.name for c in CLASSES), "label"]}
    features = [{"properties": {"image_id": name, **described}, "geometry": _FOOTPRINT} for name in _IMAGES]
    return {"features": features}


def _areas(value: Any, pieces: list[Piece]) -> dict[str, Any]:
    _sent(value)
    return json.loads(_answer(tuple(piece.key for piece in pieces)))  # type: ignore[no-any-return]


@lru_cache
def _answer(keys: tuple[str, ...]) -> str:
    """What the service sends; composing it is not the function's time, reading it is."""
    names = [f"{kind}_{c.name}" for kind in ("label", "probability") for c in CLASSES]
    found = {"aoi": 1e5, "valid": 1e5, **dict.fromkeys(names, 1e5 / len(CLASSES))}
    return json.dumps({"features": [{"properties": {"key": key, **found}} for key in keys]})


def _through_the_stack() -> Row:
    """The sample year of one hundred areas: messages until all is measured."""
    with tempfile.TemporaryDirectory() as folder:
        scenes, out = Path(folder) / "scenes", Path(folder) / "out"
        images = write_finished_year(scenes)
        with Stack(scenes, out, backfill_start=date(2022, 1, 1)) as stack:
            collection = {"type": "FeatureCollection", "features": [sample_aoi()]}
            post_registration(collection, stack.webhook_url, stack.webhook_secret)
            stack.bus.wait_idle(600)
            before = sum(stack.bus.delivered.values())
            bodies = [json.dumps({"image_id": scene.image_id}).encode() for scene in images]

            def announce() -> None:
                for body in bodies:
                    stack.bus.publish("acquisitions", body, {})
                stack.bus.wait_idle(600)

            seconds, _ = timed(announce)
            handled = sum(stack.bus.delivered.values()) - before
    reading = f"{len(images)} images of one area: dispatch, measure, event; one run"
    return Row(_AREA, "messages a second through the embedded stack", "", handled / seconds, reading=reading)


if __name__ == "__main__":
    measured = [(r.area, r.what, r.unit, r.ours, r.reading, r.bar.limit if r.bar else None) for r in _measured()]
    print(json.dumps(measured))
