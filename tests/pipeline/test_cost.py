"""What ``landcover cost`` says beforehand is what the embedded stack then does."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from shapely.geometry import box, mapping
from typer.testing import CliRunner

from benchmarks.strict import requests, square, write_overpasses
from local.cli import app
from local.stack import Stack
from shared.aois.feature import RegisteredAoi
from shared.cost.workload import history_work
from shared.imagery.images import SceneImage
from shared.measurement.backfilling import Window
from shared.messages.bodies import Tick
from shared.settings import Settings
from tests.stacks import feature, register, rows, settle, start_stack

DAYS = [date(2021, 1, 3) + timedelta(days=31 * n) for n in range(14)]
NOW = datetime(2022, 7, 1, tzinfo=UTC)


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
    """What registering them does, up to the composites of the ticks that follow."""
    before = requests(stack)
    register(stack, *features)
    for period in ("month", "year"):
        stack.publish_tick(Tick(job="composite", period=period))  # type: ignore[arg-type]
        settle(stack)
    kept = {table: rows(stack, table) for table in ("observations", "composites")}
    kept_bytes = sum(len(json.dumps(row, default=str)) for table in kept.values() for row in table)
    return {
        "overpasses": len(kept["observations"]),
        "composites": len(kept["composites"]),
        "earth_engine_requests": requests(stack) - before,
        "rows": sum(map(len, kept.values())),
        "bytes": kept_bytes,
    }


def agree(foretold: dict[str, Any], found: dict[str, int]) -> None:
    for what in ("overpasses", "composites", "earth_engine_requests", "rows"):
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
    asked: list[Window] = []

    def listing(window: Window) -> list[SceneImage]:
        asked.append(window)
        return images

    work = history_work(list(many(10_000)), listing, NOW, Settings(project="local-project"))
    assert (work.overpasses, work.composites) == (20_000, 20_000)
    assert len(asked) == 100
    backfills, measurements, composites = 100, 100, 2 * (10 + 1)
    assert (work.listings, work.computations) == (backfills + measurements + composites, measurements + composites)
    assert work.pixels == 20_000 * 100
    assert work.label_pixels == 2 * work.pixels, "once in its month, once in its year"


def many(count: int) -> Iterator[RegisteredAoi]:
    for n in range(count):
        west, south = 120.001 + 0.004 * (n % 200), 40.001 + 0.004 * (n // 200)
        geometry = json.dumps(mapping(box(west, south, west + 0.001, south + 0.001)), separators=(",", ":"))
        bounds = (west, south, west + 0.001, south + 0.001)
        yield RegisteredAoi(f"a{n:05}", None, [], geometry, "", 1e4, bounds, date(2021, 1, 1))
