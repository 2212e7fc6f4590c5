"""Collections: loading, filtering, mapping, aggregating, and compositing images."""

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from local.earth_engine.algorithms.images import as_image
from local.earth_engine.algorithms.objects import as_date
from local.earth_engine.catalog import SceneCatalog
from local.earth_engine.errors import EngineError, asset_not_found
from local.earth_engine.registry import algorithm
from local.earth_engine.values import (
    WGS84_ONE_DEGREE,
    Band,
    Collection,
    Date,
    DateRange,
    Element,
    Filter,
    Function,
    Geometry,
    Image,
    Pixels,
    Window,
    union_of,
)

_CATALOGS: dict[str, SceneCatalog] = {}


def serve_collection(collection: str, folder: Path) -> None:
    """Make a folder of scenes available under a collection id."""
    _CATALOGS[collection] = SceneCatalog(collection, folder)


@algorithm("ImageCollection.load")
def load_collection(id: str, version: Any = None) -> Collection:
    catalog = _CATALOGS.get(id.strip("/"))
    if catalog is None:
        raise asset_not_found("ImageCollection", id)
    return catalog.collection(id)


@algorithm("Image.load")
def load_image(id: str, version: Any = None) -> Image:
    catalog = _CATALOGS.get(id.rpartition("/")[0])
    if catalog is None:
        raise asset_not_found("Image", id)
    return catalog.image(id)


@algorithm("ImageCollection.fromImages")
def from_images(images: list[Any]) -> Collection:
    return Collection([as_image(image) for image in images])


@algorithm("Collection")
def make_collection(features: list[Any]) -> Collection:
    return Collection(features)


@algorithm("Collection.flatten")
def flatten(collection: Collection) -> Collection:
    return Collection([inner for outer in collection.elements for inner in outer.elements])


@algorithm("Collection.merge")
def merge(collection1: Collection, collection2: Collection) -> Collection:
    return Collection([*collection1.elements, *collection2.elements])


@algorithm("Collection.map")
def map_collection(collection: Collection, baseAlgorithm: Function, dropNulls: bool = False) -> Collection:
    mapped = [baseAlgorithm.call(element) for element in collection.elements]
    if not dropNulls and any(not isinstance(m, Element | Collection) for m in mapped):
        raise EngineError("Collection.map: A mapped algorithm must return a Feature or Image.")
    return replace(collection, elements=[m for m in mapped if m is not None])


@algorithm("Collection.iterate")
def iterate(collection: Collection, function: Function, first: Any = None) -> Any:
    return functools.reduce(lambda state, element: function.call(element, state), collection.elements, first)


@algorithm("Collection.size")
def size(collection: Collection) -> int:
    return len(collection.elements)


@algorithm("Collection.first")
def first_element(collection: Collection) -> Any:
    return collection.elements[0] if collection.elements else None


@algorithm("Collection.limit")
def limit(
    collection: Collection, limit: int | None = None, key: str | None = None, ascending: bool = True
) -> Collection:
    elements = list(collection.elements)
    if key is not None:
        elements.sort(key=lambda e: (e.properties.get(key) is None, e.properties.get(key)), reverse=not ascending)
    return replace(collection, elements=elements[: int(limit)] if limit is not None else elements)


@algorithm("Collection.toList")
def to_list(collection: Collection, count: int, offset: int = 0) -> list[Any]:
    return list(collection.elements[int(offset) : int(offset) + int(count)])


@algorithm("Collection.distinct")
def distinct(collection: Collection, properties: Any) -> Collection:
    names = properties if isinstance(properties, list) else [properties]
    seen: dict[str, Any] = {}
    for element in collection.elements:
        seen.setdefault(repr([element.properties.get(name) for name in names]), element)
    return replace(collection, elements=list(seen.values()))


@algorithm("Collection.geometry")
def collection_geometry(collection: Collection, maxError: Any = None) -> Geometry:
    return union_of([e.geometry for e in collection.elements if e.geometry is not None])


@algorithm("Collection.filter")
def filter_collection(collection: Collection, filter: Any) -> Collection:
    if not isinstance(filter, Filter):
        raise EngineError("Collection.filter: expected a Filter object.")
    return replace(collection, elements=[e for e in collection.elements if filter.accepts(e)])


_MISSING = object()


def _value(element: Any, name: str) -> Any:
    if name == ".all":
        return element.geometry
    return element.properties.get(name, _MISSING)


def _comparison(test: Callable[[Any, Any], bool]) -> Callable[..., Filter]:
    def build(
        leftField: Any = None,
        rightValue: Any = None,
        rightField: Any = None,
        leftValue: Any = None,
        maxError: Any = None,
    ) -> Filter:
        def accepts(element: Any) -> bool:
            left = _value(element, leftField) if leftField is not None else leftValue
            right = _value(element, rightField) if rightField is not None else rightValue
            return left is not _MISSING and right is not _MISSING and bool(test(left, right))

        return Filter(accepts)

    return build


def _shape(value: Any) -> Any:
    geometry = value.geometry if isinstance(value, Element) else value
    if isinstance(value, Collection):
        geometry = collection_geometry(value)
    return geometry.shape if geometry is not None else shapely.Polygon()


def _in_range(date_range: Any, moment: Any) -> bool:
    when = moment.millis if isinstance(moment, Date) else moment
    return isinstance(date_range, DateRange) and date_range.start <= when < date_range.end


for _names, _test in {
    ("Filter.equals", "Filter.eq"): lambda a, b: a == b,
    ("Filter.notEquals", "Filter.neq"): lambda a, b: a != b,
    ("Filter.lessThan", "Filter.lt"): lambda a, b: a < b,
    ("Filter.lessThanOrEquals", "Filter.lte"): lambda a, b: a <= b,
    ("Filter.greaterThan", "Filter.gt"): lambda a, b: a > b,
    ("Filter.greaterThanOrEquals", "Filter.gte"): lambda a, b: a >= b,
    ("Filter.inList",): lambda a, b: a in b if isinstance(b, list) else b in a,
    ("Filter.listContains",): lambda a, b: b in a if isinstance(a, list) else a in b,
    ("Filter.stringStartsWith",): lambda a, b: str(a).startswith(b),
    ("Filter.stringEndsWith",): lambda a, b: str(a).endswith(b),
    ("Filter.stringContains",): lambda a, b: b in str(a),
    ("Filter.dateRangeContains",): _in_range,
    ("Filter.intersects",): lambda a, b: _shape(a).intersects(_shape(b)),
    ("Filter.contains",): lambda a, b: _shape(a).contains(_shape(b)),
}.items():
    algorithm(*_names)(_comparison(_test))


@algorithm("Filter.and")
def filter_and(filters: list[Filter]) -> Filter:
    return Filter(lambda element: all(f.accepts(element) for f in filters))


@algorithm("Filter.or")
def filter_or(filters: list[Filter]) -> Filter:
    return Filter(lambda element: any(f.accepts(element) for f in filters))


@algorithm("Filter.not")
def filter_not(filter: Filter) -> Filter:
    return Filter(lambda element: not filter.accepts(element))


@algorithm("Filter.notNull")
def filter_not_null(properties: list[str]) -> Filter:
    return Filter(lambda element: all(element.properties.get(name) is not None for name in properties))


@algorithm("Filter.calendarRange")
def calendar_range(start: int, end: int | None = None, field: str = "day_of_year") -> Filter:
    last = start if end is None else end

    def part(moment: dt.datetime) -> int:
        return {
            "year": moment.year,
            "month": moment.month,
            "day_of_month": moment.day,
            "day_of_year": moment.timetuple().tm_yday,
            "hour": moment.hour,
        }[field]

    def accepts(element: Any) -> bool:
        millis = element.properties.get("system:time_start")
        if millis is None:
            return False
        value = part(dt.datetime.fromtimestamp(millis / 1000, dt.UTC))
        return start <= value <= last if start <= last else value >= start or value <= last

    return Filter(accepts)


@algorithm("DateRange")
def date_range(start: Any, end: Any = None, timeZone: Any = None) -> DateRange:
    first = as_date(start).millis
    return DateRange(first, first + 1 if end is None else as_date(end).millis)


def _present(collection: Collection, name: str) -> list[Any]:
    values = (element.properties.get(name) for element in collection.elements)
    return [value for value in values if value is not None]


for _name, _aggregate in {
    "array": list,
    "sum": sum,
    "count": len,
    "min": lambda v: min(v) if v else None,
    "max": lambda v: max(v) if v else None,
    "first": lambda v: v[0] if v else None,
    "mean": lambda v: sum(v) / len(v) if v else None,
    "count_distinct": lambda v: len(set(v)),
    "histogram": lambda v: {str(k): v.count(k) for k in sorted(set(v))},
}.items():
    algorithm(f"AggregateFeatureCollection.{_name}")(
        lambda collection, property, aggregate=_aggregate: aggregate(_present(collection, property))
    )


def _stacked(images: list[Image], combine: Callable[[list[Pixels]], Pixels]) -> Image:
    """Combine bands of the same name over images, per pixel."""
    names = list(dict.fromkeys(band.name for image in images for band in image.bands))

    def band(name: str) -> Band:
        sources = [b for image in images for b in image.bands if b.name == name]

        def read(window: Window) -> Pixels:
            return combine([window.read(source) for source in sources])

        return Band(name, WGS84_ONE_DEGREE, read, data_type=sources[0].data_type)

    return Image(bands=tuple(band(name) for name in names))


def _images(collection: Collection) -> list[Image]:
    return [as_image(element) for element in collection.elements]


@algorithm("ImageCollection.mosaic")
def mosaic(collection: Collection) -> Image:
    """The last image lies on top; masked pixels show what is below."""

    def on_top(layers: list[Pixels]) -> Pixels:
        values, mask = layers[-1].values, layers[-1].mask
        for below in reversed(layers[:-1]):
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


def _count(layers: list[Pixels]) -> Pixels:
    return Pixels(np.sum([layer.valid for layer in layers], axis=0).astype(float), None)


STACK_REDUCTIONS: dict[str, Callable[[list[Pixels]], Pixels]] = {
    "mode": _mode,
    "count": _count,
    "mean": _nan_reduction(lambda s: np.nanmean(s, axis=0)),
    "sum": _nan_reduction(lambda s: np.nansum(s, axis=0)),
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

        return Band(name, WGS84_ONE_DEGREE, read)

    return Image(bands=tuple(band(b.name) for b in images[0].bands))
