"""Measured areas and the warehouse rows they become. An observation always has all nine classes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce
from typing import Any, NamedTuple

from shared.classes import CLASSES
from shared.scenes import SceneImage, sensing_time
from shared.version import __version__


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


class Provenance(NamedTuple):
    """What a measurement was made from: images used (sorted), how many were listed, versions, and when."""

    image_ids: tuple[str, ...]
    listed_image_count: int
    algorithm_versions: tuple[str, ...]
    qa_versions: tuple[str, ...]
    processed_at: datetime


def provenance(used: Sequence[SceneImage], listed_count: int, processed_at: datetime) -> Provenance:
    """Provenance of a measurement made from these images."""
    return Provenance(
        tuple(sorted(image.image_id for image in used)),
        listed_count,
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


def observation_row(
    aoi_id: str, aoi_version: int, overpass_id: str, areas: Areas, provenance: Provenance
) -> dict[str, Any]:
    """One row of ``observations``."""
    acquired_at = sensing_time(overpass_id)
    return {
        "aoi_id": aoi_id,
        "aoi_version": aoi_version,
        "overpass_id": overpass_id,
        "acquired_at": acquired_at.isoformat(),
        "acquired_date": acquired_at.date().isoformat(),
        "valid_area_m2": areas.valid_m2,
        "aoi_area_m2": areas.aoi_m2,
        "coverage": areas.coverage,
        "classes": class_records(areas),
        **_provenance_columns(provenance),
    }


def composite_row(
    aoi_id: str,
    aoi_version: int,
    period: str,
    period_start: str,
    areas: Areas,
    provenance: Provenance,
    overpass_count: int,
) -> dict[str, Any]:
    """One row of ``composites``: the areas of a per-pixel mode over a month or a year."""
    return {
        "aoi_id": aoi_id,
        "aoi_version": aoi_version,
        "period": period,
        "period_start": period_start,
        "overpass_count": overpass_count,
        "valid_area_m2": areas.valid_m2,
        "aoi_area_m2": areas.aoi_m2,
        "coverage": areas.coverage,
        "classes": class_records(areas),
        **_provenance_columns(provenance),
    }


def _provenance_columns(provenance: Provenance) -> dict[str, Any]:
    return {
        "image_ids": list(provenance.image_ids),
        "listed_image_count": provenance.listed_image_count,
        "algorithm_versions": list(provenance.algorithm_versions),
        "qa_versions": list(provenance.qa_versions),
        "code_version": __version__,
        "processed_at": provenance.processed_at.isoformat(),
    }
