"""What is asked of Earth Engine pixel by pixel, played like ``workload.py`` does the rest: passes that the network
classifies, and years whose patches of changed ground are found.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from shared.aois.aoi import Aoi
from shared.change.planning import change_requests
from shared.change.watching import Watch, fits, frame_of, outline_in, span, watch, windows
from shared.cost.playing import answers, pages
from shared.cost.work import Work, network_tile
from shared.geometry.cells import cells_of, region_around, slices
from shared.imagery.footprints import footprint_shape
from shared.imagery.images import SceneImage
from shared.imagery.names import moments_of, sensing_time
from shared.imagery.scenes import Scene
from shared.measurement.areas import Areas
from shared.measurement.asking import requests_by_overpass
from shared.measurement.budgets import classification_budget
from shared.measurement.jobs import measure_jobs
from shared.measurement.overpasses import PlannedOverpass, overpasses_by_aoi
from shared.measurement.pairs import follow_ups, jobs_of
from shared.measurement.pieces import Piece
from shared.measurement.unseen import WINDOW_DAYS, is_for_the_network, waited_for_until
from shared.messages.bodies import ChangeRequest, ClassificationRequest
from shared.network.scenes import classified_images
from shared.network.tiling import MARGIN_PIXELS, Span
from shared.network.zonal import cores_over, region_in, weights_m2
from shared.settings import Settings

# By AOI: the overpasses that see it, and the ids of those that were measured.
Overpasses = Mapping[str, list[PlannedOverpass]]
Observed = Mapping[str, Sequence[str]]
_ANY_MASK = ""


def classifying_work(
    aois: Sequence[Aoi],
    observed: Observed,
    scenes: Sequence[Scene],
    now: datetime,
    settings: Settings,
) -> tuple[Work, Work]:
    """What the next record of passes asks of the network over AOIs whose observed overpasses are known: from one scene
    that sees all of a tile, to all that lie over it.
    """
    if settings.classify == "off":
        return Work(), Work()
    classifying = _Classifying(aois, scenes, settings)
    unseen = list(_unseen(aois, observed, scenes, now, settings))
    for request in requests_by_overpass(ClassificationRequest, unseen, classification_budget(settings), settings):
        waiting = [request]
        while waiting:
            waiting.extend(classifying.play(waiting.pop()))
    return classifying.least, classifying.most


def finding_work(aois: Sequence[Aoi], overpasses: Overpasses, observed: Observed, settings: Settings) -> Work:
    """What finding the patches of all observed years of AOIs asks, by all overpasses that see them."""
    work = Work()
    by_id = {aoi.aoi_id: aoi for aoi in aois}
    for page in pages(_stale(aois, observed, settings)):
        for request in change_requests(page, settings):
            work = work.plus(_found(request, by_id, overpasses, settings))
    return work


def _unseen(
    aois: Sequence[Aoi],
    observed: Observed,
    scenes: Sequence[Scene],
    now: datetime,
    settings: Settings,
) -> Iterator[dict[str, Any]]:
    """As ``record_passes`` finds them in the days that it looks at."""
    until, first = waited_for_until(settings, now), now.date() - timedelta(days=WINDOW_DAYS - 1)
    cloud = {scene.scene_id: scene.cloud_percent for scene in scenes}
    images = classified_images([scene._replace(has_pixels=True) for scene in scenes], _ANY_MASK)
    passes = overpasses_by_aoi(aois, images)
    for aoi in aois:
        for overpass in passes[aoi.aoi_id]:
            known = [percent for image in overpass.images if (percent := cloud[image.image_id]) is not None]
            new = overpass.overpass_id not in observed[aoi.aoi_id]
            recent = first <= sensing_time(overpass.overpass_id).date() <= now.date()
            if new and recent and is_for_the_network(overpass.overpass_id, min(known, default=None), until):
                yield {
                    "aoi_id": aoi.aoi_id,
                    "aoi_version": aoi.aoi_version,
                    "overpass_id": overpass.overpass_id,
                    "area_m2": aoi.area_m2,
                    "geometry_bytes": aoi.payload_bytes,
                }


class _Classifying:
    """Plays ``classify`` and counts."""

    def __init__(self, aois: Sequence[Aoi], scenes: Sequence[Scene], settings: Settings) -> None:
        self._aois = {aoi.aoi_id: aoi for aoi in aois}
        images = classified_images(scenes, _ANY_MASK)
        self._overpasses = overpasses_by_aoi(aois, images)
        self._images = {image.image_id: image for image in images}
        self._outlines: dict[str, BaseGeometry] = {}
        self._settings = settings
        self.least = self.most = Work()

    def play(self, request: ClassificationRequest) -> Iterator[ClassificationRequest]:
        """One message; gives those that follow from it."""
        aois = [self._aois[ref.aoi_id] for ref in sorted(request.aois, key=lambda ref: ref.aoi_id)]
        region = region_around([aoi.outline for aoi in aois])
        self._add(Work(listings=sum(1 for _ in slices(*moments_of(request.overpass_ids), region))))
        wanted = set(request.overpass_ids)
        jobs = jobs_of(
            aois, {a.aoi_id: [o for o in self._overpasses[a.aoi_id] if o.overpass_id in wanted] for a in aois}
        )
        by_key = {job.key: job for job in jobs}

        def counted(pieces: Sequence[Piece]) -> dict[str, Areas]:
            self._count(pieces)
            return answers(pieces, by_key)

        budget = classification_budget(self._settings)
        for batch in measure_jobs(jobs, counted, budget, request.divisor, request.progress):
            self._add(Work(overpasses=len(batch.done)))
            for work in batch.handed_on:
                yield from follow_ups(work, request)

    def _count(self, pieces: Sequence[Piece]) -> None:
        seeing = {piece.key: self._seeing(piece) for piece in pieces}
        self._add(Work(computations=len({image.image_id for images in seeing.values() for image in images})))
        for piece in pieces:
            region = region_in(piece.part.geometry, piece.part.crs)
            for core in cores_over(region):
                if weights_m2(region, core, piece.part.crs) is None:
                    continue
                over = sum(self._outline(image).intersects(_frame(core)) for image in seeing[piece.key])
                tile = network_tile(core.height + 2 * MARGIN_PIXELS, core.width + 2 * MARGIN_PIXELS)
                self.least = self.least.plus(tile.times(min(over, 1)))
                self.most = self.most.plus(tile.times(over))

    def _seeing(self, piece: Piece) -> list[SceneImage]:
        """The scenes of the piece's own zone."""
        images = [self._images[image_id] for overpass in piece.layer.overpasses for image_id in overpass]
        return [image for image in images if image.crs == piece.part.crs]

    def _outline(self, image: SceneImage) -> BaseGeometry:
        """What a scene covers, in pixels of its zone's grid."""
        if image.image_id not in self._outlines:
            outline = region_in(mapping(footprint_shape(image.footprint)), image.crs)
            shapely.prepare(outline)
            self._outlines[image.image_id] = outline
        return self._outlines[image.image_id]

    def _add(self, work: Work) -> None:
        self.least, self.most = self.least.plus(work), self.most.plus(work)


def _frame(core: Span) -> BaseGeometry:
    return shapely.box(core.left, core.top, core.right, core.bottom)


def _stale(aois: Sequence[Aoi], observed: Observed, settings: Settings) -> Iterator[dict[str, Any]]:
    """As ``stale_changes.sql`` answers for AOIs of which no patches were looked for."""
    for aoi in sorted(aois, key=lambda aoi: aoi.aoi_id):
        if aoi.area_m2 <= settings.max_watched_km2 * 1e6:
            cell = cells_of(aoi.outline)[0]
            for year in sorted({sensing_time(overpass_id).year for overpass_id in observed[aoi.aoi_id]}):
                yield {"aoi_id": aoi.aoi_id, "aoi_version": aoi.aoi_version, "year": year, "cell": cell}


def _found(request: ChangeRequest, aois: Mapping[str, Aoi], overpasses: Overpasses, settings: Settings) -> Work:
    """What one message of ``change-requests`` asks."""
    spans = [span(ref.year) for ref in request.changes]
    region = region_around([aois[aoi_id].outline for aoi_id in sorted({ref.aoi_id for ref in request.changes})])
    listings = sum(1 for _ in slices(min(start for start, _ in spans), max(end for _, end in spans), region))
    work = Work(years=len(request.changes), listings=listings)
    for ref in request.changes:
        work = work.plus(_watched(aois[ref.aoi_id], watch(ref.year, overpasses[ref.aoi_id]), settings))
    return work


def _watched(aoi: Aoi, watched: Watch, settings: Settings) -> Work:
    read = [*watched.baseline, *watched.views]
    frame = frame_of(aoi, read)
    if not (watched.complete and watched.views and fits(frame, settings.max_watched_km2)):
        return Work()
    found = list(windows(frame, outline_in(frame.crs, aoi.outline), watched, settings.label_pixel_budget))
    return Work(fetches=len(found), label_pixels=sum(w.height * w.width for w in found) * len(read))
