"""What a month costs at three sizes, with the arithmetic shown: python -m benchmarks.monthly_cost

Counts follow from the code and ``terraform/``; unit prices and waiting times are assumptions, stated first, to be
replaced by those of your own contract and dashboard.
"""

import json
from pathlib import Path
from typing import NamedTuple

from shared.schedules import schedules

SERVICES = json.loads((Path(__file__).resolve().parents[1] / "terraform" / "services.json").read_text(encoding="utf-8"))

# US dollars at list price, tier-1 regions, free tiers left out. Look them up before you rely on them.
PRICE = {
    "vCPU second": 0.000024,
    "GiB second": 0.0000025,
    "million requests": 0.40,
    "TiB queried": 6.25,
    "GiB streamed": 0.05,
    "GiB stored": 0.02,
    "TiB through Pub/Sub": 40.0,
    "scheduler job": 0.10,
}
EARTH_ENGINE_WAIT_SECONDS = 20.0  # one aggregation request, waited for by one instance
QUERY_SECONDS = 2.0
USABLE_VIEWS_A_MONTH = 4.3  # the sample year has 52
IMAGES_A_VIEW = 1.5  # tiles overlap
COMPOSITES_A_BATCH, REQUESTS_A_BATCH = 200, 3  # functions/composite.py: one listing, some thousand pairs a request
EVENT_BYTES = 2_000  # one row of aoi_events with its geometry
OBSERVATION_BYTES = 1_500
LEAST_BILLED_BYTES = 10_000_000  # BigQuery bills each query for 10 MB at least
DAYS = 30


class Size(NamedTuple):
    """So many AOIs, lying under so many tiles."""

    aois: int
    tiles: int


SIZES = (Size(10, 5), Size(1_000, 100), Size(100_000, 2_000))


def month(size: Size) -> dict[str, float]:
    """Dollars by item."""
    images = size.tiles * USABLE_VIEWS_A_MONTH * IMAGES_A_VIEW
    frequent = sum(24 * 60 // 15 if s.name == "discover-frequent" else 1 for s in schedules().ticks[:2]) * DAYS
    observations = size.aois * USABLE_VIEWS_A_MONTH
    composites = size.aois * (USABLE_VIEWS_A_MONTH + 1)  # each view changes its month; the year once
    register_bytes = max(size.aois * EVENT_BYTES, LEAST_BILLED_BYTES)
    recent_bytes = max(observations * 1.5 * 150, LEAST_BILLED_BYTES)
    queried = {
        "measure": 2 * images * register_bytes,  # dispatch and measure look AOIs up
        "discover": frequent * (register_bytes * 0.05 + recent_bytes),
        "summaries": 2 * DAYS * max(observations * 2 * 400, LEAST_BILLED_BYTES),  # two months, however long the history
    }
    seconds = {
        "measure": images * (2 * EARTH_ENGINE_WAIT_SECONDS + QUERY_SECONDS),
        "dispatch": images * QUERY_SECONDS,
        "discover": frequent * (EARTH_ENGINE_WAIT_SECONDS / 2 + QUERY_SECONDS),
        "composite": max(DAYS, composites / COMPOSITES_A_BATCH) * REQUESTS_A_BATCH * EARTH_ENGINE_WAIT_SECONDS,
    }
    memory = {name: 1.0 if SERVICES[name]["memory"] == "1Gi" else 0.5 for name in seconds}
    return {
        "instances": sum(s * (PRICE["vCPU second"] + memory[n] * PRICE["GiB second"]) for n, s in seconds.items()),
        "requests": (2 * images + frequent + composites) / 1e6 * PRICE["million requests"],
        "queries": sum(queried.values()) / 2**40 * PRICE["TiB queried"],
        "streaming": observations * OBSERVATION_BYTES / 2**30 * PRICE["GiB streamed"],
        "storage, first year": observations * 12 * OBSERVATION_BYTES / 2**30 * PRICE["GiB stored"],
        "messages": (2 * images + frequent) * 2_000 / 2**40 * PRICE["TiB through Pub/Sub"],
        "scheduler": len(schedules().ticks) * PRICE["scheduler job"],
    }


def main() -> None:
    print(f"{EARTH_ENGINE_WAIT_SECONDS:.0f} s an Earth Engine request, {USABLE_VIEWS_A_MONTH} usable views a month,")
    print(f"{IMAGES_A_VIEW} images a view; dollars: {json.dumps(PRICE)}\n")
    months = [month(size) for size in SIZES]
    heads = [f"{size.aois:,} AOIs, {size.tiles:,} tiles" for size in SIZES]
    print("| item | " + " | ".join(heads) + " |\n|---|" + "---:|" * len(SIZES))
    for item in months[0]:
        print(f"| {item} | " + " | ".join(f"{found[item]:,.2f}" for found in months) + " |")
    print("| **together, without Earth Engine** | " + " | ".join(f"**{sum(f.values()):,.2f}**" for f in months) + " |")


if __name__ == "__main__":
    main()
