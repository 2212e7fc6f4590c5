"""Pixels in another grid than they are asked for: forced projections, and interpolation instead of the nearest pixel.

Pyramids are not modelled: where the service would read an overview, this reads the nearest pixel of the full image.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from local.earth_engine.algorithms.images import as_image, resolve_projection
from local.earth_engine.errors import EngineError
from local.earth_engine.raster import aligned_offset, pixel_centres, source_indices, transformer
from local.earth_engine.registry import algorithm
from local.earth_engine.values import WGS84_ONE_DEGREE, Band, Image, Pixels, Projection, Window


@algorithm("Image.reproject")
def reproject(image: Any, crs: Any, crsTransform: Any = None, scale: Any = None) -> Image:
    """Everything before is computed in the pixels of this grid; whoever asks in another gets the nearest of them."""
    target = resolve_projection(WGS84_ONE_DEGREE, crs, crsTransform, scale)
    source = as_image(image)
    return replace(source, bands=tuple(_forced(band, target) for band in source.bands))


def _forced(band: Band, grid: Projection) -> Band:
    def read(window: Window) -> Pixels:
        if offset := aligned_offset(grid, window):
            return Window(grid, *offset, window.width, window.height).read_alone(band)
        columns, rows = source_indices(grid, window)
        left, top = int(columns.min()), int(rows.min())
        block = Window(grid, left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top)
        pixels = block.read_alone(band)
        at = (rows - top, columns - left)
        return Pixels(pixels.values[at], None if pixels.mask is None else pixels.mask[at])

    return band.computed(read, projection=grid, dimensions=None)


@algorithm("Image.resample")
def resample(image: Any, mode: str = "bilinear") -> Image:
    if mode != "bilinear":
        raise EngineError(f"Image.resample: the local Earth Engine interpolates bilinearly, found '{mode}'.")
    source = as_image(image)
    if any(band.projection == WGS84_ONE_DEGREE for band in source.bands):
        raise EngineError("Image.resample: the local Earth Engine interpolates images with a projection of their own.")
    return replace(source, bands=tuple(_bilinear(band) for band in source.bands))


def _bilinear(band: Band) -> Band:
    """Valid where the nearest pixel is; what is masked around it has no weight."""

    def read(window: Window) -> Pixels:
        if aligned_offset(band.projection, window) is not None:
            return window.read(band)
        columns, rows = _fractional_indices(band.projection, window)
        left, top = int(np.floor(columns.min())), int(np.floor(rows.min()))
        width, height = int(np.floor(columns.max())) + 2 - left, int(np.floor(rows.max())) + 2 - top
        pixels = Window(band.projection, left, top, width, height).read_alone(band)
        column, row = np.floor(columns).astype(np.int64), np.floor(rows).astype(np.int64)
        across, down = columns - column, rows - row
        total, weight = np.zeros(window.shape), np.zeros(window.shape)
        for right, share_x in ((0, 1 - across), (1, across)):
            for below, share_y in ((0, 1 - down), (1, down)):
                at = (row - top + below, column - left + right)
                share = share_x * share_y * pixels.valid[at]
                total += share * pixels.values[at]
                weight += share
        nearest = (np.floor(rows + 0.5).astype(np.int64) - top, np.floor(columns + 0.5).astype(np.int64) - left)
        valid = pixels.valid[nearest] & (weight > 0)
        return Pixels(np.where(valid, total / np.where(valid, weight, 1), 0), None if valid.all() else valid)

    return band.computed(read, band)


def _fractional_indices(grid: Projection, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Where the window's pixel centres lie among the grid's: 0 is the centre of its first column and row."""
    x, y = pixel_centres(window)
    if grid.crs != window.projection.crs:
        x, y = transformer(window.projection.crs, grid.crs).transform(x, y)
    inverse = ~grid.transform
    return inverse.a * x + inverse.b * y + inverse.c - 0.5, inverse.d * x + inverse.e * y + inverse.f - 0.5
