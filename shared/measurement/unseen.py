"""Which passes the network is asked for: Dynamic World makes nothing of them, or has made nothing for long."""

from datetime import datetime, timedelta

from shared.imagery.images import MOST_CLOUD_PERCENT
from shared.imagery.names import sensing_time
from shared.settings import Settings

# One repeat cycle of ten days, so that the next pass can be told, and two days in which scenes still come in. What is
# older is classified only when ``landcover doctor`` asks.
WINDOW_DAYS = 12


def waited_for_until(settings: Settings, now: datetime) -> datetime:
    """Passes sensed before this moment are not waited for any more: with ``always`` no pass is."""
    waited = timedelta() if settings.classify == "always" else timedelta(hours=settings.classify_after_hours)
    return now - waited


def is_for_the_network(overpass_id: str, least_cloud_percent: float | None, until: datetime) -> bool:
    """Whether a pass without an observation is classified: every scene too cloudy, or waited for long enough."""
    return (least_cloud_percent or 0) > MOST_CLOUD_PERCENT or sensing_time(overpass_id) < until
