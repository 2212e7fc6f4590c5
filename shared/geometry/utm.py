"""UTM on WGS84, both ways, for the points of outlines and the corners of pixels.

Krüger's series to the fourth power of the third flattening: within a zone and its neighbours it is off by less than a
tenth of a millimetre (Karney 2011, doi 10.1007/s00190-011-0445-3). The library that has it brings ten megabytes along.
"""

from math import pi, sqrt

import numpy as np

from shared.geometry.grids import utm_zone

_SEMI_MAJOR_M, _FLATTENING = 6_378_137.0, 1 / 298.257223563
_N = _FLATTENING / (2 - _FLATTENING)
_SCALE = 0.9996 * _SEMI_MAJOR_M / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_FALSE_EASTING_M, _FALSE_NORTHING_M = 500_000.0, 10_000_000.0
_TO_GRID = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16 + 41 * _N**4 / 180,
    13 * _N**2 / 48 - 3 * _N**3 / 5 + 557 * _N**4 / 1440,
    61 * _N**3 / 240 - 103 * _N**4 / 140,
    49561 * _N**4 / 161280,
)
_TO_SPHERE = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96 - _N**4 / 360,
    _N**2 / 48 + _N**3 / 15 - 437 * _N**4 / 1440,
    17 * _N**3 / 480 - 37 * _N**4 / 840,
    4397 * _N**4 / 161280,
)
_TO_LATITUDE = (
    2 * _N - 2 * _N**2 / 3 - 2 * _N**3 + 116 * _N**4 / 45,
    7 * _N**2 / 3 - 8 * _N**3 / 5 - 227 * _N**4 / 45,
    56 * _N**3 / 15 - 136 * _N**4 / 35,
    4279 * _N**4 / 630,
)


def zone_of(longitude_deg: float, latitude_deg: float) -> str:
    """The code of the UTM zone in which a point lies, without the odd zones of Norway and Svalbard."""
    zone = min(60, int((longitude_deg + 180) // 6) + 1)
    return f"EPSG:32{6 if latitude_deg >= 0 else 7}{zone:02d}"


def to_utm(crs: str, lon_lat: np.ndarray) -> np.ndarray:
    """Eastings and northings in metres of points in degrees, (n, 2). Raises ValueError for a code that is not UTM."""
    central, northing = _zone(crs)
    across = np.radians((lon_lat[:, 0] - central + 180) % 360 - 180)
    sine = np.sin(np.radians(lon_lat[:, 1]))
    twice = 2 * sqrt(_N) / (1 + _N)
    t = np.sinh(np.arctanh(sine) - twice * np.arctanh(twice * sine))
    up, right = np.arctan2(t, np.cos(across)), np.arctanh(np.sin(across) / np.sqrt(1 + t**2))
    y = up + sum(a * np.sin(2 * j * up) * np.cosh(2 * j * right) for j, a in enumerate(_TO_GRID, 1))
    x = right + sum(a * np.cos(2 * j * up) * np.sinh(2 * j * right) for j, a in enumerate(_TO_GRID, 1))
    return np.column_stack([_FALSE_EASTING_M + _SCALE * x, northing + _SCALE * y])


def to_lon_lat(crs: str, metres: np.ndarray) -> np.ndarray:
    """Longitudes and latitudes in degrees of points of a UTM zone, (n, 2). Raises ValueError for any other code."""
    central, northing = _zone(crs)
    y, x = (metres[:, 1] - northing) / _SCALE, (metres[:, 0] - _FALSE_EASTING_M) / _SCALE
    up = y - sum(b * np.sin(2 * j * y) * np.cosh(2 * j * x) for j, b in enumerate(_TO_SPHERE, 1))
    right = x - sum(b * np.cos(2 * j * y) * np.sinh(2 * j * x) for j, b in enumerate(_TO_SPHERE, 1))
    sphere = np.arcsin(np.sin(up) / np.cosh(right))
    latitude = sphere + sum(d * np.sin(2 * j * sphere) for j, d in enumerate(_TO_LATITUDE, 1))
    longitude = central + np.degrees(np.arctan2(np.sinh(right), np.cos(up)))
    return np.column_stack([(longitude + 180) % 360 - 180, latitude * 180 / pi])


def cell_areas_m2(crs: str, x_m: np.ndarray, y_m: np.ndarray) -> np.ndarray:
    """Areas on the ellipsoid, in m², of the cells between eastings and northings of a UTM zone: (rows, columns).

    Corners in an equal-area cylinder of the ellipsoid (Snyder 1987, eq. 3-12), where its sides are straight enough.
    Raises ValueError for a code that is not UTM.
    """
    corners = to_lon_lat(crs, np.column_stack([axis.ravel() for axis in np.meshgrid(x_m, y_m)]))
    east_deg = (corners[:, 0] - corners[0, 0] + 180) % 360 - 180
    longitude = np.radians(east_deg).reshape(len(y_m), len(x_m))
    sine, e = np.sin(np.radians(corners[:, 1])), sqrt(_FLATTENING * (2 - _FLATTENING))
    semi_minor_m = _SEMI_MAJOR_M * (1 - _FLATTENING)
    zone = semi_minor_m**2 / 2 * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e)
    zone = zone.reshape(longitude.shape)
    across = (longitude[1:, 1:] - longitude[:-1, :-1]) * (zone[1:, :-1] - zone[:-1, 1:])
    along = (longitude[1:, :-1] - longitude[:-1, 1:]) * (zone[1:, 1:] - zone[:-1, :-1])
    return np.asarray(np.abs(across - along) / 2)


def _zone(crs: str) -> tuple[float, float]:
    """Central meridian in degrees and false northing in metres."""
    zone = utm_zone(crs)
    if zone is None:
        raise ValueError(f"expected a UTM zone on WGS84 such as EPSG:32651, found {crs}")
    return 6.0 * zone[0] - 183, 0.0 if zone[1] else _FALSE_NORTHING_M
