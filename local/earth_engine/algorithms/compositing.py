"""Many images into one, per pixel: mosaics, modes and the other stack reductions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from local.earth_engine.algorithms.images import as_image
from local.earth_engine.errors import EngineError
from local.earth_engine.registry import algorithm
from local.earth_engine.values import (
    WGS84_ONE_DEGREE,
    Band,
    Collection,
    Image,
    Pixels,
    Window,
)


def _stacked(images: list[Image], combine: Callable[[list[Pixels]], Pixels]) -> Image:
    """Combine bands of the same name over images, per pixel."""
    names = list(dict.fromkeys(band.name for image in images for band in image.bands))

    def band(name: str) -> Band:
        sources = [b for image in images for b in image.bands if b.name == name]

        def read(window: Window) -> Pixels:
            return combine([window.read(source) for source in sources])

        return Band(
            name,
            WGS84_ONE_DEGREE,
            read,
            data_type=sources[0].data_type,
            leaves=frozenset().union(*(source.leaves for source in sources)),
            value_bytes=max(source.value_bytes for source in sources),
            sources=tuple(sources),
        )

    return Image(bands=tuple(band(name) for name in names))


def _images(collection: Collection) -> list[Image]:
    return [as_image(element) for element in collection.elements]


@algorithm("ImageCollection.mosaic")
def mosaic(collection: Collection) -> Image:
    """The last image lies on top; masked pixels show what is below."""

    def on_top(layers: list[Pixels]) -> Pixels:
        seen_at_all = [layer for layer in layers if layer.mask is None or layer.mask.any()]
        values, mask = (seen_at_all or layers)[-1]
        for below in reversed(seen_at_all[:-1]):
            if mask is None:
                break
            seen = mask > 0
            values = np.where(seen, values, below.values)
            mask = None if below.mask is None else np.where(seen, mask, below.mask)
        return Pixels(values, mask)

    return _stacked(_images(collection), on_top)


def _mode(layers: list[Pixels]) -> Pixels:
    """Most frequent valid value; of equals, the smallest."""
    best = np.zeros(layers[0].values.shape, dtype=np.int32)
    values = np.zeros(layers[0].values.shape)
    distinct = np.unique(np.concatenate([np.unique(layer.values[layer.valid]) for layer in layers]))
    for value in distinct:
        votes = np.zeros(best.shape, dtype=np.int32)
        for layer in layers:
            votes += (layer.values == value) if layer.mask is None else (layer.values == value) & layer.valid
        better = votes > best
        values[better], best[better] = value, votes[better]
    return Pixels(values, best > 0)


def _nan_reduction(reduce: Callable[[np.ndarray], np.ndarray]) -> Callable[[list[Pixels]], Pixels]:
    def combine(layers: list[Pixels]) -> Pixels:
        stack = np.stack([np.where(layer.valid, layer.values, np.nan) for layer in layers])
        seen = ~np.isnan(stack).all(axis=0)
        stack[:, ~seen] = 0
        return Pixels(reduce(stack), seen)

    return combine


def _sum(layers: list[Pixels]) -> Pixels:
    total, votes = np.zeros(layers[0].values.shape), np.zeros(layers[0].values.shape, dtype=np.int32)
    seen = np.zeros(total.shape, dtype=bool)
    for layer in layers:
        if layer.values.dtype == bool:  # several times faster than as floats
            votes += layer.values & layer.valid
        else:
            total += layer.values if layer.mask is None else np.where(layer.valid, layer.values, 0)
        seen |= layer.valid
    return Pixels(total + votes, seen)


def _mean(layers: list[Pixels]) -> Pixels:
    total, count = np.zeros(layers[0].values.shape), np.zeros(layers[0].values.shape, dtype=np.int32)
    for layer in layers:
        total += layer.values if layer.mask is None else np.where(layer.valid, layer.values, 0)
        count += layer.valid
    return Pixels(total / np.maximum(count, 1), count > 0)


def _count(layers: list[Pixels]) -> Pixels:
    return Pixels(np.sum([layer.valid for layer in layers], axis=0).astype(float), None)


STACK_REDUCTIONS: dict[str, Callable[[list[Pixels]], Pixels]] = {
    "mode": _mode,
    "count": _count,
    "mean": _mean,
    "sum": _sum,
    "min": _nan_reduction(lambda s: np.nanmin(s, axis=0)),
    "max": _nan_reduction(lambda s: np.nanmax(s, axis=0)),
    "median": _nan_reduction(lambda s: np.nanmedian(s, axis=0)),
    "stdDev": _nan_reduction(lambda s: np.nanstd(s, axis=0)),
}

for _name, _combine in STACK_REDUCTIONS.items():
    if _name != "stdDev":
        algorithm(f"reduce.{_name}")(lambda collection, combine=_combine: _stacked(_images(collection), combine))


@algorithm("ImageCollection.reduce")
def reduce_images(collection: Collection, reducer: Any, parallelScale: float = 1) -> Image:
    output = reducer.outputs[0]
    if len(reducer.outputs) != 1 or output not in STACK_REDUCTIONS:
        raise EngineError(
            f"ImageCollection.reduce: the local Earth Engine reduces stacks by {sorted(STACK_REDUCTIONS)}."
        )
    image = _stacked(_images(collection), STACK_REDUCTIONS[output])
    return replace(image, bands=tuple(replace(b, name=f"{b.name}_{output}") for b in image.bands))


@algorithm("Image.reduce")
def reduce_bands(image: Any, reducer: Any) -> Image:
    source = as_image(image)
    output = reducer.outputs[0]
    if len(reducer.outputs) != 1 or output not in STACK_REDUCTIONS:
        raise EngineError(f"Image.reduce: the local Earth Engine reduces bands by {sorted(STACK_REDUCTIONS)}.")
    alike = [Image(bands=(replace(band, name=output),)) for band in source.bands]
    return _stacked(alike, STACK_REDUCTIONS[output])


@algorithm("ImageCollection.qualityMosaic")
def quality_mosaic(collection: Collection, qualityBand: str) -> Image:
    images = _images(collection)

    def band(name: str) -> Band:
        def read(window: Window) -> Pixels:
            quality = [window.read(image.band(qualityBand)) for image in images]
            scores = np.stack([np.where(q.valid, q.values, -np.inf) for q in quality])
            best = scores.argmax(axis=0)[None]
            stack = np.stack([window.read(image.band(name)).values for image in images])
            return Pixels(np.take_along_axis(stack, best, 0)[0], np.isfinite(scores.max(axis=0)))

        used = tuple(image.band(which) for image in images for which in (name, qualityBand))
        return Band(name, WGS84_ONE_DEGREE, read, leaves=frozenset().union(*(b.leaves for b in used)), sources=used)

    return Image(bands=tuple(band(b.name) for b in images[0].bands))
