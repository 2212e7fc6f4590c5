"""What ``landcover cost`` says beforehand is what the embedded stack then does."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from shapely.geometry import box, mapping
from typer.testing import CliRunner

from benchmarks.strict import pixel_requests, requests, square, write_overpasses
from local.cli import app
from local.stack import Stack
from local.upkeep.cost import listed_history, read_areas
from shared.aois.feature import RegisteredAoi
from shared.cost.work import Work
from shared.cost.workload import history_work
from shared.earth_engine.client import connect
from shared.imagery.images import SceneImage
from shared.measurement.backfilling import Window
from shared.messages.bodies import Tick
from shared.settings import Settings
from tests.l1c import random_l1c, write_l1c
from tests.stacks import feature, register, rows, settle, start_stack

DAYS = [date(2021, 1, 3) + timedelta(days=31 * n) for n in range(14)]
NOW, SUMMER = datetime(2022, 7, 1, tzinfo=UTC), datetime(2021, 7, 5, 12, tzinfo=UTC)
ORIGIN = (600_000, 5_100_000)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    write_overpasses(folder, DAYS, 700)
    return folder


def running(folder: Path, scenes: Path, **settings: str) -> Any:
    (folder / "scenes").symlink_to(scenes)
    return start_stack(folder, **settings)


def told(path: Path, *features: dict[str, Any]) -> dict[str, Any]:
    """What the command says of areas, by the Earth Engine that the environment names."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    done: Result = CliRunner().invoke(app, ["cost", str(path), "--json"])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.output)
    assert "images that" in answer["assumptions"]["overpasses"]
    return answer["history"]


def done(stack: Stack, *features: dict[str, Any]) -> dict[str, int]:
    """What registering them does, up to the composites, transitions and patches of the ticks that follow."""
    before = asked(stack)
    register(stack, *features)
    composites = (Tick(job="composite", period="month"), Tick(job="composite", period="year"))
    for tick in (*composites, Tick(job="transition"), Tick(job="find-changes")):
        stack.publish_tick(tick)
        settle(stack)
    return kept(stack, asked(stack) - before)


def asked(stack: Stack) -> Counter[str]:
    return Counter({"all": requests(stack) + pixel_requests(stack), "pixels": pixel_requests(stack)})


def kept(stack: Stack, used: Counter[str]) -> dict[str, int]:
    found = {table: rows(stack, table) for table in ("observations", "composites", "transitions", "changes")}
    by_network = [row for row in found["observations"] if row["source"] == "network"]
    kept_bytes = sum(len(json.dumps(row, default=str)) for table in found.values() for row in table)
    return {
        "overpasses": len(found["observations"]) - len(by_network),
        "composites": len(found["composites"]),
        "classifications": len(by_network),
        "pairs_of_years": len(found["transitions"]),
        "years_of_patches": len(found["changes"]),
        "earth_engine_requests": used["all"],
        "pixel_requests": used["pixels"],
        "rows": sum(map(len, found.values())),
        "bytes": kept_bytes,
    }


def agree(foretold: dict[str, Any], found: dict[str, int]) -> None:
    for what in found.keys() - {"bytes"}:
        assert foretold[what] == [found[what]] * 2, what
    assert foretold["bytes"][0] == pytest.approx(found["bytes"], rel=0.5)


def fields(count: int) -> Iterator[dict[str, Any]]:
    """Small fields side by side; every third has a shorter history, one lies where there is no image."""
    for n in range(count - 1):
        start = {"backfill_start": "2021-09-10"} if n % 3 == 0 else {}
        place = square(0.06, 200 + 150 * (n % 20), 200 + 150 * (n // 20))
        yield feature(f"a{n:03}", dict(mapping(place)), **start)
    yield feature("nowhere", dict(mapping(box(10, 50, 10.001, 50.001))))


def test_a_hundred_areas_cost_what_was_said(tmp_path: Path, scenes: Path) -> None:
    with running(tmp_path, scenes, pair_budget="150") as stack:
        foretold = told(tmp_path / "areas.geojson", *fields(100))
        found = done(stack, *fields(100))
    assert found["overpasses"] == 66 * len(DAYS) + 33 * sum(day >= date(2021, 9, 10) for day in DAYS)
    agree(foretold, found)


def test_a_large_area_that_is_cut_and_handed_on_costs_what_was_said(tmp_path: Path, scenes: Path) -> None:
    area = feature("large", dict(mapping(square(1.2, 300, 300))))
    small = {"pixel_budget": "2500", "label_pixel_budget": "30000", "layer_budget": "6"}
    with running(tmp_path, scenes, **small) as stack:
        foretold = told(tmp_path / "areas.geojson", area)
        found = done(stack, area)
        assert stack.bus.delivered["measure"] >= 2 * len(DAYS), "each overpass takes more than one invocation"
    assert found["overpasses"] == len(DAYS)
    agree(foretold, found)


def test_passes_for_the_network_and_patches_of_watched_years_cost_what_was_said(tmp_path: Path) -> None:
    """Years with a baseline of two others, and two passes of the last days that Dynamic World leaves out: over an area
    that the network sees in one tile, one that takes four, and one of which only a part lies under a scene.
    """
    folder = tmp_path / "scenes"
    write_overpasses(folder, [date(year, month, 10) for year in (2019, 2020, 2021) for month in (1, 4, 6)], 700)
    for number, day in enumerate((date(2021, 6, 28), date(2021, 7, 3))):
        image_id = f"{day:%Y%m%d}T023111_{day:%Y%m%d}T023105_T51TWM"
        bands = {**random_l1c(540, 540, number), "B10": np.full((90, 90), 10, np.uint16)}
        write_l1c(folder, image_id, bands, origin=ORIGIN, probability=np.zeros((540, 540)))
    places = {"small": square(0.6, 300, 300), "large": square(4.2, 600, 700), "edge": square(1, 4_800, 300)}
    start = {"backfill_start": "2019-01-01"}
    areas = [feature(name, dict(mapping(place)), **start) for name, place in places.items()]
    path = tmp_path / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": areas}))
    with start_stack(tmp_path) as stack:
        connect(stack.settings, "test")
        told_work = listed_history(read_areas(path, None, stack.settings), SUMMER, stack.settings)
        found = done(stack, *areas)
        before = asked(stack)
        for _ in range(2):
            between = asked(stack)
            stack.tick("record-passes", run_date=SUMMER.date())
            settle(stack)
        # the second record asks for nothing but the lists of scenes, which all areas share
        used = between - before - (asked(stack) - between)
        passes = kept(stack, used)
        for work in told_work:
            assert (work.finding.years, work.finding.fetches) == (found["years_of_patches"], found["pixel_requests"])
            assert work.measuring.plus(work.finding).requests == found["earth_engine_requests"]
            assert (work.classifying.overpasses, work.classifying.requests, work.classifying.fetches) == (
                passes["classifications"],
                passes["earth_engine_requests"],
                passes["pixel_requests"],
            )
    assert (found["years_of_patches"], found["pixel_requests"]) == (9, 3), "2021 of three areas has a baseline"
    assert (passes["classifications"], passes["pixel_requests"]) == (6, 2 * (1 + 4 + 1))


def test_ten_thousand_areas_are_planned_as_they_are_registered() -> None:
    """By hand: ten calls of a thousand, a message for each hundred; two overpasses of a hundred areas are one request.
    A tick plans 10,000 composites but those of the last area, a thousand pairs a request.
    """
    image = SceneImage(
        image_id="20210103T023111_20210103T023105_T51TWM",
        version_us=1,
        footprint=dict(mapping(box(120, 40, 121, 41))),
        crs="EPSG:32651",
        bands=("label",),
    )
    images = [
        image.model_copy(update={"image_id": image.image_id.replace("20210103", f"202101{d:02}")}) for d in (3, 8)
    ]
    windows: list[Window] = []

    def listing(window: Window) -> list[SceneImage]:
        windows.append(window)
        return images

    work, same = history_work(list(many(10_000)), listing, lambda _: [], NOW, Settings(project="local-project"))
    assert work == same, "everything is listed"
    work, classifying, finding = work
    assert (work.overpasses, work.composites) == (20_000, 20_000)
    assert len(windows) == 100
    backfills, measurements, composites = 100, 100, 2 * (10 + 1)
    assert (work.listings, work.computations) == (backfills + measurements + composites, measurements + composites)
    assert work.pixels == 20_000 * 100
    assert work.label_pixels == 2 * work.pixels, "labels only: once in its month, once in its year"
    assert classifying == Work(), "no scene is without its image"
    assert (finding.years, finding.fetches) == (10_000, 0), "of a year without a baseline nothing is fetched"
    assert finding.listings == 500 + 1, "twenty in a message, and the last area in the next tick's"


def many(count: int) -> Iterator[RegisteredAoi]:
    for n in range(count):
        west, south = 120.001 + 0.004 * (n % 200), 40.001 + 0.004 * (n // 200)
        geometry = json.dumps(mapping(box(west, south, west + 0.001, south + 0.001)), separators=(",", ":"))
        bounds = (west, south, west + 0.001, south + 0.001)
        yield RegisteredAoi(f"a{n:05}", None, [], geometry, "", 1e4, bounds, date(2021, 1, 1))
