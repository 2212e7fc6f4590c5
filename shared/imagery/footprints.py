"""What an image covers, however the source drew it across ±180°."""

from typing import Any

from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from shared.geometry.dateline import cut_at_antimeridian


def footprint_shape(footprint: dict[str, Any]) -> BaseGeometry:
    """A footprint as a shape within ±180°, wherever the source drew it across the antimeridian.

    Raises ValueError where it cannot be cut there.
    """
    geometry = shape(footprint)
    if geometry.geom_type in {"LinearRing", "LineString"}:
        geometry = shape({"type": "Polygon", "coordinates": [list(geometry.coords)]})
    west, _, east, _ = geometry.bounds
    if west < -180 or east > 180 or east - west > 180:
        geometry = cut_at_antimeridian(mapping(geometry))
    return geometry
