"""What Earth Engine makes of two years: grouped sums over regions, arrays and patches, as transitions ask for them."""

from collections.abc import Iterator, Sequence
from typing import Any

from local.probe.asking import Answer, ask
from local.probe.computing import COMPOSITE_SIDE_M, fullest, pieces_on
from local.probe.deployment import Deployment
from local.probe.images import PERMITTED
from local.probe.model import Check, Finding, Outcome
from shared.earth_engine.expressions import TILE_SCALES, by_layer
from shared.earth_engine.transitions import coded_areas, read_answer, summed_by_code
from shared.errors import RetryLaterError, TileMemoryError
from shared.measurement.areas import disagreement, total
from shared.measurement.overpasses import overpasses_over
from shared.measurement.pieces import Layer, Piece


def transitions(deployment: Deployment) -> Iterator[Finding]:
    aoi = deployment.square(COMPOSITE_SIDE_M)
    here = overpasses_over(aoi, deployment.images)
    name, later = fullest(here, 4)
    others = [overpass for overpass in here if not overpass.overpass_id.startswith(name)]
    if others:
        other, earlier = fullest(others, 4)
        name = f"{other} and {name}"
    else:
        name, earlier, later = f"halves of {name}", later[: len(later) // 2], later[len(later) // 2 :]
    if not earlier:
        yield Finding(Outcome.SKIPPED, "there is one overpass: name a place that has more (--at)")
        return
    pieces = pieces_on(aoi, [*earlier, *later], with_probabilities=True)
    answer = _asked(deployment.settings.collection, pieces, len(earlier))
    text = f"{name}: {len(earlier)} and {len(later)} overpasses, {aoi.area_m2 / 1e6:.0f} km²"
    fault = answer.refusal if answer.error is not None else ""
    if not fault:
        try:
            found = total(read_answer(answer.value, pieces).values())
        except RetryLaterError as error:
            fault = str(error)
        else:
            text += f", {found.coverage:.0%} seen in both"
            fault = disagreement(found, aoi) or ""
    outcome = Outcome.FAIL if fault else Outcome.PASS
    yield Finding(outcome, f"{text}; {fault}" if fault else text, "", answer.seconds, answer.eecu_seconds)


def _asked(collection: str, pieces: Sequence[Piece], earlier: int) -> Answer:
    """The answer to one request whose layers have so many overpasses of the earlier year first; with smaller tiles
    where memory did not do.
    """

    def expression(tile_scale: int) -> Any:
        def sums(layer: Layer, group: Sequence[Piece]) -> Any:
            years = layer.overpasses[:earlier], layer.overpasses[earlier:]
            image = coded_areas(collection, *years, layer.with_probabilities)
            return summed_by_code(collection, layer, group, image, tile_scale)

        return by_layer(pieces, sums)

    answer = ask(expression(TILE_SCALES[0]), profiled=True)
    return ask(expression(TILE_SCALES[-1]), profiled=True) if isinstance(answer.error, TileMemoryError) else answer


CHECKS = (
    Check(
        "earth-engine/transitions",
        "Whether areas by what became what between two years, over 50 km², are summed by code in one request.",
        "Grouped sums over regions, or patches, are refused or wrong, so nothing tells what became what.",
        "Lower LANDCOVER_LABEL_PIXEL_BUDGET where it is memory or time, and report what is refused or disagrees.",
        transitions,
        needs=PERMITTED,
    ),
)
