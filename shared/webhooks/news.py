"""News for other systems: what an event says, and the id by which its repetitions are known."""

import hashlib
from datetime import datetime
from typing import Any

from shared.messages.bodies import ChangedPatch, Event, EventType, ObservationCreated


def observation_created(row: dict[str, Any], moment: datetime) -> Event:
    """The event of a row of ``observations``. Measuring the same images again is the same news; a new version of one of
    them, or another algorithm, makes other numbers, which a receiver must not take for a repetition.
    """
    data = ObservationCreated.model_validate({name: row[name] for name in ObservationCreated.model_fields})
    images = zip(data.image_ids, data.image_versions, strict=True)
    made_of = (*(f"{image_id}@{version_us}" for image_id, version_us in images), *data.algorithm_versions)
    parts = (data.aoi_id, data.aoi_version, data.overpass_id, *made_of)
    return _event(EventType.OBSERVATION_CREATED, parts, moment, data)


def patch_told(data: ChangedPatch, kind: EventType, moment: datetime) -> Event:
    """The event of a patch that was confirmed, or withdrawn: each is one piece of news, however the patch grows."""
    return _event(kind, (data.aoi_id, data.aoi_version, data.patch_id), moment, data)


def _event(
    kind: EventType, parts: tuple[object, ...], moment: datetime, data: ObservationCreated | ChangedPatch
) -> Event:
    digest = hashlib.sha256("|".join([kind, *map(str, parts)]).encode()).hexdigest()
    return Event(event_id=f"evt_{digest[:32]}", type=kind, timestamp=moment, data=data)
