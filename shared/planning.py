"""What to compute for which AOI: images, their order, the grid and the pieces. Pure geometry, no client.

The rules that decide whether an area is right live here: one overpass is one mosaic, the newest product of a
scene wins, each piece of an AOI is measured in the grid of its own UTM zone.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import antimeridian
import numpy as np
from shapely import STRtree, bounds, box, get_parts, union_all
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from shared.errors import NeverError
from shared.grids import partition, polygonal
from shared.scenes import SUPERSEDED_OVERLAP, SceneImage, by_overpass

PIXEL_AREA_M2 = 100.0
_SMALLEST_HALF_DEG = 0.001
# A region of many boxes costs more to send and to compare than a few images too many, which are sorted out here.
_MOST_BOXES = 20
_CELL_DEG = 0.1
T = TypeVar("T")


@dataclass(frozen=True)
class Aoi:
    """A registered area as the warehouse holds it. ``geometry`` is normalised GeoJSON in WGS84."""

    aoi_id: str
    aoi_version: int
    area_m2: float
    geometry: dict[str, Any]

    @cached_property
    def outline(self) -> BaseGeometry:
        """The geometry as a shape."""
        return shape(self.geometry)

    @cached_property
    def payload_bytes(self) -> int:
        """How much the geometry adds to a request."""
        return len(json.dumps(self.geometry))


class Layer(NamedTuple):
    """A picture to measure: for each overpass its image ids, bottom to top, and the image whose grid is used.

    One overpass is a mosaic; several are the per-pixel mode of their mosaics.
    """

    overpasses: tuple[tuple[str, ...], ...]
    grid_image_id: str
    with_probabilities: bool


class Piece(NamedTuple):
    """A part of an AOI to be measured on one layer. ``geometry`` is GeoJSON; ``key`` names the measurement."""

    key: str
    layer: Layer
    geometry: dict[str, Any]


class PlannedOverpass(NamedTuple):
    """The images of one overpass over one AOI: those listed, and those that are used once superseded ones go."""

    overpass_id: str
    listed: tuple[SceneImage, ...]
    used: tuple[SceneImage, ...]


def footprint_shape(footprint: dict[str, Any]) -> BaseGeometry:
    """A footprint as a shape within ±180°, wherever the source drew it across the antimeridian."""
    geometry = shape(footprint)
    if geometry.geom_type in {"LinearRing", "LineString"}:
        geometry = shape({"type": "Polygon", "coordinates": [list(geometry.coords)]})
    west, _, east, _ = geometry.bounds
    if west < -180 or east > 180 or east - west > 180:
        geometry = shape(antimeridian.fix_geojson(mapping(geometry), fix_winding=True, great_circle=False))
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
                PlannedOverpass(overpass_id, tuple(group), tuple(without_superseded(group)))
                for overpass_id, group in by_overpass(listed[n] for n in key).items()
            ]
        planned[aoi.aoi_id] = plans[key]
    return planned


def without_superseded(images: Sequence[SceneImage]) -> list[SceneImage]:
    """Drop reprocessed scenes' older versions: same (sensing time, tile), footprint covered by a newer product.

    A tile cut in two granules keeps both, since neither covers the other.
    """
    kept: list[SceneImage] = []
    for image in sorted(images, key=lambda image: image.name.product_stamp, reverse=True):
        outline = footprint_shape(image.footprint)
        newer = [k for k in kept if k.name.tile == image.name.tile and k.overpass_id == image.overpass_id]
        if any(
            outline.intersection(footprint_shape(k.footprint)).area >= SUPERSEDED_OVERLAP * outline.area for k in newer
        ):
            continue
        kept.append(image)
    return sorted(kept, key=lambda image: image.image_id)


def pieces_of(key: str, aoi: Aoi, overpasses: Sequence[PlannedOverpass], with_probabilities: bool) -> list[Piece]:
    """Cut one AOI into the pieces to be measured on the layer that these overpasses make.

    Within a piece, images of its own grid lie on top, newer products above older ones, then by image id: the
    order does not depend on the order of arrival.
    """
    images = [image for overpass in overpasses for image in overpass.used]
    pieces = []
    for number, (crs, geometry) in enumerate(sorted(partition(aoi.outline, (i.crs for i in images)).items())):
        stacks = tuple(
            tuple(
                image.image_id
                for image in sorted(overpass.used, key=lambda i: (i.crs == crs, i.name.product_stamp, i.image_id))
            )
            for overpass in overpasses
        )
        grid_image = min(image.image_id for image in images if image.crs == crs)
        layer = Layer(stacks, grid_image, with_probabilities and all(i.has_probabilities for i in images))
        pieces.append(Piece(f"{key}#{number}", layer, aoi.geometry if geometry is aoi.outline else mapping(geometry)))
    return pieces


def pixels(area_m2: float) -> int:
    """How many 10 m pixels an area has, at least one."""
    return max(1, round(area_m2 / PIXEL_AREA_M2))


def region_of(aois: Sequence[Aoi]) -> dict[str, Any]:
    """A GeoJSON region that holds all the AOIs: the bounding boxes of their parts, of many the cells they lie in."""
    boxes = bounds(get_parts([aoi.outline for aoi in aois]))
    if len(boxes) > _MOST_BOXES:
        cells = np.column_stack([np.floor(boxes[:, :2] / _CELL_DEG), np.ceil(boxes[:, 2:] / _CELL_DEG)])
        boxes = np.clip(np.unique(cells, axis=0) * _CELL_DEG, [-180, -90, -180, -90], [180, 90, 180, 90])
    return mapping(union_all(box(*boxes.T)))  # type: ignore[no-any-return]


def halves(piece: Piece) -> list[Piece]:
    """A piece cut in two across its longer side; the areas of the two add up to those of the whole.

    Keys get a suffix. Raises NeverError when the piece is already smaller than some 100 m.
    """
    geometry = shape(piece.geometry)
    west, south, east, north = geometry.bounds
    if max(east - west, north - south) < _SMALLEST_HALF_DEG:
        raise NeverError(f"{piece.key}: too big for Earth Engine though it spans less than {_SMALLEST_HALF_DEG}°")
    if east - west >= north - south:
        middle = (west + east) / 2
        frames = [box(west, south, middle, north), box(middle, south, east, north)]
    else:
        middle = (south + north) / 2
        frames = [box(west, south, east, middle), box(west, middle, east, north)]
    cuts = [polygonal(geometry.intersection(frame)) for frame in frames]
    return [
        Piece(f"{piece.key}/{number}", piece.layer, mapping(cut)) for number, cut in enumerate(cuts) if not cut.is_empty
    ]


class Budget(NamedTuple):
    """Limits of one Earth Engine request."""

    pixels: int
    pairs: int
    payload_bytes: int


def chunked(items: Iterable[T], budget: Budget, cost: Callable[[T], Budget]) -> Iterator[list[T]]:
    """Split items, in order, into the longest runs whose summed cost stays within the budget.

    An item that exceeds the budget by itself gets a run of its own.
    """
    run: list[T] = []
    spent = Budget(0, 0, 0)
    for item in items:
        after = Budget(*(a + b for a, b in zip(spent, cost(item), strict=True)))
        if run and any(a > b for a, b in zip(after, budget, strict=True)):
            yield run
            run, after = [], cost(item)
        run.append(item)
        spent = after
    if run:
        yield run
