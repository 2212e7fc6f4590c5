"""What is computed for an AOI: its pieces, each on the images of its overpasses, in their order, in its own grid.

The rules that decide whether an area is right where images overlap live here: the newer lies on top, those of the
piece's own UTM zone above the others. Pure geometry, no client.
"""

from collections.abc import Sequence
from typing import NamedTuple

from shared.aois.aoi import Aoi, Part
from shared.imagery.images import SceneImage
from shared.measurement.overpasses import PlannedOverpass


class Layer(NamedTuple):
    """A picture to measure: for each overpass its image ids, bottom to top, and the image whose grid is used.

    One overpass is a mosaic; several are the per-pixel mode of their mosaics. ``earlier`` are the overpasses by which a
    composite settles its ties and gaps, oldest first.
    """

    overpasses: tuple[tuple[str, ...], ...]
    grid_image_id: str
    with_probabilities: bool
    earlier: tuple[tuple[str, ...], ...] = ()


class Piece(NamedTuple):
    """A part of an AOI to be measured on one layer; ``key`` names the measurement."""

    key: str
    layer: Layer
    part: Part


def pieces_of(
    key: str,
    aoi: Aoi,
    overpasses: Sequence[PlannedOverpass],
    with_probabilities: bool,
    most_pixels: int,
    earlier: Sequence[PlannedOverpass] = (),
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
    read = len(overpasses) + len(earlier)
    parts = aoi.parts(frozenset(image.crs for image in images), max(1, most_pixels // read))
    for number, part in enumerate(parts):
        if part.crs not in layers:
            layer = _layer(part.crs, overpasses, images, probable)
            layers[part.crs] = layer._replace(earlier=stacks_of(part.crs, earlier))
        pieces.append(Piece(f"{key}#{number}", layers[part.crs], part))
    return pieces


def _layer(
    crs: str, overpasses: Sequence[PlannedOverpass], images: Sequence[SceneImage], with_probabilities: bool
) -> Layer:
    return Layer(
        stacks_of(crs, overpasses), min(image.image_id for image in images if image.crs == crs), with_probabilities
    )


def stacks_of(crs: str, overpasses: Sequence[PlannedOverpass]) -> tuple[tuple[str, ...], ...]:
    """The image ids of each overpass, bottom to top, as they are mosaicked in a grid."""
    return tuple(
        tuple(
            image.image_id for image in sorted(overpass.images, key=lambda i: (i.crs == crs, i.version_us, i.image_id))
        )
        for overpass in overpasses
    )
