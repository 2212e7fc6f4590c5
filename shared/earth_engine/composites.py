"""The expression of composites: areas of the modes of months and years, and of the same with ties and gaps settled.

Nothing is stored as an image, so all that a composite is settled by is in the same request. A month's pixel takes the
commonest label of its views; of equals the one that the month and the twelve before it saw most. A pixel that the month
did not see takes its last label of those twelve. A year's takes the class of the largest mean probability. In
``benchmarks/shares.py`` this errs and leans least of the rules that labels allow, and the last label is as good as the
month's before.
"""

from collections.abc import Sequence
from typing import Any

import ee

from shared.classes import CLASS_NAMES, CLASSES, LABEL_BAND
from shared.earth_engine.annual import annual_label, likeliest, mosaics
from shared.earth_engine.expressions import (
    answer_to,
    area_bands,
    areas_from,
    by_layer,
    properties_by_key,
    reduced,
    summed_names,
)
from shared.errors import RetryLaterError
from shared.measurement.areas import Areas, Settled
from shared.measurement.pieces import Layer, Piece
from shared.settings import Settings

_SETTLED_NAMES = [f"settled_{name}" for name in CLASS_NAMES]
_MEAN_NAMES = [f"mean_{name}" for name in CLASS_NAMES]
_FILLED = "filled"


def measure_composites(settings: Settings, pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece by its key, in one request: of the mode, and of the settled composite.

    Raises TooBigError when the request has to be split, RetryLaterError and NeverError as the service answers, the
    first also when a piece or a part of its areas is missing.
    """
    return read_answer(answer_to(settings, pieces, expression), pieces)


def read_answer(answer: dict[str, Any], pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece by its key, from what Earth Engine answered to ``expression``.

    Raises RetryLaterError when a piece or a part of its areas is missing.
    """
    layers = {piece.key: piece.layer for piece in pieces}
    return {key: _areas(found, layers[key]) for key, found in properties_by_key(answer, pieces).items()}


def expression(collection: str, pieces: Sequence[Piece], tile_scale: int) -> Any:
    """One flat FeatureCollection: a feature without geometry for each piece, areas in m² as properties."""

    def sums(layer: Layer, group: Sequence[Piece]) -> Any:
        names = ["key", *summed_names(with_probabilities=False), *_names(layer)]
        bands = area_bands(collection, layer._replace(with_probabilities=False))
        bands = bands.addBands(_settled_bands(collection, layer).multiply(ee.Image.pixelArea()))
        return reduced(collection, layer, group, bands, ee.Reducer.sum(), tile_scale).select(names, None, False)

    return by_layer(pieces, sums)


def _names(layer: Layer) -> list[str]:
    return _SETTLED_NAMES if layer.with_probabilities else [*_SETTLED_NAMES, *_MEAN_NAMES, _FILLED]


def _settled_bands(collection: str, layer: Layer) -> Any:
    """Shares of each pixel: of the settled classes, and for labels of the mean classes and of what was filled."""
    if layer.with_probabilities:
        return _one_hot(annual_label(collection, layer.overpasses, with_probabilities=True), _SETTLED_NAMES)
    own = all_votes = month = _votes(mosaics(collection, layer.overpasses, [LABEL_BAND]))
    if layer.earlier:
        before = mosaics(collection, layer.earlier, [LABEL_BAND])
        all_votes = _votes(mosaics(collection, [*layer.earlier, *layer.overpasses], [LABEL_BAND]))
        # the votes of the month lie above the last label before it
        last = _one_hot(before.mosaic(), _SETTLED_NAMES)
        own = ee.ImageCollection([last.toByte(), month.toByte()]).mosaic()
    count = ee.Reducer.sum()
    settled = likeliest(own.add(all_votes.divide(all_votes.reduce(count).add(1))))
    filled = _known(settled).subtract(_known(month.select([0]))).rename([_FILLED])
    mean = own.divide(own.reduce(count)).rename(_MEAN_NAMES)
    return _one_hot(settled, _SETTLED_NAMES).addBands(mean).addBands(filled)


def _known(band: Any) -> Any:
    return band.gte(0).unmask(0, False)


def _votes(labels: Any) -> Any:
    """How many views saw each class, nine bands; masked where none saw the pixel."""
    return labels.map(lambda label: _one_hot(ee.Image(label), _SETTLED_NAMES)).sum()


def _one_hot(label: Any, names: list[str]) -> Any:
    return label.eq(ee.Image.constant([c.class_id for c in CLASSES])).rename(names)


def _areas(properties: dict[str, Any], layer: Layer) -> Areas:
    """The sums of one piece. Raises RetryLaterError when some of the settled areas are missing, but not all: a sum over
    nothing has no property, and ground that is neither seen nor filled is nothing.
    """
    areas = areas_from(properties, with_probabilities=False)
    by_class = [*_SETTLED_NAMES, *([] if layer.with_probabilities else _MEAN_NAMES)]
    present = [name for name in by_class if properties.get(name) is not None]
    filled = 0.0 if layer.with_probabilities else properties.get(_FILLED)
    if len(present) not in {0, len(by_class)} or filled is None:
        raise RetryLaterError(f"Earth Engine left out areas of {properties.get('key')}: it answered {properties}")

    def summed(kind: str) -> dict[int, float]:
        return {c.class_id: float(properties[f"{kind}_{c.name}"]) if present else 0.0 for c in CLASSES}

    mean = None if layer.with_probabilities else summed("mean")
    return areas._replace(settled=Settled(summed("settled"), float(filled), mean))
