"""What the warehouse already has: observations made of the same images in the same versions are not made again."""

from collections.abc import Sequence
from typing import Any

from shared.imagery.names import sensing_time
from shared.measurement.jobs import Job
from shared.warehouse.client import Warehouse


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
