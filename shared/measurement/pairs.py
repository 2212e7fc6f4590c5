"""Observations to be: which pairs of AOI and overpass a request means, and which are left for a later one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

from shared.aois.aoi import Aoi
from shared.measurement.jobs import HandOn, Job
from shared.measurement.overpasses import PlannedOverpass
from shared.messages.bodies import AoiRef, MeasurementRequest

R = TypeVar("R", bound=MeasurementRequest)


def jobs_of(aois: Iterable[Aoi], overpasses: dict[str, list[PlannedOverpass]]) -> list[Job]:
    """One job for each AOI and overpass that saw it. Overpass by overpass: what AOIs share is then one layer."""
    jobs = [
        Job(f"{aoi.aoi_id}|{overpass.overpass_id}", aoi, [overpass], with_probabilities=True)
        for aoi in aois
        for overpass in overpasses[aoi.aoi_id]
    ]
    return sorted(jobs, key=lambda job: (job.overpasses[0].overpass_id, job.overpasses[0].images[0].image_id))


def follow_ups(work: HandOn, request: R) -> Iterator[R]:
    """What is left over as messages of the request's kind: AOIs that lack the same overpasses share one."""
    lacking: dict[AoiRef, list[str]] = defaultdict(list)
    for job in work.jobs:
        ref = AoiRef(aoi_id=job.aoi.aoi_id, aoi_version=job.aoi.aoi_version)
        lacking[ref].append(job.overpasses[0].overpass_id)
    together: dict[tuple[str, ...], list[AoiRef]] = defaultdict(list)
    for ref, overpass_ids in lacking.items():
        together[tuple(overpass_ids)].append(ref)
    for same, refs in together.items():
        yield type(request)(
            overpass_ids=list(same),
            aois=refs,
            announce=request.announce,
            divisor=work.divisor,
            progress=work.progress,
        )
