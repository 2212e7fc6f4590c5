"""The warehouse rows that measured areas become. An observation always has all nine classes."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from shared.aois.aoi import Aoi
from shared.classes import CLASSES
from shared.imagery.images import SceneImage
from shared.imagery.names import month_number, sensing_time
from shared.measurement.areas import Areas, published
from shared.version import __version__


class Source(StrEnum):
    """Who classified the pixels of an observation. Rows from before there were two have none: Dynamic World."""

    DYNAMIC_WORLD = "dynamic_world"
    NETWORK = "network"


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


def observation_row(
    aoi: Aoi,
    overpass_id: str,
    measured: Areas,
    provenance: Provenance,
    source: Source = Source.DYNAMIC_WORLD,
) -> dict[str, Any]:
    """One row of ``observations``, from the areas of one AOI as measured."""
    acquired_at = sensing_time(overpass_id)
    return {
        "overpass_id": overpass_id,
        "acquired_at": acquired_at.isoformat(),
        "acquired_date": acquired_at.date().isoformat(),
        "acquired_month": month_number(acquired_at),
        "source": source,
        **_area_columns(aoi, measured),
        **provenance_columns(provenance),
    }


def composite_row(
    aoi: Aoi, period: str, period_start: date, measured: Areas, provenance: Provenance, overpass_count: int
) -> dict[str, Any]:
    """One row of ``composites``: the areas of a composite over a month or a year, as measured."""
    settled = None if measured.settled is None else published(measured, aoi).settled
    columns = _area_columns(aoi, measured)
    for record in columns["classes"]:
        c = record["class_id"]
        record["settled_area_m2"] = None if settled is None else settled.label_m2[c]
        # of a year the mean of months counts, whose views are not as many in each
        monthly = settled.mean_m2 if settled is not None and period == "month" else None
        record["mean_area_m2"] = None if monthly is None else monthly[c]
    return {
        "period": period,
        "period_start": period_start.isoformat(),
        "period_month": month_number(period_start),
        "overpass_count": overpass_count,
        "filled_area_m2": None if settled is None else settled.filled_m2,
        **columns,
        **provenance_columns(provenance),
    }


def pass_row(found: dict[str, Any], recorded_at: str) -> dict[str, Any]:
    """One row of ``passes``, from what a query found of a Sentinel-2 pass over one AOI."""
    acquired_at = sensing_time(found["overpass_id"])
    recorded = ("aoi_id", "aoi_version", "overpass_id", "scene_count", "least_cloud_percent")
    return {
        **{name: found[name] for name in recorded},
        "acquired_at": acquired_at.isoformat(),
        "acquired_date": acquired_at.date().isoformat(),
        "acquired_month": month_number(acquired_at),
        "recorded_at": recorded_at,
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


def provenance_columns(provenance: Provenance) -> dict[str, Any]:
    """The columns of a row that say what it was made from, by what software, and when."""
    return {
        "image_ids": list(provenance.image_ids),
        "image_versions": list(provenance.image_versions),
        "listed_image_count": provenance.listed_image_count,
        "algorithm_versions": list(provenance.algorithm_versions),
        "qa_versions": list(provenance.qa_versions),
        "code_version": __version__,
        "processed_at": provenance.processed_at.isoformat(),
    }
