"""What is handed on, and what is given up, when Earth Engine says that a request was too big."""

from collections.abc import Sequence

import pytest
from shapely import box
from shapely.geometry import mapping

from shared.aois.aoi import Aoi
from shared.classes import CLASS_NAMES
from shared.errors import NeverError, TooBigError
from shared.imagery.images import SceneImage
from shared.measurement.areas import Areas
from shared.measurement.budgets import Budget
from shared.measurement.jobs import Batch, HandOn, Job, measure_jobs
from shared.measurement.overpasses import PlannedOverpass
from shared.measurement.pieces import Piece

BUDGET = Budget(50, 1_000, 20_000_000, 1_000_000)
OUTLINE = dict(mapping(box(125, 45, 126, 46)))
IMAGE = SceneImage(
    image_id="20210103T023111_20210103T023107_T51TYL",
    version_us=1,
    footprint=OUTLINE,
    crs="EPSG:32651",
    bands=CLASS_NAMES,
)
FIELD = Aoi("a", 1, 1e4, dict(mapping(box(125.2, 45.2, 125.2013, 45.2009))))


def refused(pieces: Sequence[Piece]) -> dict[str, Areas]:
    raise TooBigError("Earth Engine: User memory limit exceeded.")


def asked(divisor: int) -> list[Batch]:
    job = Job("a|20210103T023111", FIELD, [PlannedOverpass("20210103T023111", (IMAGE,))], with_probabilities=True)
    return list(measure_jobs([job], refused, BUDGET, divisor))


def test_a_field_that_is_too_big_is_asked_for_a_few_times_and_then_never_again() -> None:
    divisor, messages = 1, 0
    with pytest.raises(NeverError, match="too big for Earth Engine though it has"):
        while messages < 10:
            ((again,),) = (batch.handed_on for batch in asked(divisor))
            assert again.divisor > divisor
            divisor, messages = again.divisor, messages + 1
    assert 8 <= messages < 12


def test_pieces_that_are_refused_now_and_then_are_each_measured_once() -> None:
    """Ten hectares and more in pieces of one, each of which Earth Engine has no room for twice: what was measured
    before is not asked for again, and no piece is given up for what others met.
    """
    field = Aoi("a", 1, 0.0, dict(mapping(box(125.2, 45.2, 125.204, 45.204))))
    job = Job("a|20210103T023111", field, [PlannedOverpass("20210103T023111", (IMAGE,))], with_probabilities=True)
    refusals: dict[str, int] = {}
    measured: list[str] = []

    def answer(pieces: Sequence[Piece]) -> dict[str, Areas]:
        (piece,) = pieces
        if refusals.setdefault(piece.key, 0) < 2:
            refusals[piece.key] += 1
            refused(pieces)
        measured.append(piece.key)
        return {piece.key: Areas(0.0, 0.0, dict.fromkeys(range(9), 0.0), None)}

    waiting = [HandOn([job], BUDGET.pixels // 100)]
    complete = 0
    while waiting:
        work = waiting.pop()
        for batch in measure_jobs(work.jobs, answer, BUDGET, work.divisor, work.progress):
            complete += len(batch.done)
            waiting += batch.handed_on
    assert complete == 1
    assert len(measured) == len(set(measured)) == len(refusals) > 10
