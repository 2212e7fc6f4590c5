"""A registered area, and the parts of it that are measured in one grid."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from shared.geometry.cutting import cut_to_pixels, pixels_of
from shared.geometry.grids import partition


class Part(NamedTuple):
    """A part of an AOI that is measured in one grid. ``geometry`` is GeoJSON in WGS84."""

    crs: str
    geometry: dict[str, Any]
    pixels: int
    payload_bytes: int


@dataclass(frozen=True)
class Aoi:
    """A registered area as the warehouse holds it. ``geometry`` is normalised GeoJSON in WGS84."""

    aoi_id: str
    aoi_version: int
    area_m2: float
    geometry: dict[str, Any]
    _parts: dict[tuple[frozenset[str], int], tuple[Part, ...]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def outline(self) -> BaseGeometry:
        """The geometry as a shape."""
        return shape(self.geometry)

    @cached_property
    def payload_bytes(self) -> int:
        """How much the geometry adds to a request."""
        return len(json.dumps(self.geometry))

    def parts(self, crs_codes: frozenset[str], most_pixels: int) -> tuple[Part, ...]:
        """The AOI cut by grid and then until no part has more pixels; the same cuts, and objects, for each layer."""
        key = (crs_codes, most_pixels)
        if key not in self._parts:
            self._parts[key] = tuple(self._cut(crs_codes, most_pixels))
        return self._parts[key]

    def _cut(self, crs_codes: frozenset[str], most_pixels: int) -> Iterable[Part]:
        for crs, geometry in sorted(partition(self.outline, crs_codes).items()):
            for cut in cut_to_pixels(geometry, most_pixels):
                whole = cut is self.outline
                as_geojson = self.geometry if whole else mapping(cut)
                yield Part(crs, as_geojson, pixels_of(cut), len(json.dumps(as_geojson)))
