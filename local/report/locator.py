"""Where an area lies: its coordinates in words, and a small map of the land around it.

Land and borders are Natural Earth's at 1:110 million (public domain), which the wheel of pyogrio carries. Where it does
not, the graticule stays. A country is named only where the whole area lies well inside it: at that scale borders are
right to some tens of kilometres.
"""

from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import shapely
from pyogrio.raw import read
from shapely import Point, box
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from local.report.paths import path

_LAND = files("pyogrio") / "tests" / "fixtures" / "naturalearth_lowres" / "naturalearth_lowres.shp"
# Half of the window, in degrees of latitude; it is as wide as it is high on the ground.
_HALF_DEG = 16.0
_SIZE = 150
_GRATICULE_DEG = 10
_WELL_INSIDE_DEG = 0.5


class Locator(NamedTuple):
    """The middle of the place; paths of a square SVG of ``size`` around it; the country, where it is sure."""

    longitude: float
    latitude: float
    size: int
    land: str
    graticule: str
    country: str | None


def coordinates(longitude: float, latitude: float, digits: int = 2) -> str:
    """``45.15° N, 125.65° E``."""
    north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.{digits}f}° {north}, {abs(longitude):.{digits}f}° {east}"


def locator(outline: BaseGeometry) -> Locator:
    """The surroundings of an area, given in lon/lat."""
    if outline.bounds[2] - outline.bounds[0] > 180:  # it lies on both sides of ±180°
        outline = shapely.transform(outline, lambda xy: np.column_stack((xy[:, 0] % 360, xy[:, 1])))
    middle = outline.centroid
    half_lon = min(_HALF_DEG / max(np.cos(np.radians(middle.y)), 0.1), 180.0)
    window = box(middle.x - half_lon, middle.y - _HALF_DEG, middle.x + half_lon, middle.y + _HALF_DEG)

    def drawn(shape: BaseGeometry) -> str:
        def to_picture(degrees: np.ndarray) -> np.ndarray:
            x = (degrees[:, 0] - window.bounds[0]) / (2 * half_lon) * _SIZE
            y = (window.bounds[3] - degrees[:, 1]) / (2 * _HALF_DEG) * _SIZE
            return np.column_stack((x, y))

        return path(shapely.transform(shape, to_picture))

    countries = _countries()
    around = [
        translate(shape, turn).intersection(window)
        for _, shape in countries
        for turn in (-360, 0, 360)
        if translate(shape, turn).intersects(window)
    ]
    lines = [
        shapely.LineString([(x, window.bounds[1]), (x, window.bounds[3])])
        for x in range(-360, 361, _GRATICULE_DEG)
        if window.bounds[0] < x < window.bounds[2]
    ] + [
        shapely.LineString([(window.bounds[0], y), (window.bounds[2], y)])
        for y in range(-90, 91, _GRATICULE_DEG)
        if window.bounds[1] < y < window.bounds[3]
    ]
    inside = [
        name
        for name, shape in countries
        if shape.covers(outline) and shape.boundary.distance(Point(middle.x, middle.y)) > _WELL_INSIDE_DEG
    ]
    return Locator(
        longitude=(middle.x + 180) % 360 - 180,
        latitude=middle.y,
        size=_SIZE,
        land="".join(map(drawn, around)),
        graticule="".join(map(drawn, lines)),
        country=inside[0] if len(inside) == 1 else None,
    )


@lru_cache(maxsize=1)
def _countries() -> list[tuple[str, BaseGeometry]]:
    """(name, shape in lon/lat); none where the wheel no longer carries them."""
    if not _LAND.is_file():
        return []
    _, _, shapes, columns = read(str(_LAND), columns=["name"])
    return list(zip(columns[0], shapely.from_wkb(shapes), strict=True))
