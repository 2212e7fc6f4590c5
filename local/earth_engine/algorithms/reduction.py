"""Reducers as algorithms, and reductions of images over regions and of collections over columns."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from shapely.geometry.base import BaseGeometry

from local.earth_engine import reducers
from local.earth_engine.algorithms.images import as_image, resolve_projection
from local.earth_engine.errors import EngineError
from local.earth_engine.meter import meter
from local.earth_engine.reducers import Reducer
from local.earth_engine.registry import algorithm
from local.earth_engine.values import Band, Collection, Geometry, Image, Projection
from local.earth_engine.zonal import pixel_bounds, reduce_region, region_in

for _name, _reducer in reducers.SIMPLE.items():
    algorithm(f"Reducer.{_name}")(lambda reducer=_reducer, **_: reducer)


@algorithm("Reducer.group")
def group(reducer: Reducer, groupField: int = 0, groupName: str = "group") -> Reducer:
    return reducers.grouped(reducer, int(groupField), groupName)


@algorithm("Reducer.repeat")
def repeat(reducer: Reducer, count: int) -> Reducer:
    return reducers.repeated(reducer, int(count))


@algorithm("Reducer.unweighted")
def unweighted(reducer: Reducer) -> Reducer:
    return reducer.unweighted()


@algorithm("Reducer.setOutputs")
def set_outputs(reducer: Reducer, outputs: list[str]) -> Reducer:
    return reducer.renamed(outputs)


@algorithm("Reducer.combine")
def combine(reducer1: Reducer, reducer2: Reducer, outputPrefix: str = "", sharedInputs: bool = False) -> Reducer:
    return reducers.combined(reducer1, reducer2, outputPrefix, sharedInputs)


def _over(
    image: Image, reducer: Reducer, region: BaseGeometry, grid: Projection, single_name: str | None
) -> dict[str, Any]:
    """Outputs of one region: a single-input reducer runs on every band, named by band."""
    if reducer.inputs == 1:
        results = reduce_region([[band] for band in image.bands], reducer, region, grid)
        named: dict[str, Any] = {}
        for band, result in zip(image.bands, results, strict=True):
            for output, value in result.items():
                if len(image.bands) == 1 and single_name == "output":
                    named[output] = value
                else:
                    named[band.name if len(result) == 1 else f"{band.name}_{output}"] = value
        return named
    if reducer.inputs != len(image.bands):
        raise EngineError(f"Need {reducer.inputs} input bands for the reducer, image has {len(image.bands)}.")
    return reduce_region([list(image.bands)], reducer, region, grid)[0]


def _first_projection(bands: Sequence[Band]) -> Projection:
    return bands[0].projection


@algorithm("Image.reduceRegion")
def reduce_one(
    image: Any,
    reducer: Reducer,
    geometry: Geometry | None = None,
    scale: Any = None,
    crs: Any = None,
    crsTransform: Any = None,
    bestEffort: bool = False,
    maxPixels: float = 1e7,
    tileScale: float = 1,
) -> dict[str, Any]:
    source = as_image(image)
    region = geometry if geometry is not None else source.geometry
    if region is None:
        raise EngineError("Image.reduceRegion: Geometry is unbounded; provide 'geometry'.")
    grid = resolve_projection(_first_projection(source.bands), crs, crsTransform, scale)
    shape = region_in(region, grid)
    found = _pixel_count(shape, grid)
    if found > maxPixels and bestEffort:
        grid = grid.at_scale(grid.nominal_scale_m() * (found / maxPixels) ** 0.5)
        shape = region_in(region, grid)
        found = _pixel_count(shape, grid)
    elif found > maxPixels:
        raise EngineError(
            f"Image.reduceRegion: Too many pixels in the region. Found {found}, but maxPixels allows only "
            f"{int(maxPixels)}.\nEnsure that you are not aggregating at a higher resolution than you intended; that "
            "is the most frequent cause of this error. If not, then you may set the 'maxPixels' argument to a limit "
            "suitable for your computation; set 'bestEffort' to true to aggregate at whatever scale results in "
            "'maxPixels' total pixels per region; or both."
        )
    meter().aggregate(source.bands, [found], tileScale)
    return _over(source, reducer, shape, grid, single_name="band")


@algorithm("Image.reduceRegions")
def reduce_many(
    image: Any,
    collection: Collection,
    reducer: Reducer,
    scale: Any = None,
    crs: Any = None,
    crsTransform: Any = None,
    tileScale: float = 1,
    maxPixelsPerRegion: Any = None,
) -> Collection:
    source = as_image(image)
    grid = resolve_projection(_first_projection(source.bands), crs, crsTransform, scale)
    regions = [region_in(feature.geometry, grid) for feature in collection.elements]
    counts = [_pixel_count(region, grid) for region in regions]
    meter().aggregate(source.bands, counts, tileScale)
    reduced = []
    for feature, region, found in zip(collection.elements, regions, counts, strict=True):
        if maxPixelsPerRegion is not None and found > maxPixelsPerRegion:
            raise EngineError(
                f"Image.reduceRegions: Too many pixels in the region. Found {found}, "
                f"but maxPixelsPerRegion allows only {int(maxPixelsPerRegion)}."
            )
        outputs = _over(source, reducer, region, grid, single_name="output")
        reduced.append(replace(feature, properties={**feature.properties, **outputs}))
    return Collection(reduced)


def _pixel_count(shape: BaseGeometry, grid: Projection) -> int:
    left, top, right, bottom = pixel_bounds(shape, grid)
    frame = shape.envelope.area
    return round((right - left) * (bottom - top) * (shape.area / frame if frame else 1))


@algorithm("List.reduce")
def reduce_list(list: list[Any], reducer: Reducer) -> Any:
    accumulator = reducer.start()
    if list:
        accumulator.add([np.asarray(list)], np.ones(len(list)))
    found = accumulator.result()
    return next(iter(found.values())) if len(found) == 1 else found


@algorithm("Collection.reduceColumns")
def reduce_columns(
    collection: Collection, reducer: Reducer, selectors: list[str], weightSelectors: Any = None
) -> dict[str, Any]:
    rows = [[e.properties.get(name) for name in selectors] for e in collection.elements]
    complete = [row for row in rows if all(value is not None for value in row)]
    if reducer.outputs == ("list",) and reducer.inputs == 1:
        return {"list": [row[0] if len(row) == 1 else row for row in complete]}
    accumulator = reducer.start()
    if complete:
        columns = [np.asarray(column) for column in zip(*complete, strict=True)]
        accumulator.add(columns, np.ones(len(complete)))
    return accumulator.result()
