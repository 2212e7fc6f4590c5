"""News about changed ground as tests send it."""

from datetime import UTC, datetime
from typing import Any

from shared.messages.bodies import ChangedPatch, Event, EventType
from shared.webhooks.news import patch_told

PATCH: dict[str, Any] = {
    "aoi_version": 1,
    "patch_id": "patch_1",
    "year": 2023,
    "from_class_id": 1,
    "from_class_name": "trees",
    "to_class_id": 7,
    "to_class_name": "bare",
    "area_ha": 3.0,
    "limit_ha": 1.5,
    "happened_after": "2023-07-03T02:31:11Z",
    "happened_before": "2023-07-08T02:31:11Z",
    "confirmed_at": "2023-08-02T02:31:11Z",
    "longitude": 125.66,
    "latitude": 45.1,
    "outline": {"type": "Polygon", "coordinates": [[[125.66, 45.1], [125.67, 45.1], [125.67, 45.11], [125.66, 45.1]]]},
}


def patch_event(aoi_id: str = "a") -> Event:
    """A confirmed patch as news."""
    data = ChangedPatch.model_validate({"aoi_id": aoi_id, **PATCH})
    return patch_told(data, EventType.CHANGE_CONFIRMED, datetime(2023, 8, 3, tzinfo=UTC))
