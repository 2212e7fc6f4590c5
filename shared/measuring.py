"""Measuring pieces of work in requests that fit the budgets, whichever function asks."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.earth_engine.areas import measure_pieces
from shared.observations import Areas, total
from shared.planning import Aoi, Budget, Piece, PlannedOverpass, chunked, pieces_of, pixels
from shared.settings import Settings


class Job(NamedTuple):
    """One row to be: an AOI on one overpass, or on all overpasses of a period."""

    key: str
    aoi: Aoi
    overpasses: Sequence[PlannedOverpass]
    with_probabilities: bool


def request_budget(settings: Settings) -> Budget:
    """What one Earth Engine request may hold."""
    return Budget(settings.pixel_budget, settings.pair_budget, settings.payload_budget_bytes)


def aoi_cost(aoi: Aoi) -> Budget:
    """What one AOI at one overpass takes of a request."""
    return Budget(pixels(aoi.area_m2), 1, aoi.payload_bytes)


def measure_jobs(jobs: Sequence[Job], settings: Settings) -> Iterator[tuple[Job, Areas]]:
    """Areas of each job, in order, a request's worth at a time; the pieces of a job are summed."""
    costs = _costs(jobs)
    for run in chunked(jobs, request_budget(settings), lambda job: costs[job.key]):
        pieces: dict[str, list[Piece]] = {
            job.key: pieces_of(job.key, job.aoi, job.overpasses, job.with_probabilities) for job in run
        }
        areas = measure_pieces(settings.collection, [piece for group in pieces.values() for piece in group])
        for job in run:
            yield job, total(areas[piece.key] for piece in pieces[job.key])


def _costs(jobs: Sequence[Job]) -> dict[str, Budget]:
    """Cost of each job by key. An AOI's geometry travels once a request, however many overpasses share it."""
    costs: dict[str, Budget] = {}
    sent: set[tuple[str, int]] = set()
    for job in jobs:
        version = (job.aoi.aoi_id, job.aoi.aoi_version)
        payload_bytes = 0 if version in sent else job.aoi.payload_bytes
        sent.add(version)
        costs[job.key] = Budget(pixels(job.aoi.area_m2) * len(job.overpasses), len(job.overpasses), payload_bytes)
    return costs
