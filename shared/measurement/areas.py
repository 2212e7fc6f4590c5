"""Measured areas: their sums, what travels of them between invocations, and whether they can be true."""

import math
from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

from shared.aois.aoi import Aoi
from shared.classes import CLASSES
from shared.messages.bodies import Progress

# Sums of the same weights in another order, in doubles.
_SUM_TOLERANCE = 1e-6
# Probabilities are stored with a few digits and sum to 1 within these.
_PROBABILITY_TOLERANCE = 0.01
_AREA_TOLERANCE = 0.01
# An edge pixel's weight is a multiple of 1/255, off by at most three quarters of it.
_EDGE_PIXEL_ERROR_M2 = 0.75 / 255 * 100
_PIXEL_SIDE_M = 10.0
_METRES_PER_DEGREE = 111_320.0
# A slanting line of a pixel's length meets up to the square root of two of them, and each end one more.
_PIXELS_CROSSED = 2.0
_CORNER_PIXELS = 8


class Settled(NamedTuple):
    """Areas in m² of a composite that decided its ties and filled its gaps: by class, and how much was filled.

    ``mean_m2``, of a month, are the classes by their share of each pixel's views.
    """

    label_m2: dict[int, float]
    filled_m2: float
    mean_m2: dict[int, float] | None

    def plus(self, other: "Settled") -> "Settled":
        """The areas of two disjoint pieces together."""
        return Settled(
            _added(self.label_m2, other.label_m2),
            self.filled_m2 + other.filled_m2,
            _added(self.mean_m2, other.mean_m2) if self.mean_m2 and other.mean_m2 else None,
        )

    def times(self, scale: float) -> "Settled":
        """The same of ground that is so many times as large."""
        mean = self.mean_m2
        return Settled(
            {c: v * scale for c, v in self.label_m2.items()},
            self.filled_m2 * scale,
            None if mean is None else {c: v * scale for c, v in mean.items()},
        )


def _added(one: dict[int, float], other: dict[int, float]) -> dict[int, float]:
    return {c: v + other[c] for c, v in one.items()}


class Areas(NamedTuple):
    """Areas in m² over one AOI. Probability areas are None when a scene carries labels only.

    Of a pair of years: ground seen in both, its classes in the later one, and ``transition_m2`` by what became what,
    in the codes of ``shared.change.transitions``.
    """

    aoi_m2: float
    valid_m2: float
    label_m2: dict[int, float]
    probability_m2: dict[int, float] | None
    transition_m2: dict[int, float] | None = None
    settled: Settled | None = None

    def plus(self, other: "Areas") -> "Areas":
        """The areas of two disjoint pieces of one AOI together."""
        probability = None
        if self.probability_m2 is not None and other.probability_m2 is not None:
            probability = _added(self.probability_m2, other.probability_m2)
        settled = self.settled.plus(other.settled) if self.settled and other.settled else None
        transition = None
        if self.transition_m2 is not None and other.transition_m2 is not None:
            one, two = self.transition_m2, other.transition_m2
            transition = {code: one.get(code, 0.0) + two.get(code, 0.0) for code in sorted(one.keys() | two.keys())}
        return Areas(
            self.aoi_m2 + other.aoi_m2,
            self.valid_m2 + other.valid_m2,
            _added(self.label_m2, other.label_m2),
            probability,
            transition,
            settled,
        )

    @property
    def coverage(self) -> float:
        """Share of the AOI with an unmasked label, 0..1. Rounding in sums may exceed 1 by parts in 10¹⁵."""
        return min(1.0, self.valid_m2 / self.aoi_m2) if self.aoi_m2 > 0 else 0.0


def total(parts: Iterable[Areas]) -> Areas:
    """The areas of disjoint pieces together. Raises TypeError when there is no piece."""
    return reduce(Areas.plus, parts)


def progress_of(fingerprint: str, pieces_done: int, areas: Areas) -> Progress:
    """The areas of the first pieces of an AOI as they travel to the next invocation."""
    return Progress(
        fingerprint=fingerprint,
        pieces_done=pieces_done,
        aoi_m2=areas.aoi_m2,
        valid_m2=areas.valid_m2,
        label_m2=[areas.label_m2[c.class_id] for c in CLASSES],
        probability_m2=_listed(areas.probability_m2),
        transition_m2=areas.transition_m2,
        settled_m2=_listed(areas.settled.label_m2 if areas.settled else None),
        filled_m2=areas.settled.filled_m2 if areas.settled else 0.0,
        mean_m2=_listed(areas.settled.mean_m2 if areas.settled else None),
    )


def _listed(by_class: dict[int, float] | None) -> list[float] | None:
    return None if by_class is None else [by_class[c.class_id] for c in CLASSES]


def _by_class(listed: list[float]) -> dict[int, float]:
    return {c.class_id: listed[c.class_id] for c in CLASSES}


def areas_of(progress: Progress) -> Areas:
    """The areas that an earlier invocation measured."""
    probability, settled, mean = progress.probability_m2, progress.settled_m2, progress.mean_m2
    return Areas(
        progress.aoi_m2,
        progress.valid_m2,
        _by_class(progress.label_m2),
        None if probability is None else _by_class(probability),
        progress.transition_m2,
        None
        if settled is None
        else Settled(_by_class(settled), progress.filled_m2, None if mean is None else _by_class(mean)),
    )


def disagreement(areas: Areas, aoi: Aoi) -> str | None:
    """Whether areas do not agree with each other, or not with the AOI as registered, and how; None when they do.

    The classes must add up to the ground seen, the probabilities too (they sum to 1 in each pixel), those of a settled
    composite to what was seen or filled, and the AOI must be as large as registered, within a percent and what 8-bit
    weights can do to its edge. Anything else is another band, grid or coding than expected, and no number to keep.
    """
    faults = []
    labels = math.fsum(areas.label_m2.values())
    if abs(labels - areas.valid_m2) > _SUM_TOLERANCE * aoi.area_m2:
        faults.append(f"the classes add up to {labels:.1f} m², the ground seen is {areas.valid_m2:.1f} m²")
    if areas.probability_m2 is not None:
        probable = math.fsum(areas.probability_m2.values())
        if abs(probable - areas.valid_m2) > _PROBABILITY_TOLERANCE * aoi.area_m2:
            faults.append(f"the probabilities add up to {probable:.1f} m² of {areas.valid_m2:.1f} m² seen")
    if areas.settled is not None:
        known = areas.valid_m2 + areas.settled.filled_m2
        for name, by_class in (("settled classes", areas.settled.label_m2), ("mean classes", areas.settled.mean_m2)):
            if by_class is not None and abs(math.fsum(by_class.values()) - known) > _SUM_TOLERANCE * aoi.area_m2:
                found = math.fsum(by_class.values())
                faults.append(f"the {name} add up to {found:.1f} m², seen or filled were {known:.1f} m²")
    edge_pixels = aoi.outline.length * _METRES_PER_DEGREE / _PIXEL_SIDE_M * _PIXELS_CROSSED + _CORNER_PIXELS
    tolerance_m2 = _AREA_TOLERANCE * aoi.area_m2 + edge_pixels * _EDGE_PIXEL_ERROR_M2
    if abs(areas.aoi_m2 - aoi.area_m2) > tolerance_m2:
        faults.append(f"the AOI measures {areas.aoi_m2:.1f} m², registered are {aoi.area_m2:.1f} m²")
    if areas.valid_m2 > areas.aoi_m2 * (1 + _SUM_TOLERANCE):
        faults.append(f"{areas.valid_m2:.1f} m² were seen of {areas.aoi_m2:.1f} m²")
    return "; ".join(faults) or None


def published(areas: Areas, aoi: Aoi) -> Areas:
    """Areas as share × registered ellipsoidal area: 8-bit edge weights then hardly matter, even to a small field."""
    if areas.aoi_m2 <= 0:
        return areas._replace(aoi_m2=aoi.area_m2)
    scale = aoi.area_m2 / areas.aoi_m2
    probability = areas.probability_m2
    return Areas(
        aoi.area_m2,
        min(aoi.area_m2, areas.valid_m2 * scale),
        {c: v * scale for c, v in areas.label_m2.items()},
        None if probability is None else {c: v * scale for c, v in probability.items()},
        None if areas.transition_m2 is None else {code: v * scale for code, v in areas.transition_m2.items()},
        None if areas.settled is None else areas.settled.times(scale),
    )
