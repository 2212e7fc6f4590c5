"""How many points a sample has, and how many of them each stratum gets.

Cochran 1977 (5.25) as Olofsson et al. 2014 (doi 10.1016/j.rse.2014.02.015) recommend it: n = (Σ W √(U (1 − U)) / SE)²,
the rare strata with a minimum and the rest in proportion to area.
"""

import math
from collections.abc import Mapping, Sequence

from local.accuracy.strata import DOUBTFUL, REST, SUPPORTED
from shared.errors import UserInputError

FEWEST_POINTS = 50
FEWEST_OF_CHANGE = {SUPPORTED: 100, DOUBTFUL: 150, REST: 150}

# Share of single images' pixels of a class that experts agree with: Brown et al. 2022 (doi 10.1038/s41597-022-01307-4),
# Table 7. Planning only; areas are never corrected by it.
USERS_ACCURACY = {
    "water": 0.906, "trees": 0.702, "grass": 0.301, "flooded_vegetation": 0.652, "crops": 0.889,
    "shrub_and_scrub": 0.547, "built": 0.867, "bare": 0.608, "snow_and_ice": 0.712,
}  # fmt: skip
# Share of each stratum of change that is thought to have changed: a judgement, for planning only.
CHANGED_SHARE = {SUPPORTED: 0.8, DOUBTFUL: 0.1, REST: 0.005}
UNKNOWN = 0.5


def points_for(weights: Mapping[str, float], agreement: Mapping[str, float], target_se: float) -> int:
    """Points for a standard error of ``target_se`` (a share), from strata's shares of the area and agreements."""
    spread = sum(w * math.sqrt(u * (1 - u)) for name, w in weights.items() for u in [agreement.get(name, UNKNOWN)])
    return math.ceil((spread / target_se) ** 2)


def expected_se(weights: Mapping[str, float], agreement: Mapping[str, float], given: Mapping[str, int]) -> float:
    """The standard error that so many points of each stratum will have, if agreements are as thought."""
    return math.sqrt(
        sum(w**2 * u * (1 - u) / given[name] for name, w in weights.items() for u in [agreement.get(name, UNKNOWN)])
    )


def allocated(
    total: int | None, needed: int, pixels: Mapping[str, int], areas_m2: Mapping[str, float]
) -> dict[str, int]:
    """Points of each stratum: at least its minimum (all its pixels where it has fewer), the rest by area.

    ``total`` is what was asked for, ``needed`` what the target takes otherwise. Raises UserInputError when ``total``
    is less than the strata's minima.
    """
    least = {name: min(count, FEWEST_OF_CHANGE.get(name, FEWEST_POINTS)) for name, count in pixels.items()}
    if total is not None and total < sum(least.values()):
        raise UserInputError(
            f"{total} points are too few for {len(pixels)} strata: expected {sum(least.values())} or more, which "
            "gives each its minimum"
        )
    wanted = total if total is not None else max(needed, sum(least.values()))
    free, left = list(pixels), min(wanted, sum(pixels.values()))
    given: dict[str, int] = {}
    while free:
        whole = sum(areas_m2[name] for name in free)
        shares = {name: left * areas_m2[name] / whole for name in free}
        held = {name: least[name] for name in free if shares[name] < least[name]}
        held |= {name: pixels[name] for name in free if shares[name] > pixels[name]}
        if not held:
            given |= _rounded(shares, left)
            break
        given |= held
        left -= sum(held.values())
        free = [name for name in free if name not in held]
    return {name: given[name] for name in pixels}


def _rounded(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers with the same sum, the largest remainders up."""
    floors = {name: math.floor(share) for name, share in shares.items()}
    by_remainder: Sequence[str] = sorted(shares, key=lambda name: floors[name] - shares[name])
    return {name: floors[name] + (name in by_remainder[: total - sum(floors.values())]) for name in shares}
