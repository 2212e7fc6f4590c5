"""Stacks that lack something: pixels, a list of passes, a view."""

from pathlib import Path

import pytest
import rasterio

from local.probe import pubsub
from local.probe.checks import CHECKS
from local.probe.deployment import Deployment
from local.probe.model import Outcome
from local.probe.runner import chosen, probe
from tests.probe.scenes import AT, of, write_scenes
from tests.stacks import start_stack


def test_masks_that_differ_and_missing_images_fail(tmp_path: Path) -> None:
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    write_scenes(scenes)
    for path in scenes.glob("*.tif"):
        with rasterio.open(path, "r+") as dataset:
            water = dataset.read(1)
            water[:50] = -1
            dataset.write(water, 1)
    with start_stack(tmp_path) as stack:
        deployment = Deployment(stack.warehouse, stack, None, AT)
        masks = of(list(probe(deployment, chosen(CHECKS, "earth-engine/masks"))), "earth-engine/masks")[""]
        assert masks.outcome is Outcome.FAIL
        # fifty rows of two hundred pixels: too few for the sums to tell
        assert masks.found == "8% of 50.1 km² seen; masks differ in 10000.0 band pixels; sums agree"
        elsewhere = Deployment(stack.warehouse, stack, None, (31.0, 30.8))
        found = list(probe(elsewhere, chosen(CHECKS, "earth-engine/images")))[-1].finding
        assert found.found == "no image at 31.000, 30.800: name a place that has some (--at)"
        (scenes / "passes.geojson").unlink()
        deployment = Deployment(stack.warehouse, stack, None, AT)
        nameless = of(list(probe(deployment, chosen(CHECKS, "earth-engine/ids"))), "earth-engine/ids")[""]
        assert nameless.outcome is Outcome.SKIPPED


def test_a_warehouse_that_lost_something_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with start_stack(tmp_path) as stack:
        deployment = Deployment(stack.warehouse, stack, stack.webhook_url, AT)
        monkeypatch.setattr(pubsub, "_PATIENCE_SECONDS", 3.0)
        stack.warehouse.client.delete_table(stack.warehouse.table("aois"))
        found = list(probe(deployment, chosen(CHECKS, "bigquery")))
        assert of(found, "bigquery/tables")[""].found == "aois is missing"
        assert of(found, "bigquery/dry-run")[""].outcome is Outcome.SKIPPED
        broken = of(list(probe(deployment, [c for c in CHECKS if c.name == "bigquery/dry-run"])), "bigquery/dry-run")
        assert {"query aois_by_id", "view report_monthly"} <= {
            n for n, f in broken.items() if f.outcome is Outcome.FAIL
        }
        assert "query earliest_touch" not in broken
        trips = of(list(probe(deployment, chosen(CHECKS, "pubsub/round-trip"))), "pubsub/round-trip")
        assert trips["discover"].outcome is Outcome.PASS
        assert trips["measure"].outcome is Outcome.FAIL
        assert "measure: dead letter: BigQuery refused the query" in trips["measure"].found
