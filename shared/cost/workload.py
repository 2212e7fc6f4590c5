"""What the history of new AOIs asks of Earth Engine, exactly: the plans of backfill, measure, plan_composites,
composite, plan_transitions and transition, made by the functions that make them there, with a request that is counted
instead of sent; then what is asked pixel by pixel (``pixelwise.py``).

What cannot be known beforehand is left out: requests that Earth Engine refuses as too big, and that are cut or tried
again; and what lists and records for all areas at once, discover and record_passes.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from shared.aois.aoi import Aoi
from shared.aois.feature import RegisteredAoi
from shared.aois.neighbours import registrations_of
from shared.change.pairing import key_of as key_of_pair
from shared.change.pairing import pairs_of_years, transition_jobs, transition_requests, transition_windows
from shared.change.watching import BASELINE_YEARS
from shared.classes import CLASSES
from shared.cost.pixelwise import classifying_work, finding_work
from shared.cost.playing import answers, pages
from shared.cost.work import OBSERVED_BANDS, Work, Workload, history_row
from shared.geometry.cells import cells_of, region_around, slices
from shared.geometry.cutting import pixels
from shared.imagery.images import SceneImage
from shared.imagery.names import moments_of, sensing_time
from shared.imagery.scenes import Scene
from shared.measurement.areas import Areas
from shared.measurement.backfilling import Window, history_requests, history_window
from shared.measurement.budgets import Budget, observation_budget, transition_budget
from shared.measurement.composing import (
    SETTLED_BY_MONTHS,
    budget_of,
    composite_jobs,
    composite_requests,
    composite_window,
    key_of,
)
from shared.measurement.jobs import Batch, Job, measure_jobs
from shared.measurement.overpasses import PlannedOverpass, overpasses_by_aoi
from shared.measurement.pairs import follow_ups, jobs_of
from shared.measurement.pieces import Piece
from shared.measurement.unseen import WINDOW_DAYS
from shared.messages.bodies import CompositeRequest, MeasurementRequest, Progress, TransitionRequest
from shared.messages.schedules import schedules
from shared.settings import Settings

Listing = Callable[[Window], list[SceneImage]]
# Which Sentinel-2 scenes there are.
Scenes = Callable[[Window], list[Scene]]


def history_work(
    registered: Sequence[RegisteredAoi], listing: Listing, scenes: Scenes, now: datetime, settings: Settings
) -> tuple[Workload, Workload]:
    """The work that registering these AOIs causes, in calls of as many as one may have, and at the next ticks: the
    composites, transitions and patches of what is then observed, and the passes of the last days that the network
    classifies. ``listing`` answers which images there are, ``scenes`` which scenes. From and to, by how many scenes of
    a tile the network has to look at.
    """
    history = _History(settings)
    for first in range(0, len(registered), settings.max_features):
        call = registered[first : first + settings.max_features]
        rows = [history_row(aoi) for aoi in sorted(call, key=lambda aoi: aoi.aoi_id)]
        by_id = {aoi.aoi_id: aoi for aoi in call}
        for message in registrations_of(rows):
            aois = [_aoi(by_id[aoi_id]) for aoi_id in sorted(new.aoi_id for new in message.aois)]
            history.backfill(aois, {new.aoi_id: new.backfill_start for new in message.aois}, listing, now)
            history.look_for_passes(aois, scenes, now)
    for scheduled in schedules().ticks:
        if scheduled.tick.job == "composite":
            history.compose(scheduled.tick.period)
        elif scheduled.tick.job == "transition":
            history.compare()
    return history.workloads(now)


class _History:
    """Plays the functions on what was listed, and counts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._aois: dict[str, Aoi] = {}
        self._overpasses: dict[str, list[PlannedOverpass]] = {}
        self._observed: dict[str, list[str]] = defaultdict(list)
        self._scenes: dict[str, Scene] = {}
        self.work = Work()

    def backfill(self, aois: list[Aoi], starts: dict[str, date], listing: Listing, now: datetime) -> None:
        """One message of ``aoi-registrations``, and all messages that follow from it."""
        window = history_window(aois, starts, now)
        self._list(window)
        # a composite takes the images of its whole period and of what settles it, patches those of the years before, of
        # before an AOI's first day as well
        baseline = window.start.replace(year=window.start.year - BASELINE_YEARS, month=1, day=1)
        images = listing(window._replace(start=baseline))
        self._aois |= {aoi.aoi_id: aoi for aoi in aois}
        self._overpasses |= overpasses_by_aoi(aois, images)
        for request in history_requests(jobs_of(aois, self._overpasses), starts, self._settings):
            waiting = [request]
            while waiting:
                waiting.extend(self._measure(waiting.pop()))

    def look_for_passes(self, aois: list[Aoi], scenes: Scenes, now: datetime) -> None:
        """What the next record of passes lists over these AOIs."""
        if self._settings.classify != "off":
            region = region_around([aoi.outline for aoi in aois])
            window = Window(now - timedelta(days=WINDOW_DAYS), now + timedelta(days=1), region)
            self._scenes |= {scene.scene_id: scene for scene in scenes(window)}

    def workloads(self, now: datetime) -> tuple[Workload, Workload]:
        """What was counted, and what follows from it pixel by pixel."""
        aois, scenes = list(self._aois.values()), list(self._scenes.values())
        finding = finding_work(aois, self._overpasses, self._observed, self._settings)
        least, most = classifying_work(aois, self._observed, scenes, now, self._settings)
        return Workload(self.work, least, finding), Workload(self.work, most, finding)

    def _measure(self, request: MeasurementRequest) -> Iterator[MeasurementRequest]:
        aois = [self._aois[ref.aoi_id] for ref in sorted(request.aois, key=lambda ref: ref.aoi_id)]
        self._list(Window(*moments_of(request.overpass_ids), region_around([aoi.outline for aoi in aois])))
        wanted = set(request.overpass_ids)
        overpasses = {aoi.aoi_id: [o for o in self._overpasses[aoi.aoi_id] if o.overpass_id in wanted] for aoi in aois}
        budget = observation_budget(self._settings)
        for batch in self._batches(jobs_of(aois, overpasses), budget, request.divisor, request.progress):
            for job, _ in batch.done:
                self._observed[job.aoi.aoi_id].append(job.overpasses[0].overpass_id)
                self.work = self.work.plus(Work(overpasses=1, pixels=pixels(job.aoi.area_m2)))
            for work in batch.handed_on:
                yield from follow_ups(work, request)

    def compose(self, period: str | None) -> None:
        """One tick for composites, of months, of years or of both, and all messages that follow from it."""
        for page in pages(self._stale(period)):
            for request in composite_requests(page, self._settings):
                waiting = [request]
                while waiting:
                    waiting.extend(self._compose(waiting.pop()))

    def _stale(self, period: str | None) -> Iterator[dict[str, Any]]:
        """As ``stale_composites.sql`` answers for AOIs without composites."""
        for aoi_id, aoi in sorted(self._aois.items()):
            days = [sensing_time(overpass_id).date() for overpass_id in self._observed[aoi_id]]
            periods = Counter((day.replace(day=1), "month") for day in days)
            periods.update((day.replace(month=1, day=1), "year") for day in days)
            cell = cells_of(aoi.outline)[0]
            by_month = {start: count for (start, kind), count in periods.items() if kind == "month"}
            for (start, kind), count in sorted(periods.items()):
                if period in {None, kind}:
                    yield {
                        "aoi_id": aoi_id,
                        "aoi_version": aoi.aoi_version,
                        "period": kind,
                        "period_start": start,
                        "overpass_count": count,
                        "earlier_count": _earlier(start, by_month) if kind == "month" else 0,
                        "area_m2": aoi.area_m2,
                        "geometry_bytes": len(_compact(aoi.geometry)),
                        "cell": cell,
                    }

    def _compose(self, request: CompositeRequest) -> Iterator[CompositeRequest]:
        aois = {aoi_id: self._aois[aoi_id] for aoi_id in sorted({ref.aoi_id for ref in request.composites})}
        self._list(composite_window(request.composites, list(aois.values())))
        refs = {key_of(ref): ref for ref in request.composites}
        jobs = list(composite_jobs(request.composites, aois, self._overpasses))
        budget = budget_of(request.composites, self._settings)
        for batch in self._batches(jobs, budget, request.divisor, request.progress):
            for job, _ in batch.done:
                self.work = self.work.plus(Work(composites=1, label_pixels=pixels(job.aoi.area_m2) * _bands_read(job)))
            for work in batch.handed_on:
                following = [refs[job.key] for job in work.jobs]
                yield CompositeRequest(composites=following, divisor=work.divisor, progress=work.progress)

    def compare(self) -> None:
        """One tick for what became what between years, and all messages that follow from it."""
        for page in pages(self._pairs()):
            for request in transition_requests(page, self._settings):
                waiting = [request]
                while waiting:
                    waiting.extend(self._compare(waiting.pop()))

    def _pairs(self) -> Iterator[dict[str, Any]]:
        """As ``stale_transitions.sql`` answers for AOIs without any."""
        for aoi_id, aoi in sorted(self._aois.items()):
            seen = {int(overpass_id[:4]) for overpass_id in self._observed[aoi_id]}
            counts = Counter(int(overpass.overpass_id[:4]) for overpass in self._overpasses[aoi_id])
            for year, compared_with, other in pairs_of_years(seen, self._settings.baseline_year):
                yield {
                    "aoi_id": aoi_id,
                    "aoi_version": aoi.aoi_version,
                    "year": year,
                    "compared_with": compared_with,
                    "from_year": min(year, other),
                    "to_year": max(year, other),
                    "overpass_count": counts[year] + counts[other],
                    "area_m2": aoi.area_m2,
                    "geometry_bytes": len(_compact(aoi.geometry)),
                    "cell": cells_of(aoi.outline)[0],
                }

    def _compare(self, request: TransitionRequest) -> Iterator[TransitionRequest]:
        aois = {aoi_id: self._aois[aoi_id] for aoi_id in sorted({ref.aoi_id for ref in request.transitions})}
        for window in transition_windows(request.transitions, list(aois.values())):
            self._list(window)
        refs = {key_of_pair(ref): ref for ref in request.transitions}
        jobs = list(transition_jobs(request.transitions, aois, self._overpasses))
        budget = transition_budget(self._settings)
        for batch in self._batches(jobs, budget, request.divisor, request.progress):
            for job, _ in batch.done:
                self.work = self.work.plus(Work(pairs=1, label_pixels=pixels(job.aoi.area_m2) * _bands_compared(job)))
            for work in batch.handed_on:
                following = [refs[job.key] for job in work.jobs]
                yield TransitionRequest(transitions=following, divisor=work.divisor, progress=work.progress)

    def _list(self, window: Window) -> None:
        self.work = self.work.plus(Work(listings=sum(1 for _ in slices(*window))))

    def _batches(self, jobs: list[Job], budget: Budget, divisor: int, progress: Progress | None) -> Iterator[Batch]:
        by_key = {job.key: job for job in jobs}

        def counted(pieces: Sequence[Piece]) -> dict[str, Areas]:
            self.work = self.work.plus(Work(computations=1))
            return answers(pieces, by_key)

        yield from measure_jobs(jobs, counted, budget, divisor, progress)


def _earlier(start: date, counts: Mapping[date, int]) -> int:
    """Overpasses of the months that settle the one that starts then."""

    def month_number(day: date) -> int:
        return day.year * 12 + day.month

    return sum(n for day, n in counts.items() if 0 < month_number(start) - month_number(day) <= SETTLED_BY_MONTHS)


def _bands_read(job: Job) -> int:
    """Bands of single overpasses that a composite reads: labels, and the probabilities of a year that has them."""
    return len(job.overpasses) * (OBSERVED_BANDS if _probable(job) else 1) + len(job.earlier or ())


def _bands_compared(job: Job) -> int:
    """Bands of single overpasses that a pair of years reads: probabilities, or labels where there are no others."""
    return len(job.overpasses) * (len(CLASSES) if _probable(job) else 1)


def _probable(job: Job) -> bool:
    return job.with_probabilities and all(i.has_probabilities for o in job.overpasses for i in o.images)


def _aoi(registered: RegisteredAoi) -> Aoi:
    return Aoi(registered.aoi_id, 1, registered.area_m2, json.loads(registered.geometry))


def _compact(geometry: dict[str, Any]) -> str:
    """As the register keeps it."""
    return json.dumps(geometry, separators=(",", ":"))
