"""What to compute for which AOI: images, their order, the grid and the pieces. Pure geometry, no client.

The rules that decide whether an area is right live here: one overpass is one mosaic, no image of it is dropped, the
newer lies on top, each piece of an AOI is measured in the grid of its own UTM zone.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from shapely import STRtree
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from shared.cutting import cut_to_pixels, pixels_of
from shared.dateline import cut_at_antimeridian
from shared.grids import partition
from shared.scenes import SceneImage, by_overpass


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


class Layer(NamedTuple):
    """A picture to measure: for each overpass its image ids, bottom to top, and the image whose grid is used.

    One overpass is a mosaic; several are the per-pixel mode of their mosaics.
    """

    overpasses: tuple[tuple[str, ...], ...]
    grid_image_id: str
    with_probabilities: bool


class Piece(NamedTuple):
    """A part of an AOI to be measured on one layer; ``key`` names the measurement."""

    key: str
    layer: Layer
    part: Part


class PlannedOverpass(NamedTuple):
    """The images of one overpass over one AOI, all of those that are listed."""

    overpass_id: str
    images: tuple[SceneImage, ...]


def footprint_shape(footprint: dict[str, Any]) -> BaseGeometry:
    """A footprint as a shape within ±180°, wherever the source drew it across the antimeridian.

    Raises ValueError where it cannot be cut there.
    """
    geometry = shape(footprint)
    if geometry.geom_type in {"LinearRing", "LineString"}:
        geometry = shape({"type": "Polygon", "coordinates": [list(geometry.coords)]})
    west, _, east, _ = geometry.bounds
    if west < -180 or east > 180 or east - west > 180:
        geometry = cut_at_antimeridian(mapping(geometry))
    return geometry


def overpasses_over(aoi: Aoi, images: Iterable[SceneImage]) -> list[PlannedOverpass]:
    """The overpasses that saw any of the AOI, each with its images, oldest first."""
    return overpasses_by_aoi([aoi], images)[aoi.aoi_id]


def overpasses_by_aoi(aois: Sequence[Aoi], images: Iterable[SceneImage]) -> dict[str, list[PlannedOverpass]]:
    """The overpasses that saw any of each AOI, by its id. AOIs under the same images share one plan of them."""
    listed = list(images)
    if not listed:
        return {aoi.aoi_id: [] for aoi in aois}
    seen, touched = STRtree([footprint_shape(image.footprint) for image in listed]).query(
        [aoi.outline for aoi in aois], predicate="intersects"
    )
    touching: list[list[int]] = [[] for _ in aois]
    for number, image_number in zip(seen.tolist(), touched.tolist(), strict=True):
        touching[number].append(image_number)
    plans: dict[tuple[int, ...], list[PlannedOverpass]] = {}
    planned = {}
    for aoi, numbers in zip(aois, touching, strict=True):
        key = tuple(sorted(numbers))
        if key not in plans:
            plans[key] = [
                PlannedOverpass(overpass_id, tuple(group))
                for overpass_id, group in by_overpass(listed[n] for n in key).items()
            ]
        planned[aoi.aoi_id] = plans[key]
    return planned


def pieces_of(
    key: str, aoi: Aoi, overpasses: Sequence[PlannedOverpass], with_probabilities: bool, most_pixels: int
) -> list[Piece]:
    """Cut one AOI into the pieces to be measured on the layer that these overpasses make.

    No piece has more than ``most_pixels`` pixels × overpasses, as far as cutting helps. Within a piece, images of its
    own grid lie on top, newer versions above older ones, then by image id: the order does not depend on the order of
    arrival.
    """
    images = [image for overpass in overpasses for image in overpass.images]
    probable = with_probabilities and all(image.has_probabilities for image in images)
    layers: dict[str, Layer] = {}
    pieces = []
    parts = aoi.parts(frozenset(image.crs for image in images), max(1, most_pixels // len(overpasses)))
    for number, part in enumerate(parts):
        if part.crs not in layers:
            layers[part.crs] = _layer(part.crs, overpasses, images, probable)
        pieces.append(Piece(f"{key}#{number}", layers[part.crs], part))
    return pieces


def _layer(
    crs: str, overpasses: Sequence[PlannedOverpass], images: Sequence[SceneImage], with_probabilities: bool
) -> Layer:
    stacks = tuple(
        tuple(
            image.image_id for image in sorted(overpass.images, key=lambda i: (i.crs == crs, i.version_us, i.image_id))
        )
        for overpass in overpasses
    )
    return Layer(stacks, min(image.image_id for image in images if image.crs == crs), with_probabilities)
