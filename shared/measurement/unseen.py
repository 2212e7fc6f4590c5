"""Which passes the network is asked for, those that Dynamic World makes nothing of or has made nothing of for long; and
how long it waits for the scene of one that was heard of.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.imagery.images import MOST_CLOUD_PERCENT
from shared.imagery.names import sensing_time
from shared.settings import Settings

# One repeat cycle of ten days, so that the next pass can be told, and two days in which scenes still come in. What is
# older is classified only when ``landcover doctor`` asks.
WINDOW_DAYS = 12
_AWAITED = timedelta(days=1)
# At the longest backoff of the subscription, 600 s; after a hundred the message would be a dead letter.
_MOST_ATTEMPTS = 60


def waited_for_until(settings: Settings, now: datetime) -> datetime:
    """Passes sensed before this moment are not waited for any more: with ``always`` no pass is."""
    waited = timedelta() if settings.classify == "always" else timedelta(hours=settings.classify_after_hours)
    return now - waited


def is_awaited(overpass_ids: Sequence[str], now: datetime, attempt: int) -> bool:
    """Whether a scene that was heard of, and is not in Earth Engine, is still waited for: sensed within a day, and not
    asked for in vain some ten hours long. Later it is found with the passes of the day.
    """
    return attempt < _MOST_ATTEMPTS and all(now - sensing_time(each) < _AWAITED for each in overpass_ids)


def is_for_the_network(overpass_id: str, least_cloud_percent: float | None, until: datetime) -> bool:
    """Whether a pass without an observation is classified: every scene too cloudy, or waited for long enough."""
    return (least_cloud_percent or 0) > MOST_CLOUD_PERCENT or sensing_time(overpass_id) < until
