"""A drawn sample: strata, points and what they were drawn from, sealed by a hash that is its id.

``sample.json`` keeps it and stays with whoever draws; interpreters get the other files, which name no map class.
"""

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import UserInputError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stratum(_Frozen):
    """``code`` says nothing of ``name``; ``weight_m2`` is the area that each of its points stands for."""

    code: str
    name: str
    pixels: int
    area_m2: float
    points: int

    @property
    def weight_m2(self) -> float:
        return self.area_m2 / self.points


class Point(_Frozen):
    """The centre of a pixel. Map classes are None where the composite has none, one for the earlier of two years
    too; ``probabilities`` are the year's means.
    """

    point_id: int
    lon: float
    lat: float
    stratum: str
    map_class_id: int | None
    map_from_class_id: int | None = None
    probabilities: tuple[float, ...] | None = None


class Mapped(_Frozen):
    """Area of a class, or of a class that was another, in the map."""

    class_id: int
    from_class_id: int | None
    area_m2: float


class Design(_Frozen):
    """Everything that an estimate needs beside what the interpreter saw. Areas in m², of the AOI as registered."""

    aoi_id: str
    aoi_version: int
    aoi_area_m2: float
    strata_kind: Literal["classes", "change"]
    from_year: int | None
    year: int
    composites_sha256: tuple[str, ...]
    seed: int
    strata: tuple[Stratum, ...]
    points: tuple[Point, ...]
    mapped: tuple[Mapped, ...]
    seen_share: float
    mean_probabilities: tuple[float, ...] | None

    @property
    def period(self) -> str:
        """``2021``, or ``2020-2021``."""
        return str(self.year) if self.from_year is None else f"{self.from_year}-{self.year}"

    @property
    def sample_id(self) -> str:
        """The name of exactly this sample: part of the SHA-256 of all of it."""
        return f"sample-{hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]}"


def write_design(design: Design, path: Path) -> None:
    """Keep a sample as ``sample.json``."""
    document = {"sample_id": design.sample_id, **json.loads(design.model_dump_json())}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_design(path: Path) -> Design:
    """Raises UserInputError when there is none, or it is not what was drawn."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        sample_id = document.pop("sample_id")
        design = Design.model_validate_json(json.dumps(document))
    except OSError:
        raise UserInputError(f"{path}: expected the sample.json that accuracy sample left beside the points") from None
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
        raise UserInputError(f"{path}: not a sample.json of accuracy sample") from None
    if design.sample_id != sample_id:
        raise UserInputError(f"{path}: altered after it was drawn: it says {sample_id} and holds {design.sample_id}")
    return design
