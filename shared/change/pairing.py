"""Pairs of years to be compared: which message asks for which, of which overpasses each is made, and its row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from shared.aois.aoi import Aoi
from shared.aois.name_spaces import by_client
from shared.change.transitions import LEAST_MOVES, transitions
from shared.classes import CLASS_NAMES
from shared.geometry.cells import region_around
from shared.geometry.cutting import pixels
from shared.measurement.areas import Areas, published
from shared.measurement.backfilling import Window
from shared.measurement.budgets import Budget, chunked, transition_budget
from shared.measurement.jobs import Job
from shared.measurement.overpasses import PlannedOverpass
from shared.measurement.rows import provenance, provenance_columns
from shared.messages.bodies import TransitionRef, TransitionRequest
from shared.settings import Settings

# Pairs of years of one message share a listing of images for each run of years.
_REQUESTS_PER_MESSAGE = 2
_SUPPORTED = tuple(f"supported_{round(100 * move)}_area_m2" for move in LEAST_MOVES)


def pairs_of_years(seen: Iterable[int], baseline_year: int) -> Iterator[tuple[int, str, int]]:
    """Each year that was seen, what it is compared with, and that year; as ``stale_transitions.sql`` has them."""
    years = sorted(seen)
    for year, before, after in zip(years, [0, *years], [*years[1:], 0], strict=False):
        if baseline_year in years and baseline_year not in {year, before, after}:
            yield year, "baseline", baseline_year
        if before:
            yield year, "previous", before


def transition_requests(stale: Iterable[dict[str, Any]], settings: Settings) -> Iterator[TransitionRequest]:
    """Messages for the rows of ``stale_transitions.sql``: the same two years of neighbours of one client together."""

    def place(row: dict[str, Any]) -> tuple[int, int, int]:
        return row["cell"], row["to_year"], row["from_year"]

    def cost(row: dict[str, Any]) -> Budget:
        return Budget(0, 1, pixels(row["area_m2"]) * row["overpass_count"], row["geometry_bytes"])

    budget = transition_budget(settings).times(_REQUESTS_PER_MESSAGE)
    budget = budget._replace(pairs=settings.pair_budget)
    for of_one_client in by_client(stale, lambda row: str(row["aoi_id"]), settings):
        ordered = sorted(of_one_client, key=lambda row: (place(row), row["aoi_id"]))
        for _, near in groupby(ordered, key=place):
            for rows in chunked(near, budget, cost):
                yield TransitionRequest(
                    transitions=[
                        TransitionRef.model_validate({name: row[name] for name in TransitionRef.model_fields})
                        for row in rows
                    ]
                )


def transition_windows(refs: Iterable[TransitionRef], aois: Sequence[Aoi]) -> Iterator[Window]:
    """What pairs of years are made from: all images of their years, runs of years at once, and a day more."""
    years = sorted({year for ref in refs for year in (ref.from_year, ref.to_year)})
    breaks = [index for index, (one, two) in enumerate(pairwise(years), 1) if two - one > 1]
    region = region_around([aoi.outline for aoi in aois])
    for first, end in pairwise([0, *breaks, len(years)]):
        yield Window(_new_year(years[first]), _new_year(years[end - 1] + 1) + timedelta(days=1), region)


def transition_jobs(
    refs: Iterable[TransitionRef], aois: Mapping[str, Aoi], overpasses: Mapping[str, list[PlannedOverpass]]
) -> Iterator[Job]:
    """One job for each pair of years that both have images; by years, since AOIs that lie together share layers."""
    for ref in sorted(refs, key=lambda ref: (ref.to_year, ref.from_year, ref.aoi_id)):
        both = [o for o in overpasses[ref.aoi_id] if _year(o) in {ref.from_year, ref.to_year}]
        if {_year(overpass) for overpass in both} == {ref.from_year, ref.to_year}:
            yield Job(key_of(ref), aois[ref.aoi_id], both, with_probabilities=True)


def key_of(ref: TransitionRef) -> str:
    """The key of a pair's job."""
    return f"{ref.aoi_id}|{ref.from_year}|{ref.to_year}|{ref.compared_with}"


def transition_row(job: Job, ref: TransitionRef, measured: Areas, processed_at: datetime) -> dict[str, Any]:
    """One row of ``transitions``, from the areas of a pair of years as measured."""
    used = [image for overpass in job.overpasses for image in overpass.images]
    areas = published(measured, job.aoi)
    found = transitions(areas.transition_m2 or {}, all(image.has_probabilities for image in used))
    return {
        **ref.model_dump(),
        "from_overpass_count": sum(_year(overpass) == ref.from_year for overpass in job.overpasses),
        "to_overpass_count": sum(_year(overpass) == ref.to_year for overpass in job.overpasses),
        "seen_in_both_m2": areas.valid_m2,
        "aoi_area_m2": areas.aoi_m2,
        "measured_aoi_area_m2": measured.aoi_m2,
        "cells": [
            {
                "from_class_id": cell.from_class,
                "from_class_name": CLASS_NAMES[cell.from_class],
                "to_class_id": cell.to_class,
                "to_class_name": CLASS_NAMES[cell.to_class],
                "mapped_area_m2": cell.mapped_m2,
                **dict(zip(_SUPPORTED, cell.supported_m2 or (None,) * len(_SUPPORTED), strict=True)),
            }
            for cell in found
        ],
        **provenance_columns(provenance(used, processed_at)),
    }


def _year(overpass: PlannedOverpass) -> int:
    return int(overpass.overpass_id[:4])


def _new_year(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)
