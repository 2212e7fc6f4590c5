"""transition-requests → transitions: compute what became what between pairs of years, and append a row for each pair.

Always from the images that exist now. Rows are appended request by request; what does not fit one invocation goes on as
messages of its own.
"""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois.current import current_aois
from shared.aois.name_spaces import workload_tag
from shared.change.pairing import key_of, transition_jobs, transition_row, transition_windows
from shared.earth_engine.client import connect
from shared.earth_engine.listing import list_images
from shared.earth_engine.transitions import measure_transitions
from shared.measurement.budgets import halved_by_attempt, transition_budget
from shared.measurement.jobs import measure_jobs
from shared.measurement.overpasses import overpasses_by_aoi
from shared.messages.bodies import AoiRef, Topic, TransitionRef, TransitionRequest
from shared.messages.publishing import publish
from shared.messages.receiving import delivery_attempt, handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse


@functions_framework.cloud_event
def transition(event: CloudEvent) -> None:
    """Handle one request for transitions."""
    handle(event, "transition", Topic.TRANSITION_REQUESTS, TransitionRequest, _transition)


def _transition(request: TransitionRequest, settings: Settings) -> dict[str, Any]:
    warehouse = Warehouse(settings)
    wanted = _still_stale(request.transitions, settings, warehouse)
    refs = {AoiRef(aoi_id=ref.aoi_id, aoi_version=ref.aoi_version) for ref in wanted}
    aois = {aoi.aoi_id: aoi for aoi in current_aois(refs, warehouse)} if wanted else {}
    asked = {key_of(ref): ref for ref in wanted if ref.aoi_id in aois}
    outcome = {"asked": len(request.transitions), "stale": len(asked)}
    if not asked:
        return {**outcome, "transitions": 0}
    connect(settings, workload_tag("transition", aois, settings))
    listed_at = datetime.now(UTC)
    windows = transition_windows(asked.values(), list(aois.values()))
    images = {image.image_id: image for window in windows for image in list_images(settings, *window)}
    jobs = list(transition_jobs(asked.values(), aois, overpasses_by_aoi(list(aois.values()), images.values())))
    attempt = 1 if request.progress else delivery_attempt()
    written = messages = 0
    for batch in measure_jobs(
        jobs,
        partial(measure_transitions, settings),
        transition_budget(settings),
        halved_by_attempt(request.divisor, attempt),
        request.progress,
    ):
        rows = [transition_row(job, asked[job.key], areas, listed_at) for job, areas in batch.done]
        warehouse.append("transitions", rows)
        written += len(rows)
        follow_ups = [
            TransitionRequest(
                transitions=[asked[job.key] for job in work.jobs], divisor=work.divisor, progress=work.progress
            )
            for work in batch.handed_on
        ]
        messages += publish(settings, Topic.TRANSITION_REQUESTS, follow_ups)
    return {**outcome, "transitions": written, "handed_on": messages}


def _still_stale(refs: list[TransitionRef], settings: Settings, warehouse: Warehouse) -> list[TransitionRef]:
    """What was not computed since it was asked for: a message may come twice, or wait while the next one comes."""
    stale = warehouse.query(
        "stale_transitions",
        baseline_year=settings.baseline_year,
        after_aoi="",
        aoi_ids=sorted({ref.aoi_id for ref in refs}),
        most=100_000,
    )
    named = {TransitionRef.model_validate({name: row[name] for name in TransitionRef.model_fields}) for row in stale}
    return [ref for ref in refs if ref in named]
