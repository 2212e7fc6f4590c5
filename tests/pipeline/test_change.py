"""Season is no change; a clearing is one event, in the interval in which it happened; and what is told is taken back."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely import Polygon
from shapely.geometry import mapping, shape

from local.stack import Stack
from shared.imagery.names import sensing_time
from shared.messages.bodies import Tick
from tests.scenes import independent_cells, write_scene
from tests.stacks import event, feature, register, rows, settle, signed_post, start_stack

ORIGIN = (709_000.0, 5_000_000.0)
AREA = Polygon([(125.6585, 45.1145), (125.6695, 45.1145), (125.6695, 45.1215), (125.6585, 45.1215)])
YEARS, PASSES = (2021, 2022, 2023), (4, 14, 24)
TREES, GRASS, CROPS, BARE, SNOW = 1, 2, 4, 7, 8
SIZE = 100
CLEARED, EARLY = datetime(2023, 7, 10, tzinfo=UTC), datetime(2023, 5, 10, tzinfo=UTC)
CLEARING = np.zeros((SIZE, SIZE), dtype=bool)
CLEARING[30:50, 20:35] = True  # 300 of the 6,000 forest pixels


def land(month: int) -> np.ndarray:
    """Forest in the west for good; in the east snow, bare soil, grass and crops by season. Forest is snowed on."""
    labels = np.full((SIZE, SIZE), SNOW if month in {12, 1, 2} else TREES)
    east = {12: SNOW, 1: SNOW, 2: SNOW, 3: BARE, 4: BARE, 5: GRASS, 10: BARE, 11: BARE}.get(month, CROPS)
    labels[:, 60:] = east
    return labels


def write_years(folder: Path, cleared: datetime = CLEARED, label_only: bool = True) -> dict[str, Path]:
    """Three years of three passes a month, with the clearing; each is wrong on a tenth of the ground, in spots of its
    own. Returns paths by stamp.
    """
    random = np.random.default_rng(3)
    written = {}
    for year in YEARS:
        for month in range(1, 13):
            for day in PASSES:
                stamp = f"{year}{month:02d}{day:02d}T023111"
                written[stamp] = write_pass(folder, stamp, random, cleared, label_only)
    return written


def write_pass(
    folder: Path, stamp: str, random: np.random.Generator, cleared: datetime | None, label_only: bool = True
) -> Path:
    moment = sensing_time(stamp)
    labels = land(moment.month)
    if cleared is not None and moment >= cleared and moment.month not in {12, 1, 2}:
        labels[CLEARING] = BARE
    spots = (random.random((SIZE // 4, SIZE // 4)) < 0.1).repeat(4, 0).repeat(4, 1)
    labels[spots] = random.integers(0, 9, (SIZE // 4, SIZE // 4)).repeat(4, 0).repeat(4, 1)[spots]
    return write_scene(
        folder, f"{stamp}_{stamp}_T51TYL", crs="EPSG:32651", origin=ORIGIN, labels=labels, label_only=label_only
    )


def find(stack: Stack, day: date) -> list[dict[str, Any]]:
    """Find patches and tell of them, as the daily ticks do; returns all of them."""
    for job in ("find-changes", "alert-changes"):
        stack.publish_tick(Tick.model_validate({"job": job, "run_date": day}))
        settle(stack)
    return rows(stack, "report_patches", "patch_id")


def told(stack: Stack) -> list[tuple[str, str]]:
    return [(row["patch_id"], row["state"]) for row in rows(stack, "change_alerts", "published_at, state")]


def test_a_clearing_is_one_event_in_its_interval_and_a_season_none(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        written = write_years(tmp_path / "scenes")
        register(stack, feature("a", dict(mapping(AREA)), backfill_start="2021-01-01"))
        (patch,) = find(stack, date(2023, 9, 1))
        years = {row["year"]: row for row in rows(stack, "changes_current", "year")}
        assert years.keys() == {2021, 2022, 2023}
        assert [years[year]["watched_area_m2"] is None for year in (2021, 2022, 2023)] == [True, True, False]
        watched_share = years[2023]["watched_area_m2"] / years[2023]["aoi_area_m2"]
        assert watched_share == pytest.approx(0.6, abs=0.06), "the forest; what the season changes has no usual class"

        assert (patch["state"], patch["alarm"]) == ("confirmed", True)
        assert patch["supported_area_ha"] is None, "labels only"
        assert (patch["from_class_id"], patch["to_class_id"]) == (TREES, BARE)
        assert patch["happened_after"] == datetime(2023, 7, 4, 2, 31, 11, tzinfo=UTC)
        assert patch["happened_before"] == datetime(2023, 7, 14, 2, 31, 11, tzinfo=UTC)
        cells = independent_cells(next(iter(written.values())), AREA)
        truth_ha = cells.areas_m2[CLEARING[cells.rows, cells.columns]].sum() / 10_000
        outline = shape(json.loads(patch["outline"]))
        inside = independent_cells(next(iter(written.values())), outline)
        hit_ha = inside.areas_m2[CLEARING[inside.rows, inside.columns]].sum() / 10_000
        assert hit_ha >= 0.75 * truth_ha
        assert patch["area_ha"] == pytest.approx(inside.polygon_m2 / 10_000, rel=1e-4)
        assert hit_ha >= 0.9 * patch["area_ha"], "hardly anything else is told of"

        text = f"SELECT ST_AREA(outline) AS area_m2 FROM `{stack.warehouse.table('patch_shapes')}`"
        (geography,) = stack.warehouse.run(text, {})
        assert geography["area_m2"] == pytest.approx(inside.polygon_m2, rel=0.01)

        assert told(stack) == [(patch["patch_id"], "confirmed")]
        assert stack.bus.delivered["deliver_event"] == 1
        find(stack, date(2023, 9, 1))
        assert len(rows(stack, "changes")) == 3, "nothing new, nothing asked"
        assert stack.bus.delivered["deliver_event"] == 1

        # the images of the summer are reprocessed, and show forest
        random = np.random.default_rng(4)
        for stamp in written:
            if sensing_time(stamp) >= CLEARED:
                write_pass(tmp_path / "scenes", stamp, random, None)
        stack.tick("discover", run_date=date(2023, 8, 1))
        settle(stack)
        assert find(stack, date(2023, 9, 1)) == []
        assert told(stack) == [(patch["patch_id"], "confirmed"), (patch["patch_id"], "withdrawn")]


def test_late_images_a_new_outline_and_a_deletion_leave_what_finding_it_at_once_would(tmp_path: Path) -> None:
    """Half of the images first, in the middle of the clearing; then all of them, a larger area and a second one. The
    clearing is early enough for the months after it to be compared with those before.
    """
    half = Polygon([(125.6585, 45.1145), (125.664, 45.1145), (125.664, 45.1215), (125.6585, 45.1215)])
    ends = []
    for name in ("at once", "in pieces"):
        folder = tmp_path / name
        folder.mkdir()
        with start_stack(folder) as stack:
            written = write_years(folder / "scenes", EARLY, label_only=False)
            late = [path for stamp, path in written.items() if name == "in pieces" and stamp[6:8] == "14"]
            late = [path.rename(folder / path.name) for path in late]
            if name == "in pieces":
                register(stack, *(feature(a, dict(mapping(half)), backfill_start="2021-01-01") for a in ("a", "gone")))
                find(stack, date(2023, 9, 1))
                for path in late:
                    path.rename(folder / "scenes" / path.name)
                gone = event("aoi.deleted", {"aoi_id": "gone"})
                assert signed_post(stack.webhook_url, stack.webhook_secret, gone, "gone").status_code == 202
            register(stack, feature("a", dict(mapping(AREA)), backfill_start="2021-01-01"), webhook_id="all")
            stack.tick("find-changes", run_date=date(2023, 9, 1))
            settle(stack)
            ends.append([{k: v for k, v in row.items() if k != "aoi_version"} for row in rows(stack, "report_patches")])
    expected, found = ends
    assert len(expected) == 1
    assert expected[0]["supported_area_ha"] == pytest.approx(np.count_nonzero(CLEARING) / 100, rel=0.15)
    assert [expected[0][name].date() for name in ("compared_from", "compared_until")] == [
        date(2022, 5, 14),
        date(2023, 12, 24),
    ]
    # an id is of the version that it was first found in
    assert [{**row, "patch_id": ""} for row in found] == [{**row, "patch_id": ""} for row in expected]
