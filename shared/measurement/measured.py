"""What the warehouse already has: observations made of the same images in the same versions are not made again."""

from collections.abc import Sequence
from typing import Any

from shared.imagery.names import sensing_time
from shared.measurement.jobs import Job
from shared.measurement.rows import Source
from shared.warehouse.client import Warehouse


def not_yet_measured(jobs: Sequence[Job], warehouse: Warehouse) -> list[Job]:
    """The jobs of which the warehouse has no row of Dynamic World's made of the same images in the same versions."""
    measured = {_made_of(row) for row in _current(jobs, warehouse) if row["source"] == Source.DYNAMIC_WORLD}
    return [job for job in jobs if _to_be_made_of(job) not in measured]


def not_yet_classified(jobs: Sequence[Job], warehouse: Warehouse, again: bool = False) -> list[Job]:
    """The jobs of which there is no row of Dynamic World's and, but for ``again``, none made of the same scenes by the
    network.
    """
    current = _current(jobs, warehouse)
    published = {_overpass_of(row) for row in current if row["source"] == Source.DYNAMIC_WORLD}
    classified = set() if again else {_made_of(row) for row in current}
    return [job for job in jobs if _to_be_made_of(job)[:3] not in published and _to_be_made_of(job) not in classified]


def _current(jobs: Sequence[Job], warehouse: Warehouse) -> list[dict[str, Any]]:
    if not jobs:
        return []
    days = [sensing_time(job.overpasses[0].overpass_id).date() for job in jobs]
    return warehouse.query(
        "measured_images",
        aoi_ids=sorted({job.aoi.aoi_id for job in jobs}),
        first_day=min(days),
        last_day=max(days),
    )


def _overpass_of(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["aoi_id"], row["aoi_version"], row["overpass_id"]


def _made_of(row: dict[str, Any]) -> tuple[Any, ...]:
    return *_overpass_of(row), *zip(row["image_ids"], row["image_versions"], strict=False)


def _to_be_made_of(job: Job) -> tuple[Any, ...]:
    overpass = job.overpasses[0]
    images = sorted((image.image_id, image.version_us) for image in overpass.images)
    return (job.aoi.aoi_id, job.aoi.aoi_version, overpass.overpass_id, *images)
