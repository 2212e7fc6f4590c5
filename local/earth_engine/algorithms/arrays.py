"""Images whose pixels are arrays: as far as one dimension goes, made of bands and taken apart again."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from local.earth_engine.algorithms.images import as_image
from local.earth_engine.errors import EngineError
from local.earth_engine.registry import algorithm
from local.earth_engine.values import Band, Image, Pixels, Window


@dataclass(frozen=True, eq=False)
class ArrayImage:
    """An image of arrays of one dimension: a band for each element. A pixel is masked where any of them is."""

    elements: tuple[Band, ...]


@algorithm("Image.toArray")
def to_array(image: Any, axis: int = 0) -> ArrayImage:
    if axis != 0:
        raise EngineError("Image.toArray: the local Earth Engine makes arrays of one dimension.")
    return ArrayImage(as_image(image).bands)


@algorithm("Image.arrayArgmax")
def array_argmax(image: ArrayImage) -> ArrayImage:
    """The position of the largest element, of equals the first."""

    def read(window: Window) -> Pixels:
        values, valid = _stack(image, window)
        return Pixels(values.argmax(0), valid)

    return ArrayImage((_computed(image.elements, read, 4),))


@algorithm("Image.arrayGet")
def array_get(image: ArrayImage, position: Any) -> Image:
    """The element at a position of each pixel's own."""
    positions = as_image(position).bands
    if len(positions) != 1:
        raise EngineError(f"Image.arrayGet: expected a position of 1 band, found {len(positions)}.")
    (at,) = positions

    def read(window: Window) -> Pixels:
        values, valid = _stack(image, window)
        where = window.read(at)
        known = valid & where.valid
        index = np.where(known, where.values, 0).astype(np.int64)
        if index.min() < 0 or index.max() >= len(values):
            raise EngineError(f"Image.arrayGet: Position {index.max()} is outside of an array of {len(values)}.")
        return Pixels(np.take_along_axis(values, index[None], 0)[0], known)

    widest = max(band.value_bytes for band in image.elements)
    return Image(bands=(replace(_computed((*image.elements, at), read, widest), name="array"),))


def _stack(image: ArrayImage, window: Window) -> tuple[np.ndarray, np.ndarray]:
    read = [window.read(band) for band in image.elements]
    return np.stack([pixels.values for pixels in read]), np.logical_and.reduce([pixels.valid for pixels in read])


def _computed(sources: tuple[Band, ...], read: Any, value_bytes: int) -> Band:
    leaves = frozenset().union(*(band.leaves for band in sources))
    return Band("array", sources[0].projection, read, leaves=leaves, value_bytes=value_bytes, sources=sources)
