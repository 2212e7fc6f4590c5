"""The production expressions: class areas of many AOI pieces on many layers, in one request.

Every area is a sum of true pixel areas (``pixelArea``), edge pixels weighted by the share inside the AOI, in the
grid of the layer's own image. Bands are named by class, so no result is read by position.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
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


# The expression of some pieces: (collection, pieces, tileScale).
Expression = Callable[[str, Sequence[Piece], int], Any]


def measure_pieces(settings: Settings, pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece by its key, in one request. Raises as ``answer_to`` and ``read_answer`` do."""
    return read_answer(answer_to(settings, pieces, expression), pieces)


def answer_to(settings: Settings, pieces: Sequence[Piece], expression: Expression) -> dict[str, Any]:
    """What Earth Engine answers about pieces; asked a second time with smaller tiles where memory did not do.

    Raises TooBigError when the request has to be split, RetryLaterError and NeverError as the service answers.
    """
    *smaller, last = TILE_SCALES
    for tile_scale in smaller:
        try:
            return _answered(settings, pieces, expression, tile_scale)
        except TileMemoryError:
            continue
    return _answered(settings, pieces, expression, last)


def _answered(settings: Settings, pieces: Sequence[Piece], expression: Expression, tile_scale: int) -> dict[str, Any]:
    asked = expression(settings.collection, pieces, tile_scale)
    try:
        return dict(compute(asked, settings.earth_engine_patience_seconds))
    except TooManyAggregationsError as error:
        if len({piece.layer for piece in pieces}) == 1:
            raise RetryLaterError(f"{error} (one layer, so it is other requests that fill the quota)") from error
        raise


def read_answer(answer: dict[str, Any], pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece by its key, from what Earth Engine answered to ``expression``.

    Raises RetryLaterError when a piece or a part of its areas is missing.
    """
    with_probabilities = {piece.key: piece.layer.with_probabilities for piece in pieces}
    return {key: areas_from(found, with_probabilities[key]) for key, found in properties_by_key(answer, pieces).items()}


def properties_by_key(answer: dict[str, Any], pieces: Sequence[Piece]) -> dict[str, dict[str, Any]]:
    """What was answered of each piece, by its key. Raises RetryLaterError when a piece is missing."""
    found = {feature["properties"]["key"]: feature["properties"] for feature in answer["features"]}
    if missing := {piece.key for piece in pieces} - found.keys():
        raise RetryLaterError(f"Earth Engine left out {len(missing)} of {len(pieces)} areas, such as {min(missing)}")
    return found


def expression(collection: str, pieces: Sequence[Piece], tile_scale: int) -> Any:
    """One flat FeatureCollection: a feature without geometry for each piece, areas in m² as properties."""

    def sums(layer: Layer, group: Sequence[Piece]) -> Any:
        names = ["key", *summed_names(layer.with_probabilities)]
        bands = area_bands(collection, layer)
        return reduced(collection, layer, group, bands, ee.Reducer.sum(), tile_scale).select(names, None, False)

    return by_layer(pieces, sums)


def by_layer(pieces: Sequence[Piece], sums: Callable[[Layer, Sequence[Piece]], Any]) -> Any:
    """One FeatureCollection of what is computed for the pieces of each layer."""
    groups: dict[Layer, list[Piece]] = defaultdict(list)
    for piece in pieces:
        groups[piece.layer].append(piece)
    measured = [sums(layer, group) for layer, group in groups.items()]
    return measured[0] if len(measured) == 1 else ee.FeatureCollection(measured).flatten()


def reduced(collection: str, layer: Layer, pieces: Sequence[Piece], image: Any, reducer: Any, tile_scale: int) -> Any:
    """An image reduced over the pieces of a layer, in its grid, edge pixels weighted."""
    return image.reduceRegions(
        collection=Regions(pieces), reducer=reducer, crs=grid(collection, layer), tileScale=tile_scale
    )


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


def summed_names(with_probabilities: bool) -> list[str]:
    """The bands of ``area_bands``."""
    return ["aoi", "valid", *_LABEL_NAMES, *(_PROBABILITY_NAMES if with_probabilities else [])]


def areas_from(properties: dict[str, Any], with_probabilities: bool) -> Areas:
    """The sums of one piece. Raises RetryLaterError when the area of the AOI itself, which no cloud hides, is missing,
    or only some of the others are: a sum over nothing has no property, so over masked ground all are missing together.
    """
    names = [name for name in summed_names(with_probabilities) if name != "aoi"]
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
