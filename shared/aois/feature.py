"""One AOI of a registration: what is read of a GeoJSON Feature, what of it is refused, and what is kept."""

import hashlib
import json
import unicodedata
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from shared.aois.geometry import Fault, crs_faults, ellipsoidal_area_m2, found, geometry_faults, normalise, to_geojson
from shared.messages.bodies import AoiId
from shared.settings import DYNAMIC_WORLD_START, Settings

_AOI_ID: TypeAdapter[str] = TypeAdapter(AoiId)
_MOST_TAGS = 50
# Cc and Cs are control characters and halves of surrogate pairs, Zl and Zp ends of lines.
_NOT_IN_TEXTS = {"Cc", "Cs", "Zl", "Zp"}
# What a spreadsheet takes for a formula; the wide ones as well where East Asian input is set.
_FORMULA_SIGNS = "=+-@＝＋－＠"


class RegisteredAoi(NamedTuple):
    """One AOI of a registration, normalised. ``geometry`` is GeoJSON text."""

    aoi_id: str
    label: str | None
    tags: list[str]
    geometry: str
    geometry_sha256: str
    area_m2: float
    bounds_deg: tuple[float, float, float, float]
    backfill_start: date


def outline_of(aoi: RegisteredAoi) -> BaseGeometry:
    """The geometry of a registered AOI as a shape in lon/lat."""
    return shape(json.loads(aoi.geometry))


class Draft(NamedTuple):
    """One AOI of a registration whose geometry holds, as it was sent."""

    pointer: str
    aoi_id: str
    label: str | None
    tags: list[str]
    geometry: dict[str, Any]
    backfill_start: date


def read_feature(feature: Any, pointer: str, settings: Settings, faults: list[Fault]) -> Draft | None:
    """What was sent for one AOI; None, and its faults added, where it does not hold. Nothing is cut or measured yet."""
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        faults.append(Fault(pointer, "expected a GeoJSON Feature"))
        return None
    before = len(faults)
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        faults.append(Fault(f"{pointer}/properties", "expected an object or null"))
        properties = {}
    faults.extend(crs_faults(feature, pointer))
    aoi_id = _aoi_id(feature, properties, pointer, faults)
    label = _text(properties, "label", pointer, faults) or _text(properties, "name", pointer, faults)
    tags = _tags(properties.get("tags", []), pointer, faults)
    start = _backfill_start(properties.get("backfill_start"), pointer, settings, faults)
    where = f"{pointer}/geometry"
    faults.extend(geometry_faults(feature.get("geometry"), where, settings.max_vertices, settings.max_extent_deg))
    if len(faults) > before:
        return None
    return Draft(pointer, aoi_id, label, tags, feature["geometry"], start)


def measured_aoi(draft: Draft, settings: Settings, faults: list[Fault]) -> RegisteredAoi | None:
    """The AOI with its geometry normalised and measured; None, and the fault added, where that is refused."""
    where = f"{draft.pointer}/geometry"
    try:
        geometry = normalise(draft.geometry)
    except ValueError as error:
        faults.append(Fault(where, str(error)))
        return None
    area_m2 = ellipsoidal_area_m2(geometry)
    if area_m2 > settings.max_area_km2 * 1e6:
        faults.append(Fault(where, f"{area_m2 / 1e6:.1f} km², the limit is {settings.max_area_km2:g} km²"))
        return None
    text = json.dumps(to_geojson(geometry), separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return RegisteredAoi(
        draft.aoi_id, draft.label, draft.tags, text, digest, area_m2, geometry.bounds, draft.backfill_start
    )


def _aoi_id(feature: dict[str, Any], properties: dict[str, Any], pointer: str, faults: list[Fault]) -> str:
    in_properties = "aoi_id" in properties
    value = properties["aoi_id"] if in_properties else feature.get("id")
    where = f"{pointer}/properties/aoi_id" if in_properties else f"{pointer}/id"
    return checked_id(value, where, faults)


def checked_id(value: Any, where: str, faults: list[Fault]) -> str:
    """An AOI id as it may be; empty, and the fault added, where it may not."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    try:
        return _AOI_ID.validate_python(text, strict=True)
    except ValidationError:
        faults.append(
            Fault(
                where,
                "expected an AOI id of 1 to 128 letters, digits, '.', '_' or '-', starting with a letter or digit; "
                f"found {found(value)}",
            )
        )
        return ""


def _text(properties: dict[str, Any], name: str, pointer: str, faults: list[Fault]) -> str | None:
    value = properties.get(name)
    if value is None:
        return None
    if reason := _unfit(value, most_characters=500):
        faults.append(Fault(f"{pointer}/properties/{name}", reason))
        return None
    return str(value)


def _tags(value: Any, pointer: str, faults: list[Fault]) -> list[str]:
    where = f"{pointer}/properties/tags"
    if not isinstance(value, list) or len(value) > _MOST_TAGS:
        faults.append(Fault(where, f"expected at most {_MOST_TAGS} short texts"))
        return []
    unfit = [(i, reason) for i, tag in enumerate(value) if (reason := _unfit(tag, most_characters=100))]
    faults.extend(Fault(f"{where}/{i}", reason) for i, reason in unfit)
    return [] if unfit else list(value)


def _unfit(text: Any, most_characters: int) -> str | None:
    """Why a text is not kept: tables, terminals and spreadsheets show it one day."""
    if not isinstance(text, str) or len(text) > most_characters:
        return f"expected a text of at most {most_characters} characters, found {found(text)}"
    if any(unicodedata.category(character) in _NOT_IN_TEXTS for character in text):
        return f"expected one line without control characters or surrogates, found {found(text)}"
    if text.lstrip()[:1] in tuple(_FORMULA_SIGNS):
        return f"a text that begins with {text.lstrip()[0]} is a formula to spreadsheets, found {found(text)}"
    return None


def _backfill_start(value: Any, pointer: str, settings: Settings, faults: list[Fault]) -> date:
    if value is None:
        return min(settings.backfill_start, datetime.now(UTC).date())
    where = f"{pointer}/properties/backfill_start"
    try:
        start = max(date.fromisoformat(value), DYNAMIC_WORLD_START)
    except (TypeError, ValueError):
        faults.append(Fault(where, f"expected a date like 2020-01-01, found {found(value)}"))
        return settings.backfill_start
    if start > datetime.now(UTC).date():
        faults.append(Fault(where, f"{start} is in the future"))
    return start
