"""What Earth Engine computes: masks, areas by size and tileScale, how many layers a request may have, composites."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product
from typing import Any

import ee

from local.probe.asking import Answer, ask
from local.probe.deployment import Deployment
from local.probe.images import PERMITTED
from local.probe.model import Check, Finding, Outcome
from shared.aois.aoi import Aoi
from shared.classes import CLASS_NAMES, LABEL_BAND
from shared.earth_engine import composites as settled
from shared.earth_engine.expressions import TILE_SCALES, expression, grid, picture, read_answer
from shared.errors import RetryLaterError, TileMemoryError
from shared.measurement.areas import Areas, disagreement, total
from shared.measurement.overpasses import PlannedOverpass, overpasses_over
from shared.measurement.pieces import Piece, pieces_of
from shared.settings import Settings

SIDES_M = {"1 ha": 100.0, "1 km²": 1_000.0, "50 km²": 7_071.0, "400 km²": 20_000.0}
_LAYERS = (10, 50, 200, 700)
COMPOSITE_SIDE_M = 7_071.0
# Stacks of so many overpasses stand in for overpasses where a place has too few of them.
_DEEPEST_STAND_IN = 5
_WHOLE = 10**12
_MOST_SECONDS = 300.0


def masks(deployment: Deployment) -> Iterator[Finding]:
    aoi = deployment.square(COMPOSITE_SIDE_M)
    pieces = pieces_on(aoi, [deployment.clear_overpass], with_probabilities=True)
    collection, layer = deployment.settings.collection, pieces[0].layer
    image = picture(collection, layer)
    differs = image.select(list(CLASS_NAMES)).mask().neq(image.select([LABEL_BAND]).mask())
    pixels = ask(
        differs.reduceRegion(
            reducer=ee.Reducer.sum(),
            geometry=ee.Geometry(aoi.geometry, None, False),
            crs=grid(collection, layer),
            maxPixels=1e9,
            tileScale=TILE_SCALES[0],
        )
    )
    answer, areas, fault = _measured(deployment.settings, aoi, pieces, TILE_SCALES[0])
    if pixels.error is not None or areas is None:
        yield Finding(Outcome.FAIL, pixels.refusal if pixels.error is not None else fault, seconds=answer.seconds)
        return
    unequal = sum(value or 0.0 for value in pixels.value.values())
    seen = f"{areas.coverage:.0%} of {aoi.area_m2 / 1e6:.1f} km² seen"
    if areas.valid_m2 == 0:
        yield Finding(Outcome.SKIPPED, f"{seen}: name a clearer place (--at)")
    elif unequal or fault:
        yield Finding(Outcome.FAIL, f"{seen}; masks differ in {unequal:.1f} band pixels; {fault or 'sums agree'}")
    else:
        yield Finding(Outcome.PASS, f"{seen}; masks are equal, classes and probabilities add up to it")


def areas(deployment: Deployment) -> Iterator[Finding]:
    budget = None
    for (size, side_m), tile_scale in product(SIDES_M.items(), (TILE_SCALES[0], 1)):
        aoi = deployment.square(side_m)
        pieces = pieces_on(aoi, [deployment.clear_overpass], with_probabilities=True)
        part = f"{size}, tileScale {tile_scale}"
        answer, found, fault = _measured(deployment.settings, aoi, pieces, tile_scale)
        if found is None:
            livable = tile_scale == 1  # which the pipeline never asks for
            if isinstance(answer.error, TileMemoryError) and not livable:
                _, larger, why = _measured(deployment.settings, aoi, pieces, TILE_SCALES[-1])
                livable = larger is not None and not why
                fault += f"; tileScale {TILE_SCALES[-1]}: {why or 'measured'}"
            yield Finding(Outcome.NOTE if livable else Outcome.FAIL, fault, part, answer.seconds)
            continue
        off = (found.aoi_m2 / aoi.area_m2 - 1) * 1e6
        text = f"{found.aoi_m2:,.0f} m², {off:+.0f} ppm of the register; {found.coverage:.0%} seen"
        measures = {"computing": answer.seconds} if tile_scale == TILE_SCALES[0] and size == "1 ha" else {}
        outcome = Outcome.FAIL if fault else Outcome.PASS
        text += f"; {fault}" if fault else ""
        yield Finding(outcome, text, part, answer.seconds, answer.eecu_seconds, measures)
        if tile_scale == TILE_SCALES[0]:
            used = sum(piece.part.pixels for piece in pieces)
            budget = _at_the_budget(answer, used, deployment.settings.pixel_budget, "pixel")
    if budget is not None:
        yield budget


def layers(deployment: Deployment) -> Iterator[Finding]:
    settings = deployment.settings
    aoi = deployment.square(SIDES_M["1 ha"])
    wanted = sorted({*_LAYERS, settings.layer_budget})
    stacks = [
        piece
        for stack in islice(_stacks(overpasses_over(aoi, deployment.images)), wanted[-1])
        for piece in pieces_on(aoi, stack, with_probabilities=len(stack) == 1)
    ]
    answered = asked = 0
    for count in wanted:
        part = f"{count} layers"
        if count > len(stacks):
            yield Finding(Outcome.SKIPPED, f"only {len(stacks)} can be made of the images here", part)
            continue
        # others than before, which the service may remember
        chosen = (stacks * 2)[asked : asked + count]
        asked += count
        answer = ask(expression(settings.collection, chosen, TILE_SCALES[0]), profiled=True)
        if answer.error is not None:
            fits = count > settings.layer_budget
            text = f"refused, {answered} were answered: {answer.refusal}"
            measures = {"layers_answered": float(answered), "layers_refused": float(count)}
            yield Finding(Outcome.NOTE if fits else Outcome.FAIL, text, part, answer.seconds, measures=measures)
            return
        answered = count
        measures = {"layers_answered": float(answered)}
        if count == settings.layer_budget:
            measures["computing_request"] = answer.seconds
        yield Finding(Outcome.PASS, "answered", part, answer.seconds, answer.eecu_seconds, measures)


def composites(deployment: Deployment) -> Iterator[Finding]:
    aoi = deployment.square(COMPOSITE_SIDE_M)
    here = overpasses_over(aoi, deployment.images)
    for part, digits in (("month", 6), ("year", 4)):
        prefix, overpasses = fullest(here, digits)
        earlier = [o for o in here if part == "month" and o.overpass_id[:digits] < prefix]
        pieces = pieces_on(aoi, overpasses, with_probabilities=part == "year", earlier=earlier)
        answer, found, fault = _composed(deployment.settings, aoi, pieces)
        text = f"{prefix}: {len(overpasses)} overpasses, {len(earlier)} before, {aoi.area_m2 / 1e6:.0f} km²"
        if found is None or fault:
            yield Finding(Outcome.FAIL, f"{text}; {fault}", part, answer.seconds)
            continue
        measures = {f"composite_{part}": answer.seconds}
        yield Finding(Outcome.PASS, text, part, answer.seconds, answer.eecu_seconds, measures)
        if part == "month":
            used = sum(piece.part.pixels for piece in pieces) * (len(overpasses) + len(earlier))
            yield _at_the_budget(answer, used, deployment.settings.label_pixel_budget, "label_pixel")


def fullest(overpasses: Sequence[PlannedOverpass], digits: int) -> tuple[str, list[PlannedOverpass]]:
    """The newest of the periods, by so many digits of their date, that have the most overpasses."""
    periods: dict[str, list[PlannedOverpass]] = defaultdict(list)
    for overpass in overpasses:
        periods[overpass.overpass_id[:digits]].append(overpass)
    return max(periods.items(), key=lambda period: (len(period[1]), period[0]))


def _at_the_budget(answer: Answer, used: int, budget: int, name: str) -> Finding:
    """How long a request of the budget's size would take at this rate: an upper bound, since much is not per pixel."""
    seconds = answer.seconds * budget / used
    text = f"at this rate {budget:,} pixels take at most {seconds:,.0f} s of {_MOST_SECONDS:.0f}"
    outcome = Outcome.PASS if seconds <= _MOST_SECONDS else Outcome.NOTE
    return Finding(outcome, text, f"{name} budget", measures={f"{name}_budget": seconds})


def pieces_on(
    aoi: Aoi,
    overpasses: Sequence[PlannedOverpass],
    with_probabilities: bool,
    earlier: Sequence[PlannedOverpass] = (),
) -> list[Piece]:
    """The pieces of a place on the layer of these overpasses, not cut by size."""
    key = "+".join(overpass.overpass_id for overpass in overpasses)
    return pieces_of(key, aoi, overpasses, with_probabilities, _WHOLE, earlier)


def _stacks(overpasses: Sequence[PlannedOverpass]) -> Iterator[tuple[PlannedOverpass, ...]]:
    """Overpasses one by one, newest first, and then stacks of them, none twice."""
    for depth in range(1, _DEEPEST_STAND_IN + 1):
        yield from product(overpasses[::-1], repeat=depth)


def _measured(
    settings: Settings, aoi: Aoi, pieces: Sequence[Piece], tile_scale: int
) -> tuple[Answer, Areas | None, str]:
    """The answer to one request, its areas, and what is wrong with them."""
    return _read(ask(expression(settings.collection, pieces, tile_scale), profiled=True), aoi, pieces, read_answer)


def _composed(settings: Settings, aoi: Aoi, pieces: Sequence[Piece]) -> tuple[Answer, Areas | None, str]:
    """The same of a composite, with smaller tiles where memory does not do, as the pipeline asks."""
    for tile_scale in TILE_SCALES:
        answer = ask(settled.expression(settings.collection, pieces, tile_scale), profiled=True)
        if not isinstance(answer.error, TileMemoryError):
            break
    return _read(answer, aoi, pieces, settled.read_answer)


def _read(
    answer: Answer,
    aoi: Aoi,
    pieces: Sequence[Piece],
    read: Callable[[dict[str, Any], Sequence[Piece]], dict[str, Areas]],
) -> tuple[Answer, Areas | None, str]:
    if answer.error is not None:
        return answer, None, answer.refusal
    try:
        found = total(read(answer.value, pieces).values())
    except RetryLaterError as error:
        return answer, None, str(error)
    return answer, found, disagreement(found, aoi) or ""


CHECKS = (
    Check(
        "earth-engine/masks",
        "Whether labels and probabilities are masked alike, and both add up to the ground that was seen.",
        "Label and probability areas speak of different ground, or a band is not what it is taken for.",
        "Do not use the probability columns, and report the image.",
        masks,
        needs=PERMITTED,
    ),
    Check(
        "earth-engine/areas",
        "Areas of 1 ha, 1, 50 and 400 km² against the register, at tileScale 1 and 4.",
        "An area cannot be measured or is not what was registered; rows that disagree are never written.",
        "Lower LANDCOVER_PIXEL_BUDGET where it is memory or time, and report an area that disagrees.",
        areas,
        needs=PERMITTED,
    ),
    Check(
        "earth-engine/layers",
        "Where between 10 and 700 layers (reduceRegions) of one area a request is refused.",
        "The layer budget is larger than what Earth Engine takes, so every full request is refused and cut first.",
        "Set LANDCOVER_LAYER_BUDGET to the number that was answered.",
        layers,
        needs=PERMITTED,
    ),
    Check(
        "earth-engine/composites",
        "Whether composites of a month and of a year over 50 km² are computed, and how long they take.",
        "Composites are refused or disagree with the register, so months and years stay without composite shares.",
        "Lower LANDCOVER_LABEL_PIXEL_BUDGET where it is memory or time, and report an area that disagrees.",
        composites,
        needs=PERMITTED,
    ),
)
