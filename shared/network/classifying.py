"""Areas of AOI pieces from Sentinel-2 L1C scenes: fetched tile by tile, classified here, summed like ``measure``."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from shared.classes import CLASS_NAMES, CLASSES
from shared.earth_engine.listing import Scene
from shared.earth_engine.scene_masks import SceneMask, clear_pixels
from shared.imagery.images import SceneImage
from shared.imagery.names import parse_scene_name
from shared.measurement.areas import Areas, total
from shared.measurement.pieces import Piece
from shared.network.fetching import fetch, scene_image
from shared.network.model import VERSION, Network
from shared.network.tiling import Tile
from shared.network.zonal import areas_seen, region_in, tiles_over, weights_m2, zone_grid
from shared.settings import Settings


def classified_images(scenes: Iterable[Scene], mask: SceneMask) -> list[SceneImage]:
    """Scenes that have pixels, as the images that the network makes of them: with its version, and the mask's."""
    return [
        SceneImage(
            image_id=scene.scene_id,
            version_us=scene.version_us,
            footprint=scene.footprint,
            crs=_crs_of(scene.scene_id),
            bands=CLASS_NAMES,
            algorithm_version=VERSION,
            qa_version=mask,
        )
        for scene in scenes
        if scene.has_pixels
    ]


def classify_pieces(settings: Settings, network: Network, mask: SceneMask, pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece, by its key. A piece lies in one zone, and is seen by the scenes of that zone alone.

    Raises as Earth Engine answers.
    """
    return {piece.key: total(_tile_areas(settings, network, mask, piece)) for piece in pieces}


def _tile_areas(settings: Settings, network: Network, mask: SceneMask, piece: Piece) -> Iterator[Areas]:
    ((*image_ids,),) = piece.layer.overpasses
    top_first = [image_id for image_id in reversed(image_ids) if _crs_of(image_id) == piece.part.crs]
    region = region_in(piece.part.geometry, piece.part.crs)
    for tile in tiles_over(region):
        weights = weights_m2(region, tile.core, piece.part.crs)
        if weights is not None:
            yield areas_seen(_mosaic(settings, network, mask, top_first, piece.part.crs, tile, weights > 0), weights)


def _mosaic(
    settings: Settings,
    network: Network,
    mask: SceneMask,
    top_first: Sequence[str],
    crs: str,
    tile: Tile,
    wanted: np.ndarray,
) -> np.ndarray:
    """Probabilities (9, H, W) of the topmost scene that sees each pixel; NaN where none does, or nothing is wanted."""
    found = np.full((len(CLASSES), *wanted.shape), np.nan, dtype=np.float32)
    top, left = tile.core.top - tile.window.top, tile.core.left - tile.window.left
    core = np.s_[top : top + tile.core.height, left : left + tile.core.width]
    for image_id in top_first:
        unseen = wanted & np.isnan(found[0])
        if not unseen.any():
            break
        clear = clear_pixels(mask, settings.pass_collection, image_id)
        image = scene_image(settings.pass_collection, image_id, clear)
        fetched = fetch(settings, image, zone_grid(crs), tile.window)
        seen = unseen & fetched.clear[core]
        if seen.any():
            found[:, seen] = network.probabilities(fetched.pixels, tile)[:, seen]
    return found


def _crs_of(image_id: str) -> str:
    """The UTM zone of an image's tile; bands from N on are north of the equator."""
    tile = parse_scene_name(image_id).tile
    return f"EPSG:32{6 if tile[3] >= 'N' else 7}{tile[1:3]}"
