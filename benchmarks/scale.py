"""The deployed configuration at a thousand to a million AOIs, simulated; and the simulation beside the embedded stack.

Calibration: 26 images go through the embedded stack, which runs one instance of each function; the times that its
handlers took are put into the model, which then foretells how long 104 images take; then they are sent.
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.monthly_cost import classifying, finding, finding_years, month
from benchmarks.rows import Bar, Row, timed
from benchmarks.simulation import (
    EARTH_ENGINE_SLOTS,
    LAYERS,
    SERVICES,
    SETTLE_SECONDS,
    Message,
    Pipeline,
    Process,
    assumed_seconds,
)
from local.runs.registering import post_registration
from local.sample.place import sample_aoi
from local.sample.years import write_finished_year
from local.stack import Stack
from shared.cost.prices import DAYS, Size, classifying_seconds, finding_seconds

_AREA = "scale (simulated)"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
NEW_AOIS = 100_000
_WAIT_SECONDS = 900.0
# half an hour of work behind the hour that images wait for the other tiles of their overpass
_MOST_MINUTES = SETTLE_SECONDS / 60 + 30
_FEW = 26


def rows() -> Iterator[Row]:
    """Calibration, then latency, queues, slots, cost and the busiest service at each size, and a backfill beside it."""
    yield from _calibration()
    what = f"patches of {NEW_AOIS:,} new AOIs, ten years each"
    reading = "beside their measuring; messages keep 31 days"
    yield Row(_AREA, what, "hours", hours_of_patches(NEW_AOIS), bar=Bar(31 * 24), reading=reading)
    for aois in SIZES:
        yield from _at(aois)


def _at(aois: int) -> Iterator[Row]:
    pipeline = Pipeline(aois)
    outcome = pipeline.run(days=2)
    name = f"{aois:,} AOIs"
    p50, p95, p99 = (outcome.percentile(share) / 60 for share in (0.5, 0.95, 0.99))
    yield Row(_AREA, f"{name}: publication to row, p50", "min", p50)
    yield Row(
        _AREA, f"{name}: publication to row, p95", "min", p95, bar=Bar(_MOST_MINUTES) if aois <= NEW_AOIS else None
    )
    yield Row(_AREA, f"{name}: publication to row, p99", "min", p99)
    longest = {queue: found.longest for queue, found in pipeline.queues.items()}
    deepest = max(longest, key=lambda queue: longest[queue])
    yield Row(_AREA, f"{name}: longest queue", "messages", longest[deepest], reading=deepest)
    reading = f"of {EARTH_ENGINE_SLOTS}; {outcome.earth_engine_refused} refused"
    yield Row(_AREA, f"{name}: Earth Engine slots in use at most", "", outcome.earth_engine_most, reading=reading)
    busy = {**pipeline.utilisation(), "composite": composite_share_of_day(aois), **shares_of_month(aois)}
    busiest = max(busy, key=lambda service: busy[service])
    reading = "reaches its limit first" if busy[busiest] < 1 else "cannot keep up"
    yield Row(_AREA, f"{name}: busiest, {busiest}", "of its time", busy[busiest], bar=Bar(1), reading=reading)
    tiles = sum(count > 0 for count in pipeline.aois_of_tile)
    cost = sum(month(Size(aois, tiles)).values())
    yield Row(_AREA, f"{name}: a month without Earth Engine", "$", cost, reading=f"{tiles:,} tiles; monthly_cost")
    beside = Pipeline(aois)
    filled = beside.run(days=2, new_aois=NEW_AOIS)
    what = f"{name}: p95 beside a backfill of {NEW_AOIS:,}"
    yield Row(
        _AREA, what, "min", filled.percentile(0.95) / 60, "without", p95, Bar(1.05), "live traffic is undisturbed"
    )
    done = (filled.backfill_done_at or 0.0) / 3600
    yield Row(
        _AREA,
        f"{name}: that backfill, ten years each",
        "hours",
        done,
        bar=Bar(31 * 24),
        reading="messages keep 31 days",
    )
    alone = Pipeline(aois)
    scattered = alone.run(days=2, new_aois=NEW_AOIS, together=1)
    done = (scattered.backfill_done_at or 0.0) / 3600
    reading = "each more than a degree from the next"
    yield Row(_AREA, f"{name}: the same, of areas far apart", "hours", done, bar=Bar(31 * 24), reading=reading)
    lost = sum(sum(found.dead.values()) for found in (outcome, filled, scattered))
    yield Row(_AREA, f"{name}: messages given up", "", lost, bar=Bar(0))
    yield Row(
        _AREA, f"{name}: most Earth Engine slots beside the backfill", "", scattered.earth_engine_most, bar=Bar(40)
    )


def composite_share_of_day(aois: int) -> float:
    """How much of a day the instances of composite are busy: each AOI's month changes with 0.4 usable views a day, and
    some four areas share a layer, so that a message's request has 200 composites.
    """
    seconds, rows_a_request = assumed_seconds(), 4 * LAYERS
    request = seconds.listing + seconds.computing + seconds.computing_pairs + seconds.appending
    return 0.4 * aois / rows_a_request * request / (SERVICES["composite"]["max_instances"] * 86_400)


def shares_of_month(aois: int) -> dict[str, float]:
    """How much of a month the instances are busy that fetch pixels: of areas of one square kilometre."""
    seconds = {"classify": classifying_seconds(classifying(aois)), "find-changes": finding_seconds(finding(aois))}
    return {name: each / (SERVICES[name]["max_instances"] * DAYS * 86_400) for name, each in seconds.items()}


def hours_of_patches(new_aois: int) -> float:
    """How long instances of find-changes take for the history of areas of one square kilometre: eight of ten years have
    two before them.
    """
    return finding_seconds(finding_years(8 * new_aois)) / SERVICES["find-changes"]["max_instances"] / 3_600


class _Calibrated(Pipeline):
    """The model with one instance of each service and the times that handlers were seen to take."""

    def __init__(self, handled: dict[str, list[float]]) -> None:
        super().__init__(0, instances=dict.fromkeys(("dispatch", "measure"), 1))
        self._handled = handled
        for queue in self.queues.values():
            queue.window = 1
        self._work = {"dispatch": self._dispatched, "measure": self._measured_as_seen}

    def foretell(self, images: int) -> float:
        """Seconds from publication until the last image is a row."""
        for _ in range(images):
            self.publish("dispatch", Message(1, 1, 0.0))
        while len(self.outcome.latencies) < images:
            self.environment.step()
        return self.environment.now

    def _dispatched(self, message: Message) -> Process:
        yield self.environment.timeout(self.random.choice(self._handled["dispatch"]))
        self.publish("measure", message)
        self.queues["dispatch"].window = 0  # the bus hands out one message at a time

    def _measured_as_seen(self, message: Message) -> Process:
        yield self.environment.timeout(self.random.choice(self._handled["measure"]))
        self.outcome.latencies.append((self.environment.now, 1))
        self.queues["measure"].window = 0


def _calibration() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as place:
        scenes, out = Path(place) / "scenes", Path(place) / "out"
        images = [scene.image_id for scene in write_finished_year(scenes)]
        with Stack(scenes, out, backfill_start=date(2022, 1, 1)) as stack:
            areas = {"type": "FeatureCollection", "features": [sample_aoi()]}
            post_registration(areas, stack.webhook_url, stack.webhook_secret)
            stack.bus.wait_idle(_WAIT_SECONDS)
            few, _ = timed(lambda: _announce(stack, images[:_FEW]))
            handled = _handler_seconds(out / "functions.log")
            foretold = {count: _Calibrated(handled).foretell(count) for count in (_FEW, len(images))}
            many, _ = timed(lambda: _announce(stack, images))
    for count, seen in ((_FEW, few), (len(images), many)):
        what = f"calibration: {count} images through the stack"
        yield Row(_AREA, what, "s", foretold[count], "seen", seen, None, "foretold : seen; one is exact")


def _announce(stack: Stack, images: list[str]) -> None:
    for image_id in images:
        stack.bus.publish("acquisitions", json.dumps({"image_id": image_id}).encode(), {})
    assert stack.bus.wait_idle(_WAIT_SECONDS)


def _handler_seconds(log: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for line in log.read_text(encoding="utf-8").splitlines():
        record: dict[str, Any] = json.loads(line)
        if record["message"] == "done" and "seconds" in record:
            found[record["function"]].append(record["seconds"])
    return found
