"""The history of new AOIs: which images it is planned from, and in which messages it is measured."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from shared.aois.aoi import Aoi
from shared.aois.name_spaces import by_client
from shared.geometry.cells import region_around
from shared.geometry.cutting import pixels
from shared.imagery.names import sensing_time
from shared.measurement.budgets import Budget, chunked, observation_budget
from shared.measurement.jobs import REQUESTS_PER_INVOCATION, Job
from shared.messages.bodies import AoiRef, MeasurementRequest
from shared.settings import Settings


class Window(NamedTuple):
    """What is listed at once: images acquired in [start, end) over a GeoJSON region."""

    start: datetime
    end: datetime
    region: dict[str, Any]


def history_window(aois: Sequence[Aoi], starts: dict[str, date], now: datetime) -> Window:
    """What the history of some AOIs is planned from: all since their earliest first day."""
    first = datetime.combine(min(starts[aoi.aoi_id] for aoi in aois), time.min, UTC)
    return Window(first, now + timedelta(days=1), region_around([aoi.outline for aoi in aois]))


def history_requests(jobs: Iterable[Job], starts: dict[str, date], settings: Settings) -> Iterator[MeasurementRequest]:
    """Messages for those jobs that are not before their AOI's first day; AOIs that lack the same overpasses share them,
    those of one client.

    The jobs come oldest first.
    """
    aois: dict[str, Aoi] = {}
    lacking: dict[str, list[str]] = defaultdict(list)
    for job in jobs:
        overpass_id = job.overpasses[0].overpass_id
        if sensing_time(overpass_id).date() >= starts[job.aoi.aoi_id]:
            aois[job.aoi.aoi_id] = job.aoi
            lacking[job.aoi.aoi_id].append(overpass_id)
    together: dict[tuple[str, ...], list[Aoi]] = defaultdict(list)
    for aoi_id, overpass_ids in lacking.items():
        together[tuple(overpass_ids)].append(aois[aoi_id])
    for shared_ids, group in together.items():
        for of_one_client in by_client(group, lambda aoi: aoi.aoi_id, settings):
            yield from _requests(of_one_client, shared_ids, observation_budget(settings))


def _requests(group: list[Aoi], overpass_ids: tuple[str, ...], budget: Budget) -> Iterator[MeasurementRequest]:
    """Every AOI of the group at every overpass: as many AOIs as one request holds, then as many overpasses as the
    requests of one invocation, which share one listing.
    """

    def alone(aoi: Aoi) -> Budget:
        return Budget(0, 1, pixels(aoi.area_m2), aoi.payload_bytes)

    for aois in chunked(group, budget, alone):
        refs = [AoiRef(aoi_id=aoi.aoi_id, aoi_version=aoi.aoi_version) for aoi in aois]
        # geometries travel once a request, however many overpasses share them
        each = Budget(1, len(aois), sum(pixels(aoi.area_m2) for aoi in aois), 0)
        for run in chunked(overpass_ids, budget.times(REQUESTS_PER_INVOCATION), lambda _, each=each: each):  # type: ignore[misc]
            yield MeasurementRequest(overpass_ids=run, aois=refs)
