"""Observations to be: which pairs of AOI and overpass a request means, which of them are measured, which are left."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from shared.measuring import HandOn, Job
from shared.messages import AoiRef, MeasurementRequest
from shared.planning import Aoi, PlannedOverpass
from shared.scenes import sensing_time
from shared.warehouse.client import Warehouse


def jobs_of(aois: Iterable[Aoi], overpasses: dict[str, list[PlannedOverpass]]) -> list[Job]:
    """One job for each AOI and overpass that saw it. Overpass by overpass: what AOIs share is then one layer."""
    jobs = [
        Job(f"{aoi.aoi_id}|{overpass.overpass_id}", aoi, [overpass], with_probabilities=True)
        for aoi in aois
        for overpass in overpasses[aoi.aoi_id]
    ]
    return sorted(jobs, key=lambda job: (job.overpasses[0].overpass_id, job.overpasses[0].images[0].image_id))


def not_yet_measured(jobs: Sequence[Job], warehouse: Warehouse) -> list[Job]:
    """The jobs of which the warehouse has no row made of the same images in the same versions."""
    if not jobs:
        return []
    days = [sensing_time(job.overpasses[0].overpass_id).date() for job in jobs]
    rows = warehouse.query(
        "measured_images",
        aoi_ids=sorted({job.aoi.aoi_id for job in jobs}),
        first_day=min(days),
        last_day=max(days),
    )
    measured = {
        (
            row["aoi_id"],
            row["aoi_version"],
            row["overpass_id"],
            *zip(row["image_ids"], row["image_versions"], strict=False),
        )
        for row in rows
    }
    return [job for job in jobs if _made_of(job) not in measured]


def _made_of(job: Job) -> tuple[Any, ...]:
    overpass = job.overpasses[0]
    images = sorted((image.image_id, image.version_us) for image in overpass.images)
    return (job.aoi.aoi_id, job.aoi.aoi_version, overpass.overpass_id, *images)


def follow_ups(work: HandOn, request: MeasurementRequest) -> Iterator[MeasurementRequest]:
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
