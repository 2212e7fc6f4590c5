"""Implementations of Earth Engine algorithms, by kind of object. Importing this package registers them all."""

from local.earth_engine.algorithms import collections, geometry, images, objects, reduction

__all__ = ["collections", "geometry", "images", "objects", "reduction"]
