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
from shared.errors import TooBigError
from shared.observations import Areas, total
from shared.planning import Layer, Piece, halves

_LABEL_NAMES = [f"label_{name}" for name in CLASS_NAMES]
_PROBABILITY_NAMES = [f"probability_{name}" for name in CLASS_NAMES]


def measure_pieces(collection: str, pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece by its key. A request that is too big is halved until its parts fit, and a single piece
    that is too big is cut in tiles whose sums equal the whole.

    Raises RetryLaterError and NeverError as the service answers.
    """
    if not pieces:
        return {}
    try:
        features = compute(_expression(collection, pieces))["features"]
    except TooBigError:
        if len(pieces) == 1:
            parts = measure_pieces(collection, halves(pieces[0]))
            return {pieces[0].key: total(parts.values())}
        middle = len(pieces) // 2
        return {
            **measure_pieces(collection, pieces[:middle]),
            **measure_pieces(collection, pieces[middle:]),
        }
    with_probabilities = {piece.key: piece.layer.with_probabilities for piece in pieces}
    return {
        feature["properties"]["key"]: _areas(feature["properties"], with_probabilities[feature["properties"]["key"]])
        for feature in features
    }


def _expression(collection: str, pieces: Sequence[Piece]) -> Any:
    """One flat FeatureCollection: a feature without geometry for each piece, areas in m² as properties."""
    by_layer: dict[Layer, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_layer[piece.layer].append(piece)
    measured = []
    for layer, group in by_layer.items():
        names = ["key", "aoi", "valid", *_LABEL_NAMES]
        names += _PROBABILITY_NAMES if layer.with_probabilities else []
        sums = area_bands(collection, layer).reduceRegions(
            collection=Regions(group), reducer=ee.Reducer.sum(), crs=grid(collection, layer)
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
    def summed(name: str) -> float:
        return float(properties.get(name) or 0.0)

    return Areas(
        aoi_m2=summed("aoi"),
        valid_m2=summed("valid"),
        label_m2={c.class_id: summed(f"label_{c.name}") for c in CLASSES},
        probability_m2={c.class_id: summed(f"probability_{c.name}") for c in CLASSES} if with_probabilities else None,
    )
