"""Reading a webhook body: which AOIs are registered or deleted, and every fault of what was sent."""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from shared.aoi_geometry import Fault, crs_faults, ellipsoidal_area_m2, geometry_faults, normalise, to_geojson
from shared.messages import AoiId
from shared.settings import DYNAMIC_WORLD_START, Settings

_AOI_ID: TypeAdapter[str] = TypeAdapter(AoiId)
REGISTERED = "aoi.registered"
DELETED = "aoi.deleted"
_MOST_FAULTS = 100
_MOST_TAGS = 50
_CLOCK_TOLERANCE = timedelta(minutes=5)


class InvalidRegistrationError(Exception):
    """A body that was refused, with every fault found (at most 100)."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults: {faults[0].detail}")
        self.faults = faults[:_MOST_FAULTS]


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


class RegistrationEvent(NamedTuple):
    """A webhook event: AOIs to register (``registered``) or ids to delete (``deleted``), and when it happened."""

    event_type: str
    event_time: datetime
    registered: list[RegisteredAoi]
    deleted: list[str]


def parse_event(body: bytes, settings: Settings) -> RegistrationEvent:
    """Read a webhook body. Raises InvalidRegistrationError that lists each fault with its JSON pointer."""
    document = _load_json(body)
    if not isinstance(document, dict):
        raise InvalidRegistrationError([Fault("", "expected a JSON object")])
    faults: list[Fault] = []
    event_time = _event_time(document.get("timestamp"), faults)
    data = document.get("data")
    match document.get("type"):
        case "aoi.registered":
            registered = _features(data, settings, faults)
            event = RegistrationEvent(REGISTERED, event_time, registered, [])
        case "aoi.deleted":
            event = RegistrationEvent(DELETED, event_time, [], _deleted(data, settings, faults))
        case other:
            faults.append(Fault("/type", f"expected {REGISTERED} or {DELETED}, found {repr(other)[:60]}"))
            raise InvalidRegistrationError(faults)
    if faults:
        raise InvalidRegistrationError(faults)
    return event


def _load_json(body: bytes) -> Any:
    def refuse_constant(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError("an object has the same name twice")
        return dict(pairs)

    try:
        return json.loads(body.decode("utf-8"), parse_constant=refuse_constant, object_pairs_hook=unique)
    except RecursionError:
        raise InvalidRegistrationError([Fault("", "the document is nested too deeply")]) from None
    except ValueError as error:
        raise InvalidRegistrationError([Fault("", f"the body is not JSON in UTF-8: {str(error)[:200]}")]) from None


def _event_time(value: Any, faults: list[Fault]) -> datetime:
    """When the event happened, which the sender must say: by its attempt, a repeated call would outrank newer ones."""
    now = datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        faults.append(Fault("/timestamp", f"expected an ISO 8601 time, found {repr(value)[:60]}"))
        return now
    if moment > now + _CLOCK_TOLERANCE:
        # events are ordered by this time: one from the future would outrank everything until then
        faults.append(Fault("/timestamp", f"{moment.isoformat()} is in the future"))
    return moment


def _features(data: Any, settings: Settings, faults: list[Fault]) -> list[RegisteredAoi]:
    kind = data.get("type") if isinstance(data, dict) else None
    if kind == "Feature":
        features, where = [data], ["/data"]
    elif kind == "FeatureCollection":
        faults.extend(crs_faults(data, "/data"))
        features = data.get("features")
        if not isinstance(features, list) or not features:
            faults.append(Fault("/data/features", "expected at least one feature, found none"))
            return []
        if len(features) > settings.max_features:
            faults.append(Fault("/data/features", f"{len(features)} features, the limit is {settings.max_features}"))
            return []
        where = [f"/data/features/{i}" for i in range(len(features))]
    else:
        faults.append(Fault("/data/type", f"expected Feature or FeatureCollection, found {repr(kind)[:60]}"))
        return []
    seen: dict[str, str] = {}
    aois = []
    for feature, pointer in zip(features, where, strict=True):
        aoi = _feature(feature, pointer, settings, faults)
        if aoi is None:
            continue
        if aoi.aoi_id in seen:
            faults.append(Fault(f"{pointer}/id", f"the same AOI id as {seen[aoi.aoi_id]}"))
        seen[aoi.aoi_id] = pointer
        aois.append(aoi)
    return aois


def _feature(feature: Any, pointer: str, settings: Settings, faults: list[Fault]) -> RegisteredAoi | None:
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
    faults.extend(geometry_faults(feature.get("geometry"), f"{pointer}/geometry", settings.max_vertices))
    if len(faults) > before:
        return None
    try:
        geometry = normalise(feature["geometry"])
    except ValueError as error:
        faults.append(Fault(f"{pointer}/geometry", str(error)))
        return None
    area_m2 = ellipsoidal_area_m2(geometry)
    if area_m2 > settings.max_area_km2 * 1e6:
        faults.append(
            Fault(f"{pointer}/geometry", f"{area_m2 / 1e6:.1f} km², the limit is {settings.max_area_km2:g} km²")
        )
        return None
    text = json.dumps(to_geojson(geometry), separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return RegisteredAoi(aoi_id, label, tags, text, digest, area_m2, geometry.bounds, start)


def _aoi_id(feature: dict[str, Any], properties: dict[str, Any], pointer: str, faults: list[Fault]) -> str:
    in_properties = "aoi_id" in properties
    value = properties["aoi_id"] if in_properties else feature.get("id")
    where = f"{pointer}/properties/aoi_id" if in_properties else f"{pointer}/id"
    return _checked_id(value, where, faults)


def _checked_id(value: Any, where: str, faults: list[Fault]) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    try:
        return _AOI_ID.validate_python(text, strict=True)
    except ValidationError:
        faults.append(
            Fault(
                where,
                "expected an AOI id of 1 to 128 letters, digits, '.', '_' or '-', starting with a letter or digit; "
                f"found {repr(value)[:60]}",
            )
        )
        return ""


def _text(properties: dict[str, Any], name: str, pointer: str, faults: list[Fault]) -> str | None:
    value = properties.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 500:
        faults.append(Fault(f"{pointer}/properties/{name}", "expected a text of at most 500 characters"))
        return None
    return value


def _tags(value: Any, pointer: str, faults: list[Fault]) -> list[str]:
    ok = (
        isinstance(value, list)
        and len(value) <= _MOST_TAGS
        and all(isinstance(t, str) and len(t) <= 100 for t in value)
    )
    if not ok:
        faults.append(Fault(f"{pointer}/properties/tags", f"expected at most {_MOST_TAGS} short texts"))
        return []
    return list(value)


def _backfill_start(value: Any, pointer: str, settings: Settings, faults: list[Fault]) -> date:
    if value is None:
        return settings.backfill_start
    where = f"{pointer}/properties/backfill_start"
    try:
        start = max(date.fromisoformat(value), DYNAMIC_WORLD_START)
    except (TypeError, ValueError):
        faults.append(Fault(where, f"expected a date like 2020-01-01, found {repr(value)[:40]}"))
        return settings.backfill_start
    if start > datetime.now(UTC).date():
        faults.append(Fault(where, f"{start} is in the future"))
    return start


def _deleted(data: Any, settings: Settings, faults: list[Fault]) -> list[str]:
    if not isinstance(data, dict):
        faults.append(Fault("/data", "expected an object with aoi_id or aoi_ids"))
        return []
    if "aoi_ids" not in data:
        return [_checked_id(data.get("aoi_id"), "/data/aoi_id", faults)]
    ids = data["aoi_ids"]
    if not isinstance(ids, list) or not 1 <= len(ids) <= settings.max_features:
        faults.append(Fault("/data/aoi_ids", f"expected a list of 1 to {settings.max_features} AOI ids"))
        return []
    return list(dict.fromkeys(_checked_id(v, f"/data/aoi_ids/{i}", faults) for i, v in enumerate(ids)))
