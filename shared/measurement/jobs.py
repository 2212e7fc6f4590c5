"""Measuring AOIs in requests that fit the budgets, and handing on what does not fit one invocation.

An invocation makes a few requests; what is left over, and what a request was too big for, goes on as messages of its
own. Nothing is halved and tried again in the same invocation: a request that timed out has used most of its time.
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from shared.aois.aoi import Aoi
from shared.errors import NeverError, RetryLaterError, TooBigError
from shared.geometry.cutting import SMALLEST_PIECE_PIXELS
from shared.measurement.areas import Areas, areas_of, disagreement, progress_of, total
from shared.measurement.budgets import Budget, Tally, divisor_to_split, packed
from shared.measurement.overpasses import PlannedOverpass
from shared.measurement.pieces import Piece, pieces_of
from shared.messages.bodies import Progress

# Four requests of the size that budgets foresee, and their listing, take well under the platform's 540 s.
REQUESTS_PER_INVOCATION = 4
# A piece that cannot be smaller is asked for so often in a row, each time in a message of its own: Earth Engine also
# says that something is too big when it has too little room of its own just then. Attempts at the message count too, up
# to four.
_DOUBLINGS_OF_THE_SMALLEST = 8
# No request begins later than this: its own deadline (330 s) then still ends within the 540 s.
_WORK_SECONDS = 200.0

# One request: the areas of some pieces by their keys.
Measure = Callable[[Sequence[Piece]], dict[str, Areas]]


class Job(NamedTuple):
    """One row to be: an AOI on one overpass, or on all overpasses of a period.

    ``earlier``, of a composite only, are the overpasses by which it settles its ties and gaps, oldest first.
    """

    key: str
    aoi: Aoi
    overpasses: Sequence[PlannedOverpass]
    with_probabilities: bool
    earlier: Sequence[PlannedOverpass] | None = None


class HandOn(NamedTuple):
    """Jobs for another message, with the divisor of its budgets; one job may bring what was measured of it so far."""

    jobs: list[Job]
    divisor: int
    progress: Progress | None = None


class Batch(NamedTuple):
    """What came of one request: jobs that are complete with their areas, and jobs to be handed on."""

    done: list[tuple[Job, Areas]]
    handed_on: list[HandOn]


def measure_jobs(
    jobs: Sequence[Job], measure: Measure, budget: Budget, divisor: int = 1, progress: Progress | None = None
) -> Iterator[Batch]:
    """Areas of the jobs, a request's worth at a time, so that the caller can keep each before the next is asked for.

    ``measure`` makes one request: the areas of its pieces by their keys. ``divisor`` makes requests smaller than the
    budget. ``progress``, of a single job, is where an earlier invocation stopped; it counts only while images and cuts
    are the same. Raises NeverError for a single job that is too big though its requests cannot be smaller,
    RetryLaterError for one whose areas do not agree, and as the service answers.
    """
    started = time.monotonic()
    limits = budget.divided(divisor)
    pieces = {
        job.key: pieces_of(job.key, job.aoi, job.overpasses, job.with_probabilities, limits.pixels, job.earlier or ())
        for job in jobs
    }
    work = _Work(jobs, pieces, progress, math.ceil(budget.pixels / SMALLEST_PIECE_PIXELS))
    asked = 0
    for run in packed(list(work.remaining()), limits):
        run = [piece for piece in run if work.wants(piece)]  # noqa: PLW2901 — a job that was handed on leaves the run
        if not run:
            continue
        if asked >= REQUESTS_PER_INVOCATION or time.monotonic() - started > _WORK_SECONDS:
            yield Batch([], work.rest(divisor))
            return
        asked += 1
        try:
            areas = measure(run)
        except TooBigError as error:
            yield Batch([], [work.give_up(run, budget, divisor, error)])
            continue
        yield work.sound(work.take(areas), divisor)


class _Work:
    """Which pieces of which jobs are measured, wanted, or handed on. From the divisor ``to_smallest`` on pieces are no
    smaller.
    """

    def __init__(
        self, jobs: Sequence[Job], pieces: dict[str, list[Piece]], progress: Progress | None, to_smallest: int
    ) -> None:
        self._to_smallest = to_smallest
        self._jobs = {job.key: job for job in jobs}
        self._pieces = pieces
        self._job_of = {piece.key: key for key, group in pieces.items() for piece in group}
        self._open = list(self._jobs)
        self._sums: dict[str, list[Areas]] = {key: [] for key in self._jobs}
        self._done_before = 0
        if progress is not None and len(jobs) == 1:
            self._go_on(jobs[0], progress)

    def _go_on(self, job: Job, progress: Progress) -> None:
        if progress.fingerprint == _fingerprint(job, self._pieces[job.key]):
            self._done_before = progress.pieces_done
            self._sums[job.key] = [areas_of(progress)]

    def remaining(self) -> Iterator[Piece]:
        """All pieces not measured yet, job by job."""
        for key in self._jobs:
            yield from self._pieces[key][self._done_before :]

    def wants(self, piece: Piece) -> bool:
        return self._job_of[piece.key] in self._open

    def take(self, areas: dict[str, Areas]) -> list[tuple[Job, Areas]]:
        """Add what was measured; returns the jobs that are complete by it."""
        touched = dict.fromkeys(self._job_of[key] for key in areas)
        for key, found in areas.items():
            self._sums[self._job_of[key]].append(found)
        complete = [key for key in touched if self._measured(key) == len(self._pieces[key])]
        for key in complete:
            self._open.remove(key)
        return [(self._jobs[key], total(self._sums[key])) for key in complete]

    def sound(self, complete: list[tuple[Job, Areas]], divisor: int) -> Batch:
        """The jobs whose areas agree; the others go on alone, so that they keep no other from being written.

        Raises RetryLaterError when it is a single job whose areas don't.
        """
        faults = {job.key: found for job, areas in complete if (found := disagreement(areas, job.aoi))}
        if faults and len(self._jobs) == 1:
            ((key, found),) = faults.items()
            raise RetryLaterError(f"{key}: Earth Engine's areas do not agree: {found}")
        return Batch(
            [(job, areas) for job, areas in complete if job.key not in faults],
            [HandOn([job], divisor) for job, _ in complete if job.key in faults],
        )

    def _measured(self, key: str) -> int:
        return len(self._sums[key]) + max(0, self._done_before - 1)

    def give_up(self, run: list[Piece], budget: Budget, divisor: int, error: TooBigError) -> HandOn:
        """The jobs of a run that was too big, in smaller requests. Raises NeverError for one that can't be smaller."""
        keys = list(dict.fromkeys(self._job_of[piece.key] for piece in run))
        smallest = len(run) == 1 and run[0].part.pixels <= SMALLEST_PIECE_PIXELS
        if smallest and len(self._jobs) == 1:
            return self._ask_again(keys[0], run[0], divisor, error)
        for key in keys:
            self._open.remove(key)
        to_split = self._to_smallest if smallest else divisor_to_split(Tally(run).use, budget)
        return HandOn([self._jobs[key] for key in keys], max(2 * divisor, to_split))

    def _ask_again(self, key: str, piece: Piece, divisor: int, error: TooBigError) -> HandOn:
        """The single job from a piece on that cannot be smaller: what was measured of it stays."""
        advanced = self._advanced(key)
        if not advanced and divisor >= self._to_smallest * 2**_DOUBLINGS_OF_THE_SMALLEST:
            raise NeverError(f"{piece.key}: too big for Earth Engine though it has {piece.part.pixels} pixels: {error}")
        self._open.remove(key)
        so_far = self._to_smallest if advanced else max(divisor, self._to_smallest)
        return HandOn([self._jobs[key]], 2 * so_far, self._progress(key) if self._sums[key] else None)

    def rest(self, divisor: int) -> list[HandOn]:
        """What is not complete: a job that is begun by itself, with its progress, and the others together."""
        begun = [key for key in self._open if self._sums[key]]
        untouched = [self._jobs[key] for key in self._open if not self._sums[key]]
        # what was refused before and is measured now does not count any more
        kept = {key: min(divisor, self._to_smallest) if self._advanced(key) else divisor for key in begun}
        handed_on = [HandOn([self._jobs[key]], kept[key], self._progress(key)) for key in begun]
        return handed_on + ([HandOn(untouched, divisor)] if untouched else [])

    def _advanced(self, key: str) -> bool:
        """Whether this invocation measured any of a job."""
        return len(self._sums[key]) > min(1, self._done_before)

    def _progress(self, key: str) -> Progress:
        fingerprint = _fingerprint(self._jobs[key], self._pieces[key])
        return progress_of(fingerprint, self._measured(key), total(self._sums[key]))


def _fingerprint(job: Job, pieces: list[Piece]) -> str:
    """Of what a job's areas are made: its images with their versions, and its cuts."""

    def images_of(overpasses: Sequence[PlannedOverpass]) -> list[tuple[str, int]]:
        return [(image.image_id, image.version_us) for overpass in overpasses for image in overpass.images]

    cuts = [(piece.layer.grid_image_id, piece.part.pixels) for piece in pieces]
    made_of: tuple[object, ...] = (images_of(job.overpasses), cuts)
    if job.earlier is not None:
        made_of = (*made_of, images_of(job.earlier))
    return hashlib.sha256(repr(made_of).encode()).hexdigest()
