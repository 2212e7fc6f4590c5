"""Writing Sentinel-2 L1C scenes as the local Earth Engine reads them."""

import json
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

PIXEL_M = {
    **dict.fromkeys(("B2", "B3", "B4", "B8"), 10),
    **dict.fromkeys(("B5", "B6", "B7", "B8A", "B11", "B12"), 20),
    **dict.fromkeys(("B1", "B9", "B10"), 60),
}


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
    """``folder/sentinel2/ID`` with the bands (DN, 0 is none), cloud probability (0..100), Cloud Score+ where given."""
    scene = folder / "sentinel2" / image_id
    scene.mkdir(parents=True, exist_ok=True)
    properties = {"CLOUDY_PIXEL_PERCENTAGE": cloud_percent, "MEAN_SOLAR_AZIMUTH_ANGLE": sun_azimuth_deg}
    (scene / "scene.json").write_text(json.dumps(properties))
    for pixel_m in sorted(set(PIXEL_M.values())):
        names = [name for name in bands if PIXEL_M[name] == pixel_m]
        if names:
            write_bands(scene / f"{pixel_m}m.tif", {name: bands[name] for name in names}, crs, origin, pixel_m, 0)
    if probability is not None:
        write_bands(
            scene / "cloud_probability.tif", {"probability": probability.astype(np.uint8)}, crs, origin, 10, 255
        )
    if score is not None:
        bands = {"cs": score, "cs_cdf": score}
        write_bands(scene / "cloud_score_plus.tif", bands, crs, origin, 10, np.nan)
    return scene


def write_bands(
    path: Path, bands: dict[str, np.ndarray], crs: str, origin: tuple[float, float], pixel_m: int, nodata: float
) -> None:
    """One GeoTIFF with the bands described by their names."""
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
