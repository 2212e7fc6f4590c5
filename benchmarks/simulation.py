"""The deployed configuration as a discrete-event model: queues, pushes, instances, retries and Earth Engine's slots.

Instances, attempts, backoffs, schedules and budgets are read from the files that Terraform and the functions read. How
long a request takes is an assumption, stated in ``Seconds``, or what a probe measured (``LANDCOVER_PROBED``). Pub/Sub's
push window and Cloud Run's waiting room are modelled after their documentation: the window grows by one with each
success and halves with each failure; a request that finds no free instance waits ten seconds, then is refused, which
costs the message an attempt.
"""

import json
import math
import os
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import simpy

from shared.measurement.jobs import REQUESTS_PER_INVOCATION
from shared.messages.subscriptions import Subscription, messaging
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SERVICES: dict[str, dict[str, Any]] = json.loads((ROOT / "terraform" / "services.json").read_text(encoding="utf-8"))
PAIRS = int(Settings.model_fields["pair_budget"].default)
LAYERS = int(Settings.model_fields["layer_budget"].default)
SETTLE_SECONDS = 60 * float(Settings.model_fields["discover_settle_minutes"].default)
EARTH_ENGINE_SLOTS = 40

DAY = 86_400.0
IMAGES_A_DAY = 6_000  # Dynamic World's published rate
LAND_TILES = 18_000  # tiles of the Sentinel-2 grid with land in them
BURSTS_A_DAY = 28  # two satellites, some fourteen orbits each
BURST_SECONDS = 900.0
OVERPASSES_IN_HISTORY = 730  # ten years at one usable overpass in five days
_WAITING_ROOM_SECONDS = 10.0
_FIRST_WINDOW, _LARGEST_WINDOW = 5, 3_000

Process = Generator[simpy.Event, Any, Any]


class Seconds(NamedTuple):
    """What things take, all assumptions but the shape: medians of log-normal times with the given spread."""

    query: float = 2.0
    listing: float = 6.0
    computing: float = 6.0  # an Earth Engine aggregation of any size
    computing_pairs: float = 20.0  # and a full request's worth of layers, or of AOI × overpass pairs, on top
    appending: float = 0.5
    spread: float = 0.5


def measured_seconds(path: Path) -> Seconds:
    """Seconds from the file that ``landcover probe --write`` left; what it did not measure stays assumed.

    Raises ValueError for a file of the embedded stack, whose seconds tell nothing about the services.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    if document["embedded"]:
        raise ValueError(f"{path}: measured on the embedded stack, expected a deployment")
    found = {name: float(value) for name, value in document["seconds"].items()}
    if unknown := found.keys() - set(Seconds._fields):
        raise ValueError(f"{path}: unknown seconds {', '.join(sorted(unknown))}")
    return Seconds()._replace(**found)


def assumed_seconds() -> Seconds:
    """What the environment variable ``LANDCOVER_PROBED``, a file of measures, says, or else the assumptions."""
    path = os.environ.get("LANDCOVER_PROBED")
    return measured_seconds(Path(path)) if path else Seconds()


@dataclass
class Message:
    """One message: what it stands for, when its image was published, and how often it was tried."""

    aois: int
    pairs: int
    published_at: float
    layers: int = 1
    attempts: int = 0


@dataclass
class Service:
    """Instances of one function, each with one request at a time."""

    instances: simpy.Resource
    busy_seconds: float = 0.0
    refused: int = 0


@dataclass
class Queue:
    """A push subscription: what waits, and how many pushes may be under way."""

    subscription: Subscription
    waiting: simpy.Store
    window: float = _FIRST_WINDOW
    outstanding: int = 0
    longest: int = 0
    most_attempts: int = 0
    room: simpy.Event | None = None


@dataclass
class Outcome:
    """What a run showed."""

    latencies: list[tuple[float, int]] = field(default_factory=list)  # seconds from publication to row, rows
    dead: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    earth_engine_most: int = 0
    earth_engine_refused: int = 0
    backfill_done_at: float | None = None

    def percentile(self, share: float) -> float:
        """Seconds within which this share of the rows came."""
        wanted = share * sum(rows for _, rows in self.latencies)
        for seconds, rows in sorted(self.latencies):
            wanted -= rows
            if wanted <= 0:
                return seconds
        return math.nan


class Pipeline:
    """One run. ``instances`` and ``attempts`` override the deployed numbers by service or subscription."""

    def __init__(
        self,
        aois: int,
        seed: int = 1,
        seconds: Seconds | None = None,
        instances: dict[str, int] | None = None,
        attempts: dict[str, int] | None = None,
    ) -> None:
        self.environment = simpy.Environment()
        self.random = Random(seed)
        self.seconds = seconds or assumed_seconds()
        self.outcome = Outcome()
        self.slots = simpy.Resource(self.environment, EARTH_ENGINE_SLOTS)
        self.aois_of_tile = _strewn(aois, self.random)
        given = instances or {}
        self.services = {
            name: Service(simpy.Resource(self.environment, given.get(name, service["max_instances"])))
            for name, service in SERVICES.items()
        }
        self.queues: dict[str, Queue] = {}
        self.backfilling = 0
        for subscription in messaging().subscriptions:
            most = (attempts or {}).get(subscription.name, subscription.max_delivery_attempts)
            changed = subscription.model_copy(update={"max_delivery_attempts": most})
            self.queues[subscription.name] = Queue(changed, simpy.Store(self.environment))
        self._work: dict[str, Callable[[Message], Process]] = {
            "dispatch": self._dispatch,
            "measure": self._measure,
            "measure-backfill": self._measure_backfill,
            "backfill": self._backfill,
        }
        for name in self._work:
            self.environment.process(self._push(self.queues[name]))
        self.fresh: list[Message] = []

    def run(self, days: float, new_aois: int = 0, together: int = 100, missed_days: float = 0) -> Outcome:
        """So many days of images; from the first moment on with a backfill of so many new AOIs, some together in a
        message, or with the images of so many days that discovery missed.
        """
        self.environment.process(self._publish(days))
        for _ in range(int(missed_days * IMAGES_A_DAY)):
            self.environment.process(self._appear(0))
        self.environment.process(self._discover())
        for _ in range(math.ceil(new_aois / together)):
            self.backfilling += 1
            self.publish("backfill", Message(together, 0, 0.0))
        self.environment.run(until=days * DAY + 6 * 3600)
        while self.backfilling:
            self.environment.run(until=self.environment.now + 6 * 3600)
        return self.outcome

    def utilisation(self) -> dict[str, float]:
        """Share of its instances' time that each service was busy."""
        now = self.environment.now
        return {name: s.busy_seconds / (s.instances.capacity * now) for name, s in self.services.items()}

    def publish(self, queue: str, message: Message) -> None:
        self.queues[queue].waiting.put(message)
        self.queues[queue].longest = max(self.queues[queue].longest, len(self.queues[queue].waiting.items))

    def _publish(self, days: float) -> Process:
        """Images appear in bursts, each of a tile that holds AOIs or none."""
        for _ in range(int(days * BURSTS_A_DAY)):
            for _ in range(IMAGES_A_DAY // BURSTS_A_DAY):
                self.environment.process(self._appear(self.random.uniform(0, BURST_SECONDS)))
            yield self.environment.timeout(DAY / BURSTS_A_DAY)

    def _appear(self, after: float) -> Process:
        yield self.environment.timeout(after)
        aois = self.aois_of_tile[self.random.randrange(LAND_TILES)]
        if aois:
            self.fresh.append(Message(aois, aois, self.environment.now))

    def _discover(self) -> Process:
        """Every quarter of an hour: list, match, announce what has waited for the other tiles of its overpass."""
        while True:
            yield self.environment.timeout(900)
            service = self.services["discover"]
            started = self.environment.now
            with service.instances.request() as instance:
                yield instance
                settled = self.environment.now - SETTLE_SECONDS
                found = [message for message in self.fresh if message.published_at <= settled]
                self.fresh = [message for message in self.fresh if message.published_at > settled]
                yield from self._ask_earth_engine(self.seconds.listing * (1 + len(found) / 1000))
                yield self._wait(self.seconds.query)
                service.busy_seconds += self.environment.now - started
            for message in found:
                self.publish("dispatch", message)

    def _dispatch(self, message: Message) -> Process:
        yield self._wait(self.seconds.query)
        for run in _runs(message.aois, PAIRS):
            self.publish("measure", Message(run, run, message.published_at))

    def _measure(self, message: Message) -> Process:
        yield from self._measured(message)
        self.outcome.latencies.append((self.environment.now - message.published_at, message.aois))

    def _measure_backfill(self, message: Message) -> Process:
        yield from self._measured(message)
        self.backfilling -= 1
        if not self.backfilling:
            self.outcome.backfill_done_at = self.environment.now

    def _measured(self, message: Message) -> Process:
        yield self._wait(self.seconds.query)
        yield from self._ask_earth_engine(self.seconds.listing)
        requests = max(math.ceil(message.layers / LAYERS), math.ceil(message.pairs / PAIRS))
        fullness = max(message.layers / LAYERS, message.pairs / PAIRS) / requests
        for _ in range(requests):
            yield from self._ask_earth_engine(self.seconds.computing + self.seconds.computing_pairs * fullness)
        yield self._wait(self.seconds.appending * math.ceil(message.pairs / 500))

    def _backfill(self, message: Message) -> Process:
        yield self._wait(self.seconds.query)
        yield from self._ask_earth_engine(self.seconds.listing * 5)
        # overpasses that four requests of one invocation hold: each is a layer, shared by the areas that lie together
        most = REQUESTS_PER_INVOCATION * min(LAYERS, max(1, PAIRS // message.aois))
        runs = list(_runs(OVERPASSES_IN_HISTORY, most))
        self.backfilling += len(runs) - 1
        for run in runs:
            again = Message(message.aois, run * message.aois, self.environment.now, layers=run)
            self.publish("measure-backfill", again)

    def _ask_earth_engine(self, median: float) -> Process:
        """One request; one too many is refused at once and tried again by the client."""
        while self.slots.count >= self.slots.capacity:
            self.outcome.earth_engine_refused += 1
            yield self._wait(2.0)
        with self.slots.request() as slot:
            yield slot
            self.outcome.earth_engine_most = max(self.outcome.earth_engine_most, self.slots.count)
            yield self._wait(median)

    def _wait(self, median: float) -> simpy.Event:
        return self.environment.timeout(median * math.exp(self.random.gauss(0, self.seconds.spread)))

    def _push(self, queue: Queue) -> Process:
        while True:
            message = yield queue.waiting.get()
            while queue.outstanding >= int(queue.window):
                queue.room = self.environment.event()
                yield queue.room
            queue.outstanding += 1
            self.environment.process(self._deliver(queue, message))

    def _deliver(self, queue: Queue, message: Message) -> Process:
        service = self.services[queue.subscription.name]
        message.attempts += 1
        queue.most_attempts = max(queue.most_attempts, message.attempts)
        with service.instances.request() as instance:
            yield instance | self.environment.timeout(_WAITING_ROOM_SECONDS)
            taken = instance.triggered
            if taken:
                started = self.environment.now
                yield from self._work[queue.subscription.name](message)
                service.busy_seconds += self.environment.now - started
        queue.outstanding -= 1
        if queue.room is not None and not queue.room.triggered:
            queue.room.succeed()
        if taken:
            queue.window = min(queue.window + 1, _LARGEST_WINDOW)
            return
        service.refused += 1
        queue.window = max(1.0, queue.window / 2)
        if message.attempts >= queue.subscription.max_delivery_attempts:
            self.outcome.dead[queue.subscription.name] += 1
            self.backfilling -= queue.subscription.name in {"backfill", "measure-backfill"}
            return
        backoff = queue.subscription.minimum_backoff_seconds * 2 ** (message.attempts - 1)
        yield self.environment.timeout(min(backoff, queue.subscription.maximum_backoff_seconds))
        self.publish(queue.subscription.name, message)


def _strewn(aois: int, random: Random) -> list[int]:
    """AOIs of each tile: areas that people watch crowd together (log-normal weights)."""
    weights = [random.lognormvariate(0, 1.5) for _ in range(LAND_TILES)]
    counts = [0] * LAND_TILES
    for tile in random.choices(range(LAND_TILES), weights, k=aois):
        counts[tile] += 1
    return counts


def _runs(total: int, most: int) -> Iterable[int]:
    """A number cut in runs of at most so many."""
    return (min(most, total - start) for start in range(0, total, most))
