"""What the pipeline asks of others: Earth Engine requests are shared, summaries look no further back than they must."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import ee
import pytest
from shapely import MultiPolygon, Polygon, box
from shapely.geometry import mapping

from local.bigquery.embedded import run_scheduled
from local.earth_engine import graph
from local.stack import Stack
from shared.aois.aoi import Part
from shared.earth_engine.client import connect
from shared.earth_engine.regions import Regions
from shared.measurement.composing import composite_requests
from shared.measurement.pieces import Layer, Piece
from shared.settings import Settings
from shared.warehouse.touches import touched_since
from tests.scenes import write_scene
from tests.stacks import feature, quiet, register, rows, settle, start_stack

DAYS = (3, 8, 13, 18, 23, 28)


def image(day: int, month: int = 7) -> str:
    return f"2021{month:02d}{day:02d}T023111_2021{month:02d}{day:02d}T023105_T51TYL"


def write(folder: Path, name: str) -> None:
    write_scene(folder, name, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(100, 100), seed=int(name[6:8]))


def fields(count: int) -> list[dict[str, Any]]:
    corners = [(125.6585 + 0.002 * (i % 5), 45.115 + 0.002 * (i // 5)) for i in range(count)]
    return [feature(f"a{i}", dict(mapping(box(x, y, x + 0.001, y + 0.001)))) for i, (x, y) in enumerate(corners)]


def requests(stack: Stack) -> int:
    return stack.earth_engine.app.requests.get("value:compute", 0)


def test_areas_that_lie_together_share_requests(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        for day in DAYS:
            write(tmp_path / "scenes", image(day))
        before = requests(stack)
        register(stack, *fields(15))
        assert len(rows(stack, "observations_current")) == 15 * len(DAYS)
        assert requests(stack) - before == 3, "one listing to plan; one listing and one computation to measure"
        before = requests(stack)
        stack.tick("composite")
        settle(stack)
        assert {(r["aoi_id"], r["period"]) for r in rows(stack, "composites_current")} == {
            (f"a{i}", period) for i in range(15) for period in ("month", "year")
        }
        assert requests(stack) - before == 4, "a listing and a computation of months, and the same of years"


def test_a_pair_budget_cuts_a_history_in_pieces_that_add_up(tmp_path: Path) -> None:
    with start_stack(tmp_path, pair_budget="20") as stack:
        for day in DAYS:
            write(tmp_path / "scenes", image(day))
        register(stack, *fields(15))
        found = [(r["aoi_id"], r["overpass_id"]) for r in rows(stack, "observations")]
        assert len(found) == len(set(found)) == 15 * len(DAYS)
        # a message holds what four requests do: 15 areas at five overpasses, in requests of 20, 20, 20 and 15 pairs
        assert stack.bus.delivered["measure"] == 2, "five overpasses and one, and nothing handed on"


def test_areas_far_apart_are_backfilled_by_themselves(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        far = [feature(f"far{i}", dict(mapping(box(10 + 3 * i, 1, 10.01 + 3 * i, 1.01)))) for i in range(4)]
        register(
            stack, *far, *fields(15), *[feature(f"b{i}", dict(mapping(box(100, 1, 100.01, 1.01)))) for i in range(101)]
        )
        assert stack.bus.delivered["backfill"] == 4 + 1 + 2


def test_composites_are_asked_for_a_requests_worth_at_a_time() -> None:
    def stale(aoi_id: str, cell: int, year: int, area_m2: float = 1e6) -> dict[str, Any]:
        return {
            "aoi_id": aoi_id,
            "aoi_version": 1,
            "period": "month",
            "period_start": date(year, 1, 1),
            "overpass_count": 60,
            "earlier_count": 40,
            "area_m2": area_m2,
            "geometry_bytes": 300,
            "cell": cell,
        }

    def asked(rows: list[dict[str, Any]]) -> list[list[tuple[str, int]]]:
        requests = composite_requests(rows, Settings(project="local-project"))
        return [[(c.aoi_id, c.period_start.year) for c in request.composites] for request in requests]

    spread = [stale(f"a{cell}", cell, year) for cell in range(5) for year in (2016, 2025)]
    assert sorted(asked(spread)) == sorted([[(f"a{cell}", year)] for cell in range(5) for year in (2016, 2025)])
    # 1e4 pixels × 100 overpasses each: a thousand fill the 1e9 of a request
    assert [len(run) for run in asked([stale(f"a{n:04}", 7, 2025) for n in range(2500)])] == [1000, 1000, 500]
    # one that is too large for any request has a message of its own, and the others do not wait behind it
    large = [stale("a0", 7, 2025), stale("b-large", 7, 2025, 1e10), stale("c0", 7, 2025)]
    assert asked(large) == [[("a0", 2025)], [("b-large", 2025)], [("c0", 2025)]]


def test_each_area_keeps_its_own_first_day(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        for day in DAYS:
            write(tmp_path / "scenes", image(day))
        first, second = (f["geometry"] for f in fields(2))
        register(
            stack,
            feature("early", first, backfill_start="2021-07-01"),
            feature("late", second, backfill_start="2021-07-15"),
        )
        found = {(r["aoi_id"], int(r["overpass_id"][6:8])) for r in rows(stack, "observations")}
        assert found == {("early", day) for day in DAYS} | {("late", day) for day in DAYS if day >= 15}


def test_an_area_that_is_gone_does_not_hold_up_the_others(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        write(tmp_path / "scenes", image(3))
        register(stack, *fields(2))
        register(stack, {**fields(3)[2], "id": "a0"}, webhook_id="msg_2")
        refs = [{"aoi_id": "a0", "aoi_version": 1}, {"aoi_id": "a1", "aoi_version": 1}]
        body = {"aois": [{**ref, "backfill_start": "2021-01-01"} for ref in refs]}
        stack.bus.publish("aoi-registrations", json.dumps(body).encode(), {})
        settle(stack)
        assert stack.bus.delivered["backfill"] == 3, "a0 as it was is gone"
        assert stack.bus.delivered["measure"] == 2, "and a1 is measured already"
        assert len([r for r in rows(stack, "observations") if r["aoi_id"] == "a1"]) == 1


def test_regions_are_what_the_client_itself_would_have_sent(tmp_path: Path) -> None:
    hole = Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (1, 2), (2, 2), (2, 1)]])
    shapes = [box(0.5, 1, 2, 3), hole, MultiPolygon([box(5, 5, 6, 6), box(7, 7, 8, 8)])]
    layer = Layer((("x",),), "x", False)
    pieces = [Piece(f"k{n}", layer, Part("EPSG:32651", dict(mapping(s)), 1, 1)) for n, s in enumerate(shapes)]
    with start_stack(tmp_path) as stack:
        connect(stack.settings, "test")
        plain = ee.FeatureCollection(
            [ee.Feature(ee.Geometry(p.part.geometry, None, False), {"key": p.key}) for p in pieces]
        )
        ours, theirs = (graph.evaluate(ee.serializer.encode(c)).elements for c in (Regions(pieces), plain))
    assert [f.properties for f in ours] == [f.properties for f in theirs]
    for mine, other, shape in zip(ours, theirs, shapes, strict=True):
        assert mine.geometry == other.geometry
        assert mine.geometry.shape.equals(shape)
        assert mine.geometry.geodesic is False


def summary(stack: Stack, table: str) -> list[tuple[Any, ...]]:
    order = "aoi_id, month, class_id" if table == "monthly_summary" else "aoi_id, year, class_id"
    return [tuple(v for k, v in sorted(r.items()) if k != "run_time") for r in rows(stack, table, order)]


def test_summaries_rebuilt_from_nothing_equal_those_built_step_by_step(tmp_path: Path) -> None:
    """After years a late scene touches an old month; an emptied table is filled again from all of history."""
    with start_stack(tmp_path) as stack:
        for month in (1, 2, 3, 7):
            write(tmp_path / "scenes", image(3, month))
        register(stack, *fields(2))
        stack.tick("composite")
        settle(stack)
        run_scheduled(stack.warehouse, datetime.now(UTC))
        write(tmp_path / "scenes", image(8, 2))
        stack.bus.publish("acquisitions", json.dumps({"image_id": image(8, 2)}).encode(), {})
        quiet(stack)
        stack.tick("composite")
        settle(stack)
        run_scheduled(stack.warehouse, datetime.now(UTC))
        february = [r for r in rows(stack, "monthly_summary") if r["month"] == date(2021, 2, 1)]
        assert {r["observation_count"] for r in february} == {2}
        stepwise = {name: summary(stack, name) for name in ("monthly_summary", "annual_summary")}
        for name in stepwise:
            stack.warehouse.run(f"DELETE FROM `{stack.warehouse.table(name)}` WHERE TRUE", {})
        run_scheduled(stack.warehouse, datetime.now(UTC))
        for name, before in stepwise.items():
            after = summary(stack, name)
            assert len(after) == len(before)
            for found, expected in zip(after, before, strict=True):
                for value, wanted in zip(found, expected, strict=True):
                    assert value == (pytest.approx(wanted, rel=1e-12) if isinstance(wanted, float) else wanted)


def test_history_is_read_once_and_again_when_it_is_touched(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        write(tmp_path / "scenes", image(3))
        register(stack, *fields(1))
        now = datetime.now(UTC)

        def july() -> list[float]:
            return [r["mean_share"] for r in rows(stack, "monthly_summary") if r["month"] == date(2021, 7, 1)]

        run_scheduled(stack.warehouse, now + timedelta(hours=2))
        assert sum(july()) == pytest.approx(1)
        # as if something had changed without a touch: only who reads the month again notices
        table = stack.warehouse.table("monthly_summary")
        stack.warehouse.run(f"UPDATE `{table}` SET source_digest = NULL, mean_share = 0.5 WHERE TRUE", {})
        run_scheduled(stack.warehouse, now + timedelta(hours=26))
        assert set(july()) == {0.5}, "the new area's history was read by the run before"
        later = now + timedelta(hours=30)
        touched = {"touched_date": later.date().isoformat(), "touched_at": later.isoformat()}
        stack.warehouse.append("touches", [{"month": "2021-07-01", "period": "month", **touched}])
        stack.bigquery.settle()
        run_scheduled(stack.warehouse, now + timedelta(hours=50))
        assert sum(july()) == pytest.approx(1)


def test_composites_look_back_to_the_year_of_the_earliest_touch(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        assert touched_since(stack.warehouse, date(2026, 8, 20)) == date(2026, 1, 1)
        assert touched_since(stack.warehouse, date(2026, 1, 20)) == date(2025, 1, 1)
        touched = {"touched_date": "2026-08-01", "touched_at": "2026-08-01T12:00:00Z"}
        stack.warehouse.append("touches", [{"month": "2019-05-01", "period": "month", **touched}])
        stack.bigquery.settle()
        assert touched_since(stack.warehouse, date(2026, 8, 20)) == date(2019, 1, 1)
        assert touched_since(stack.warehouse, date(2026, 12, 20)) == date(2026, 1, 1)
