"""What the months say about the season, when they say enough. Rules:

- At least eight months were seen; else nothing is said.
- *Snow season*: the months, in a row around the turn of the year or not, whose mean share of snow and ice is 50 % or
  more.
- *Growing season*: vegetation is the sum of the mean shares of trees, grass, flooded vegetation, crops and shrub. Its
  yearly range must be 20 points or more. *Green-up* is the first month, after the lowest, at or above the middle of
  that range; *peak* the month with most; *leaf-off or harvest* the first month after the peak below the middle. Where a
  month that was not seen comes first, it may have been that one, and nothing is said.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

VEGETATION = (1, 2, 3, 4, 5)
SNOW = 8
_FEWEST_MONTHS = 8
_SNOWY = 0.5
_LEAST_RANGE = 0.2


class Seasons(NamedTuple):
    """Months, 1 to 12; None or empty where the year does not show it. Snow months are in the order they follow."""

    snow: tuple[int, ...]
    green_up: int | None
    peak: int | None
    leaf_off: int | None


def seasons(mean_shares: Mapping[int, tuple[float, ...]]) -> Seasons | None:
    """From mean shares by class, for each month that was seen. None when fewer than eight were."""
    if len(mean_shares) < _FEWEST_MONTHS:
        return None
    snow = _in_a_row({month for month, shares in mean_shares.items() if shares[SNOW] >= _SNOWY})
    green = {month: sum(shares[c] for c in VEGETATION) for month, shares in mean_shares.items()}
    low, high = min(green.values()), max(green.values())
    if high - low < _LEAST_RANGE:
        return Seasons(snow, None, None, None)
    middle = (low + high) / 2
    lowest = min(green, key=lambda month: (green[month], month))
    green_up = _first(green, lowest, lambda share: share >= middle)
    peak = max(green, key=lambda month: (green[month], -month))
    return Seasons(snow, green_up, peak, _first(green, peak, lambda share: share < middle))


def _first(shares: Mapping[int, float], start: int, reached: Callable[[float], bool]) -> int | None:
    """The first month from ``start`` on, around the year, that is so; None where one before it was not seen."""
    for month in ((start - 1 + later) % 12 + 1 for later in range(12)):
        if month not in shares:
            return None
        if reached(shares[month]):
            return month
    return None


def _in_a_row(months: set[int]) -> tuple[int, ...]:
    """Months beginning with the one whose forerunner is not among them."""
    if not months or len(months) == 12:
        return tuple(sorted(months))
    first = next(month for month in sorted(months) if (month - 2) % 12 + 1 not in months)
    return tuple(sorted(months, key=lambda month: (month - first) % 12))
