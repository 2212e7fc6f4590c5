"""Cloud and shadow from the bands themselves, in the steps of Dynamic World's own mask.

Dynamic World starts from cloud probabilities that only Google's servers have (Brown et al. 2022, Fig. 5); here the
spectral tests for potential cloud of Fmask stand in. The other constants are those of Earth Engine's public example of
the same steps. Morphology at 20 m, shadow and result at 100 m.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.ndimage import distance_transform_edt

from local.sentinel2.scene import SceneReader
from shared.network.tiling import Span

VERSION = "bands-1"
CELL_PIXELS = 10  # 100 m
_HALF_PER_CELL = 5
_BANDS = ("B2", "B3", "B4", "B7", "B8", "B8A", "B10", "B11", "B12")
_CDI_RADIUS = 3  # 7 × 7 pixels of 20 m; Frantz et al. 2018, doi 10.1016/j.rse.2018.06.020
_CDI_CLOUD = -0.5
_CIRRUS = 0.01
_ERODED_PIXELS, _DILATED_PIXELS = 3, 16
_CONTEXT_PIXELS = _CDI_RADIUS + _ERODED_PIXELS + _DILATED_PIXELS
_SHADOW_CELLS = 50  # 5 km
_STRIP_CELLS = 100


class CloudMask(NamedTuple):
    """Cells of 100 m, counted from the scene's origin, and whether each is under cloud or shadow."""

    cells: Span
    clouded: np.ndarray

    def on(self, area: Span) -> np.ndarray:
        """(height, width) bool of the 10 m pixels of an area within the cells."""
        cells = _cells_of(area)
        rows = np.arange(area.top, area.bottom) // CELL_PIXELS - self.cells.top
        columns = np.arange(area.left, area.right) // CELL_PIXELS - self.cells.left
        if cells != cells.grown(0, self.cells):
            raise ValueError(f"the mask covers cells {self.cells}, asked for {cells}")
        return np.asarray(self.clouded[np.ix_(rows, columns)])


def cloud_mask(reader: SceneReader, area: Span) -> CloudMask:
    """Cloud and shadow over an area. All that could cast a shadow on it is looked at, so any two areas agree."""
    scene = reader.scene
    if scene.sun_azimuth_deg is None:
        raise ValueError(f"{scene.name}: a mask without the sun's direction")
    cells = _cells_of(area)
    casting = cells.grown(_SHADOW_CELLS, _cells_of(scene.span))
    strips = [
        _cloud_cells(reader, Span(top, casting.left, min(top + _STRIP_CELLS, casting.bottom), casting.right))
        for top in range(casting.top, casting.bottom, _STRIP_CELLS)
    ]
    found = with_shadow(np.concatenate(strips), scene.sun_azimuth_deg)
    top, left = cells.top - casting.top, cells.left - casting.left
    return CloudMask(cells, found[top : top + cells.height, left : left + cells.width])


def _cells_of(area: Span) -> Span:
    return Span(
        area.top // CELL_PIXELS,
        area.left // CELL_PIXELS,
        math.ceil(area.bottom / CELL_PIXELS),
        math.ceil(area.right / CELL_PIXELS),
    )


def _cloud_cells(reader: SceneReader, cells: Span) -> np.ndarray:
    """Cloud on 100 m cells, each by the 20 m pixel in its middle."""
    span = Span(*(end * _HALF_PER_CELL for end in cells))
    seen = Span(0, 0, reader.scene.height // 2, reader.scene.width // 2)
    around = span.grown(_CONTEXT_PIXELS, seen)
    dn, valid = reader.at_20_m(_BANDS, around)
    cloud = opened(cloud_at_20_m(dict(zip(_BANDS, dn / np.float32(10_000), strict=True)), valid))
    middle = _HALF_PER_CELL // 2
    rows = np.minimum(np.arange(cells.height) * _HALF_PER_CELL + middle + span.top, seen.bottom - 1) - around.top
    columns = np.minimum(np.arange(cells.width) * _HALF_PER_CELL + middle + span.left, seen.right - 1) - around.left
    return np.asarray(cloud[np.ix_(rows, columns)])


def cloud_at_20_m(reflectance: dict[str, np.ndarray], valid: np.ndarray) -> np.ndarray:
    """Cloud by reflectance 0..1 of nine bands on the 20 m grid, before it is opened; False where nothing is known."""
    r = reflectance
    dense = potential_cloud(r) & (displacement_index(r["B7"], r["B8"], r["B8A"], valid) < _CDI_CLOUD)
    return np.asarray((dense | (r["B10"] > _CIRRUS)) & valid)


def potential_cloud(reflectance: dict[str, np.ndarray]) -> np.ndarray:
    """Bright in the short-wave infrared, neither snow nor plants nor rock, white, hazy: Fmask's tests without the
    thermal ones (Zhu and Woodcock 2012, doi 10.1016/j.rse.2011.10.028, eq. 1 to 4).
    """
    b2, b3, b4, b8, b11, b12 = (reflectance[name] for name in ("B2", "B3", "B4", "B8", "B11", "B12"))
    visible = (b2 + b3 + b4) / 3
    with np.errstate(divide="ignore", invalid="ignore"):
        not_snow = (b3 - b11) / (b3 + b11) < 0.8
        not_plants = (b8 - b4) / (b8 + b4) < 0.8
        whiteness = (np.abs(b2 - visible) + np.abs(b3 - visible) + np.abs(b4 - visible)) / visible
        not_rock = b8 / b11 > 0.75
        hazy = b2 - 0.5 * b4 - 0.08 > 0
    return np.asarray((b12 > 0.03) & not_snow & not_plants & (whiteness < 0.7) & hazy & not_rock)


def displacement_index(b7: np.ndarray, b8: np.ndarray, b8a: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Cloud displacement index, −1..1: strongly negative over what stands high, as bands look at different angles.

    Ratios of the narrow bands B7 and B8A, which look at nearly the same angle, vary less over cloud than B8 with B8A.
    NaN where it is not defined.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        known = valid & (b8a > 0)
        near = _variance(np.where(known, b7 / b8a, 0).astype(np.float64), known)
        far = _variance(np.where(known, b8 / b8a, 0).astype(np.float64), known)
        return np.asarray((near - far) / (near + far))


def _variance(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    count = _window_sum(known.astype(np.float64))
    mean = _window_sum(values) / count
    return np.maximum(_window_sum(values**2) / count - mean**2, 0)


def _window_sum(values: np.ndarray) -> np.ndarray:
    """Sums over 7 × 7 pixels, zeros outside. Added in one order everywhere, so any two areas agree bit for bit, as a
    running sum would not.
    """
    size = 2 * _CDI_RADIUS + 1
    for axis in (0, 1):
        margin = [(0, 0), (0, 0)]
        margin[axis] = (_CDI_RADIUS, _CDI_RADIUS)
        padded = np.moveaxis(np.pad(values, margin), axis, 0)
        length = values.shape[axis]
        values = np.moveaxis(sum((padded[i : i + length] for i in range(1, size)), start=padded[:length]), 0, axis)
    return values


def opened(cloud: np.ndarray) -> np.ndarray:
    """Specks removed and what is left grown: circles of 3 pixels in, 16 pixels out."""
    kept = cloud if cloud.all() else distance_transform_edt(cloud) > _ERODED_PIXELS
    if not kept.any():
        return np.zeros(cloud.shape, dtype=bool)
    return np.asarray(distance_transform_edt(~kept) <= _DILATED_PIXELS)


def with_shadow(cloud: np.ndarray, sun_azimuth_deg: float) -> np.ndarray:
    """Cloud on 100 m cells, and all cells within 5 km of it away from the sun."""
    angle = math.radians(sun_azimuth_deg)
    found = cloud.copy()
    for step in range(1, _SHADOW_CELLS + 1):
        down, right = round(step * math.cos(angle)), round(-step * math.sin(angle))
        target, source = _shifted(down, cloud.shape[0]), _shifted(-down, cloud.shape[0])
        across, from_across = _shifted(right, cloud.shape[1]), _shifted(-right, cloud.shape[1])
        found[target, across] |= cloud[source, from_across]
    return found


def _shifted(by: int, length: int) -> slice:
    by = max(-length, min(by, length))
    return slice(by, length) if by >= 0 else slice(0, length + by)
