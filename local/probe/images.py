"""What Earth Engine lists: whether it answers at all, how images are selected, what their ids and footprints are."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import ee

from local.probe.asking import ask
from local.probe.deployment import Deployment
from local.probe.model import Check, Finding, Outcome
from shared.aois.geometry import ellipsoidal_area_m2
from shared.earth_engine.client import connect
from shared.earth_engine.listing import describe_image, list_images
from shared.imagery.footprints import footprint_shape
from shared.imagery.images import SceneImage

# Dynamic World leaves out scenes cloudier than this (Brown et al. 2022).
_MOST_CLOUD_PERCENT = 35.0
# A footprint that is smaller than its scene's by more than this would hide areas at its edge.
_LEAST_OF_SCENE = 0.95
_LISTED = (2_000, 5_000)
PERMITTED = "earth-engine/permitted"


def permitted(deployment: Deployment) -> Iterator[Finding]:
    connect(deployment.settings, "probe")
    answer = ask(ee.Number(1))
    if answer.error is not None:
        yield Finding(Outcome.FAIL, answer.refusal, seconds=answer.seconds)
    else:
        yield Finding(Outcome.PASS, f"answers project {deployment.settings.project}", seconds=answer.seconds)


def listed(deployment: Deployment) -> Iterator[Finding]:
    started = time.monotonic()
    images = deployment.images
    seconds = time.monotonic() - started
    longitude, latitude = deployment.point
    bare = [image.image_id for image in images if not image.has_probabilities]
    text = f"{len(images)} images of {len(deployment.overpasses)} overpasses at {longitude:.3f}, {latitude:.3f}"
    if bare:
        text += f"; {len(bare)} lack probabilities, such as {bare[0]}"
    yield Finding(Outcome.NOTE if bare else Outcome.PASS, text, seconds=seconds, measures={"listing": seconds})


def ingestion_time(deployment: Deployment) -> Iterator[Finding]:
    start, end = deployment.last_year
    versions = sorted(image.version_us for image in deployment.recent_images)
    middle = versions[len(versions) // 2]
    expected = sum(version >= middle for version in versions)
    computed = len(list_images(deployment.settings, start, end, deployment.region, middle))
    stored = ask(
        ee.ImageCollection(deployment.settings.collection)
        .filterDate(round(start.timestamp() * 1000), round(end.timestamp() * 1000))
        .filterBounds(ee.Geometry(deployment.region, None, False))
        .filter(ee.Filter.gte("system:version", middle))
        .size()
    )
    by_stored = stored.refusal if stored.error is not None else f"{stored.value}"
    text = f"of {len(versions)} images {expected} are to be found: {computed} by the computed property, "
    text += f"{by_stored} by the stored one"
    yield Finding(Outcome.PASS if computed == expected else Outcome.FAIL, text, seconds=stored.seconds)


def footprints(deployment: Deployment) -> Iterator[Finding]:
    scenes = {scene.scene_id: scene.footprint for scene in deployment.recent_scenes or []}
    parts = Counter((image.name.sensing_stamp, image.name.tile) for image in deployment.recent_images)
    by_size = sorted(deployment.recent_images, key=lambda image: _square_kilometres(image.footprint))
    split = [image for image in by_size if parts[image.name.sensing_stamp, image.name.tile] > 1]
    whole = [image for image in by_size if image not in split]
    for part, chosen in (("full tile", whole[-1:]), ("swath edge", whole[:1]), ("split tile", split[:1])):
        if chosen:
            yield _footprint(part, chosen[0], scenes.get(chosen[0].image_id))
        else:
            yield Finding(Outcome.SKIPPED, f"none among {len(by_size)} images of the last year", part)


def _footprint(part: str, image: SceneImage, scene: dict[str, Any] | None) -> Finding:
    found = _square_kilometres(image.footprint)
    text = f"{image.image_id}: {image.footprint['type']} of {found:,.1f} km²"
    if scene is None:
        return Finding(Outcome.PASS if found else Outcome.FAIL, f"{text}; no Sentinel-2 scene to compare with", part)
    beside = _square_kilometres(scene)
    text += f", Sentinel-2 {scene['type']} of {beside:,.1f} km²"
    return Finding(Outcome.PASS if found >= _LEAST_OF_SCENE * beside > 0 else Outcome.FAIL, text, part)


def _square_kilometres(footprint: dict[str, Any]) -> float:
    return ellipsoidal_area_m2(footprint_shape(footprint)) / 1e6  # type: ignore[arg-type]


def ids(deployment: Deployment) -> Iterator[Finding]:
    scenes = deployment.recent_scenes
    if scenes is None:
        found = f"{deployment.settings.pass_collection} cannot be read"
        yield Finding(Outcome.SKIPPED if deployment.embedded else Outcome.FAIL, found)
        return
    images = {image.image_id for image in deployment.recent_images}
    strangers = images - {scene.scene_id for scene in scenes}
    clear = {s.scene_id for s in scenes if s.cloud_percent is not None and s.cloud_percent <= _MOST_CLOUD_PERCENT}
    text = f"{len(images) - len(strangers)} of {len(images)} ids of a year are ids of Sentinel-2 scenes"
    text += f"; {len(clear - images)} of {len(clear)} clear scenes have no image"
    if strangers and deployment.embedded:
        yield Finding(Outcome.SKIPPED, f"{text} (the embedded list of passes need not name scenes that have an image)")
        return
    yield Finding(Outcome.FAIL if strangers else Outcome.PASS, text)


def listing(deployment: Deployment) -> Iterator[Finding]:
    start, end = deployment.last_year
    everywhere = ee.ImageCollection(deployment.settings.collection).filterDate(
        round(start.timestamp() * 1000), round(end.timestamp() * 1000)
    )
    for most in _LISTED:
        answer = ask(ee.FeatureCollection(everywhere.limit(most).map(describe_image)), profiled=True)
        if answer.error is None:
            count = len(answer.value["features"])
            measures = {f"listing_{most}": answer.seconds} if count == most else {}
            yield Finding(Outcome.PASS, f"{count:,} images", f"{most:,}", answer.seconds, answer.eecu_seconds, measures)
        else:
            outcome = Outcome.FAIL if most == min(_LISTED) else Outcome.NOTE
            yield Finding(outcome, answer.refusal, f"{most:,}", answer.seconds)


CHECKS = (
    Check(
        PERMITTED,
        "Whether Earth Engine answers your account for this project.",
        "The project is not registered, its API is off, or the account lacks roles/earthengine.viewer or "
        "roles/serviceusage.serviceUsageConsumer.",
        "Do what Earth Engine's own words say, and in the first hour of a project try again after ten minutes.",
        permitted,
    ),
    Check(
        "earth-engine/images",
        "Whether Dynamic World has images of the place, each with its label and nine probabilities.",
        "The collection cannot be read or has other bands than the pipeline measures, so no row would come.",
        "Look at LANDCOVER_COLLECTION, or name a place on land with --at.",
        listed,
        needs=PERMITTED,
    ),
    Check(
        "earth-engine/ingestion-time",
        "Whether images can be selected by when they appeared, by the computed property that discover uses and by the "
        "stored system:version.",
        "Frequent ticks miss images, which then wait for the nightly full tick.",
        "Let full ticks come more often (shared/messages/schedules.json) until the selection is mended, and report it.",
        ingestion_time,
        needs=PERMITTED,
    ),
    Check(
        "earth-engine/footprints",
        "Type and area of the footprint of a full, a swath-edge and a split tile, Dynamic World beside Sentinel-2.",
        "A footprint cannot be read or is smaller than its scene, so areas at its edge are not measured.",
        "Report the image; until then register areas with a margin, or measure them by landcover doctor --re-enqueue.",
        footprints,
        needs=PERMITTED,
    ),
    Check(
        "earth-engine/ids",
        "Whether the ids of a year's images are ids of Sentinel-2 scenes.",
        "Passes and images cannot be joined, so report_freshness and doctor name wrong reasons; areas stay right.",
        "Look at LANDCOVER_PASS_COLLECTION, and report ids of a new form.",
        ids,
        needs=PERMITTED,
    ),
    Check(
        "earth-engine/listing",
        "Whether 2,000 and 5,000 images are listed in one request, and how long that takes.",
        "Discovery lists up to some 2,000 images at once and would cut each listing in many.",
        "Lower _IMAGES_PER_LISTING in shared/geometry/cells.py.",
        listing,
        needs=PERMITTED,
    ),
)
