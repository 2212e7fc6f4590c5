"""Fetching what the network needs of a Sentinel-2 L1C scene from Earth Engine, tile by tile.

``computePixels`` gives at most 48 MiB, a byte of mask counted with each value: some 1,000 × 1,000 pixels of ten bands.
"""

import math
from typing import Any, NamedTuple

import ee
import numpy as np

from shared.earth_engine.client import compute, compute_pixels
from shared.earth_engine.scene_masks import CLEAR_BAND
from shared.errors import NeverError, RetryLaterError
from shared.network.normalisation import BANDS, BANDS_20_M, Pixels
from shared.network.tiling import SceneGrid, Span
from shared.settings import Settings

MOST_BYTES = 50_331_648
_BYTES_A_VALUE = 5
_PIXEL_M = 10
_FINEST_BAND = "B2"
# A value that no DN has: what is masked comes as 0, which dark ground has too once the offset is taken off.
_MISSING = -1


class Fetched(NamedTuple):
    """The network's bands on a window, and where the mask says that the ground is seen, (H, W) bool."""

    pixels: Pixels
    clear: np.ndarray


def scene_span(settings: Settings, image_id: str, grid: SceneGrid) -> Span:
    """All pixels that a scene has, counted on a grid of its own zone, to even ends: beyond them is nothing to see.

    Raises RetryLaterError for a description without them, NeverError for another grid, and as the service answers.
    """
    described = compute(
        ee.Image(f"{settings.pass_collection}/{image_id}").select([_FINEST_BAND]),
        settings.earth_engine_patience_seconds,
    )
    try:
        (band,) = described["bands"]
        (width, height), (x_m, _, west_m, _, y_m, north_m) = band["dimensions"], band["crs_transform"]
    except (KeyError, TypeError, ValueError) as error:
        raise RetryLaterError(f"Earth Engine: {image_id}: expected a band with its grid, found {described}") from error
    if (band["crs"], x_m, y_m) != (grid.crs, _PIXEL_M, -_PIXEL_M):
        raise NeverError(f"Earth Engine: {image_id}: expected pixels of {_PIXEL_M} m in {grid.crs}, found {band}")
    top, left = (grid.north_m - north_m) / _PIXEL_M, (west_m - grid.west_m) / _PIXEL_M
    outward = (math.floor(top / 2), math.floor(left / 2), math.ceil((top + height) / 2), math.ceil((left + width) / 2))
    return Span(*(2 * end for end in outward))


def scene_image(collection: str, image_id: str, clear: Any) -> Any:
    """Ten bands: the network's nine in DN and ``clear``. The 20 m bands are interpolated before anything else."""
    scene = ee.Image(f"{collection}/{image_id}")
    fine = scene.select([band for band in BANDS if band not in BANDS_20_M])
    coarse = scene.select(list(BANDS_20_M)).resample("bilinear")
    bands = fine.addBands(coarse).select(list(BANDS)).toFloat().unmask(_MISSING, False)
    return bands.addBands(clear.unmask(0, False).toFloat())


def fetch(settings: Settings, image: Any, grid: SceneGrid, window: Span) -> Fetched:
    """The pixels of a window of ``scene_image``.

    Raises ValueError for a window that one request cannot give, RetryLaterError for an answer of another shape, and as
    the service answers.
    """
    wanted = window.height * window.width * (len(BANDS) + 1) * _BYTES_A_VALUE
    if wanted > MOST_BYTES:
        raise ValueError(f"{window.height} × {window.width} pixels are {wanted} bytes, one request gives {MOST_BYTES}")
    answer = compute_pixels(window_request(image, grid, window), settings.earth_engine_patience_seconds)
    if answer.shape != (window.height, window.width) or answer.dtype.names != (*BANDS, CLEAR_BAND):
        raise RetryLaterError(
            f"Earth Engine: expected {window.height} × {window.width} pixels of {len(BANDS) + 1} bands, found "
            f"{answer.shape} of {answer.dtype.names}"
        )
    dn = np.stack([answer[band].astype(np.float32) for band in BANDS])
    valid = dn >= 0
    return Fetched(Pixels(np.where(valid, dn, np.float32(0)), valid), answer[CLEAR_BAND] > 0)


def window_request(image: Any, grid: SceneGrid, window: Span) -> dict[str, Any]:
    """What ``computePixels`` takes for a window of an image on a scene's grid."""
    affine = {
        "scaleX": _PIXEL_M,
        "shearX": 0,
        "translateX": grid.west_m + window.left * _PIXEL_M,
        "shearY": 0,
        "scaleY": -_PIXEL_M,
        "translateY": grid.north_m - window.top * _PIXEL_M,
    }
    dimensions = {"width": window.width, "height": window.height}
    return {
        "expression": image,
        "fileFormat": "NUMPY_NDARRAY",
        "grid": {"dimensions": dimensions, "affineTransform": affine, "crsCode": grid.crs},
    }
