"""How numbers are written: with the digits that their certainty bears.

A classifier that is wrong on a quarter of its pixels bears no second decimal. In words and on charts an area has three
digits at most, two below ten hectares and none finer than a pixel (0.01 ha); a share is whole percent from 10 % on and
has one decimal below.
Tables keep as many decimals in each cell, for comparison; CSV and JSON have every digit.
"""

from math import floor, log10

NOTHING = "–"


def hectares(area_ha: float | None) -> str:
    """``1,870``, ``83.2``, ``4.3``, ``0.31``."""
    if area_ha is None:
        return NOTHING
    if area_ha == 0:
        return "0"
    magnitude = floor(log10(abs(area_ha)))
    digits = 2 if magnitude < 0 else 1 if magnitude == 0 else 2 - magnitude
    rounded = round(area_ha, digits)
    return f"{rounded:,.{max(digits, 0)}f}" if rounded else "< 0.01"


def exact_hectares(area_ha: float) -> str:
    """Of an outline, whose area is exact: one decimal from ten hectares on, two below, four below a pixel (0.01 ha)."""
    return f"{area_ha:,.{1 if area_ha >= 10 else 2 if area_ha >= 0.01 else 4}f}"


def percent(share: float | None) -> str:
    """Whole from 10 % on, one decimal below; nothing that is there becomes 0 %, and nothing less than all 100 %."""
    if share is None:
        return NOTHING
    if 0 < share < 0.0005:
        return "< 0.1\u00a0%"
    if 0.995 <= share < 1:
        return "> 99\u00a0%"
    return f"{share * 100:.1f}\u00a0%" if 0 < share < 0.0995 else f"{share * 100:.0f}\u00a0%"


def points(difference: float) -> str:
    """A difference of shares in whole percentage points, without its sign."""
    return f"{abs(difference) * 100:.0f}"


def signed_points(difference: float, decimals: int = 0) -> str:
    """A difference of shares in percentage points: ``+3``, ``\u22122``, ``±0``."""
    digits = f"{abs(difference) * 100:.{decimals}f}"
    sign = "±" if float(digits) == 0 else "+" if difference > 0 else "\u2212"
    return sign + digits


def cell_hectares(area_ha: float | None, whole_ha: float) -> str:
    """For tables about one area of so many hectares: whole from 10,000 on, one decimal from 100 on, two below."""
    if area_ha is None:
        return NOTHING
    decimals = 0 if whole_ha >= 10_000 else 1 if whole_ha >= 100 else 2
    return f"{area_ha:,.{decimals}f}"


def cell_percent(share: float | None) -> str:
    """For tables: one decimal, without the sign."""
    return NOTHING if share is None else f"{share * 100:.1f}"
