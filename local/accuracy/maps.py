"""The map that a sample is drawn from: an AOI's annual composite and its mean probabilities, pixel by pixel.

Computed by Earth Engine in the grid of the AOI's own scenes, a part for each UTM zone; a pixel belongs to the AOI when
its centre lies in it.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple

import ee
import numpy as np
from affine import Affine
from pyproj import Transformer
from rasterio.features import geometry_mask
from shapely import segmentize
from shapely import transform as transform_shape
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from shared.aois.aoi import Aoi
from shared.classes import CLASS_NAMES, LABEL_BAND
from shared.earth_engine.client import compute, compute_pixels, connect
from shared.earth_engine.expressions import grid, picture
from shared.earth_engine.listing import list_images
from shared.errors import UserInputError
from shared.geometry.cells import region_around
from shared.measurement.overpasses import overpasses_over
from shared.measurement.pieces import Layer, Piece, pieces_of
from shared.settings import Settings

NOT_SEEN = -1

# What one answer holds (developers.google.com/earth-engine/apidocs/ee-data-computepixels), at eight bytes a value.
_MOST_BYTES = 48 * 2**20
_VALUE_BYTES = 8
_ASKED_AT_ONCE = 4
# An AOI is cut by UTM zone alone: its size does not matter to a request for a block.
_WHOLE = 10**12


class Part(NamedTuple):
    """A part of an AOI in one grid. ``labels`` are class values, NOT_SEEN where no view of the year shows the ground;
    ``probabilities`` are the year's means, nine bands (9, rows, columns), or None; ``areas_m2`` true areas of pixels.
    """

    crs: str
    transform: Affine
    inside: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray | None
    areas_m2: np.ndarray


class YearMap(NamedTuple):
    """The annual composite of an AOI, and the images it is made of with their versions (µs)."""

    year: int
    parts: list[Part]
    image_ids: list[str]
    image_versions: list[int]

    @property
    def digest(self) -> str:
        """SHA-256 of what the composite is: its images, their versions and its pixels."""
        found = hashlib.sha256(repr((self.year, self.image_ids, self.image_versions)).encode())
        for part in self.parts:
            found.update(repr((part.crs, tuple(part.transform), part.labels.shape)).encode())
            found.update(np.where(part.inside, part.labels, NOT_SEEN).astype(np.int8).tobytes())
        return found.hexdigest()


def year_map(aoi: Aoi, year: int, settings: Settings, like: YearMap | None = None) -> YearMap:
    """The composite of a year; in the grids of another year's where one is given, so that pixels are the same ground.

    Raises UserInputError when no scene of the year shows the AOI, RetryLaterError as the service answers.
    """
    connect(settings, "accuracy")
    listed = list_images(
        settings, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC), region_around([aoi.outline])
    )
    overpasses = overpasses_over(aoi, listed)
    if not overpasses:
        raise UserInputError(f"no Dynamic World image of {year} shows AOI {aoi.aoi_id!r}")
    images = sorted({(i.image_id, i.version_us) for overpass in overpasses for i in overpass.images})
    pieces = pieces_of("map", aoi, overpasses, True, _WHOLE)
    if like is None:
        parts = [_empty(piece, settings) for piece in pieces]
    else:
        parts = [part._replace(labels=np.full_like(part.labels, NOT_SEEN)) for part in like.parts]
    read = [_read(part, _layer_for(part, pieces), settings) for part in parts]
    return YearMap(year, read, [image_id for image_id, _ in images], [version for _, version in images])


def _layer_for(part: Part, pieces: Sequence[Piece]) -> Layer:
    """The layer in the part's own grid, or else any: another zone's scenes show the same ground."""
    return next((piece.layer for piece in pieces if piece.part.crs == part.crs), pieces[0].layer)


def _empty(piece: Piece, settings: Settings) -> Part:
    """The grid over one part of an AOI, which of its pixels lie inside, and nothing read yet."""
    projection = compute(grid(settings.collection, piece.layer), settings.earth_engine_patience_seconds)
    native = Affine(*projection["transform"])
    outline = _projected(shape(piece.part.geometry), piece.part.crs)
    west, south, east, north = outline.bounds
    corners = [~native @ corner for corner in ((west, south), (west, north), (east, south), (east, north))]
    columns, rows = [c for c, _ in corners], [r for _, r in corners]
    first_column, first_row = math.floor(min(columns)), math.floor(min(rows))
    size = (math.ceil(max(rows)) - first_row, math.ceil(max(columns)) - first_column)
    transform = native @ Affine.translation(first_column, first_row)
    inside = geometry_mask([mapping(outline)], size, transform, invert=True)
    return Part(piece.part.crs, transform, inside, np.full(size, NOT_SEEN, np.int8), None, np.zeros(size))


def _projected(outline: BaseGeometry, crs: str) -> BaseGeometry:
    to_crs = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    return transform_shape(segmentize(outline, 0.001), lambda xy: np.column_stack(to_crs.transform(xy[:, 0], xy[:, 1])))


def _read(part: Part, layer: Layer, settings: Settings) -> Part:
    shifted = picture(settings.collection, layer).select([LABEL_BAND]).add(1)
    image = shifted.addBands(ee.Image.pixelArea().rename(["area"]))
    if layer.with_probabilities:
        image = image.addBands(_mean_probabilities(settings.collection, layer))
    bands = 2 + len(CLASS_NAMES) * layer.with_probabilities
    labels, areas = part.labels.copy(), np.zeros(part.labels.shape)
    means = np.zeros((len(CLASS_NAMES), *labels.shape), np.float32) if layer.with_probabilities else None

    def ask(block: tuple[slice, slice]) -> Any:
        rows, columns = block
        origin = part.transform @ Affine.translation(columns.start, rows.start)
        request = {
            "expression": image,
            "fileFormat": "NUMPY_NDARRAY",
            "grid": {
                "dimensions": {"width": columns.stop - columns.start, "height": rows.stop - rows.start},
                "affineTransform": {
                    "scaleX": origin.a, "shearX": origin.b, "translateX": origin.c,
                    "shearY": origin.d, "scaleY": origin.e, "translateY": origin.f,
                },
                "crsCode": part.crs,
            },
        }  # fmt: skip
        return compute_pixels(request, settings.earth_engine_patience_seconds)

    blocks = [block for block in _blocks(labels.shape, bands) if part.inside[block].any()]
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        for block, pixels in zip(blocks, pool.map(ask, blocks), strict=True):
            # masked pixels come back as 0, so classes are shifted by one
            labels[block] = pixels[LABEL_BAND].astype(np.int8) - 1
            areas[block] = pixels["area"]
            if means is not None:
                means[:, *block] = [pixels[name] for name in CLASS_NAMES]
    return part._replace(labels=labels, areas_m2=areas, probabilities=means)


def _mean_probabilities(collection: str, layer: Layer) -> Any:
    mosaics = [
        ee.ImageCollection([ee.Image(f"{collection}/{image_id}") for image_id in stack]).mosaic()
        for stack in layer.overpasses
    ]
    return ee.ImageCollection([mosaic.select(list(CLASS_NAMES)) for mosaic in mosaics]).mean()


def _blocks(size: tuple[int, ...], bands: int) -> Iterator[tuple[slice, slice]]:
    side = math.isqrt(_MOST_BYTES // (_VALUE_BYTES * bands))
    height, width = size
    for row in range(0, height, side):
        for column in range(0, width, side):
            yield slice(row, min(row + side, height)), slice(column, min(column + side, width))
