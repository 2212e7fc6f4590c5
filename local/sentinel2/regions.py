"""Where areas of interest lie on a scene."""

from collections.abc import Iterable

import numpy as np
import shapely
from pyproj import Transformer
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from local.sentinel2.scene import Scene

_EDGE_POINTS = 8
# Beyond this a tile cannot reach, and a UTM grid is not made to.
_AROUND_DEG = 0.1
# 0.001° is about 100 m: an edge of that length, straight in degrees, is straight in UTM within a millimetre.
_DENSIFY_DEG = 0.001


def region_on(scene: Scene, outlines: Iterable[BaseGeometry]) -> BaseGeometry:
    """What of some outlines (lon/lat, edges straight in degrees) lies on or near a scene, in the scene's CRS; may be
    empty. A scene across the antimeridian has parts of the world from both of its sides.
    """
    to_degrees = Transformer.from_crs(scene.crs, "EPSG:4326", always_xy=True)
    to_crs = Transformer.from_crs("EPSG:4326", scene.crs, always_xy=True)
    east, south = scene.west_m + scene.width * 10, scene.north_m - scene.height * 10
    corners = shapely.box(scene.west_m, south, east, scene.north_m)
    edge = shapely.get_coordinates(shapely.segmentize(corners, max(scene.width, scene.height) * 10 / _EDGE_POINTS))
    longitudes, latitudes = to_degrees.transform(edge[:, 0], edge[:, 1])
    central = int(scene.crs[-2:]) * 6 - 183  # the last digits of EPSG:326xx and 327xx are the zone
    longitudes = central + (np.asarray(longitudes) - central + 180) % 360 - 180
    frame = shapely.box(longitudes.min(), min(latitudes), longitudes.max(), max(latitudes)).buffer(_AROUND_DEG)
    near = [
        translate(outline, turn).intersection(frame)
        for outline in outlines
        for turn in (-360, 0, 360)
        if translate(outline, turn).intersects(frame)
    ]
    dense = shapely.segmentize(shapely.union_all(near), _DENSIFY_DEG)
    return shapely.transform(dense, lambda xy: np.column_stack(to_crs.transform(xy[:, 0], xy[:, 1])))
