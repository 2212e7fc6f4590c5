"""Sentinel-2 L1C scenes for the local Earth Engine, made in memory."""

from pathlib import Path

import numpy as np

from local.sample.l1c import PIXEL_M, write_bands, write_l1c
from shared.network.model import Network
from shared.network.normalisation import BANDS, BANDS_20_M, Pixels, upsampled
from shared.network.tiling import Span, Tile
from tests.scenes import CLASS_NAMES

__all__ = ["write_l1c"]


def random_l1c(height: int, width: int, seed: int = 0) -> dict[str, np.ndarray]:
    """DN of every band, patchy, on its own pixels; the size is in 10 m pixels, a multiple of 6."""
    random = np.random.default_rng(seed)
    bands = {}
    for number, (band, pixel_m) in enumerate(PIXEL_M.items()):
        shape = (height * 10 // pixel_m, width * 10 // pixel_m)
        patches = random.integers(300, 3500, (shape[0] // 8 + 1, shape[1] // 8 + 1))
        dn = patches.repeat(8, 0).repeat(8, 1)[: shape[0], : shape[1]] + random.integers(0, 400, shape)
        bands[band] = (dn // 20 if band == "B10" else dn + 10 * number).astype(np.uint16)
    return bands


def clear_l1c(height: int, width: int, seed: int = 0) -> dict[str, np.ndarray]:
    """The same without cirrus."""
    bands = random_l1c(height, width, seed)
    bands["B10"][:] = 10
    return bands


def classified_at_once(bands: dict[str, np.ndarray]) -> np.ndarray:
    """A whole scene at once through the network, from its bands: probabilities (9, H, W), NaN where one is missing."""
    dn, valid = [], []
    for band in BANDS:
        values, known = bands[band].astype(np.float32), bands[band] > 0
        if band in BANDS_20_M:
            values, known = upsampled(np.pad(values, 1), np.pad(known, 1))
        dn.append(values)
        valid.append(known)
    whole = Span(0, 0, *dn[0].shape)
    return Network().probabilities(Pixels(np.stack(dn), np.stack(valid)), Tile(whole, whole))


def write_classified(path: Path, bands: dict[str, np.ndarray], origin: tuple[float, float]) -> Path:
    """The same as a Dynamic World image."""
    found = classified_at_once(bands)
    named = {**dict(zip(CLASS_NAMES, found, strict=True)), "label": found.argmax(axis=0).astype(np.float32)}
    write_bands(path, named, "EPSG:32651", origin, 10, np.nan)
    return path
