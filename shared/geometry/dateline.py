"""Cutting geometries at ±180°, whatever was drawn there."""

from typing import Any

import antimeridian
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry


def cut_at_antimeridian(geometry: dict[str, Any]) -> BaseGeometry:
    """A GeoJSON geometry that crosses ±180°, as a shape on both sides of it; it may be invalid.

    Raises ValueError for what the library cannot cut. It was made for drawings that mean something: others end in
    assertions, recursion, and errors of the geometry library.
    """
    try:
        return shape(antimeridian.fix_geojson(geometry, fix_winding=True, great_circle=False))
    except Exception as error:
        raise ValueError(f"cannot be cut at the antimeridian ({type(error).__name__})") from error
