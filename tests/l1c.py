"""Sentinel-2 L1C scenes for the local Earth Engine, made in memory."""

import json
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from shared.network.model import Network
from shared.network.normalisation import BANDS, BANDS_20_M, Pixels, upsampled
from shared.network.tiling import Span, Tile
from tests.scenes import CLASS_NAMES

PIXEL_M = {
    **dict.fromkeys(("B2", "B3", "B4", "B8"), 10),
    **dict.fromkeys(("B5", "B6", "B7", "B8A", "B11", "B12"), 20),
    **dict.fromkeys(("B1", "B9", "B10"), 60),
}


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
    _write(path, named, "EPSG:32651", origin, 10, np.nan)
    return path


def write_l1c(
    folder: Path,
    image_id: str,
    bands: dict[str, np.ndarray],
    *,
    crs: str = "EPSG:32651",
    origin: tuple[float, float],
    cloud_percent: float = 80.0,
    sun_azimuth_deg: float = 140.0,
    probability: np.ndarray | None = None,
    score: np.ndarray | None = None,
) -> Path:
    """``folder/sentinel2/ID`` with the bands, and cloud probability (0..100) and Cloud Score+ where given; DN 0 is none."""
    scene = folder / "sentinel2" / image_id
    scene.mkdir(parents=True, exist_ok=True)
    properties = {"CLOUDY_PIXEL_PERCENTAGE": cloud_percent, "MEAN_SOLAR_AZIMUTH_ANGLE": sun_azimuth_deg}
    (scene / "scene.json").write_text(json.dumps(properties))
    for pixel_m in sorted(set(PIXEL_M.values())):
        names = [name for name in bands if PIXEL_M[name] == pixel_m]
        if names:
            _write(scene / f"{pixel_m}m.tif", {name: bands[name] for name in names}, crs, origin, pixel_m, 0)
    if probability is not None:
        _write(scene / "cloud_probability.tif", {"probability": probability.astype(np.uint8)}, crs, origin, 10, 255)
    if score is not None:
        bands = {"cs": score, "cs_cdf": score}
        _write(scene / "cloud_score_plus.tif", bands, crs, origin, 10, np.nan)
    return scene


def _write(
    path: Path, bands: dict[str, np.ndarray], crs: str, origin: tuple[float, float], pixel_m: int, nodata: float
) -> None:
    first = next(iter(bands.values()))
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=first.shape[0],
        width=first.shape[1],
        count=len(bands),
        dtype=first.dtype,
        crs=crs,
        transform=Affine(pixel_m, 0, origin[0], 0, -pixel_m, origin[1]),
        nodata=nodata,
    ) as dataset:
        for index, (name, values) in enumerate(bands.items(), 1):
            dataset.write(values, index)
            dataset.set_band_description(index, name)
