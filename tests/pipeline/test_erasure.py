"""An area is forgotten in every table, without a trace in the others' rows."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from shapely import box
from shapely.geometry import mapping
from typer.testing import CliRunner

from local.cli import app
from local.runs.workspace import remember
from local.stack import Stack
from local.upkeep.erasure import erase
from shared.messages.bodies import Tick
from shared.warehouse.files import definitions
from tests.scenes import write_passes, write_scene
from tests.stacks import event, feature, quiet, register, rows, signed_post, start_stack

IMAGE = "20210703T023111_20210703T023105_T51TYL"
KEPT, FORGOTTEN = "estate", "estate-7"
HERE = dict(mapping(box(125.661, 45.114, 125.664, 45.116)))


def about(stack: Stack, aoi_id: str) -> dict[str, int]:
    """How many rows of each table say anything of an AOI."""
    counts = {
        table: sum(f"'{aoi_id}'" in str(row).replace('"', "'") for row in rows(stack, table))
        for table in definitions()["tables"]
    }
    return {table: count for table, count in counts.items() if count}


def filled(stack: Stack, scenes: Path) -> None:
    write_scene(scenes, IMAGE, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200))
    write_passes(scenes, {"20210713T023111_20210713T023105_T51TYL": 80.0})
    register(stack, feature(KEPT, HERE, name="Kept"), feature(FORGOTTEN, HERE, name="Forgotten"))
    stack.tick("composite")
    stack.tick("record-passes", run_date=datetime(2021, 7, 14, tzinfo=UTC).date())
    bad = {
        "overpass_ids": ["20210231T000000"],
        "aois": [{"aoi_id": aoi_id, "aoi_version": 1} for aoi_id in (FORGOTTEN,)],
    }
    stack.bus.publish("measurements", json.dumps(bad).encode(), {"lane": "live"})
    quiet(stack)
    stack.publish_tick(Tick(job="find-changes", run_date=date(2021, 9, 1)))
    news: dict[str, Any] = {"patch_id": "p", "state": "confirmed", "published_at": datetime.now(UTC).isoformat()}
    for aoi_id in (KEPT, FORGOTTEN):
        key = {"aoi_id": aoi_id, "event_id": f"evt_{aoi_id}"}
        stack.warehouse.append("change_alerts", [{**key, "aoi_version": 1, **news}])
        attempt = {"attempted_at": news["published_at"], "host": "h", "outcome": "delivered", "seconds": 1.0}
        sampled = {"sample_id": "s", "strata": "classes", "year": 2021, "aoi_id": aoi_id, "aoi_version": 1}
        made = {"code_version": "0", "estimated_at": news["published_at"]}
        sums = {"quantity": "class", "points": 1, "mapped_area_m2": 1.0, "area_m2": 1.0, "standard_error_m2": 1.0}
        place = {"point_id": 1, "longitude_deg": 1.0, "latitude_deg": 1.0, "stratum": "A", "stratum_name": "trees"}
        stack.warehouse.append("area_estimates", [{**sampled, **sums, **made}])
        seen = {"weight_m2": 1.0, "reference_class_id": 1}
        stack.warehouse.append("reference_points", [{**sampled, **place, **seen, **made}])
        pair = {"year": 2021, "compared_with": "previous", "from_year": 2020, "to_year": 2021, "cells": []}
        pair |= dict.fromkeys(("from_overpass_count", "to_overpass_count", "listed_image_count"), 1)
        pair |= dict.fromkeys(("seen_in_both_m2", "aoi_area_m2", "measured_aoi_area_m2"), 1.0)
        pair |= {"aoi_id": aoi_id, "aoi_version": 1, "code_version": "0", "processed_at": news["published_at"]}
        stack.warehouse.append("transitions", [pair])
        stack.warehouse.append("deliveries", [{**key, "event_type": "change.confirmed", **attempt}])
    stack.summarise()


def test_an_area_is_erased_from_every_table_and_its_neighbour_from_none(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        filled(stack, tmp_path / "scenes")
        kept, before = about(stack, KEPT), about(stack, FORGOTTEN)
        of_areas = {"aoi_events", "histories", "observations", "composites", "passes", "change_alerts", "deliveries"}
        assert before.keys() == of_areas | {
            "changes",
            "transitions",
            "monthly_summary",
            "annual_summary",
            "dead_letters",
            "reference_points",
            "area_estimates",
        }
        first = erase(stack.warehouse, [FORGOTTEN])
        assert first.found == before
        assert first.again_at is not None
        assert first.left.keys() == {
            "observations",
            "composites",
            "changes",
            "transitions",
            "passes",
            "change_alerts",
            "deliveries",
            "dead_letters",
            "reference_points",
            "area_estimates",
        }
        assert [a["aoi_id"] for a in rows(stack, "aois")] == [KEPT], "nothing of it is measured any more"
        for name in ("export_observations", "export_monthly", "export_annual"):
            assert {row["aoi_id"] for row in stack.warehouse.query(name)} == {KEPT}
        stack.summarise()
        second = erase(stack.warehouse, [FORGOTTEN], datetime.now(UTC) + timedelta(minutes=46))
        assert (second.left, second.again_at) == ({}, None)
        assert about(stack, FORGOTTEN) == {}
        assert about(stack, KEPT) == kept


def test_the_command_says_what_is_left_and_when_to_come_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start_stack(tmp_path) as stack:
        filled(stack, tmp_path / "scenes")
        gone = event("aoi.deleted", {"aoi_id": KEPT})
        assert signed_post(stack.webhook_url, stack.webhook_secret, gone, "gone").status_code == 202
        for name in ("export_observations", "export_monthly", "export_annual"):
            exported = {row["aoi_id"] for row in stack.warehouse.query(name)}
            assert exported == {FORGOTTEN}, "what was deleted is exported no more"
    remember(out, tmp_path / "scenes")
    command = ["erase", "--aoi", FORGOTTEN, "--warehouse", str(out)]
    refused = CliRunner().invoke(app, command, input="n\n")
    assert refused.exit_code == 1
    said = CliRunner().invoke(app, [*command, "--yes"], catch_exceptions=False)
    assert "aoi_events: 1 of 1 rows deleted" in said.output
    assert "observations: 0 of 1 rows deleted" in said.output
    assert "run it again after" in said.output
    nobody = CliRunner().invoke(
        app, ["erase", "--aoi", "nobody", "--warehouse", str(out), "--yes"], catch_exceptions=False
    )
    assert "nothing is left" in nobody.output
