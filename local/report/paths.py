"""Shapes as paths of an SVG."""

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry


def path(shape: BaseGeometry) -> str:
    """The ``d`` of an SVG path: every ring or line of a shape that is in the picture's own units, to a tenth."""
    if shape.geom_type in {"Polygon", "MultiPolygon", "GeometryCollection"}:
        rings = [
            r
            for part in shapely.get_parts(shape)
            if part.geom_type == "Polygon"
            for r in (part.exterior, *part.interiors)
        ]
        return "".join(_line(ring) + "z" for ring in rings)
    return "".join(_line(part) for part in shapely.get_parts(shape))


def _line(line: BaseGeometry) -> str:
    points = np.round(shapely.get_coordinates(line), 1)
    kept = points[np.concatenate(([True], np.any(np.diff(points, axis=0) != 0, axis=1)))]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in kept)
