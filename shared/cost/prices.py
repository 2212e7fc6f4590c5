"""What Google Cloud's services cost in US dollars, and the arithmetic of a month and of a history.

Counts follow from the code and ``terraform/``; unit prices and waiting times are assumptions, to be replaced by those
of your own contract and dashboard.
"""

from typing import NamedTuple

from shared.cost.work import Work, Workload
from shared.messages.schedules import schedules

# US dollars at list price, tier-1 regions, free tiers left out. Look them up before you rely on them. An EECU-hour is
# that of a commercial project, online as in a batch since September 2025, beside the monthly fee of its plan; a
# noncommercial project pays none and has a number of hours a month.
PRICE = {
    "vCPU second": 0.000024,
    "GiB second": 0.0000025,
    "million requests": 0.40,
    "TiB queried": 6.25,
    "GiB streamed": 0.05,
    "GiB stored": 0.02,
    "TiB through Pub/Sub": 40.0,
    "scheduler job": 0.10,
    "EECU hour": 0.40,
}
EARTH_ENGINE_WAIT_SECONDS = 20.0  # one aggregation request, waited for by one instance
QUERY_SECONDS = 2.0
_LISTING_SECONDS = EARTH_ENGINE_WAIT_SECONDS / 2 + QUERY_SECONDS
USABLE_VIEWS_A_MONTH = 4.3  # the sample year has 52
IMAGES_A_VIEW = 1.5  # tiles overlap
# Both scheduled queries, of ten years of an AOI (python -m benchmarks warehouse).
SUMMARY_BYTES_AN_AOI = 280_000
COMPOSITES_A_BATCH, REQUESTS_A_BATCH = 200, 3  # functions/composite.py: one listing, some thousand pairs a request
EVENT_BYTES = 2_000  # one row of aoi_events with its geometry
OBSERVATION_BYTES = 1_500
LEAST_BILLED_BYTES = 10_000_000  # BigQuery bills each query for 10 MB at least
QUERIES_A_MESSAGE = 2  # functions/measure.py: the AOIs, and what is measured of them
DAYS = 30
PIXELS_WAIT_SECONDS = 4.0  # one tile for the network, or the description of a scene
# One core, margins counted in: fetched arrays to areas (python -m benchmarks network).
NETWORK_SECONDS_A_PIXEL = 8e-6
MEMORY_GIB = {"measure": 0.5, "dispatch": 0.5, "discover": 1.0, "composite": 0.5, "classify": 2.0, "find-changes": 2.0}


class Size(NamedTuple):
    """So many AOIs, lying under so many tiles."""

    aois: int
    tiles: int


def dollars_a_month(size: Size, views: float = USABLE_VIEWS_A_MONTH) -> dict[str, float]:
    """Dollars by item, Earth Engine apart, of a month with so many usable views of each AOI; what is fetched pixel by
    pixel is apart too (``dollars_of_pixels``).
    """
    images = size.tiles * views * IMAGES_A_VIEW
    frequent = sum(24 * 60 // 15 if s.name == "discover-frequent" else 1 for s in schedules().ticks[:2]) * DAYS
    observations = size.aois * views
    composites = size.aois * (views + 1)  # each view changes its month; the year once
    register_bytes = max(size.aois * EVENT_BYTES, LEAST_BILLED_BYTES)
    recent_bytes = max(observations * 1.5 * 150, LEAST_BILLED_BYTES)
    queried = {
        "measure": 2 * images * register_bytes,  # dispatch and measure look AOIs up
        "discover": frequent * (register_bytes * 0.05 + recent_bytes),
        "summaries": DAYS * max(size.aois * SUMMARY_BYTES_AN_AOI, 2 * LEAST_BILLED_BYTES),
    }
    seconds = {
        "measure": images * (2 * EARTH_ENGINE_WAIT_SECONDS + QUERY_SECONDS),
        "dispatch": images * QUERY_SECONDS,
        "discover": frequent * (EARTH_ENGINE_WAIT_SECONDS / 2 + QUERY_SECONDS),
        "composite": max(DAYS, composites / COMPOSITES_A_BATCH) * REQUESTS_A_BATCH * EARTH_ENGINE_WAIT_SECONDS,
    }
    return {
        "instances": sum(_instance(name, each) for name, each in seconds.items()),
        "requests": (2 * images + frequent + composites) / 1e6 * PRICE["million requests"],
        "queries": sum(queried.values()) / 2**40 * PRICE["TiB queried"],
        "streaming": observations * OBSERVATION_BYTES / 2**30 * PRICE["GiB streamed"],
        "storage, first year": observations * 12 * OBSERVATION_BYTES / 2**30 * PRICE["GiB stored"],
        "messages": (2 * images + frequent) * 2_000 / 2**40 * PRICE["TiB through Pub/Sub"],
        "scheduler": len(schedules().ticks) * PRICE["scheduler job"],
    }


def dollars_of_history(aois: int, work: Workload) -> dict[str, float]:
    """Dollars by item, Earth Engine apart, of a history. Each invocation lists once."""
    measuring = work.measuring
    seconds = measuring.listings * _LISTING_SECONDS + measuring.computations * EARTH_ENGINE_WAIT_SECONDS
    register_bytes = max(aois * EVENT_BYTES, LEAST_BILLED_BYTES)
    together = work.together
    return {
        "instances": _instance("measure", seconds) + sum(dollars_of_pixels(work.classifying, work.finding).values()),
        "queries": together.listings * QUERIES_A_MESSAGE * register_bytes / 2**40 * PRICE["TiB queried"],
        "streaming": together.rows * OBSERVATION_BYTES / 2**30 * PRICE["GiB streamed"],
    }


def dollars_of_pixels(classifying: Work, finding: Work) -> dict[str, float]:
    """Dollars of the instances that classify passes and find changes, by function."""
    return {
        "classify": _instance("classify", classifying_seconds(classifying)),
        "find-changes": _instance("find-changes", finding_seconds(finding)),
    }


def classifying_seconds(work: Work) -> float:
    """How long instances of ``classify`` work."""
    waiting = work.listings * _LISTING_SECONDS + (work.computations + work.fetches) * PIXELS_WAIT_SECONDS
    return waiting + work.network_pixels * NETWORK_SECONDS_A_PIXEL


def finding_seconds(work: Work) -> float:
    """How long instances of ``find_changes`` work."""
    return work.listings * _LISTING_SECONDS + work.fetches * EARTH_ENGINE_WAIT_SECONDS


def _instance(function: str, seconds: float) -> float:
    return seconds * (PRICE["vCPU second"] + MEMORY_GIB[function] * PRICE["GiB second"])
