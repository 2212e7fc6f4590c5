"""What became what between two years, and which of it is more than the flicker of a classifier.

Two maps of ground where nothing happens differ on a tenth of it and more, since a classifier errs otherwise each year.
So each pair of classes has two figures. *Mapped* is where the maps differ. *Supported* is that part of it in which the
mean probability of the old class fell and that of the new one rose by Δ or more, in connected patches of half a hectare
or more. Δ is found by each area's own quiet years (``report_transitions``), so all of ``LEAST_MOVES`` are kept.
"""

from collections.abc import Mapping
from typing import NamedTuple

from shared.classes import CLASSES

# Δ: by how much the mean probabilities of both classes must have moved.
LEAST_MOVES = (0.15, 0.2, 0.25, 0.3)
LEAST_PATCH_M2 = 5_000
# An area's Δ is the least whose patches between its two most alike consecutive years take less of it than this. The bar
# for unchanged ground itself: a third of it would allow no patch at all in 2.5 km², and find 74 to 79 % of a clearing
# in place of 80 to 85 (docs/change.md).
QUIET_SHARE = 0.003
# Larger patches count as large as this. Half a hectare has fewer of Dynamic World's pixels; where pixels are smaller
# than 78 m² so many will do.
MOST_PATCH_PIXELS = 64

# A pixel as one number: old class, new class, and how many of LEAST_MOVES it passed.
LEVELS = len(LEAST_MOVES) + 1
UNSEEN_CODE = len(CLASSES) ** 2 * LEVELS


class Transition(NamedTuple):
    """Ground that had one class in the earlier year and another, or the same, in the later one, m².

    ``supported_m2`` by Δ, in the order of LEAST_MOVES; None where scenes carry labels only.
    """

    from_class: int
    to_class: int
    mapped_m2: float
    supported_m2: tuple[float, ...] | None


def code(from_class: int, to_class: int, passed: int) -> int:
    """The number that stands for a pixel which passed so many of LEAST_MOVES."""
    return (from_class * len(CLASSES) + to_class) * LEVELS + passed


def later_class(of: int) -> int:
    """The class that a code has in the later year."""
    return of // LEVELS % len(CLASSES)


def transitions(coded_m2: Mapping[int, float], with_probabilities: bool) -> list[Transition]:
    """All pairs of classes, in their order, out of areas by code."""
    found = []
    for from_class, to_class in ((a.class_id, b.class_id) for a in CLASSES for b in CLASSES):
        by_passed = [coded_m2.get(code(from_class, to_class, passed), 0.0) for passed in range(LEVELS)]
        supported = tuple(sum(by_passed[least:]) for least in range(1, LEVELS)) if with_probabilities else None
        found.append(Transition(from_class, to_class, sum(by_passed), supported))
    return found
