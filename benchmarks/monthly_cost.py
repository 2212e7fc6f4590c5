"""What a month costs at three sizes, with the arithmetic shown: python -m benchmarks.monthly_cost

Counts follow from the code and ``terraform/``; unit prices and waiting times are assumptions, stated first, to be
replaced by those of your own contract and dashboard (``shared/cost/prices.py``).
"""

import json

from shared.cost.prices import (
    EARTH_ENGINE_WAIT_SECONDS,
    IMAGES_A_VIEW,
    PRICE,
    USABLE_VIEWS_A_MONTH,
    Size,
    dollars_a_month,
)

SIZES = (Size(10, 5), Size(1_000, 100), Size(100_000, 2_000))


def table() -> str:
    """Dollars by item and size, as Markdown."""
    months = [dollars_a_month(size) for size in SIZES]
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
