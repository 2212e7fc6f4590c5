"""Samples and the warehouse: which AOI is sampled, and keeping what the sample says."""

import json
from datetime import UTC, datetime
from typing import Any

from local.accuracy.areas import Result
from local.accuracy.design import Design
from local.accuracy.estimates import Estimate
from local.accuracy.interpreted import Reference
from shared.aois.aoi import Aoi
from shared.classes import CLASSES
from shared.errors import UserInputError
from shared.version import __version__
from shared.warehouse.client import Warehouse


def registered(warehouse: Warehouse, aoi_id: str) -> Aoi:
    """An AOI in its current version. Raises UserInputError when it is not registered."""
    for row in warehouse.query("aois_by_id", aoi_ids=[aoi_id]):
        return Aoi(row["aoi_id"], row["aoi_version"], row["area_m2"], json.loads(row["geometry"]))
    raise UserInputError(f"AOI {aoi_id!r} is not registered in this warehouse")


def known_accuracies(warehouse: Warehouse, aoi: Aoi) -> dict[str, float]:
    """User's accuracies by class that an earlier sample of the AOI showed."""
    rows = warehouse.query("known_accuracies", aoi_id=aoi.aoi_id, aoi_version=aoi.aoi_version)
    return {row["class_name"]: row["users_accuracy"] for row in rows}


def check_current(warehouse: Warehouse, design: Design) -> None:
    """Raises UserInputError when the sample is of another version of the AOI than the current one."""
    now = registered(warehouse, design.aoi_id)
    if now.aoi_version != design.aoi_version:
        raise UserInputError(
            f"the sample is of version {design.aoi_version} of AOI {design.aoi_id!r}, which is at version "
            f"{now.aoi_version} now: draw another"
        )


def keep(warehouse: Warehouse, design: Design, references: list[Reference], result: Result) -> None:
    """Append the points and the estimates. Raises as ``Warehouse.append``."""
    made = {"code_version": __version__, "estimated_at": datetime.now(UTC).isoformat()}
    key = {
        "sample_id": design.sample_id,
        "aoi_id": design.aoi_id,
        "aoi_version": design.aoi_version,
        "strata": design.strata_kind,
        "from_year": design.from_year,
        "year": design.year,
    }
    strata = {s.code: s for s in design.strata}
    points = [
        {
            **key,
            "point_id": point.point_id,
            "longitude_deg": point.lon,
            "latitude_deg": point.lat,
            "stratum": point.stratum,
            "stratum_name": strata[point.stratum].name,
            "weight_m2": strata[point.stratum].weight_m2,
            "map_class_id": point.map_class_id,
            "map_from_class_id": point.map_from_class_id,
            "reference_class_id": seen.class_id,
            "reference_from_class_id": seen.from_class_id,
            "changed_on": seen.changed_on,
            "interpreter": seen.interpreter,
            "remark": seen.remark,
            **made,
        }
        for point, seen in zip(design.points, references, strict=True)
    ]
    warehouse.append("reference_points", points)
    warehouse.append("area_estimates", [{**key, **row, **made} for row in _estimates(design, result)])


def _estimates(design: Design, result: Result) -> list[dict[str, Any]]:
    area = design.aoi_area_m2
    return [
        {
            "quantity": row.quantity,
            "class_id": row.class_id,
            "class_name": None if row.class_id is None else CLASSES[row.class_id].name,
            "from_class_id": row.from_class_id,
            "from_class_name": None if row.from_class_id is None else CLASSES[row.from_class_id].name,
            "points": len(design.points),
            "mapped_area_m2": row.mapped_share * area,
            "area_m2": row.share.value * area,
            "standard_error_m2": row.share.standard_error * area,
            "careful_standard_error_m2": None if row.careful is None else row.careful.standard_error * area,
            "missed_at_most_m2": _times(row.careful.missed_at_most if row.careful else None, area),
            "regression_area_m2": None if row.regression is None else row.regression.value * area,
            "regression_standard_error_m2": None if row.regression is None else row.regression.standard_error * area,
            **_accuracy("users", row.users),
            **_accuracy("producers", row.producers),
            **_accuracy("overall", result.overall),
        }
        for row in result.estimates
    ]


def _times(share: float | None, area_m2: float) -> float | None:
    return None if share is None else share * area_m2


def _accuracy(whose: str, found: Estimate | None) -> dict[str, float | None]:
    return {
        f"{whose}_accuracy": None if found is None else found.value,
        f"{whose}_standard_error": None if found is None else found.standard_error,
    }
