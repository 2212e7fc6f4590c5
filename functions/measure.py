"""measurements → observations: ask Earth Engine for the class areas and append one row for each AOI and overpass.

What is measured is always the images that exist now, not those somebody announced, so the order in which messages
arrive does not matter. Rows are appended request by request, so that an invocation that is cut off keeps what it has;
what does not fit one invocation goes on as messages of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois import current_aois
from shared.budgets import halved_by_attempt, observation_budget
from shared.cells import region_around
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_overpasses
from shared.events import observation_created
from shared.handling import delivery_attempt, handle
from shared.measuring import HandOn, Job, measure_jobs
from shared.messages import AoiRef, EventType, Lane, MeasurementRequest, Topic
from shared.observations import observation_row, provenance
from shared.planning import Aoi, PlannedOverpass, overpasses_by_aoi
from shared.publishing import publish
from shared.settings import Settings
from shared.touches import touch
from shared.warehouse.client import Warehouse


@functions_framework.cloud_event
def measure(event: CloudEvent) -> None:
    """Handle one measurement request."""
    handle(event, "measure", Topic.MEASUREMENTS, MeasurementRequest, _measure)


def _measure(request: MeasurementRequest, settings: Settings) -> dict[str, Any]:
    warehouse = Warehouse(settings)
    aois = current_aois(request.aois, warehouse)
    outcome = {"aoi_count": len(request.aois), "superseded": len(request.aois) - len(aois)}
    if not aois:
        return {**outcome, "observations": 0}
    connect(settings, "measure")
    listed_at = datetime.now(UTC)
    images = list_overpasses(settings, request.overpass_ids, region_around([aoi.outline for aoi in aois]))
    jobs = _jobs(aois, overpasses_by_aoi(aois, images))
    if not request.announce:
        # news is told again when it comes again, since nobody may have heard it; history need not be
        measured = _measured_already(aois, request.overpass_ids, warehouse)
        jobs = [job for job in jobs if _made_of(job) not in measured]
    attempt = 1 if request.progress else delivery_attempt()
    observations = messages = 0
    for batch in measure_jobs(
        jobs,
        settings,
        observation_budget(settings),
        halved_by_attempt(request.divisor, attempt),
        request.progress,
    ):
        rows = [
            observation_row(
                job.aoi, job.overpasses[0].overpass_id, areas, provenance(job.overpasses[0].images, listed_at)
            )
            for job, areas in batch.done
        ]
        _keep(rows, request, listed_at, settings, warehouse)
        observations += len(rows)
        follow_ups = [message for work in batch.handed_on for message in _follow_ups(work, request)]
        lane = Lane.LIVE if request.announce else Lane.BACKFILL
        messages += publish(settings.project, Topic.MEASUREMENTS, follow_ups, {"lane": lane})
    return {**outcome, "observations": observations, "handed_on": messages}


def _jobs(aois: Iterable[Aoi], overpasses: dict[str, list[PlannedOverpass]]) -> list[Job]:
    """One job for each AOI and overpass that saw it. Overpass by overpass: what AOIs share is then one layer."""
    jobs = [
        Job(f"{aoi.aoi_id}|{overpass.overpass_id}", aoi, [overpass], with_probabilities=True)
        for aoi in aois
        for overpass in overpasses[aoi.aoi_id]
    ]
    return sorted(jobs, key=lambda job: (job.overpasses[0].overpass_id, job.overpasses[0].images[0].image_id))


def _keep(
    rows: list[dict[str, Any]],
    request: MeasurementRequest,
    listed_at: datetime,
    settings: Settings,
    warehouse: Warehouse,
) -> None:
    """Touch first: a month touched for nothing costs a little, rows that no summary looks at would be lost to it."""
    touch(warehouse, (row["acquired_date"] for row in rows), listed_at.date())
    warehouse.append("observations", rows)
    if request.announce:
        events = [observation_created(row, datetime.now(UTC)) for row in rows]
        publish(settings.project, Topic.EVENTS, events, {"type": EventType.OBSERVATION_CREATED})


def _measured_already(aois: list[Aoi], overpass_ids: list[str], warehouse: Warehouse) -> set[tuple[Any, ...]]:
    rows = warehouse.query(
        "measured_images",
        aoi_ids=[aoi.aoi_id for aoi in aois],
        first_day=_day(min(overpass_ids)),
        last_day=_day(max(overpass_ids)),
    )
    return {
        (
            row["aoi_id"],
            row["aoi_version"],
            row["overpass_id"],
            *zip(row["image_ids"], row["image_versions"], strict=False),
        )
        for row in rows
    }


def _day(overpass_id: str) -> Any:
    return datetime.strptime(overpass_id[:8], "%Y%m%d").replace(tzinfo=UTC).date()


def _made_of(job: Job) -> tuple[Any, ...]:
    overpass = job.overpasses[0]
    images = sorted((image.image_id, image.version_us) for image in overpass.images)
    return (job.aoi.aoi_id, job.aoi.aoi_version, overpass.overpass_id, *images)


def _follow_ups(work: HandOn, request: MeasurementRequest) -> Iterator[MeasurementRequest]:
    """What is left over as messages: AOIs that lack the same overpasses share one."""
    lacking: dict[AoiRef, list[str]] = defaultdict(list)
    for job in work.jobs:
        ref = AoiRef(aoi_id=job.aoi.aoi_id, aoi_version=job.aoi.aoi_version)
        lacking[ref].append(job.overpasses[0].overpass_id)
    together: dict[tuple[str, ...], list[AoiRef]] = defaultdict(list)
    for ref, overpass_ids in lacking.items():
        together[tuple(overpass_ids)].append(ref)
    for same, refs in together.items():
        yield MeasurementRequest(
            overpass_ids=list(same),
            aois=refs,
            announce=request.announce,
            divisor=work.divisor,
            progress=work.progress,
        )
