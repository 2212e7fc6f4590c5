"""Whether areas and scenes meet, told before any work is done."""

from collections.abc import Callable, Sequence
from pathlib import Path

import shapely
from pyproj import Geod
from rasterio.warp import transform_geom
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from local.earth_engine.geotiff import open_geotiff
from shared.aois.feature import RegisteredAoi, outline_of
from shared.errors import UserInputError

_FEW_PIXELS_M2 = 10_000.0  # a hundred pixels of Dynamic World
_GEOD = Geod(ellps="WGS84")


def check_meeting(aois: Sequence[RegisteredAoi], scenes: Sequence[Path], say: Callable[[str], None]) -> None:
    """Say which areas no scene shows, how far away they lie, and which are tiny. Raises UserInputError where none is
    shown.
    """
    ground = shapely.union_all([_footprint(path) for path in scenes])
    missed = [(aoi, _away(aoi, ground)) for aoi in aois if not outline_of(aoi).intersects(ground)]
    if len(missed) == len(aois):
        more = f" (and {len(missed) - 1} more areas)" if len(missed) > 1 else ""
        raise UserInputError(f"no scene shows any area: {missed[0][1]}{more}")
    for _, away in missed:
        say(f"  {away}")
    for aoi in aois:
        if aoi.area_m2 < _FEW_PIXELS_M2:
            say(f"  {aoi.aoi_id}: {aoi.area_m2:,.0f} m² are fewer than a hundred pixels of 10 m; its shares are coarse")


def _footprint(path: Path) -> BaseGeometry:
    with open_geotiff(path) as dataset:
        outline = shapely.box(*dataset.bounds)
        outline = shapely.segmentize(outline, outline.length / 32)
        return shape(transform_geom(dataset.crs, "EPSG:4326", mapping(outline)))


def _away(aoi: RegisteredAoi, ground: BaseGeometry) -> str:
    outline = outline_of(aoi)
    here, there = nearest_points(outline, ground)
    distance_km = _GEOD.inv(here.x, here.y, there.x, there.y)[2] / 1000
    text = (
        f"{aoi.aoi_id} at {_place(outline)} lies {distance_km:,.0f} km from the nearest scene (scenes around "
        f"{_place(ground)})"
    )
    swapped = shapely.transform(outline, lambda positions: positions[:, ::-1])
    if swapped.intersects(ground):
        return f"{text}; are longitude and latitude swapped? Swapped it lies on the scenes"
    return f"{text}; are areas and scenes of the same place, and is each CRS right?"


def _place(geometry: BaseGeometry) -> str:
    centre = geometry.centroid
    return f"{abs(centre.y):.3f}°{'N' if centre.y >= 0 else 'S'} {abs(centre.x):.3f}°{'E' if centre.x >= 0 else 'W'}"
