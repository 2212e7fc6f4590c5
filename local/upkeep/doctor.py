"""What the warehouse lacks, AOI by AOI, against what Earth Engine lists; and asking for it again."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import repeat
from typing import Any, NamedTuple

from local.upkeep.dead_letters import Selection, select
from shared.aois.aoi import Aoi
from shared.aois.current import current_aois
from shared.earth_engine.client import connect
from shared.earth_engine.listing import Pass, list_images, list_passes
from shared.errors import CollectionMissingError, InvalidMessageError, UserInputError
from shared.geometry.cells import region_around
from shared.geometry.cutting import pixels
from shared.imagery.images import MOST_CLOUD_PERCENT
from shared.measurement.budgets import Budget, chunked, classification_budget, observation_budget
from shared.measurement.overpasses import PlannedOverpass, overpasses_over
from shared.measurement.rows import Source
from shared.messages.bodies import AoiRef, ClassificationRequest, Lane, MeasurementRequest, Topic
from shared.messages.publishing import publish
from shared.messages.receiving import parse
from shared.settings import DYNAMIC_WORLD_START, Settings
from shared.warehouse.client import Warehouse


class State(StrEnum):
    """What is the matter with one overpass over one AOI."""

    MEASURED = "measured"
    THIN = "measured, but clouded over the area"
    OUTDATED = "measured before all its images were there"
    REPROCESSED = "measured before an image was reprocessed"
    WITHDRAWN = "measured with an image that is no longer listed"
    GONE = "measured, and no image of it is listed any more"
    NOT_MEASURED = "not yet measured"
    FAILED = "failed"
    CLOUD = "too cloudy for Dynamic World"
    NOT_PUBLISHED = "no Dynamic World image"
    CLASSIFIED = "classified by the network"


# What the network can see, where it is asked.
UNSEEN = {State.CLOUD, State.NOT_PUBLISHED}
MENDABLE = {State.OUTDATED, State.REPROCESSED, State.WITHDRAWN, State.NOT_MEASURED, State.FAILED}


class Finding(NamedTuple):
    """One overpass of one AOI and why it is as it is."""

    overpass_id: str
    state: State
    why: str = ""


class Examination(NamedTuple):
    """All overpasses of one AOI since its first day, oldest first.

    ``cloud_known`` is False where the collection of all scenes cannot be read.
    """

    ref: AoiRef
    area_m2: float
    findings: list[Finding]
    cloud_known: bool

    def counts(self) -> Counter[State]:
        return Counter(finding.state for finding in self.findings)


def examine(warehouse: Warehouse, aoi_ids: Sequence[str], since: date | None) -> Iterable[Examination]:
    """Compare each named current AOI (all when none is named), from ``since`` or its first day on.

    Raises UserInputError for an id that is not registered.
    """
    rows = warehouse.query("aois_to_examine", aoi_ids=list(aoi_ids))
    if unknown := sorted(set(aoi_ids) - {row["aoi_id"] for row in rows}):
        raise UserInputError(f"not registered: {', '.join(unknown)}; without --aoi all areas are looked at")
    connect(warehouse.settings, "doctor")
    failures = _failures(warehouse)
    for row in rows:
        ref = AoiRef(aoi_id=row["aoi_id"], aoi_version=row["aoi_version"])
        first = max(since or DYNAMIC_WORLD_START, row["backfill_start"])
        for aoi in current_aois([ref], warehouse):
            yield _examine(warehouse, aoi, ref, first, failures)


def mendable(examination: Examination, settings: Settings) -> list[Finding]:
    """What can be asked for again: of Earth Engine, and of the network unless it is switched off."""
    states = MENDABLE if settings.classify == "off" else MENDABLE | UNSEEN
    return [finding for finding in examination.findings if finding.state in states]


def ask_again(warehouse: Warehouse, examination: Examination) -> int:
    """Publish requests for what can be mended, of the network for what Dynamic World has no image of; returns for how
    many overpasses.
    """
    settings = warehouse.settings
    findings = mendable(examination, settings)
    wanted = [finding.overpass_id for finding in findings if finding.state in MENDABLE]
    cost = Budget(1, 1, pixels(examination.area_m2), 0)
    requests = [
        MeasurementRequest(overpass_ids=run, aois=[examination.ref])
        for run in chunked(wanted, observation_budget(settings), lambda _: cost)
    ]
    publish(settings, Topic.MEASUREMENTS, requests, {"lane": Lane.BACKFILL})
    unseen = [finding.overpass_id for finding in findings if finding.state in UNSEEN]
    classifications = [
        ClassificationRequest(overpass_ids=run, aois=[examination.ref])
        for run in chunked(unseen, classification_budget(settings), lambda _: cost)
    ]
    publish(settings, Topic.CLASSIFICATIONS, classifications)
    return len(findings)


def _examine(warehouse: Warehouse, aoi: Aoi, ref: AoiRef, first: date, failures: dict[Any, str]) -> Examination:
    settings = warehouse.settings
    start, end = datetime.combine(first, time.min, UTC), datetime.now(UTC) + timedelta(days=1)
    region = region_around([aoi.outline])
    overpasses = overpasses_over(aoi, list_images(settings, start, end, region))
    try:
        passes, cloud_known = list_passes(settings, start, end, region), True
    except CollectionMissingError:
        passes, cloud_known = [], False
    observed = {
        row["overpass_id"]: row for row in warehouse.query("observed_overpasses", **ref.model_dump(), since=first)
    }
    findings = [
        _judge(
            overpass,
            observed.get(overpass.overpass_id),
            failures.get((ref, overpass.overpass_id)),
            settings.coverage_floor,
        )
        for overpass in overpasses
    ]
    with_image = {overpass.overpass_id for overpass in overpasses}
    classified = {key for key, row in observed.items() if row["source"] == Source.NETWORK} - with_image
    findings += [Finding(overpass_id, State.CLASSIFIED) for overpass_id in classified]
    gone = observed.keys() - with_image - classified
    findings += [
        Finding(overpass_id, State.GONE, ", ".join(observed[overpass_id]["image_ids"])) for overpass_id in gone
    ]
    findings += [_absent(known) for known in passes if known.overpass_id not in with_image | gone | classified]
    return Examination(ref, aoi.area_m2, sorted(findings), cloud_known)


def _judge(overpass: PlannedOverpass, row: dict[str, Any] | None, failure: str | None, floor: float) -> Finding:
    if row is None or row["source"] == Source.NETWORK:
        return Finding(overpass.overpass_id, State.FAILED if failure else State.NOT_MEASURED, failure or "")
    known = dict(zip(row["image_ids"], row["image_versions"] or repeat(None), strict=False))
    lacking = [image.image_id for image in overpass.images if image.image_id not in known]
    if lacking:
        return Finding(overpass.overpass_id, State.OUTDATED, f"without {', '.join(lacking)}")
    listed = {image.image_id for image in overpass.images}
    if withdrawn := [image_id for image_id in known if image_id not in listed]:
        return Finding(overpass.overpass_id, State.WITHDRAWN, ", ".join(withdrawn))
    reprocessed = [i.image_id for i in overpass.images if known[i.image_id] not in {None, i.version_us}]
    if reprocessed:
        return Finding(overpass.overpass_id, State.REPROCESSED, ", ".join(reprocessed))
    if row["coverage"] < floor:
        return Finding(overpass.overpass_id, State.THIN, f"{row['coverage']:.0%} of the area seen")
    return Finding(overpass.overpass_id, State.MEASURED)


def _absent(known: Pass) -> Finding:
    cloud = known.least_cloud_percent
    if cloud is not None and cloud > MOST_CLOUD_PERCENT:
        return Finding(known.overpass_id, State.CLOUD, f"{cloud:.0f} % cloud")
    return Finding(known.overpass_id, State.NOT_PUBLISHED, "" if cloud is None else f"{cloud:.0f} % cloud")


def _failures(warehouse: Warehouse) -> dict[tuple[AoiRef, str], str]:
    """Why a measurement failed for good, by AOI version and overpass, as far as dead letters tell."""
    ever = datetime.combine(DYNAMIC_WORLD_START, time.min, UTC)
    reasons: dict[tuple[AoiRef, str], str] = {}
    for letter in select(warehouse, Selection(ever, topic=Topic.MEASUREMENTS.value)):
        try:
            request = parse(MeasurementRequest, letter["body"].encode())
        except InvalidMessageError:
            continue
        reasons |= {
            (ref, overpass_id): letter["reason"] for ref in request.aois for overpass_id in request.overpass_ids
        }
    return reasons
