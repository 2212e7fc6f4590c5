"""RFC 7946 geometry of an AOI: what is refused, how the rest is normalised, how large it is.

Refused: anything but Polygon and MultiPolygon, empty geometries, open or short rings, positions that are not two
or three finite numbers within ±180 and ±90, self-crossing rings, a ``crs`` member other than WGS84, what is too large
to be worked on: positions, extent, length of the outline, crossings of ±180°.
Normalised: winding (exterior counter-clockwise), Z dropped, an antimeridian crossing cut in two.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from reprlib import Repr
from typing import Any, NamedTuple

import numpy as np
from shapely import LinearRing, MultiPolygon, Polygon, get_parts, orient_polygons, segmentize
from shapely.geometry import mapping
from shapely.validation import explain_validity

from shared.geometry.dateline import cut_at_antimeridian

# WGS84 (EPSG:7030)
_SEMI_MAJOR_M = 6_378_137.0
_FLATTENING = 1 / 298.257223563
# Simpson's rule on edges of this length is exact to the last digits of a double.
_INTEGRATION_STEP_DEG = 0.1
# The cut at ±180° takes time by the square of the crossings. An area that crosses more often is drawn wrongly.
_MOST_CROSSINGS = 100
# Numbers of JSON have any size; no height in metres is larger.
_LARGEST_NUMBER = 1e9

_WGS84_CRS_NAMES = {
    "urn:ogc:def:crs:ogc:1.3:crs84",
    "urn:ogc:def:crs:ogc::crs84",
    "ogc:crs84",
    "crs84",
    "http://www.opengis.net/def/crs/ogc/1.3/crs84",
    "https://www.opengis.net/def/crs/ogc/1.3/crs84",
    "epsg:4326",
    "urn:ogc:def:crs:epsg::4326",
}


class Fault(NamedTuple):
    """One thing wrong with a document: where (JSON pointer) and what."""

    pointer: str
    detail: str


def crs_faults(document: dict[str, Any], pointer: str) -> Iterator[Fault]:
    """Faults of an old-style ``crs`` member: none when it is absent or names WGS84 in lon/lat order."""
    if "crs" not in document or document["crs"] is None:
        return
    crs = document["crs"]
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or name.lower() not in _WGS84_CRS_NAMES:
        yield Fault(f"{pointer}/crs", f"coordinates must be WGS84 longitude and latitude, found {str(name)[:80]!r}")


def found(value: Any) -> str:
    """A value of a document as a fault shows it: some characters, however large or deep it is."""
    return _SHORT.repr(value)


def geometry_faults(geometry: Any, pointer: str, max_vertices: int, max_extent_deg: float) -> list[Fault]:
    """Every structural fault of a GeoJSON geometry; an empty list means it can be normalised.

    Costs time and memory by the size of the document, whatever the size of the area.
    """
    if not isinstance(geometry, dict):
        return [Fault(pointer, f"expected a GeoJSON geometry object, found {_kind(geometry)}")]
    faults = list(crs_faults(geometry, pointer))
    match geometry.get("type"):
        case "Polygon":
            polygons = [(geometry.get("coordinates"), f"{pointer}/coordinates")]
        case "MultiPolygon":
            parts = geometry.get("coordinates")
            if not isinstance(parts, list) or not parts:
                return [*faults, Fault(f"{pointer}/coordinates", "expected at least one polygon, found none")]
            polygons = [(part, f"{pointer}/coordinates/{i}") for i, part in enumerate(parts)]
        case other:
            return [*faults, Fault(f"{pointer}/type", f"expected Polygon or MultiPolygon, found {found(other)}")]
    vertices = 0
    for rings, where in polygons:
        if not isinstance(rings, list) or not rings:
            faults.append(Fault(where, "expected at least one ring, found none"))
            continue
        for i, ring in enumerate(rings):
            faults.extend(_ring_faults(ring, f"{where}/{i}"))
            vertices += len(ring) if isinstance(ring, list) else 0
    if vertices > max_vertices:
        faults.append(Fault(f"{pointer}/coordinates", f"{vertices} positions, the limit is {max_vertices}"))
    if not faults:
        faults.extend(_size_faults(geometry, f"{pointer}/coordinates", max_extent_deg))
    if not faults and not _crossings(geometry):
        faults.extend(_topology_faults(geometry, pointer))
    return faults


def _size_faults(geometry: dict[str, Any], pointer: str, max_extent_deg: float) -> Iterator[Fault]:
    crossings = _crossings(geometry)
    if crossings > _MOST_CROSSINGS:
        yield Fault(pointer, f"the outline crosses ±180° {crossings} times, the limit is {_MOST_CROSSINGS}")
        return
    extent_deg = max(_extent_deg(geometry))
    if extent_deg > max_extent_deg:
        yield Fault(pointer, f"the area reaches over {extent_deg:.1f}°, the limit is {max_extent_deg:g}°")


def _extent_deg(geometry: dict[str, Any]) -> tuple[float, float]:
    """Width and height of the box around a geometry; where it lies on both sides of ±180°, of the box across that."""
    longitudes, latitudes = np.array([position[:2] for ring in _rings(geometry) for position in ring], dtype=float).T
    return float(min(np.ptp(longitudes), np.ptp(longitudes % 360))), float(np.ptp(latitudes))


def outline_deg(geometry: dict[str, Any]) -> float:
    """Length of all rings of a faultless GeoJSON geometry in degrees; edges across ±180° go the short way."""
    total = 0.0
    for ring in _rings(geometry):
        longitudes, latitudes = np.array([position[:2] for position in ring], dtype=float).T
        along = np.abs(np.diff(longitudes))
        total += float(np.hypot(np.minimum(along, 360 - along), np.diff(latitudes)).sum())
    return total


def _rings(geometry: dict[str, Any]) -> Iterator[list[list[float]]]:
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for rings in parts:
        yield from rings


def _ring_faults(ring: Any, pointer: str) -> Iterator[Fault]:
    if not isinstance(ring, list):
        yield Fault(pointer, f"expected a ring (an array of positions), found {_kind(ring)}")
        return
    if len(ring) < 4:
        yield Fault(pointer, f"a ring needs at least 4 positions, found {len(ring)}")
        return
    sound = True
    for i, position in enumerate(ring):
        if not isinstance(position, list) or not 2 <= len(position) <= 3:
            yield Fault(f"{pointer}/{i}", "expected a position of two or three numbers")
            sound = False
        elif not all(_is_number(value) for value in position):
            yield Fault(f"{pointer}/{i}", f"expected finite numbers of at most {_LARGEST_NUMBER:.0e}")
            sound = False
        elif not (-180 <= position[0] <= 180 and -90 <= position[1] <= 90):
            yield Fault(f"{pointer}/{i}", f"longitude ±180 and latitude ±90 expected, found {position[:2]}")
            sound = False
        if not sound and i > 20:
            return
    if sound and ring[0][:2] != ring[-1][:2]:
        yield Fault(pointer, "the ring is not closed: first and last position differ")


def _topology_faults(geometry: dict[str, Any], pointer: str) -> Iterator[Fault]:
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    sound = True
    for i, rings in enumerate(parts):
        polygon = _flat_polygon(rings)
        where = f"{pointer}/coordinates" + (f"/{i}" if geometry["type"] == "MultiPolygon" else "")
        if not polygon.is_valid:
            yield Fault(where, f"invalid polygon: {explain_validity(polygon)}")
            sound = False
        elif polygon.area == 0:
            yield Fault(where, "the polygon has no area")
            sound = False
    if sound and len(parts) > 1:
        whole = MultiPolygon([_flat_polygon(rings) for rings in parts])
        if not whole.is_valid:
            yield Fault(f"{pointer}/coordinates", f"invalid multipolygon: {explain_validity(whole)}")


def normalise(geometry: dict[str, Any]) -> Polygon | MultiPolygon:
    """A faultless GeoJSON geometry as a valid 2-D shape, wound by the right-hand rule and cut at ±180°.

    Raises ValueError when the cut at the antimeridian leaves no valid polygon.
    """
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    polygons = [_flat_polygon(rings) for rings in parts]
    flat = polygons[0] if geometry["type"] == "Polygon" else MultiPolygon(polygons)
    if _crossings(geometry):
        flat = cut_at_antimeridian(mapping(flat))
        if flat.is_empty or not flat.is_valid:
            raise ValueError(f"the polygon is invalid once cut at the antimeridian: {explain_validity(flat)}")
    return orient_polygons(flat)


def ellipsoidal_area_m2(geometry: Polygon | MultiPolygon) -> float:
    """Area on the WGS84 ellipsoid of a lon/lat geometry whose edges are straight in lon/lat (RFC 7946, 3.1.1).

    The integral of the authalic zone area along the rings (Snyder 1987, eq. 3-12). Libraries offer polygons of
    geodesics, which these edges are not, and which lose their inside beyond half the globe.
    """
    fine = segmentize(geometry, _INTEGRATION_STEP_DEG)
    return sum(
        _ring_area_m2(polygon.exterior) - sum(_ring_area_m2(hole) for hole in polygon.interiors)
        for polygon in get_parts(fine)
    )


def _ring_area_m2(ring: LinearRing) -> float:
    longitudes, latitudes = np.radians(np.asarray(ring.coords)).T
    middles = (latitudes[:-1] + latitudes[1:]) / 2
    heights = (_zone_m2(latitudes[:-1]) + 4 * _zone_m2(middles) + _zone_m2(latitudes[1:])) / 6
    return abs(float(np.dot(np.diff(longitudes), heights)))


def _zone_m2(latitudes: np.ndarray) -> np.ndarray:
    """Area between the equator and each latitude, for one radian of longitude."""
    eccentricity = math.sqrt(_FLATTENING * (2 - _FLATTENING))
    sines = np.sin(latitudes)
    semi_minor_m = _SEMI_MAJOR_M * (1 - _FLATTENING)
    shape_factor = sines / (1 - (eccentricity * sines) ** 2) + np.arctanh(eccentricity * sines) / eccentricity
    return np.asarray(semi_minor_m**2 / 2 * shape_factor)


def to_geojson(geometry: Polygon | MultiPolygon) -> dict[str, Any]:
    """GeoJSON of a normalised shape, with lists for coordinates."""
    return _listed(mapping(geometry))  # type: ignore[no-any-return]


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_listed(item) for item in value]
    return value


def _flat_polygon(rings: list[list[list[float]]]) -> Polygon:
    flat = [[position[:2] for position in ring] for ring in rings]
    return Polygon(flat[0], flat[1:])


def _crossings(geometry: dict[str, Any]) -> int:
    """How often rings jump more than half the globe between two positions: they cross ±180° (RFC 7946, 3.1.9)."""
    return sum(abs(b[0] - a[0]) > 180 for ring in _rings(geometry) for a, b in pairwise(ring))


def positions_across(geometry: dict[str, Any]) -> int:
    """How many positions a faultless GeoJSON geometry has if it crosses ±180°; 0 if it does not."""
    return sum(len(ring) for ring in _rings(geometry)) if _crossings(geometry) else 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxstring = 2, 60
