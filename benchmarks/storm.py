"""Ten thousand messages, some twice, in random order, and areas registered, repeated and deleted meanwhile, while Earth
Engine and the warehouse keep failing:

    python -m benchmarks.storm [--aois 500] [--overpasses 16] [--messages 10000]

Of eight overpasses two have a Sentinel-2 scene and no image of Dynamic World's: messages ask the network for them. Of
one of the two an image comes in the middle of it, and is measured.

Prints how many observations were lost, double or wrong. Right means: by whom it is to be, and the class areas that
exactextract and GeographicLib give for the same raster and polygon, with edge weights of 8 bits, within 0.01 % of the
AOI. The raster of what the network classifies is the whole scene at once.
"""

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from shapely import Polygon
from shapely.geometry import mapping

from local.bigquery.front import FAULTS as BIGQUERY_FAULTS
from local.earth_engine import faults as engine_faults
from local.runs.registering import post_registration
from local.servers.faults import Faults, at_random
from local.stack import Stack
from shared.measurement.rows import Source
from shared.messages.bodies import AoiRef, ClassificationRequest, MeasurementRequest
from tests.l1c import clear_l1c, write_classified, write_l1c
from tests.scenes import Cells, independent_cells, write_scene
from tests.stacks import signed_post

ORIGIN = (709_000.0, 5_000_000.0)
SEED = 20210703
# Areas of 5 to 30 ha: where a fault had one cut in two, the edges of the cut have weights of 8 bits too, which moves a
# class by up to 35 ppm of the area.
TOLERANCE = 1e-4
ENGINE_SHARE, WAREHOUSE_SHARE = 0.10, 0.05
_WAIT_SECONDS = 6 * 3600.0
_MOST_CALLS = 50
# Of every eight overpasses the one that Dynamic World leaves out, and the one that it publishes late.
_LEFT_OUT, _LATE, _OF = 1, 5, 8
_SCENE_SHAPE = (204, 204)


class Outcome(NamedTuple):
    """What a storm left. Lost, double and wrong count observations, ``by_network`` those that only the network could
    make; ``rows`` counts what was appended.
    """

    messages: int
    expected: int
    rows: int
    lost: int
    double: int
    wrong: int
    by_network: int
    dead: int
    reasons: tuple[str, ...]
    faults: Counter[str]
    seconds: float


def storm(folder: Path, aoi_count: int, overpass_count: int, message_count: int) -> Outcome:
    """Run one storm on a stack of its own."""
    draw = random.Random(SEED)
    areas = {f"a{number}": _small_area(draw) for number in range(aoi_count)}
    overpasses = [datetime(2021, 1, 3, 2, 31, 11, tzinfo=UTC) + timedelta(days=5 * n) for n in range(overpass_count)]
    overpass_ids = [f"{moment:%Y%m%dT%H%M%S}" for moment in overpasses]
    left_out, late = set(overpass_ids[_LEFT_OUT::_OF]), set(overpass_ids[_LATE::_OF])
    pairs = [(aoi_id, overpass_id) for aoi_id in areas for overpass_id in overpass_ids]
    messages = pairs + draw.choices(pairs, k=message_count - len(pairs))
    later = {f"later-{n}": _small_area(draw) for n in range(max(3, aoi_count // 20))}
    draw.shuffle(messages)
    scenes = folder / "scenes"
    scenes.mkdir()
    warehouse_faults = Faults()
    with Stack(
        scenes,
        folder / "out",
        backfill_start=date(2021, 1, 1),
        # without patience inside an invocation every fault reaches the pipeline
        settings={"earth_engine_deadline_seconds": "5", "earth_engine_patience_seconds": "0.01"},
        warehouse_faults=warehouse_faults,
    ) as stack:
        post_registration(_features(areas), stack.webhook_url, stack.webhook_secret)
        assert stack.bus.wait_idle(_WAIT_SECONDS)
        paths = {
            overpass_id: _write(scenes, folder, overpass_id, seed, left_out | late)
            for seed, overpass_id in enumerate(overpass_ids)
        }
        engine = stack.earth_engine.app.faults = Faults(at_random(engine_faults.KINDS, ENGINE_SHARE, SEED))
        warehouse_faults.follow(at_random(BIGQUERY_FAULTS, WAREHOUSE_SHARE, SEED))
        started = time.monotonic()
        for number, (aoi_id, overpass_id) in enumerate(messages):
            about = {"overpass_ids": [overpass_id], "aois": [AoiRef(aoi_id=aoi_id, aoi_version=1)]}
            if overpass_id in left_out | late:
                body = ClassificationRequest.model_validate(about).model_dump_json()
                stack.bus.publish("classifications", body.encode(), {})
            else:
                _ask_to_measure(stack, about, "live" if number % 2 else "backfill")
        for seed, overpass_id in enumerate(overpass_ids):
            if overpass_id in late:
                paths[overpass_id] = _write(scenes, folder, overpass_id, seed, set())
                for aoi_id in areas:
                    about = {"overpass_ids": [overpass_id], "aois": [AoiRef(aoi_id=aoi_id, aoi_version=1)]}
                    _ask_to_measure(stack, about, "live")
        gone = _register_meanwhile(stack, later)
        assert stack.bus.wait_idle(_WAIT_SECONDS), "messages are still waiting"
        seconds = time.monotonic() - started
        injected = engine.injected + warehouse_faults.injected
        warehouse_faults.follow([])
        stack.bigquery.settle()
        found = _all(stack, "observations_current")
        appended = stack.warehouse.run(f"SELECT COUNT(*) AS n FROM `{stack.warehouse.table('observations')}`", {})
        dead = _all(stack, "dead_letters")
        registered = {row["aoi_id"] for row in _all(stack, "aois")}
    published = [overpass_id for overpass_id in overpass_ids if overpass_id not in left_out]
    pairs += [(aoi_id, overpass_id) for aoi_id in later if aoi_id not in gone for overpass_id in published]
    # what was measured of an area before it was deleted stays, and is nobody's
    found = [row for row in found if row["aoi_id"] not in gone]
    keys = Counter((row["aoi_id"], row["overpass_id"]) for row in found)
    truth = _Truth(paths, areas | later, left_out)
    return Outcome(
        messages=len(messages),
        expected=len(pairs),
        rows=appended[0]["n"],
        lost=len(set(pairs) - keys.keys()) + len((areas.keys() | later.keys()) - gone - registered),
        double=sum(count - 1 for count in keys.values()) + len(keys.keys() - set(pairs)) + len(gone & registered),
        wrong=sum(not truth.agrees(row) for row in found),
        by_network=sum(row["source"] == Source.NETWORK for row in found),
        dead=len(dead),
        reasons=tuple(sorted({str(letter["reason"]) for letter in dead})),
        faults=injected,
        seconds=seconds,
    )


def _write(scenes: Path, folder: Path, overpass_id: str, seed: int, left_out: set[str]) -> Path:
    """The image of an overpass, or of those left out a Sentinel-2 scene; gives the raster that its areas are of."""
    image_id = f"{overpass_id}_{overpass_id}_T51TYL"
    if overpass_id not in left_out:
        return write_scene(scenes, image_id, crs="EPSG:32651", origin=ORIGIN, shape=(200, 200), seed=seed)
    bands = clear_l1c(*_SCENE_SHAPE, seed)
    write_l1c(scenes, image_id, bands, origin=ORIGIN, probability=np.zeros(_SCENE_SHAPE))
    return write_classified(folder / f"{image_id}.tif", bands, ORIGIN)


def _ask_to_measure(stack: Stack, about: dict[str, Any], lane: str) -> None:
    body = MeasurementRequest.model_validate(about).model_dump_json()
    stack.bus.publish("measurements", body.encode(), {"lane": lane})


def _register_meanwhile(stack: Stack, areas: dict[str, Polygon]) -> set[str]:
    """Register each area as a sender does who repeats what was not answered, and once more what was; delete each third.

    Returns the ids of those that are deleted in the end.
    """
    gone = set()
    for number, (aoi_id, area) in enumerate(areas.items()):
        registration = {
            "type": "aoi.registered",
            "timestamp": "2026-01-01T00:00:00Z",
            "data": _features({aoi_id: area}),
        }
        first, again = (_answered(stack, f"register-{aoi_id}", registration) for _ in range(2))
        assert first == again, f"{aoi_id}: {first} at first, {again} when it was repeated"
        if number % 3 == 0:
            deletion = {"type": "aoi.deleted", "timestamp": "2026-01-02T00:00:00Z", "data": {"aoi_id": aoi_id}}
            _answered(stack, f"delete-{aoi_id}", deletion)
            # a call that comes again after the deletion brings nothing back
            _answered(stack, f"register-{aoi_id}", registration)
            gone.add(aoi_id)
    return gone


def _answered(stack: Stack, webhook_id: str, body: dict[str, Any]) -> Any:
    """The answer to a call that is repeated, under its id, until there is one."""
    for _ in range(_MOST_CALLS):
        response = signed_post(stack.webhook_url, stack.webhook_secret, json.dumps(body), webhook_id)
        if response.status_code == 202:
            return response.json()
        assert response.status_code == 503, response.text
    raise AssertionError(f"{webhook_id}: no answer to {_MOST_CALLS} calls")


class _Truth:
    """Class areas computed without the project's code: with Earth Engine's 8-bit edge weights, as shares of the
    ellipsoidal area.
    """

    def __init__(self, paths: dict[str, Path], areas: dict[str, Polygon], by_network: set[str]) -> None:
        self._by_network = by_network
        self._labels = {}
        for overpass_id, path in paths.items():
            with rasterio.open(path) as dataset:
                self._labels[overpass_id] = dataset.read(dataset.descriptions.index("label") + 1).astype(int)
        # the rasters share a corner, and all areas lie within the smallest
        grid = next(iter(paths.values()))
        self._cells: dict[str, Cells] = {
            aoi_id: independent_cells(grid, area, eight_bit=True) for aoi_id, area in areas.items()
        }

    def agrees(self, row: dict[str, Any]) -> bool:
        cells = self._cells[row["aoi_id"]]
        labels = self._labels[row["overpass_id"]][cells.rows, cells.columns]
        expected = np.bincount(labels, weights=cells.areas_m2, minlength=9)
        expected *= cells.polygon_m2 / cells.areas_m2.sum()
        measured = np.zeros(9)
        for record in row["classes"]:
            measured[record["class_id"]] = record["label_area_m2"]
        source = Source.NETWORK if row["overpass_id"] in self._by_network else Source.DYNAMIC_WORLD
        return row["source"] == source and bool(np.abs(measured - expected).max() <= TOLERANCE * cells.polygon_m2)


def _small_area(draw: random.Random) -> Polygon:
    """A crooked quadrilateral of some 5 to 30 ha inside the scenes."""
    west, south = 125.6585 + draw.random() * 0.015, 45.1050 + draw.random() * 0.009
    width, height = 0.002 + draw.random() * 0.004, 0.002 + draw.random() * 0.004

    def jitter() -> float:
        return draw.random() * 0.0008

    return Polygon(
        [
            (west + jitter(), south + jitter()),
            (west + width + jitter(), south + jitter()),
            (west + width + jitter(), south + height + jitter()),
            (west + jitter(), south + height + jitter()),
        ]
    )


def _features(areas: dict[str, Polygon]) -> dict[str, Any]:
    features = [
        {"type": "Feature", "id": aoi_id, "properties": {}, "geometry": dict(mapping(area))}
        for aoi_id, area in areas.items()
    ]
    return {"type": "FeatureCollection", "features": features}


def _all(stack: Stack, table: str) -> list[dict[str, Any]]:
    return stack.warehouse.run(f"SELECT * FROM `{stack.warehouse.table(table)}`", {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--aois", type=int, default=500)
    parser.add_argument("--overpasses", type=int, default=16)
    parser.add_argument("--messages", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = storm(Path(folder), arguments.aois, arguments.overpasses, arguments.messages)
    print(f"{outcome.messages} messages for {outcome.expected} observations, handled in {outcome.seconds:.0f} s")
    print(f"{sum(outcome.faults.values())} faults: {json.dumps(dict(sorted(outcome.faults.items())))}")
    print(
        f"{outcome.rows} rows appended; {outcome.by_network} are the network's in the end; {outcome.dead} dead letters"
    )
    for reason in outcome.reasons:
        print(f"  {reason}")
    print(f"{outcome.lost} lost, {outcome.double} double, {outcome.wrong} wrong")


if __name__ == "__main__":
    main()
