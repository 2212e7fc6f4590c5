"""The expression of transitions: areas by what became what on many AOI pieces, of many pairs of years, in one request.

A layer here has the overpasses of two years. Each becomes a picture, both become one band of codes, and pixel areas are
summed by code (developers.google.com/earth-engine/guides/reducers_grouping). Where one of the years has labels only,
both are compared by their modes. Patches are those of the whole picture: where a piece ends, or the AOI, cuts none of
them.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import ee

from shared.change.transitions import (
    LEAST_MOVES,
    LEAST_PATCH_M2,
    LEVELS,
    MOST_PATCH_PIXELS,
    UNSEEN_CODE,
    later_class,
)
from shared.classes import CLASSES
from shared.earth_engine.annual import Stacks, annual_label, likeliest, mean_probabilities
from shared.earth_engine.expressions import answer_to, by_layer, properties_by_key, reduced
from shared.errors import RetryLaterError
from shared.measurement.areas import Areas
from shared.measurement.pieces import Layer, Piece
from shared.settings import Settings

MOVED_BAND = "moved"
_CODE, _GROUPS, _SUM = "code", "groups", "sum"


def measure_transitions(settings: Settings, pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece by its key, in one request: seen in both years, and by what became what.

    Raises TooBigError when the request has to be split, RetryLaterError and NeverError as the service answers, the
    first also when a piece is missing or has no area.
    """
    return read_answer(answer_to(settings, pieces, expression), pieces)


def read_answer(answer: dict[str, Any], pieces: Sequence[Piece]) -> dict[str, Areas]:
    """Areas of each piece by its key, from what Earth Engine answered to ``expression``.

    Raises RetryLaterError when a piece is missing or has no area.
    """
    return {key: _areas(found) for key, found in properties_by_key(answer, pieces).items()}


def expression(collection: str, pieces: Sequence[Piece], tile_scale: int) -> Any:
    """One flat FeatureCollection: a feature without geometry for each piece, areas in m² by code as ``groups``."""

    def sums(layer: Layer, group: Sequence[Piece]) -> Any:
        image = coded_areas(collection, *years_of(layer), layer.with_probabilities)
        return summed_by_code(collection, layer, group, image, tile_scale)

    return by_layer(pieces, sums)


def summed_by_code(collection: str, layer: Layer, pieces: Sequence[Piece], image: Any, tile_scale: int) -> Any:
    """The areas of an image of ``coded_areas`` over the pieces of a layer, by code."""
    by_code = ee.Reducer.sum().group(groupField=1, groupName=_CODE)
    return reduced(collection, layer, pieces, image, by_code, tile_scale).select(["key", _GROUPS], None, False)


def coded_areas(collection: str, earlier: Stacks, later: Stacks, with_probabilities: bool) -> Any:
    """Bands ``area`` (m²) and ``code``: what a pixel was and became, and how many of LEAST_MOVES it passed in a patch
    that is large enough; UNSEEN_CODE where it was not seen in both years.
    """
    if with_probabilities:
        before, after = (mean_probabilities(collection, stacks) for stacks in (earlier, later))
        was, became = likeliest(before), likeliest(after)
        passed = _passed(before.toArray(), after.toArray(), was, became)
    else:
        was, became = (annual_label(collection, stacks, with_probabilities=False) for stacks in (earlier, later))
        passed = ee.Image.constant(0)
    coded = was.multiply(len(CLASSES)).add(became).multiply(LEVELS).add(passed)
    return ee.Image.pixelArea().addBands(coded.unmask(UNSEEN_CODE, False).toInt().rename([_CODE]))


def moved_pixels(collection: str, earlier: Stacks, later: Stacks) -> Any:
    """Band ``moved``: whether a pixel moved by the least of LEAST_MOVES between two sets of overpasses, whatever lies
    around it; 0 also where one of them did not see it.
    """
    before, after = (mean_probabilities(collection, stacks) for stacks in (earlier, later))
    moved = _moved(before.toArray(), after.toArray(), likeliest(before), likeliest(after))
    return moved.select([0]).unmask(0, False).toByte().rename([MOVED_BAND])


def years_of(layer: Layer) -> tuple[Stacks, Stacks]:
    """The overpasses of the earlier and of the later of the two years, by the year of sensing in the images' ids."""
    first = min(stack[0][:4] for stack in layer.overpasses)
    return (
        [stack for stack in layer.overpasses if stack[0][:4] == first],
        [stack for stack in layer.overpasses if stack[0][:4] != first],
    )


def _passed(before: Any, after: Any, was: Any, became: Any) -> Any:
    """How many of LEAST_MOVES each pixel passed: both classes moved by as much, in a patch of such pixels."""
    pixels = _moved(before, after, was, became).selfMask().connectedPixelCount(MOST_PATCH_PIXELS, False)
    large = pixels.multiply(ee.Image.pixelArea()).gte(LEAST_PATCH_M2).Or(pixels.gte(MOST_PATCH_PIXELS))
    counted = large.unmask(0, False)
    return reduce(lambda one, two: one.add(two), (counted.select([n]) for n in range(len(LEAST_MOVES))))


def _moved(before: Any, after: Any, was: Any, became: Any) -> Any:
    """A band for each of LEAST_MOVES: whether the class changed and both classes moved by as much."""
    fell = before.arrayGet(was).subtract(after.arrayGet(was))
    rose = after.arrayGet(became).subtract(before.arrayGet(became))
    return fell.min(rose).gte(ee.Image.constant(list(LEAST_MOVES))).And(was.neq(became))


def _areas(properties: dict[str, Any]) -> Areas:
    found = {int(group[_CODE]): float(group[_SUM]) for group in properties.get(_GROUPS) or []}
    if not found:
        raise RetryLaterError(f"Earth Engine left out areas of {properties.get('key')}: it answered {properties}")
    seen = {of: area for of, area in found.items() if of != UNSEEN_CODE}
    later = dict.fromkeys((c.class_id for c in CLASSES), 0.0)
    for of, area in seen.items():
        later[later_class(of)] += area
    return Areas(sum(found.values()), sum(seen.values()), later, None, seen)
