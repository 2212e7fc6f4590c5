"""Collections: loading, filtering, mapping and aggregating."""

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from local.earth_engine.algorithms.images import as_image
from local.earth_engine.catalog import SceneCatalog
from local.earth_engine.errors import EngineError, asset_not_found
from local.earth_engine.meter import meter
from local.earth_engine.passes import PassCatalog
from local.earth_engine.registry import algorithm
from local.earth_engine.sentinel2 import CLOUD_PROBABILITY_FILE, CLOUD_SCORE_FILE, Sentinel2Catalog
from local.earth_engine.values import (
    Collection,
    Element,
    Filter,
    Function,
    Geometry,
    Image,
    union_of,
)
from shared.earth_engine.scene_masks import CLOUD_PROBABILITY, CLOUD_SCORE

_CATALOGS: dict[str, SceneCatalog | PassCatalog | Sentinel2Catalog] = {}


def serve_collection(collection: str, folder: Path) -> None:
    """Make a folder of scenes available under a collection id."""
    _CATALOGS[collection] = SceneCatalog(collection, folder)


def serve_passes(collection: str, folder: Path) -> None:
    """Make the list of passes beside the scenes available under a collection id, and what tells cloud over them."""
    _CATALOGS[collection] = PassCatalog(collection, folder)
    for partner, file_name in ((CLOUD_PROBABILITY, CLOUD_PROBABILITY_FILE), (CLOUD_SCORE, CLOUD_SCORE_FILE)):
        _CATALOGS[partner] = Sentinel2Catalog(partner, folder, file_name)


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
    meter().elements(len(collection.elements))
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
