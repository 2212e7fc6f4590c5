"""Which of the new images are announced now, in which messages, and which should have been announced before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from shared.imagery.images import SceneImage, by_overpass
from shared.imagery.names import sensing_time
from shared.messages.bodies import AcquiredImage, Acquisition
from shared.settings import Settings

# What appears within days of its acquisition, as nearly all does, is found by frequent ticks; the rest by the full one.
FREQUENT_WINDOW = timedelta(days=7)
_IMAGES_PER_MESSAGE = 50


def settled(new: list[SceneImage], latest_us: int) -> list[SceneImage]:
    """The new images of overpasses whose first new image appeared by then; the others wait for their neighbours."""
    return [
        image
        for images in by_overpass(new).values()
        if min(i.version_us for i in images) <= latest_us
        for image in images
    ]


def messages(images: list[SceneImage]) -> Iterator[Acquisition]:
    """One message for the images of an overpass, as many as fit: neighbours by tile, so that they share their AOIs."""
    for overpass in by_overpass(images).values():
        named = [
            AcquiredImage(image_id=image.image_id, version_us=image.version_us, footprint=image.footprint)
            for image in sorted(overpass, key=lambda image: image.name.tile)
        ]
        for start in range(0, len(named), _IMAGES_PER_MESSAGE):
            first, *also = named[start : start + _IMAGES_PER_MESSAGE]
            yield Acquisition(**first.model_dump(), also=also)


def is_late(image: SceneImage, now: datetime, settings: Settings) -> bool:
    """Whether a frequent tick should have announced an image by now."""
    waited = now - datetime.fromtimestamp(image.version_us / 1e6, UTC)
    settled = timedelta(minutes=settings.discover_settle_minutes)
    recent = now - sensing_time(image.overpass_id) < FREQUENT_WINDOW
    return recent and settled + timedelta(hours=1) < waited < FREQUENT_WINDOW
