"""How often Sentinel-2 sees an area, by its orbits: what is usual where nothing was listed."""

import math
from datetime import date

import numpy as np
from shapely import bounds, get_parts

from shared.aois.feature import RegisteredAoi, outline_of

# Sentinel-2: 143 orbits around the Earth in ten days, 290 km wide, one satellite until mid-2017 and then two
# (https://sentinels.copernicus.eu/web/sentinel/missions/sentinel-2).
_ORBITS, _CYCLE_DAYS, _SWATH_KM = 143, 10.0, 290.0
_SECOND_SATELLITE = date(2017, 7, 1)
_EQUATOR_KM, _KM_PER_DEGREE = 40_075.0, 111.2
# Orbits run across the meridians at some twelve degrees, so that an area's height widens it.
_SLANT = math.tan(math.radians(12))
_POLEWARD_DEG = 83.0
# Dynamic World leaves out scenes with more than 35 % cloud: a fifth of the passes is left in the cloudiest places, and
# all of them in a desert.
_LEAST_CLEAR, _MOST_CLEAR = 0.2, 1.0


def usual_overpasses(aoi: RegisteredAoi, start: date, end: date) -> tuple[int, int]:
    """How many overpasses see some of an AOI in [start, end) and are clear enough for Dynamic World, from and to."""
    with_two_satellites = max(0, (end - max(start, _SECOND_SATELLITE)).days)
    return overpasses_in(aoi, (end - start).days + with_two_satellites)


def overpasses_in(aoi: RegisteredAoi, days: float, satellites: int = 1) -> tuple[int, int]:
    """The same in so many days of each of some satellites."""
    fewest, most = _passes_in(aoi, days, satellites)
    return math.floor(fewest * _LEAST_CLEAR), math.ceil(most * _MOST_CLEAR)


def unpublished_in(aoi: RegisteredAoi, days: float, satellites: int, waiting: bool) -> tuple[int, int]:
    """How many passes in so many days have no image of Dynamic World: from none to all but the least that are clear, or
    to all of them where nobody is ``waiting`` for it.
    """
    _, most = _passes_in(aoi, days, satellites)
    return 0, math.ceil(most * (1 - _LEAST_CLEAR if waiting else 1))


def _passes_in(aoi: RegisteredAoi, days: float, satellites: int) -> tuple[float, float]:
    average, most = _tracks(aoi)
    cycles = days * satellites / _CYCLE_DAYS
    return average * cycles, most * cycles


def _tracks(aoi: RegisteredAoi) -> tuple[float, float]:
    """On how many of the orbits some of an AOI is seen: on average at its latitude, and at most."""
    _, south_deg, _, north_deg = aoi.bounds_deg
    poleward = math.cos(math.radians(min(_POLEWARD_DEG, max(abs(south_deg), abs(north_deg)))))
    width_km = _width_deg(aoi) * _KM_PER_DEGREE * poleward
    reach_km = _SWATH_KM + width_km + (north_deg - south_deg) * _KM_PER_DEGREE * _SLANT
    average = min(_ORBITS, reach_km / (_EQUATOR_KM / _ORBITS * poleward))
    return average, min(_ORBITS, math.ceil(average))


def box_pixels(aoi: RegisteredAoi) -> tuple[int, int]:
    """Height and width in 10 m pixels of the box around an AOI."""
    _, south_deg, _, north_deg = aoi.bounds_deg
    along = math.cos(math.radians(min(_POLEWARD_DEG, abs(south_deg), abs(north_deg))))
    sides_deg = north_deg - south_deg, _width_deg(aoi) * along
    height, width = (max(1, math.ceil(side * _KM_PER_DEGREE * 100)) for side in sides_deg)
    return height, width


def _width_deg(aoi: RegisteredAoi) -> float:
    west_deg, _, east_deg, _ = aoi.bounds_deg
    if east_deg - west_deg <= 180:
        return east_deg - west_deg
    # on both sides of ±180°, more likely than around the Earth
    longitudes = bounds(get_parts(outline_of(aoi)))[:, [0, 2]]
    wrapped = np.where(longitudes < 0, longitudes + 360, longitudes)
    return float(np.ptp(wrapped))
