"""What may be said of what was seen: limits and decisions, without a word. ``sentences`` says it.

- *almost all*: one class has 95 % or more. *Mostly*: 60 % or more. *More than half*: 50 % or more.
- *together*: the two largest have 80 % or more between them; *mixed* otherwise.
- from month to month the kind of sentence stays until a limit is passed by five points, or another class leads by as
  much.
- *snow appears* or *no more snow*: snow and ice crosses 4 % from one month that was seen to the next, also with ties
  and gaps settled.
- *gained*, *lost*: every class that has ten points more or less than in the last month that was seen, or the last year
  of eight months or more, where what both saw is 0.8 of the area or more and both have two effective views, and also
  with ties and gaps settled it has ten points more or less.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from shared.classes import CLASSES

SNOW = 8
# From this share on a class is there at all: less is what the classifier mistakes.
SNOW_SEEN = 0.01
# Ten points more or less are told.
TOLD = 0.10
_ALMOST_ALL, _MOSTLY, _HALF, _TOGETHER = 0.95, 0.60, 0.50, 0.80
# Where nothing happens, a month's share of snow crosses 1 % in every third month, 4 % in one of twenty-eight, and with
# ties and gaps settled in one of a hundred (5 %, without: in one of fifty), so that a first snow of 4 % is still told.
# The kind of sentence changes in 51 months of a hundred without this margin and in 18 with it
# (``benchmarks/shares.py``).
_SNOW_CROSSED, _MARGIN = 0.04, 0.05
# What two months saw is known of each, not of both together, which is at least their sum less the whole. With these
# limits one month in a thousand of unchanged ground gains or loses ten points at most, fewer than on exactly the ground
# that both saw twice, and more months are compared (``benchmarks/shares.py``).
_BOTH_SEEN, _FEWEST_VIEWS = 0.80, 2.0
# Less of an area than this is said to be a part of it.
WHOLE = 0.95
# A year that was seen in so many months can be compared with another such.
FEWEST_MONTHS = 8
# What the grid of pixels leaves open at the edge of an area is not unseen ground.
_PIXEL_HA, _ROUNDING = 0.01, 1e-4


class Seen(NamedTuple):
    """What was seen of an area over one period: composite shares (0..1) by class value, None where nothing was; the
    seen ground in hectares, and as a share of the area; the shares with ties and gaps settled, and how many views of
    equal coverage would say as much, both None where they are not known (of a year no views are).
    """

    by_class: tuple[float, ...] | None
    seen_ha: float
    seen_share: float
    settled: tuple[float, ...] | None = None
    views: float | None = None

    def ranked(self) -> list[tuple[int, float]]:
        """(class value, share), largest first, without those that are absent; equal shares by class value."""
        there = [(class_id, share) for class_id, share in enumerate(self.by_class or ()) if share > 0]
        return sorted(there, key=lambda pair: (-pair[1], pair[0]))


def seen_of(rows: Sequence[dict[str, Any]], area_ha: float) -> Seen:
    """From the nine rows of one period of a ``report_*`` view, or from none."""
    shares = {row["class_id"]: row["composite_share"] for row in rows}
    if not shares or any(share is None for share in shares.values()):
        return Seen(None, 0.0, 0.0)
    seen_ha = sum(row["composite_area_ha"] for row in rows)
    whole = area_ha - seen_ha < max(_PIXEL_HA, _ROUNDING * area_ha)
    settled = {row["class_id"]: row.get("settled_share") for row in rows}
    return Seen(
        tuple(shares[c.class_id] for c in CLASSES),
        seen_ha,
        1.0 if whole else seen_ha / area_ha,
        None if None in settled.values() else tuple(settled[c.class_id] for c in CLASSES),
        rows[0].get("effective_views"),
    )


class Kind(IntEnum):
    """What a sentence says of the largest classes, by how much."""

    MIXED = 0
    HALF = 1
    TOGETHER = 2
    MOSTLY = 3
    ALMOST_ALL = 4


def kind_of(shares: Seen, before: tuple[Kind, Seen] | None = None) -> Kind:
    """The kind of sentence; after that of another month, the same unless a limit was passed by the margin, or its
    largest class is clearly no longer that. More than half is never said of less.
    """
    most, next_most = largest_two(shares)
    judged = {
        Kind.ALMOST_ALL: (most, _ALMOST_ALL),
        Kind.MOSTLY: (most, _MOSTLY),
        Kind.TOGETHER: (most + next_most, _TOGETHER),
        Kind.HALF: (most, _HALF),
        Kind.MIXED: (1.0, 0.0),
    }
    now = next(kind for kind, (share, limit) in judged.items() if share >= limit)
    if before is None or shares.by_class is None:
        return now
    former, then = before
    ((largest, _), *_) = then.ranked()
    if most - shares.by_class[largest] > _MARGIN:
        return now
    share, limit = judged[now]
    passed = now > former and share >= min(limit + _MARGIN, _ALMOST_ALL)
    share, limit = judged[former]
    holds = share >= (limit if former is Kind.HALF else limit - _MARGIN)
    return former if holds and not passed else now


def largest_two(shares: Seen) -> tuple[float, float]:
    """The shares of the two largest classes, 0 for one that is not there."""
    most, next_most = ([share for _, share in shares.ranked()[:2]] + [0.0, 0.0])[:2]
    return most, next_most


def changed(then: Seen, now: Seen) -> list[tuple[float, int]]:
    """(difference, class value) of every class that gained or lost enough to be told, largest gain first."""
    if then.by_class is None or now.by_class is None or not comparable(then, now):
        return []
    differences = sorted(((share - then.by_class[c], c) for c, share in enumerate(now.by_class)), reverse=True)
    return [(d, c) for d, c in differences if abs(d) >= TOLD and _moved(c, then, now)]


def snow_crossed(then: Seen, now: Seen) -> int:
    """1 where snow appears, -1 where there is no more, else 0."""
    if then.by_class is None or now.by_class is None:
        return 0
    return int(_snow(now) >= _SNOW_CROSSED) - int(_snow(then) >= _SNOW_CROSSED)


def _snow(seen: Seen) -> float:
    """The share of snow and ice that neither ties nor gaps explain."""
    return min(of[SNOW] for of in (seen.by_class, seen.settled) if of is not None)


def comparable(then: Seen, now: Seen) -> bool:
    """Whether two periods saw enough of the same ground, and often enough, to tell what changed between them."""
    both_seen = then.seen_share + now.seen_share - 1
    views = [round(seen.views, 1) for seen in (then, now) if seen.views is not None]
    return both_seen >= _BOTH_SEEN - _ROUNDING and min(views, default=_FEWEST_VIEWS) >= _FEWEST_VIEWS


def _moved(class_id: int, then: Seen, now: Seen) -> bool:
    """Whether a class gained or lost as much with ties and gaps settled, and to the same side."""
    if then.by_class is None or now.by_class is None or then.settled is None or now.settled is None:
        return True
    side = 1 if now.by_class[class_id] > then.by_class[class_id] else -1
    return side * (now.settled[class_id] - then.settled[class_id]) >= TOLD
