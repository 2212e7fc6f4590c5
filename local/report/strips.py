"""What was seen of an area as parts of one bar, in class order, with the unseen last: for charts made of boxes."""

from typing import NamedTuple

from local.report.judging import Seen
from shared.classes import CLASSES

# A part this large has room for the number of its class.
_LABELLED = 0.055


class Part(NamedTuple):
    """A class and its share of the whole area, unseen ground included, in percent; its number where there is room."""

    class_id: int
    of_area_percent: float
    number: str


class Strip(NamedTuple):
    """The parts of one period, without classes that are absent, and the percent of the area that was not seen."""

    parts: list[Part]
    unseen_percent: float


def strip(seen: Seen) -> Strip:
    """All that is there is drawn, however small, so that the parts and the unseen make up the whole."""
    parts = [
        Part(
            class_id,
            round(share * seen.seen_share * 100, 3),
            str(class_id) if share * seen.seen_share >= _LABELLED else "",
        )
        for class_id, share in enumerate(seen.by_class or ())
        if share > 0
    ]
    return Strip(parts, round((1 - seen.seen_share) * 100, 3))


def ink_on(colour: str) -> str:
    """Black or white, whichever contrasts more with a colour RRGGBB (WCAG 2.2, relative luminance)."""
    channels = [part / 255 for part in bytes.fromhex(colour)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "#fff"


INKS = {c.class_id: ink_on(c.colour) for c in CLASSES}
