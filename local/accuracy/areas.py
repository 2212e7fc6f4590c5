"""From an interpreted sample to areas: what is estimated of a design, and how it is told."""

from typing import NamedTuple

import numpy as np

from local.accuracy.design import Design
from local.accuracy.estimates import (
    Careful,
    Estimate,
    Sample,
    by_regression,
    careful,
    error_matrix,
    mean,
    ratio,
)
from local.accuracy.interpreted import Reference
from shared.classes import CLASSES

_COUNT = len(CLASSES)


class AreaEstimate(NamedTuple):
    """Estimated share of the AOI of a class, of one class that became another, or (class None) of all change."""

    quantity: str
    class_id: int | None
    from_class_id: int | None
    mapped_share: float
    share: Estimate
    careful: Careful | None
    regression: Estimate | None
    users: Estimate | None
    producers: Estimate | None


class Result(NamedTuple):
    """``matrix`` is the error matrix in shares of the area, for samples of classes; None for change."""

    estimates: list[AreaEstimate]
    matrix: np.ndarray | None
    overall: Estimate | None


def estimate(design: Design, references: list[Reference]) -> Result:
    """Everything that the sample says."""
    codes = [s.code for s in design.strata]
    sample = Sample(
        np.array([codes.index(p.stratum) for p in design.points]),
        np.array([s.area_m2 for s in design.strata]) / sum(s.area_m2 for s in design.strata),
        np.array([s.pixels for s in design.strata]),
    )
    return (
        _classes(design, sample, references) if design.strata_kind == "classes" else _change(design, sample, references)
    )


def _classes(design: Design, sample: Sample, references: list[Reference]) -> Result:
    mapped = np.array([-1 if p.map_class_id is None else p.map_class_id for p in design.points])
    reference = np.array([r.class_id for r in references])
    known = {m.class_id: m.area_m2 / design.aoi_area_m2 for m in design.mapped}
    probabilities = np.array([p.probabilities or (np.nan,) * _COUNT for p in design.points])
    found = []
    for c in range(_COUNT):
        truly, said = (reference == c).astype(float), (mapped == c).astype(float)
        helped = None
        if design.mean_probabilities is not None:
            helped = by_regression(sample, truly, probabilities, design.mean_probabilities, design.seen_share)
        found.append(
            AreaEstimate(
                "class", c, None, known.get(c, 0.0), mean(sample, truly), careful(sample, truly), helped,
                ratio(sample, truly * said, said), ratio(sample, truly * said, truly),
            )
        )  # fmt: skip
    overall = ratio(sample, (mapped == reference).astype(float), (mapped >= 0).astype(float))
    return Result(found, error_matrix(sample, mapped, reference, _COUNT), overall)


def _change(design: Design, sample: Sample, references: list[Reference]) -> Result:
    before = np.array([-1 if r.from_class_id is None else r.from_class_id for r in references])
    after = np.array([r.class_id for r in references])
    known = {(m.from_class_id, m.class_id): m.area_m2 / design.aoi_area_m2 for m in design.mapped}
    naive = sum(share for (old, new), share in known.items() if old != new)
    changed = (before != after).astype(float)
    found = [_of_change("change", None, None, naive, sample, changed)]
    seen = sorted({(old, new) for old, new in zip(before.tolist(), after.tolist(), strict=True) if old != new})
    for old, new in seen:
        indicator = ((before == old) & (after == new)).astype(float)
        found.append(_of_change("transition", new, old, known.get((old, new), 0.0), sample, indicator))
    return Result(found, None, None)


def _of_change(
    quantity: str, class_id: int | None, old: int | None, mapped: float, sample: Sample, indicator: np.ndarray
) -> AreaEstimate:
    share = mean(sample, indicator)
    return AreaEstimate(quantity, class_id, old, mapped, share, careful(sample, indicator), None, None, None)
