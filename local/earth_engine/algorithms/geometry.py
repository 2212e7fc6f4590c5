"""Geometry constructors and measures, planar in lon/lat unless a length or area is asked for."""

from itertools import pairwise
from typing import Any

import antimeridian
import numpy as np
import shapely
from pyproj import CRS, Geod
from shapely.geometry import mapping, shape

from local.earth_engine.errors import EngineError
from local.earth_engine.raster import transformer
from local.earth_engine.registry import algorithm
from local.earth_engine.values import Geometry

_WGS84 = Geod(ellps="WGS84")
_DENSIFY_DEG = 0.01


def _planar(geodesic: bool | None, crs: Any) -> bool:
    return (geodesic is not None and not geodesic) or (geodesic is None and crs is not None)


def _polygonal(kind: str, coordinates: Any, geodesic: bool) -> Geometry:
    try:
        found = shape({"type": kind, "coordinates": coordinates})
    except (TypeError, ValueError, IndexError) as error:
        raise EngineError(f"GeometryConstructors.{kind}: Invalid GeoJSON geometry: {error}") from error
    if geodesic:
        # edges are great circles: follow them closely enough that straight lon/lat pieces do
        found = shape(antimeridian.fix_geojson(mapping(_along_geodesics(found)), fix_winding=True))
    if not found.is_valid:
        found = shapely.make_valid(found)
    return Geometry(found, geodesic)


def _along_geodesics(polygons: Any) -> Any:
    def dense(ring: np.ndarray) -> np.ndarray:
        points = [ring[0]]
        for (x0, y0), (x1, y1) in pairwise(ring):
            count = int(max(abs(x1 - x0), abs(y1 - y0)) / 0.1)
            points += _WGS84.npts(x0, y0, x1, y1, count) if count else []
            points.append((x1, y1))
        return np.asarray(points)

    def follow(polygon: Any) -> Any:
        rings = [dense(np.asarray(ring.coords)[:, :2]) for ring in (polygon.exterior, *polygon.interiors)]
        return shapely.Polygon(rings[0], rings[1:])

    parts = [follow(polygon) for polygon in shapely.get_parts(polygons)]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


@algorithm("GeometryConstructors.Polygon")
def polygon(
    coordinates: Any, crs: Any = None, geodesic: Any = None, maxError: Any = None, evenOdd: bool = True
) -> Geometry:
    return _polygonal("Polygon", coordinates, not _planar(geodesic, crs))


@algorithm("GeometryConstructors.MultiPolygon")
def multi_polygon(
    coordinates: Any, crs: Any = None, geodesic: Any = None, maxError: Any = None, evenOdd: bool = True
) -> Geometry:
    return _polygonal("MultiPolygon", coordinates, not _planar(geodesic, crs))


@algorithm("GeometryConstructors.Rectangle")
def rectangle(coordinates: Any, crs: Any = None, geodesic: Any = None, evenOdd: bool = True) -> Geometry:
    (west, south), (east, north) = coordinates if len(coordinates) == 2 else (coordinates[:2], coordinates[2:])
    return Geometry(shapely.box(west, south, east, north), geodesic=not _planar(geodesic, crs))


@algorithm("GeometryConstructors.BBox")
def bounding_box(west: float, south: float, east: float, north: float) -> Geometry:
    return Geometry(shapely.box(west, south, east, north), geodesic=False)


@algorithm("GeometryConstructors.Point")
def point(coordinates: Any, crs: Any = None) -> Geometry:
    return Geometry(shapely.Point(coordinates))


@algorithm("Geometry.area")
def area(geometry: Geometry, maxError: Any = None, proj: Any = None) -> float:
    found = geometry.shape if geometry.geodesic else shapely.segmentize(geometry.shape, _DENSIFY_DEG)
    return abs(float(_WGS84.geometry_area_perimeter(found)[0]))


@algorithm("Geometry.bounds")
def bounds(geometry: Geometry, maxError: Any = None, proj: Any = None) -> Geometry:
    return Geometry(shapely.box(*geometry.shape.bounds), geodesic=False)


@algorithm("Geometry.centroid")
def centroid(geometry: Geometry, maxError: Any = None, proj: Any = None) -> Geometry:
    return Geometry(geometry.shape.centroid, geometry.geodesic)


@algorithm("Geometry.buffer")
def buffer(geometry: Geometry, distance: float, maxError: Any = None, proj: Any = None) -> Geometry:
    centre = geometry.shape.centroid
    local = CRS.from_proj4(f"+proj=aeqd +lat_0={centre.y} +lon_0={centre.x} +datum=WGS84").to_wkt()
    out, back = transformer("EPSG:4326", local), transformer(local, "EPSG:4326")

    def through(change: Any, found: Any) -> Any:
        return shapely.transform(found, lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1])))

    return Geometry(through(back, through(out, geometry.shape).buffer(distance)), geodesic=False)


@algorithm("Geometry.intersects")
def intersects(left: Geometry, right: Geometry, maxError: Any = None, proj: Any = None) -> bool:
    return bool(left.shape.intersects(right.shape))


@algorithm("Geometry.intersection")
def intersection(left: Geometry, right: Geometry, maxError: Any = None, proj: Any = None) -> Geometry:
    return Geometry(left.shape.intersection(right.shape), geodesic=False)


@algorithm("Geometry.coordinates")
def coordinates(geometry: Geometry) -> Any:
    return mapping(geometry.shape)["coordinates"]
