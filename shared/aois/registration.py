"""Reading a webhook body: which AOIs are registered or deleted, and every fault of what was sent."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from shared.aois.feature import RegisteredAoi, checked_id, measured_aoi, read_feature
from shared.aois.geometry import Fault, crs_faults, found, outline_deg, positions_across
from shared.clients import Scope
from shared.messages.bodies import MOST_ID_CHARACTERS
from shared.settings import Settings

REGISTERED = "aoi.registered"
DELETED = "aoi.deleted"
_MOST_FAULTS = 100
_CLOCK_TOLERANCE = timedelta(minutes=5)
# What a body is made of takes up to thirty times its bytes once it is read; no registration has so many.
_MOST_JSON_VALUES = 500_000
# Where an outline is integrated, it takes 40 MB and a tenth of a second for so many degrees.
_MOST_OUTLINE_DEG = 20_000.0
# The cut at ±180° takes some 35 µs for each.
_MOST_POSITIONS_ACROSS = 20_000


class InvalidRegistrationError(Exception):
    """A body that was refused, with every fault found (at most 100)."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults: {faults[0].detail}")
        self.faults = faults[:_MOST_FAULTS]


class RegistrationEvent(NamedTuple):
    """A webhook event: AOIs to register (``registered``) or ids to delete (``deleted``), and when it happened.

    ``dry_run`` asks what registering would cost.
    """

    event_type: str
    event_time: datetime
    registered: list[RegisteredAoi]
    deleted: list[str]
    dry_run: bool = False

    @property
    def scope(self) -> Scope:
        """What whoever sends it must be allowed to do."""
        return Scope.REGISTER if self.event_type == REGISTERED else Scope.DELETE


def parse_event(body: bytes, settings: Settings) -> RegistrationEvent:
    """Read a webhook body. Raises InvalidRegistrationError that lists each fault with its JSON pointer."""
    document = _load_json(body)
    if not isinstance(document, dict):
        raise InvalidRegistrationError([Fault("", "expected a JSON object")])
    faults: list[Fault] = []
    event_time = _event_time(document.get("timestamp"), faults)
    data = document.get("data")
    dry_run = document.get("dry_run", False)
    if not isinstance(dry_run, bool):
        faults.append(Fault("/dry_run", f"expected true or false, found {found(dry_run)}"))
    match document.get("type"):
        case "aoi.registered":
            registered = _features(data, settings, faults)
            event = RegistrationEvent(REGISTERED, event_time, registered, [], dry_run)
        case "aoi.deleted":
            if dry_run:
                faults.append(Fault("/dry_run", "a deletion costs nothing; only a registration is tried"))
            event = RegistrationEvent(DELETED, event_time, [], _deleted(data, settings, faults))
        case other:
            faults.append(Fault("/type", f"expected {REGISTERED} or {DELETED}, found {found(other)}"))
            raise InvalidRegistrationError(faults)
    if faults:
        raise InvalidRegistrationError(faults)
    return event


def in_name_space(event: RegistrationEvent, prefix: str) -> RegistrationEvent:
    """The event with a name space before each id. Raises InvalidRegistrationError for ids that have no room for it."""
    most = MOST_ID_CHARACTERS - len(prefix)
    ids = {*(aoi.aoi_id for aoi in event.registered), *event.deleted}
    if too_long := sorted(aoi_id for aoi_id in ids if len(aoi_id) > most):
        raise InvalidRegistrationError(
            [Fault("/data", f"expected an AOI id of at most {most} characters, found {aoi_id}") for aoi_id in too_long]
        )
    return event._replace(
        registered=[aoi._replace(aoi_id=prefix + aoi.aoi_id) for aoi in event.registered],
        deleted=[prefix + aoi_id for aoi_id in event.deleted],
    )


def _load_json(body: bytes) -> Any:
    def refuse_constant(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError("an object has the same name twice")
        return dict(pairs)

    if sum(body.count(mark) for mark in (b"[", b"{", b'"')) > _MOST_JSON_VALUES:
        raise InvalidRegistrationError([Fault("", f"more than {_MOST_JSON_VALUES} arrays, objects and quotes")])
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
        faults.append(Fault("/timestamp", f"expected an ISO 8601 time, found {found(value)}"))
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
        faults.append(Fault("/data/type", f"expected Feature or FeatureCollection, found {found(kind)}"))
        return []
    seen: dict[str, str] = {}
    drafts = []
    for feature, pointer in zip(features, where, strict=True):
        draft = read_feature(feature, pointer, settings, faults)
        if draft is None:
            continue
        if draft.aoi_id in seen:
            faults.append(Fault(f"{pointer}/id", f"the same AOI id as {seen[draft.aoi_id]}"))
        seen[draft.aoi_id] = pointer
        drafts.append(draft)
    length_deg = sum(outline_deg(draft.geometry) for draft in drafts)
    if length_deg > _MOST_OUTLINE_DEG:
        faults.append(
            Fault("/data", f"the outlines are {length_deg:.0f}° long together, the limit is {_MOST_OUTLINE_DEG:.0f}°")
        )
        return []
    across = sum(positions_across(draft.geometry) for draft in drafts)
    if across > _MOST_POSITIONS_ACROSS:
        faults.append(
            Fault("/data", f"{across} positions of areas across ±180°, the limit is {_MOST_POSITIONS_ACROSS}")
        )
        return []
    measured = (measured_aoi(draft, settings, faults) for draft in drafts)
    return [aoi for aoi in measured if aoi is not None]


def _deleted(data: Any, settings: Settings, faults: list[Fault]) -> list[str]:
    if not isinstance(data, dict):
        faults.append(Fault("/data", "expected an object with aoi_id or aoi_ids"))
        return []
    if "aoi_ids" not in data:
        return [checked_id(data.get("aoi_id"), "/data/aoi_id", faults)]
    ids = data["aoi_ids"]
    if not isinstance(ids, list) or not 1 <= len(ids) <= settings.max_features:
        faults.append(Fault("/data/aoi_ids", f"expected a list of 1 to {settings.max_features} AOI ids"))
        return []
    return list(dict.fromkeys(checked_id(v, f"/data/aoi_ids/{i}", faults) for i, v in enumerate(ids)))
