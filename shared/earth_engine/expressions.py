"""The production expressions: class areas of many AOI pieces on many layers, in one request.

Every area is a sum of true pixel areas (``pixelArea``), edge pixels weighted by the share inside the AOI, in the
grid of the layer's own image. Bands are named by class, so no result is read by position.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import ee

from shared.classes import CLASS_NAMES, CLASSES, LABEL_BAND
from shared.earth_engine.client import compute
from shared.earth_engine.regions import Regions
from shared.errors import RetryLaterError, TileMemoryError, TooManyAggregationsError
from shared.measurement.areas import Areas
from shared.measurement.pieces import Layer, Piece
from shared.settings import Settings

_LABEL_NAMES = [f"label_{name}" for name in CLASS_NAMES]
_PROBABILITY_NAMES = [f"probability_{name}" for name in CLASS_NAMES]

# Twenty double bands of a whole default tile are twice what a tile may take; a sixteenth of it always fits, and costs
# little. The larger value is the service's largest.
TILE_SCALES = (4, 16)


def measure_pieces(settings: Settings, pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece by its key, in one request; a second one with smaller tiles where memory did not do.

    Raises TooBigError when the request has to be split, RetryLaterError and NeverError as the service answers.
    """
    *smaller, last = TILE_SCALES
    for tile_scale in smaller:
        try:
            return _measured(settings, pieces, tile_scale)
        except TileMemoryError:
            continue
    return _measured(settings, pieces, last)


def _measured(settings: Settings, pieces: Sequence[Piece], tile_scale: int) -> dict[str, Areas]:
    try:
        answer = compute(expression(settings.collection, pieces, tile_scale), settings.earth_engine_patience_seconds)
    except TooManyAggregationsError as error:
        if len({piece.layer for piece in pieces}) == 1:
            raise RetryLaterError(f"{error} (one layer, so it is other requests that fill the quota)") from error
        raise
    return read_answer(answer, pieces)


def read_answer(answer: dict[str, Any], pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece by its key, from what Earth Engine answered to ``expression``.

    Raises RetryLaterError when a piece or a part of its areas is missing.
    """
    with_probabilities = {piece.key: piece.layer.with_probabilities for piece in pieces}
    found = {feature["properties"]["key"]: feature["properties"] for feature in answer["features"]}
    if missing := with_probabilities.keys() - found.keys():
        raise RetryLaterError(f"Earth Engine left out {len(missing)} of {len(pieces)} areas, such as {min(missing)}")
    return {key: _areas(properties, with_probabilities[key]) for key, properties in found.items()}


def expression(collection: str, pieces: Sequence[Piece], tile_scale: int) -> Any:
    """One flat FeatureCollection: a feature without geometry for each piece, areas in m² as properties."""
    by_layer: dict[Layer, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_layer[piece.layer].append(piece)
    measured = []
    for layer, group in by_layer.items():
        names = ["key", "aoi", "valid", *_LABEL_NAMES]
        names += _PROBABILITY_NAMES if layer.with_probabilities else []
        sums = area_bands(collection, layer).reduceRegions(
            collection=Regions(group),
            reducer=ee.Reducer.sum(),
            crs=grid(collection, layer),
            tileScale=tile_scale,
        )
        measured.append(sums.select(names, None, False))
    return measured[0] if len(measured) == 1 else ee.FeatureCollection(measured).flatten()


def grid(collection: str, layer: Layer) -> Any:
    """The projection, with its transform, that a layer is measured in."""
    return ee.Image(f"{collection}/{layer.grid_image_id}").select(LABEL_BAND).projection()


def picture(collection: str, layer: Layer) -> Any:
    """The layer as an image: one overpass is the mosaic of its images, several are the mode of their labels."""
    mosaics = [
        ee.ImageCollection([ee.Image(f"{collection}/{image_id}") for image_id in stack]).mosaic()
        for stack in layer.overpasses
    ]
    if len(mosaics) == 1:
        return mosaics[0]
    return ee.ImageCollection([mosaic.select(LABEL_BAND) for mosaic in mosaics]).mode()


def area_bands(collection: str, layer: Layer) -> Any:
    """An image whose bands, summed over a region, are areas in m²: aoi, valid, label_*, and probability_*."""
    image = picture(collection, layer)
    label = image.select([LABEL_BAND])
    shares = label.gte(0).rename(["valid"])
    one_hot = label.eq(ee.Image.constant([c.class_id for c in CLASSES])).rename(_LABEL_NAMES)
    shares = shares.addBands(one_hot)
    if layer.with_probabilities:
        shares = shares.addBands(image.select(list(CLASS_NAMES), _PROBABILITY_NAMES))
    pixel_area = ee.Image.pixelArea()
    return shares.multiply(pixel_area).addBands(pixel_area.rename(["aoi"]))


def _areas(properties: dict[str, Any], with_probabilities: bool) -> Areas:
    """The sums of one piece. Raises RetryLaterError when the area of the AOI itself, which no cloud hides, is missing,
    or only some of the others are: a sum over nothing has no property, so over masked ground all are missing together.
    """
    names = ["valid", *_LABEL_NAMES, *(_PROBABILITY_NAMES if with_probabilities else [])]
    present = [name for name in names if properties.get(name) is not None]
    if properties.get("aoi") is None or len(present) not in {0, len(names)}:
        raise RetryLaterError(f"Earth Engine left out areas of {properties.get('key')}: it answered {properties}")

    def summed(name: str) -> float:
        return float(properties[name]) if present else 0.0

    return Areas(
        aoi_m2=float(properties["aoi"]),
        valid_m2=summed("valid"),
        label_m2={c.class_id: summed(f"label_{c.name}") for c in CLASSES},
        probability_m2={c.class_id: summed(f"probability_{c.name}") for c in CLASSES} if with_probabilities else None,
    )
