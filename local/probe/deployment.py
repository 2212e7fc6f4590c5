"""What is probed, and the place on Earth that it is tried on."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shapely import box, union_all

from shared.aois.aoi import Aoi
from shared.aois.geometry import ellipsoidal_area_m2, to_geojson
from shared.earth_engine.listing import list_images, list_scenes
from shared.errors import CollectionMissingError, UserInputError
from shared.geometry.cells import region_around
from shared.imagery.footprints import footprint_shape
from shared.imagery.images import SceneImage
from shared.imagery.names import sensing_time
from shared.imagery.scenes import Scene
from shared.measurement.overpasses import PlannedOverpass, overpasses_over
from shared.settings import DYNAMIC_WORLD_START, Settings
from shared.warehouse.client import Warehouse

if TYPE_CHECKING:
    from local.stack import Stack

# The Nile delta: little cloud, fields, water and towns, far from the edge of a UTM zone.
DEFAULT_POINT = (31.0, 30.8)
_METRES_PER_DEGREE = 111_195.0
_LARGEST_SIDE_M = 20_000.0
_YEAR = timedelta(days=365)


def point_of(text: str) -> tuple[float, float]:
    """Longitude and latitude from ``31.0,30.8``. Raises UserInputError."""
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError:
        raise UserInputError(f"expected longitude,latitude such as 31.0,30.8, found {text!r}") from None
    if abs(longitude) > 179 or abs(latitude) > 80:
        raise UserInputError(f"expected a longitude within ±179° and a latitude within ±80°, found {text!r}")
    return longitude, latitude


@dataclass(frozen=True)
class Deployment:
    """A deployment, or an embedded ``stack`` that stands for one.

    ``at`` is the longitude and latitude that is tried; without it the middle of the first registered area, or else
    ``DEFAULT_POINT``. Checks that need the ``webhook_url`` or the ``hint_url`` are skipped
    without it.
    """

    warehouse: Warehouse
    stack: "Stack | None" = None
    webhook_url: str | None = None
    at: tuple[float, float] | None = None
    hint_url: str | None = None

    @property
    def settings(self) -> Settings:
        return self.warehouse.settings

    @property
    def embedded(self) -> bool:
        return self.stack is not None

    @cached_property
    def point(self) -> tuple[float, float]:
        """Longitude and latitude of the place."""
        if self.at is not None:
            return self.at
        rows = self.warehouse.query("first_aoi")
        return (rows[0]["longitude_deg"], rows[0]["latitude_deg"]) if rows else DEFAULT_POINT

    def square(self, side_m: float) -> Aoi:
        """A square area around the place, never registered."""
        longitude, latitude = self.point
        half_y = side_m / 2 / _METRES_PER_DEGREE
        half_x = half_y / math.cos(math.radians(latitude))
        outline = box(longitude - half_x, latitude - half_y, longitude + half_x, latitude + half_y)
        return Aoi(f"probe-{side_m:.0f}-m", 1, ellipsoidal_area_m2(outline), to_geojson(outline))

    @cached_property
    def images(self) -> list[SceneImage]:
        """All Dynamic World images over the place, oldest first. Raises UserInputError where there is none."""
        start = datetime.combine(DYNAMIC_WORLD_START, time.min, UTC)
        found = list_images(self.settings, start, datetime.now(UTC) + timedelta(days=1), self.region)
        if not found:
            longitude, latitude = self.point
            raise UserInputError(f"no image at {longitude:.3f}, {latitude:.3f}: name a place that has some (--at)")
        return found

    @cached_property
    def overpasses(self) -> list[PlannedOverpass]:
        """The overpasses of the place, oldest first."""
        return overpasses_over(self.square(_LARGEST_SIDE_M), self.images)

    @property
    def last_year(self) -> tuple[datetime, datetime]:
        """The year that ends with the newest image."""
        end = sensing_time(self.images[-1].overpass_id) + timedelta(days=1)
        return end - _YEAR, end

    @cached_property
    def recent_images(self) -> list[SceneImage]:
        """The images of the last year."""
        start, _ = self.last_year
        return [image for image in self.images if sensing_time(image.overpass_id) >= start]

    @cached_property
    def recent_scenes(self) -> list[Scene] | None:
        """The Sentinel-2 scenes of the last year; None where their collection cannot be read."""
        try:
            return list_scenes(self.settings, *self.last_year, self.region)
        except CollectionMissingError:
            return None

    @cached_property
    def clear_overpass(self) -> PlannedOverpass:
        """Of the last year's overpasses that saw a square kilometre here whole, the one with the least cloud, or the
        newest where cloud is not known.
        """
        clouds = {scene.scene_id: scene.cloud_percent for scene in self.recent_scenes or []}
        middle = self.square(1_000).outline
        start, _ = self.last_year
        recent = [o for o in self.overpasses if sensing_time(o.overpass_id) >= start]
        whole = [o for o in recent if union_all([footprint_shape(i.footprint) for i in o.images]).covers(middle)]

        def cloud(overpass: PlannedOverpass) -> float:
            known = [clouds[i.image_id] for i in overpass.images if clouds.get(i.image_id) is not None]
            return max((percent for percent in known if percent is not None), default=100.0)

        return min(reversed(whole or recent), key=cloud)

    @property
    def region(self) -> dict[str, Any]:
        """What images are listed over, GeoJSON."""
        return region_around([self.square(_LARGEST_SIDE_M).outline])
