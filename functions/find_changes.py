"""change-requests → changes: find the patches of changed ground of areas and years, and append a row for each.

Always from the images that exist now, over the whole year, so the order in which messages arrive does not matter, and a
patch that late or reprocessed images deny is gone with the next row.
"""

import time
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.aois.aoi import Aoi
from shared.aois.current import current_aois
from shared.aois.name_spaces import workload_tag
from shared.change.finding import change_row, unwatched_row
from shared.change.pixels import assembled
from shared.change.watching import Watch, fits, frame_of, outline_in, span, watch, windows
from shared.earth_engine.client import connect
from shared.earth_engine.label_pixels import fetch_labels
from shared.earth_engine.listing import list_images
from shared.earth_engine.moved_pixels import fetch_moved
from shared.errors import NeverError, TooBigError
from shared.geometry.cells import region_around
from shared.measurement.budgets import halved_by_attempt
from shared.measurement.overpasses import overpasses_by_aoi
from shared.messages.bodies import AoiRef, ChangeRef, ChangeRequest, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import delivery_attempt, handle
from shared.settings import Settings
from shared.warehouse.client import Warehouse

# No area is begun later than this: its requests then still end within the platform's 540 s.
_WORK_SECONDS = 200.0
_MOST_DIVISOR = 1024


@functions_framework.cloud_event
def find_changes(event: CloudEvent) -> None:
    """Handle one request for patches."""
    handle(event, "find_changes", Topic.CHANGE_REQUESTS, ChangeRequest, _find)


def _find(request: ChangeRequest, settings: Settings) -> dict[str, Any]:
    started = time.monotonic()
    warehouse = Warehouse(settings)
    wanted = _still_stale(request.changes, settings, warehouse)
    refs = {AoiRef(aoi_id=ref.aoi_id, aoi_version=ref.aoi_version) for ref in wanted}
    aois = {aoi.aoi_id: aoi for aoi in current_aois(refs, warehouse)} if wanted else {}
    wanted = [ref for ref in wanted if ref.aoi_id in aois]
    outcome = {"asked": len(request.changes), "stale": len(wanted)}
    if not wanted:
        return {**outcome, "patches": 0}
    connect(settings, workload_tag("find-changes", aois, settings))
    listed_at = datetime.now(UTC)
    spans = [span(ref.year) for ref in wanted]
    region = region_around([aoi.outline for aoi in aois.values()])
    images = list_images(settings, min(s for s, _ in spans), max(e for _, e in spans), region)
    overpasses = overpasses_by_aoi(list(aois.values()), images)
    former = warehouse.query("former_patches", aoi_ids=sorted(aois))
    divisor = halved_by_attempt(request.divisor, delivery_attempt())
    patches, handed_on = 0, []
    for number, ref in enumerate(wanted):
        if time.monotonic() - started > _WORK_SECONDS:
            handed_on.append(ChangeRequest(changes=wanted[number:], divisor=request.divisor))
            break
        aoi, watched = aois[ref.aoi_id], watch(ref.year, overpasses[ref.aoi_id])
        mine = (ref.aoi_id, ref.aoi_version, ref.year)
        known = [patch for patch in former if (patch["aoi_id"], patch["aoi_version"], patch["year"]) == mine]
        try:
            row = _row(aoi, ref.year, watched, known, listed_at, settings, divisor)
        except TooBigError as error:
            if divisor >= _MOST_DIVISOR:
                raise NeverError(
                    f"{ref.aoi_id} {ref.year}: too big for Earth Engine in windows of 32: {error}"
                ) from error
            handed_on.append(ChangeRequest(changes=[ref], divisor=4 * divisor))
            continue
        warehouse.append("changes", [row])
        patches += len(row["patches"])
    publish(settings, Topic.CHANGE_REQUESTS, handed_on)
    return {**outcome, "patches": patches, "handed_on": len(handed_on)}


def _row(
    aoi: Aoi,
    year: int,
    watched: Watch,
    known: list[dict[str, Any]],
    listed_at: datetime,
    settings: Settings,
    divisor: int,
) -> dict[str, Any]:
    frame = frame_of(aoi, [*watched.baseline, *watched.views])
    if not (watched.complete and watched.views and fits(frame, settings.max_watched_km2)):
        return unwatched_row(aoi, year, watched, listed_at)
    outline_m = outline_in(frame.crs, aoi.outline)
    parts = [
        (window, fetch_labels(settings, watched, window))
        for window in windows(frame, outline_m, watched, settings.label_pixel_budget, divisor)
    ]
    pixels = assembled(frame, len(watched.views), parts)
    moved = partial(fetch_moved, settings, divisor=divisor)
    return change_row(aoi, year, watched, frame, pixels, known, listed_at, moved)


def _still_stale(refs: list[ChangeRef], settings: Settings, warehouse: Warehouse) -> list[ChangeRef]:
    """What was not found since it was asked for: a message may come twice, or wait while the next day's comes."""
    stale = warehouse.query(
        "stale_changes",
        since=date(min(ref.year for ref in refs) - 2, 1, 1),
        after_aoi="",
        most_m2=settings.max_watched_km2 * 1e6,
        aoi_ids=sorted({ref.aoi_id for ref in refs}),
        most=100_000,
    )
    named = {(row["aoi_id"], row["aoi_version"], row["year"]) for row in stale}
    return [ref for ref in refs if (ref.aoi_id, ref.aoi_version, ref.year) in named]
