"""Playing functions without asking anything: what Earth Engine would answer, and rows as one tick after the other reads
them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.classes import CLASSES
from shared.measurement.areas import Areas
from shared.measurement.composing import ROWS_PER_QUERY, whole_aois
from shared.measurement.jobs import Job
from shared.measurement.pieces import Piece

_NOTHING = Areas(0.0, 0.0, {c.class_id: 0.0 for c in CLASSES}, None)


def answers(pieces: Iterable[Piece], jobs: Mapping[str, Job]) -> dict[str, Areas]:
    """Areas that agree with the AOI's: all of it in its first piece, and nothing seen. ``jobs`` by their keys."""
    found = {}
    for piece in pieces:
        key, _, number = piece.key.rpartition("#")
        found[piece.key] = _NOTHING._replace(aoi_m2=jobs[key].aoi.area_m2) if number == "0" else _NOTHING
    return found


def pages(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The rows as one tick after the other reads them."""
    waiting = iter(rows)
    page: list[dict[str, Any]] = []
    rest = True
    while rest:
        for row in waiting:
            page.append(row)
            if len(page) == ROWS_PER_QUERY:
                break
        whole, rest = whole_aois(page)
        yield whole
        page = page[len(whole) :]
