"""How Dynamic World images, Sentinel-2 products and overpasses are named, and the moments that the names tell.

An image is named like the Sentinel-2 L1C asset: ``20210103T023111_20210103T023107_T51TYL`` is datatake sensing
time, datastrip sensing time (product time before December 2016), MGRS tile. All images with the same first stamp are
one datatake; what they show of one AOI is one overpass.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from shared.errors import InvalidMessageError

# Matched whole and in ASCII digits: anybody may publish ids.
_STAMP = r"[0-9]{8}T[0-9]{6}"
_TILE = r"T[0-9]{2}[A-Z]{3}"
_IMAGE_ID = re.compile(rf"(?:[\w-]+/)*(?P<sensing>{_STAMP})_(?P<datastrip>{_STAMP})_(?P<tile>{_TILE})", re.ASCII)
_PRODUCT_ID = re.compile(
    rf"(?:[\w-]+/)*S2[A-D]_MSI(?:L1C|L2A)_(?P<sensing>{_STAMP})_N[0-9]{{4}}_R[0-9]{{3}}_(?P<tile>{_TILE})_{_STAMP}"
    r"(?:\.SAFE)?",
    re.ASCII,
)
_OVERPASS_ID = re.compile(_STAMP)
# From the launch of Sentinel-2 to where no calendar is near its end.
_FIRST_MOMENT, _LAST_MOMENT = datetime(2015, 6, 23, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
# A datatake lasts up to some 40 minutes, and an image's own time is that of its tile within it.
_DATATAKE_BEFORE = timedelta(minutes=30)
_DATATAKE_AFTER = timedelta(hours=1)


class SceneName(NamedTuple):
    """The parts of an image id or Sentinel-2 product id. ``datastrip_stamp`` is empty when the id has none."""

    sensing_stamp: str
    datastrip_stamp: str
    tile: str


def parse_scene_name(name: str) -> SceneName:
    """Read a Dynamic World image id (with or without its collection path) or a Sentinel-2 product id.

    Raises InvalidMessageError when it is neither, or its sensing time is no moment. A product id has no datastrip time:
    its last stamp is a discriminator, so the two are joined on (sensing time, tile) only.
    """
    if match := _IMAGE_ID.fullmatch(name) or _PRODUCT_ID.fullmatch(name):
        sensing_time(match["sensing"])
        return SceneName(match["sensing"], match.groupdict().get("datastrip", ""), match["tile"])
    raise InvalidMessageError(
        f"{name[:120]!r} is neither a Dynamic World image id (20210103T023111_20210103T023107_T51TYL) "
        "nor a Sentinel-2 product id (S2A_MSIL1C_20210103T023111_N0209_R046_T51TYL_…)"
    )


@lru_cache(maxsize=4096)
def sensing_time(overpass_id: str) -> datetime:
    """The UTC moment an overpass id names. Raises InvalidMessageError when it names none."""
    if not _OVERPASS_ID.fullmatch(overpass_id):
        raise InvalidMessageError(f"{overpass_id[:40]!r} is not an overpass id like 20210103T023111")
    try:
        moment = datetime.strptime(overpass_id, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidMessageError(f"{overpass_id!r} is not a moment in time") from None
    if not _FIRST_MOMENT <= moment < _LAST_MOMENT:
        raise InvalidMessageError(f"{overpass_id!r} is not a moment of Sentinel-2")
    return moment


def moments_of(overpass_ids: Sequence[str]) -> tuple[datetime, datetime]:
    """The first and last moment at which an image of any of these overpasses may have been acquired."""
    moments = [sensing_time(overpass_id) for overpass_id in overpass_ids]
    return min(moments) - _DATATAKE_BEFORE, max(moments) + _DATATAKE_AFTER


def month_number(day: date) -> int:
    """A day's month as the number that tables are partitioned by, such as 202101: streaming refuses rows of a date
    partition that is years old, and history is.
    """
    return day.year * 100 + day.month
