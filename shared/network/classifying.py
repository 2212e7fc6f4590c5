"""Areas of AOI pieces from Sentinel-2 L1C scenes: fetched tile by tile, classified here, summed like ``measure``."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from shared.classes import CLASSES
from shared.earth_engine.scene_masks import SceneMask, clear_pixels
from shared.imagery.scenes import crs_of
from shared.measurement.areas import Areas, total
from shared.measurement.pieces import Piece
from shared.network.fetching import fetch, scene_image, scene_span
from shared.network.model import Network
from shared.network.tiling import MARGIN_PIXELS, SceneGrid, Span, Tile
from shared.network.zonal import areas_seen, cores_over, region_in, weights_m2, zone_grid
from shared.settings import Settings


class ScenePixels(NamedTuple):
    """A scene's image for the network with its mask, its zone's grid, and which pixels of that it has."""

    image: Any
    grid: SceneGrid
    span: Span


def classify_pieces(settings: Settings, network: Network, mask: SceneMask, pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece, by its key. A piece lies in one zone, and is seen by the scenes of that zone alone.

    Raises as Earth Engine answers.
    """
    scenes: dict[str, ScenePixels] = {}
    for piece in pieces:
        for image_id in _top_first(piece):
            if image_id not in scenes:
                scenes[image_id] = scene_pixels(settings, mask, image_id)
    return {
        piece.key: total(_tile_areas(settings, network, piece, [scenes[image_id] for image_id in _top_first(piece)]))
        for piece in pieces
    }


def scene_pixels(settings: Settings, mask: SceneMask, image_id: str) -> ScenePixels:
    """A scene and where it has pixels. Raises NeverError for one in another grid than its zone's, and as Earth Engine
    answers.
    """
    grid = zone_grid(crs_of(image_id))
    clear = clear_pixels(mask, settings.pass_collection, image_id)
    image = scene_image(settings.pass_collection, image_id, clear)
    return ScenePixels(image, grid, scene_span(settings, image_id, grid))


def probabilities_on(
    settings: Settings, network: Network, top_first: Sequence[ScenePixels], core: Span, wanted: np.ndarray
) -> np.ndarray:
    """Probabilities (9, H, W) of the topmost scene that sees each pixel of a core; NaN where none does, or nothing is
    ``wanted``, (H, W) bool.

    Each scene ends where its file does, as it does for who classifies it at once: any two areas of it agree.
    """
    found = np.full((len(CLASSES), core.height, core.width), np.nan, dtype=np.float32)
    for scene in top_first:
        if not core.meets(scene.span):
            continue
        own = core.grown(0, scene.span)
        here = np.s_[own.top - core.top : own.bottom - core.top, own.left - core.left : own.right - core.left]
        unseen = wanted[here] & np.isnan(found[0][here])
        if not unseen.any():
            continue
        tile = Tile(own, own.grown(MARGIN_PIXELS, scene.span))
        fetched = fetch(settings, scene.image, scene.grid, tile.window)
        seen = unseen & fetched.clear[tile.core_in_window]
        if seen.any():
            found[:, *here][:, seen] = network.probabilities(fetched.pixels, tile)[:, seen]
    return found


def _tile_areas(
    settings: Settings, network: Network, piece: Piece, top_first: Sequence[ScenePixels]
) -> Iterator[Areas]:
    region = region_in(piece.part.geometry, piece.part.crs)
    for core in cores_over(region):
        weights = weights_m2(region, core, piece.part.crs)
        if weights is not None:
            yield areas_seen(probabilities_on(settings, network, top_first, core, weights > 0), weights)


def _top_first(piece: Piece) -> list[str]:
    ((*image_ids,),) = piece.layer.overpasses
    return [image_id for image_id in reversed(image_ids) if crs_of(image_id) == piece.part.crs]
