"""Which overpasses saw an AOI: one overpass is one mosaic of all its images that touch the AOI, none is dropped."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shapely import STRtree

from shared.aois.aoi import Aoi
from shared.imagery.footprints import footprint_shape
from shared.imagery.images import SceneImage, by_overpass


class PlannedOverpass(NamedTuple):
    """The images of one overpass over one AOI, all of those that are listed."""

    overpass_id: str
    images: tuple[SceneImage, ...]


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
