"""Which measurement counts, when numbers change: withdrawn images, corrected ones, rows that arrive late."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely import box
from shapely.geometry import mapping

from local.bigquery.embedded import run_scheduled
from local.stack import Stack
from local.upkeep.doctor import State, ask_again, examine
from shared.aois.aoi import Aoi
from shared.imagery.images import SceneImage
from shared.measurement.areas import Areas
from shared.measurement.keeping import keep_observations
from shared.measurement.rows import Source, observation_row, provenance
from shared.warehouse.client import Warehouse
from shared.webhooks.news import observation_created
from tests.scenes import write_scene
from tests.stacks import feature, quiet, register, rows, start_stack

SQUARE = dict(mapping(box(125.661, 45.1, 125.672, 45.108)))
AREA_M2 = 768_000.0
OVERPASS = "20210703T023111"
WATER, TREES = 0, 1


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with start_stack(tmp_path_factory.mktemp("current")) as running:
        yield running


def image(overpass_id: str = OVERPASS, tile: str = "T51TYL", version_us: int = 1, algorithm: str = "3.5") -> SceneImage:
    return SceneImage(
        image_id=f"{overpass_id}_{overpass_id}_{tile}",
        version_us=version_us,
        footprint=SQUARE,
        crs="EPSG:32651",
        bands=("label",),
        algorithm_version=algorithm,
    )


def row(
    aoi_id: str, listed_at: datetime, *images: SceneImage, label: int = TREES, source: Source = Source.DYNAMIC_WORLD
) -> dict[str, Any]:
    """A row of ``observations`` as measure writes it: all of the area is of one class."""
    seen = {c: AREA_M2 if c == label else 0.0 for c in range(9)}
    areas = Areas(AREA_M2, AREA_M2, seen, None)
    aoi = Aoi(aoi_id, 1, AREA_M2, SQUARE)
    return observation_row(aoi, images[0].overpass_id, areas, provenance(images, listed_at), source)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2021, 7, 4, hour, minute, tzinfo=UTC)


def current(stack: Stack, aoi_id: str) -> dict[str, Any]:
    (found,) = [r for r in rows(stack, "observations_current") if r["aoi_id"] == aoi_id]
    return found


def test_the_newest_listing_counts_and_within_an_hour_the_fullest(stack: Stack) -> None:
    both = [image(tile="T51TYK"), image()]
    one = image(tile="T51TXL")
    stack.warehouse.append("observations", [row("w", at(10), *both)])
    stack.warehouse.append("observations", [row("w", at(10, 30), one, label=WATER)])
    assert current(stack, "w")["image_ids"] == [i.image_id for i in both], "that listing may have been incomplete"
    stack.warehouse.append("observations", [row("w", at(11, 1), one, label=WATER)])
    found = current(stack, "w")
    assert found["image_ids"] == [one.image_id], "after an hour it was not"
    assert [c["class_id"] for c in found["classes"] if c["label_area_m2"]] == [WATER]
    # in another order of arrival it is the same
    for late in (row("v", at(11, 1), one), row("v", at(10), *both), row("v", at(10, 30), one)):
        stack.warehouse.append("observations", [late])
    assert current(stack, "v")["image_ids"] == [one.image_id]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_dynamic_world_wins_over_the_network_whatever_came_first(stack: Stack, order: tuple[int, ...]) -> None:
    aoi_id = "s" + "".join(map(str, order))
    given = [
        row(aoi_id, at(9), image(), image(tile="T51TYK"), label=WATER, source=Source.NETWORK),
        row(aoi_id, at(20), image(), image(tile="T51TYK"), label=WATER, source=Source.NETWORK),
        row(aoi_id, at(10), image(version_us=1)),
        # as versions before had it: no word of a source
        {name: value for name, value in row(aoi_id, at(12), image(version_us=2)).items() if name != "source"},
    ]
    for number in order:
        stack.warehouse.append("observations", [given[number]])
    found = current(stack, aoi_id)
    assert (found["source"], found["image_versions"]) == ("dynamic_world", [2])


def test_a_withdrawn_image_is_told_of_and_gone_once_it_is_measured_again(tmp_path: Path) -> None:
    scenes = tmp_path / "scenes"
    names = [f"{OVERPASS}_20210703T023105_{tile}" for tile in ("T51TYL", "T51TYK")]
    with start_stack(tmp_path) as stack:
        for label, name in enumerate(names):
            labels = np.full((200, 200), label)
            write_scene(scenes, name, crs="EPSG:32651", origin=(709_000, 5_000_000), labels=labels)
        register(stack, feature("a", SQUARE))
        assert current(stack, "a")["listed_image_count"] == 2
        observations = stack.warehouse.table("observations")
        two_hours_ago = "processed_at = TIMESTAMP_SUB(processed_at, INTERVAL 2 HOUR)"
        stack.warehouse.run(f"UPDATE `{observations}` SET {two_hours_ago} WHERE TRUE", {})
        (scenes / f"{names[1]}.tif").unlink()
        (found,) = examine(stack.warehouse, [], None)
        assert [(f.state, f.why) for f in found.findings] == [(State.WITHDRAWN, names[1])]
        assert ask_again(stack.warehouse, found) == 1
        quiet(stack)
        now = current(stack, "a")
        assert now["image_ids"] == [names[0]]
        assert [c["class_id"] for c in now["classes"] if c["label_area_m2"]] == [0]
        (found,) = examine(stack.warehouse, [], None)
        assert [f.state for f in found.findings] == [State.MEASURED]
        (scenes / f"{names[0]}.tif").unlink()
        (found,) = examine(stack.warehouse, [], None)
        assert [(f.state, f.why) for f in found.findings] == [(State.GONE, names[0])]
        assert ask_again(stack.warehouse, found) == 0


def test_corrected_numbers_are_news_and_say_of_what_they_are_made() -> None:
    def told(*images: SceneImage, hour: int = 10) -> Any:
        return observation_created(row("a", at(hour), *images), at(12))

    first = told(image())
    assert told(image(), hour=11).event_id == first.event_id, "the same images are the same news"
    corrected = [told(image(version_us=2)), told(image(algorithm="3.6")), told(image(), image(tile="T51TYK"))]
    assert len({first.event_id, *(event.event_id for event in corrected)}) == 4
    assert (first.data.processed_at, first.data.listed_image_count) == (at(10), 1)
    assert (corrected[0].data.image_versions, corrected[1].data.algorithm_versions) == ([2], ["3.6"])


def summary(warehouse: Warehouse, aoi_id: str, table: str = "monthly_summary") -> tuple[int, float]:
    """How many observations a period's rows are made of, and the mean share of water."""
    text = (
        f"SELECT observation_count, mean_share FROM `{warehouse.table(table)}` WHERE aoi_id = @aoi_id AND class_id = 0"
    )
    (found,) = warehouse.run(text, {"aoi_id": aoi_id})
    return found["observation_count"], found["mean_share"]


def test_summaries_are_rebuilt_by_what_arrived_not_by_when_it_was_listed(stack: Stack) -> None:
    """An observation that was listed before the newest of its month, and one that another replaces, arrive late."""
    other = image("20210708T023109")
    stack.warehouse.append("observations", [row("late", at(10, 5), image(), label=WATER)])
    stack.bigquery.settle()
    run_scheduled(stack.warehouse, at(10, 7))
    assert summary(stack.warehouse, "late") == (1, 1.0)
    stack.warehouse.append("observations", [row("late", at(10), other)])
    stack.bigquery.settle()
    run_scheduled(stack.warehouse, at(11))
    assert summary(stack.warehouse, "late") == summary(stack.warehouse, "late", "annual_summary") == (2, 0.5)
    # of the same number of observations, one is another now: listed within the hour, with more images
    stack.warehouse.append("observations", [row("late", at(9, 30), image(), image(tile="T51TYK"))])
    stack.bigquery.settle()
    run_scheduled(stack.warehouse, at(12))
    assert summary(stack.warehouse, "late") == summary(stack.warehouse, "late", "annual_summary") == (2, 0.0)
    # and a run that finds nothing new leaves the rows as they are
    run_scheduled(stack.warehouse, at(13))
    written = {
        r["run_time"]
        for r in rows(stack, "monthly_summary")
        if r["aoi_id"] == "late" and r["month"] == date(2021, 7, 1)
    }
    assert written == {at(12)}


class DeathError(Exception):
    """Stands for an instance that is gone."""


def test_rows_that_are_kept_when_an_instance_dies_are_rows_that_summaries_look_at(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a month that they look at no more. What comes again leaves out what is there: nobody else would touch it."""
    march, real = row("dead", at(13), image("20210303T023111"), label=WATER), Warehouse.append

    def dying(self: Warehouse, table: str, given: Any) -> None:
        real(self, table, given)
        raise DeathError

    stack.warehouse.append("observations", [row("dead", at(13), image())])
    stack.bigquery.settle()
    run_scheduled(stack.warehouse, at(14))
    with monkeypatch.context() as patched:
        patched.setattr(Warehouse, "append", dying)
        with pytest.raises(DeathError):
            keep_observations([march], False, stack.warehouse)
    if "20210303T023111" not in {r["overpass_id"] for r in rows(stack, "observations") if r["aoi_id"] == "dead"}:
        keep_observations([march], False, stack.warehouse)
    stack.bigquery.settle()
    run_scheduled(stack.warehouse, at(15))
    months = {r["month"]: r["observation_count"] for r in rows(stack, "monthly_summary") if r["aoi_id"] == "dead"}
    assert months.get(date(2021, 3, 1)) == 1
