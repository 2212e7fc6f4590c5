"""classifications → observations: what Dynamic World has no image of, classified by the published network.

The scenes' pixels come from Earth Engine, everything else is done here; rows are those of ``measure`` but for their
source, and an image of Dynamic World's that comes later takes their place.
"""

from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois.current import current_aois
from shared.aois.name_spaces import workload_tag
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_scenes
from shared.earth_engine.scene_masks import SceneMask
from shared.errors import CollectionMissingError, RetryLaterError
from shared.geometry.cells import region_around
from shared.imagery.names import moments_of
from shared.measurement.budgets import classification_budget, halved_by_attempt
from shared.measurement.jobs import measure_jobs
from shared.measurement.keeping import keep_observations
from shared.measurement.measured import not_yet_classified
from shared.measurement.overpasses import overpasses_by_aoi
from shared.measurement.pairs import follow_ups, jobs_of
from shared.measurement.rows import Source, observation_row, provenance
from shared.measurement.unseen import is_awaited
from shared.messages.bodies import ClassificationRequest, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import delivery_attempt, handle
from shared.network.classifying import classify_pieces
from shared.network.model import Network
from shared.network.scenes import classified_images
from shared.settings import Settings
from shared.warehouse.client import Warehouse

_MASK = SceneMask.RECIPE


@functions_framework.cloud_event
def classify(event: CloudEvent) -> None:
    """Handle one classification request."""
    handle(event, "classify", Topic.CLASSIFICATIONS, ClassificationRequest, _classify)


def _classify(request: ClassificationRequest, settings: Settings) -> dict[str, Any]:
    warehouse = Warehouse(settings)
    aois = current_aois(request.aois, warehouse)
    outcome = {"aoi_count": len(request.aois), "superseded": len(request.aois) - len(aois)}
    if not aois or settings.classify == "off":
        return {**outcome, "observations": 0}
    connect(settings, workload_tag("classify", (aoi.aoi_id for aoi in aois), settings))
    listed_at = datetime.now(UTC)
    region = region_around([aoi.outline for aoi in aois])
    wanted = set(request.overpass_ids)
    try:
        listed = list_scenes(settings, *moments_of(request.overpass_ids), region)
    except CollectionMissingError:
        return {**outcome, "observations": 0}  # a folder of Dynamic World images alone knows no scenes
    scenes = [scene for scene in listed if scene.overpass_id in wanted]
    jobs = jobs_of(aois, overpasses_by_aoi(aois, classified_images(scenes, _MASK)))
    if not jobs and is_awaited(request.overpass_ids, listed_at, delivery_attempt()):
        raise RetryLaterError(f"no scene of {', '.join(request.overpass_ids)} is in Earth Engine over these areas yet")
    observations = messages = 0
    for batch in measure_jobs(
        # news is told again when it comes again, since nobody may have heard it
        not_yet_classified(jobs, warehouse, again=request.announce),
        partial(classify_pieces, settings, _network(), _MASK),
        classification_budget(settings),
        halved_by_attempt(request.divisor, 1 if request.progress else delivery_attempt()),
        request.progress,
    ):
        rows = [
            observation_row(
                job.aoi,
                job.overpasses[0].overpass_id,
                areas,
                provenance(job.overpasses[0].images, listed_at),
                Source.NETWORK,
            )
            for job, areas in batch.done
        ]
        keep_observations(rows, request.announce, warehouse)
        observations += len(rows)
        again = [message for work in batch.handed_on for message in follow_ups(work, request)]
        messages += publish(settings, Topic.CLASSIFICATIONS, again)
    return {**outcome, "observations": observations, "handed_on": messages}


@lru_cache(maxsize=1)
def _network() -> Network:
    return Network(threads=1)
