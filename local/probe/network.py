"""What the published network says of a scene beside what Dynamic World published of it."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import ee
import numpy as np

from local.probe.deployment import Deployment
from local.probe.images import PERMITTED
from local.probe.model import Check, Finding, Outcome
from shared.classes import CLASS_NAMES, LABEL_BAND
from shared.earth_engine.client import compute_pixels
from shared.earth_engine.scene_masks import SceneMask
from shared.geometry.utm import to_utm
from shared.imagery.scenes import crs_of
from shared.network.classifying import ScenePixels, scene_pixels
from shared.network.fetching import fetch, window_request
from shared.network.model import Network
from shared.network.tiling import CORE_PIXELS, MARGIN_PIXELS, Span, Tile

# Where the network's half-resolution grid and Google's tiles lie is not published, and changes 0.2 to 14 % of labels,
# and a probability by some 0.01. With an offset of 1000 DN left in, 54 to 99 % of labels would change.
_USUAL_AGREEMENT, _LEAST_AGREEMENT = 0.86, 0.5
_FEWEST_PIXELS = 1_000
_MISSING = -1


class _Compared(NamedTuple):
    """Pixels that both saw, and how many of them have one label; the mean difference of their probabilities; pixels
    that only Dynamic World shows, and that only the network does; seconds of fetching and of the network.
    """

    both: int
    same: int
    differs: float
    only_published: int
    only_network: int
    fetch_seconds: float
    network_seconds: float


def agreement(deployment: Deployment) -> Iterator[Finding]:
    with_pixels = {scene.scene_id for scene in deployment.recent_scenes or [] if scene.has_pixels}
    overpasses = [deployment.clear_overpass, *reversed(deployment.overpasses)]
    image_ids = [i.image_id for o in overpasses for i in o.images if i.image_id in with_pixels and i.has_probabilities]
    if not image_ids:
        found = f"no scene of {deployment.settings.pass_collection} that Dynamic World has an image of"
        yield Finding(Outcome.SKIPPED if deployment.embedded else Outcome.FAIL, found)
        return
    compared = _compared(deployment, image_ids[0])
    if compared is None or compared.both < _FEWEST_PIXELS:
        yield Finding(Outcome.SKIPPED, f"{image_ids[0]}: too little is seen here: name a clearer place (--at)")
        return
    share = compared.same / compared.both
    text = (
        f"{image_ids[0]}: {share:.1%} of {compared.both:,} labels agree, expected are {_USUAL_AGREEMENT:.0%} in mixed"
    )
    text += f" or hazy country to 99.8% in clear forest; probabilities differ by {compared.differs:.3f} on average, "
    text += f"expected are some 0.01; {compared.only_published:,} pixels are hidden by our mask alone, "
    text += f"{compared.only_network:,} by theirs"
    outcome = Outcome.FAIL if share < _LEAST_AGREEMENT else Outcome.NOTE if share < _USUAL_AGREEMENT else Outcome.PASS
    measures = {"network_fetch": compared.fetch_seconds, "network_tile": compared.network_seconds}
    yield Finding(outcome, text, seconds=sum(measures.values()), measures=measures)


def _compared(deployment: Deployment, image_id: str) -> _Compared | None:
    """A tile around the place; None where the scene does not reach it. Raises as Earth Engine answers."""
    settings = deployment.settings
    started = time.monotonic()
    scene = scene_pixels(settings, SceneMask.RECIPE, image_id)
    around = _tile_around(deployment.point, scene, image_id)
    if not around.meets(scene.span):
        return None
    core = around.grown(0, scene.span)
    tile = Tile(core, core.grown(MARGIN_PIXELS, scene.span))
    fetched = fetch(settings, scene.image, scene.grid, tile.window)
    published = ee.Image(f"{settings.collection}/{image_id}").select([*CLASS_NAMES, LABEL_BAND])
    request = window_request(published.toFloat().unmask(_MISSING, False), scene.grid, core)
    answer = compute_pixels(request, settings.earth_engine_patience_seconds)
    fetch_seconds = time.monotonic() - started
    found = Network(threads=1).probabilities(fetched.pixels, tile)
    network_seconds = time.monotonic() - started - fetch_seconds
    theirs = np.stack([answer[name] for name in CLASS_NAMES])
    label = answer[LABEL_BAND]
    shown, classified = label >= 0, ~np.isnan(found[0])
    clear = classified & fetched.clear[tile.core_in_window]
    both = shown & clear
    return _Compared(
        int(both.sum()),
        int((found.argmax(axis=0) == label)[both].sum()),
        float(np.abs(found - theirs)[:, both].mean()) if both.any() else 0.0,
        int((shown & classified & ~clear).sum()),
        int((clear & ~shown).sum()),
        fetch_seconds,
        network_seconds,
    )


def _tile_around(point: tuple[float, float], scene: ScenePixels, image_id: str) -> Span:
    """A tile whose middle is the place, with even ends."""
    ((x_m, y_m),) = to_utm(crs_of(image_id), np.array([point]))
    top, left = (int((scene.grid.north_m - y_m) / 20), int((x_m - scene.grid.west_m) / 20))
    half = CORE_PIXELS // 2
    return Span(2 * top - half, 2 * left - half, 2 * top + half, 2 * left + half)


CHECKS = (
    Check(
        "earth-engine/network",
        "How many labels of one clear scene the published network and Dynamic World have in common.",
        "The network is given other pixels than it was trained on, or Dynamic World's own is another by now, so rows "
        "of source network are not like those beside them.",
        "See that LANDCOVER_PASS_COLLECTION is a harmonised L1C collection and try a clearer place (--at); set "
        "LANDCOVER_CLASSIFY to off while they disagree.",
        agreement,
        needs=PERMITTED,
    ),
)
