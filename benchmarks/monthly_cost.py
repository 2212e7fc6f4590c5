"""What a month costs at three sizes, with the arithmetic shown: python -m benchmarks.monthly_cost

Counts follow from the code and ``terraform/``; unit prices and waiting times are assumptions, stated first, to be
replaced by those of your own contract and dashboard (``shared/cost/prices.py``). Of areas of other sizes
``landcover cost`` tells.
"""

import json
import math

from shared.change.planning import CHANGES_PER_MESSAGE
from shared.cost.prices import (
    EARTH_ENGINE_WAIT_SECONDS,
    IMAGES_A_VIEW,
    PRICE,
    USABLE_VIEWS_A_MONTH,
    Size,
    dollars_a_month,
    dollars_of_pixels,
)
from shared.cost.usual import YEARS_FOUND_FOR_A_VIEW
from shared.cost.work import Work, network_tile
from shared.network.tiling import MARGIN_PIXELS

SIZES = (Size(10, 5), Size(1_000, 100), Size(100_000, 2_000))
# An AOI of one square kilometre: one tile for the network, one window of labels for its patches.
SIDE_PIXELS = 100
# At 45° two satellites pass nine times a month; half of the passes are too cloudy for an image (the sample year).
PASSES_WITHOUT_IMAGE_A_MONTH = 4.5
NEIGHBOURS = 20


def month(size: Size) -> dict[str, float]:
    """Dollars by item, Earth Engine apart, of areas of one square kilometre."""
    return {**dollars_a_month(size), **dollars_of_pixels(classifying(size.aois), finding(size.aois))}


def classifying(aois: int) -> Work:
    """A month of the network, where it fills gaps; so many neighbours share a listing."""
    passes = aois * PASSES_WITHOUT_IMAGE_A_MONTH
    side = SIDE_PIXELS + 2 * MARGIN_PIXELS
    scenes = round(passes * IMAGES_A_VIEW)
    tiles = network_tile(side, side).times(scenes)
    return Work(listings=math.ceil(passes / NEIGHBOURS), computations=scenes).plus(tiles)


def finding(aois: int) -> Work:
    """A month of patches: each usable view has those of its year found anew, and early in a year those of the last."""
    return finding_years(round(aois * USABLE_VIEWS_A_MONTH * YEARS_FOUND_FOR_A_VIEW))


def finding_years(years: int) -> Work:
    """Finding the patches of so many years of neighbours."""
    return Work(years=years, listings=math.ceil(years / CHANGES_PER_MESSAGE), fetches=years)


def table() -> str:
    """Dollars by item and size, as Markdown."""
    months = [month(size) for size in SIZES]
    heads = [f"{size.aois:,} AOIs, {size.tiles:,} tiles" for size in SIZES]
    lines = ["| item | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(SIZES)]
    lines += [f"| {item} | " + " | ".join(f"{found[item]:,.2f}" for found in months) + " |" for item in months[0]]
    sums = " | ".join(f"**{sum(found.values()):,.2f}**" for found in months)
    return "\n".join([*lines, f"| **together, without Earth Engine** | {sums} |"])


def main() -> None:
    print(f"{EARTH_ENGINE_WAIT_SECONDS:.0f} s an Earth Engine request, {USABLE_VIEWS_A_MONTH} usable views a month,")
    print(f"{IMAGES_A_VIEW} images a view; dollars: {json.dumps(PRICE)}\n")
    print(table())


if __name__ == "__main__":
    main()
