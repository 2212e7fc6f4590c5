"""Implementations of Earth Engine algorithms, by kind of object. Importing this package registers them all."""

from local.earth_engine.algorithms import (
    arithmetic,
    arrays,
    collections,
    compositing,
    filters,
    geometry,
    images,
    neighbourhoods,
    objects,
    reduction,
    resampling,
)

__all__ = [
    "arithmetic",
    "arrays",
    "collections",
    "compositing",
    "filters",
    "geometry",
    "images",
    "neighbourhoods",
    "objects",
    "reduction",
    "resampling",
]
