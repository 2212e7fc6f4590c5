"""Measured areas and the warehouse rows they become. An observation always has all nine classes."""

import math
from collections.abc import Iterable
from datetime import date, datetime
from functools import reduce
from typing import Any, NamedTuple

from shared.classes import CLASSES
from shared.messages import Progress
from shared.planning import Aoi
from shared.scenes import SceneImage, month_number, sensing_time
from shared.version import __version__

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


class Areas(NamedTuple):
    """Areas in m² over one AOI. Probability areas are None when a scene carries labels only."""

    aoi_m2: float
    valid_m2: float
    label_m2: dict[int, float]
    probability_m2: dict[int, float] | None

    def plus(self, other: "Areas") -> "Areas":
        """The areas of two disjoint pieces of one AOI together."""
        probability = None
        if self.probability_m2 is not None and other.probability_m2 is not None:
            probability = {c: v + other.probability_m2[c] for c, v in self.probability_m2.items()}
        return Areas(
            self.aoi_m2 + other.aoi_m2,
            self.valid_m2 + other.valid_m2,
            {c: v + other.label_m2[c] for c, v in self.label_m2.items()},
            probability,
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
        probability_m2=None if areas.probability_m2 is None else [areas.probability_m2[c.class_id] for c in CLASSES],
    )


def areas_of(progress: Progress) -> Areas:
    """The areas that an earlier invocation measured."""
    probability = progress.probability_m2
    return Areas(
        progress.aoi_m2,
        progress.valid_m2,
        {c.class_id: progress.label_m2[c.class_id] for c in CLASSES},
        None if probability is None else {c.class_id: probability[c.class_id] for c in CLASSES},
    )


def disagreement(areas: Areas, aoi: Aoi) -> str | None:
    """Whether areas do not agree with each other, or not with the AOI as registered, and how; None when they do.

    The classes must add up to the ground seen, the probabilities too (they sum to 1 in each pixel), and the AOI must be
    as large as registered, within a percent and what 8-bit weights can do to its edge. Anything else is another band,
    grid or coding than expected, and no number to keep.
    """
    faults = []
    labels = math.fsum(areas.label_m2.values())
    if abs(labels - areas.valid_m2) > _SUM_TOLERANCE * aoi.area_m2:
        faults.append(f"the classes add up to {labels:.1f} m², the ground seen is {areas.valid_m2:.1f} m²")
    if areas.probability_m2 is not None:
        probable = math.fsum(areas.probability_m2.values())
        if abs(probable - areas.valid_m2) > _PROBABILITY_TOLERANCE * aoi.area_m2:
            faults.append(f"the probabilities add up to {probable:.1f} m² of {areas.valid_m2:.1f} m² seen")
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
    )


class Provenance(NamedTuple):
    """What a measurement was made from: images with their versions (by id), how many were listed, and when."""

    image_ids: tuple[str, ...]
    image_versions: tuple[int, ...]
    listed_image_count: int
    algorithm_versions: tuple[str, ...]
    qa_versions: tuple[str, ...]
    processed_at: datetime


def provenance(images: Iterable[SceneImage], processed_at: datetime) -> Provenance:
    """Provenance of a measurement made from these images."""
    used = sorted(images, key=lambda image: image.image_id)
    return Provenance(
        tuple(image.image_id for image in used),
        tuple(image.version_us for image in used),
        len(used),
        tuple(sorted({image.algorithm_version for image in used if image.algorithm_version})),
        tuple(sorted({image.qa_version for image in used if image.qa_version})),
        processed_at,
    )


def class_records(areas: Areas) -> list[dict[str, Any]]:
    """The repeated record ``classes`` of a row: nine entries, by class value."""
    return [
        {
            "class_id": c.class_id,
            "class_name": c.name,
            "label_area_m2": areas.label_m2[c.class_id],
            "probability_area_m2": None if areas.probability_m2 is None else areas.probability_m2[c.class_id],
        }
        for c in CLASSES
    ]


def observation_row(aoi: Aoi, overpass_id: str, measured: Areas, provenance: Provenance) -> dict[str, Any]:
    """One row of ``observations``, from the areas of one AOI as measured."""
    acquired_at = sensing_time(overpass_id)
    return {
        "overpass_id": overpass_id,
        "acquired_at": acquired_at.isoformat(),
        "acquired_date": acquired_at.date().isoformat(),
        "acquired_month": month_number(acquired_at),
        **_area_columns(aoi, measured),
        **_provenance_columns(provenance),
    }


def composite_row(
    aoi: Aoi, period: str, period_start: date, measured: Areas, provenance: Provenance, overpass_count: int
) -> dict[str, Any]:
    """One row of ``composites``: the areas of a per-pixel mode over a month or a year, as measured."""
    return {
        "period": period,
        "period_start": period_start.isoformat(),
        "period_month": month_number(period_start),
        "overpass_count": overpass_count,
        **_area_columns(aoi, measured),
        **_provenance_columns(provenance),
    }


def _area_columns(aoi: Aoi, measured: Areas) -> dict[str, Any]:
    areas = published(measured, aoi)
    return {
        "aoi_id": aoi.aoi_id,
        "aoi_version": aoi.aoi_version,
        "valid_area_m2": areas.valid_m2,
        "aoi_area_m2": areas.aoi_m2,
        "measured_aoi_area_m2": measured.aoi_m2,
        "coverage": areas.coverage,
        "classes": class_records(areas),
    }


def _provenance_columns(provenance: Provenance) -> dict[str, Any]:
    return {
        "image_ids": list(provenance.image_ids),
        "image_versions": list(provenance.image_versions),
        "listed_image_count": provenance.listed_image_count,
        "algorithm_versions": list(provenance.algorithm_versions),
        "qa_versions": list(provenance.qa_versions),
        "code_version": __version__,
        "processed_at": provenance.processed_at.isoformat(),
    }
