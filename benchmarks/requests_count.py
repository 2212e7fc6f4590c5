"""How many Earth Engine compute requests two typical pieces of work take: python -m benchmarks.requests_count"""

import json
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
from shapely import box
from shapely.geometry import mapping

from local.pipeline import post_registration
from local.sample.year import sample_aoi, write_year
from local.stack import Stack
from tests.scenes import write_scene

_WAIT_SECONDS = 600.0


def backfill_of_a_year(folder: Path) -> tuple[int, int, int]:
    """(images, observations, compute requests) of one AOI's year."""
    images = len(write_year(folder / "scenes"))
    with Stack(folder / "scenes", folder / "out", backfill_start=date(2021, 1, 1)) as stack:
        before = _computed(stack)
        post_registration(
            {"type": "FeatureCollection", "features": [sample_aoi()]}, stack.webhook_url, stack.webhook_secret
        )
        stack.bus.wait_idle(_WAIT_SECONDS)
        return images, _observations(stack), _computed(stack) - before


def thousand_aois_under_one_image(folder: Path) -> tuple[int, int]:
    """(observations, compute requests) when an image arrives over 1,000 registered AOIs."""
    scenes = folder / "scenes"
    scenes.mkdir()
    with Stack(scenes, folder / "out", backfill_start=date(2021, 1, 1)) as stack:
        features = [
            {"type": "Feature", "id": f"a{i}", "properties": {}, "geometry": dict(mapping(_field(i)))}
            for i in range(1000)
        ]
        post_registration({"type": "FeatureCollection", "features": features}, stack.webhook_url, stack.webhook_secret)
        stack.bus.wait_idle(_WAIT_SECONDS)
        image = "20210703T023111_20210703T023105_T51TYL"
        write_scene(scenes, image, crs="EPSG:32651", origin=(708_000, 5_004_000), labels=np.full((1400, 1400), 4))
        before = _computed(stack)
        stack.bus.publish("acquisitions", json.dumps({"image_id": image}).encode(), {})
        stack.bus.wait_idle(_WAIT_SECONDS)
        return _observations(stack), _computed(stack) - before


def _field(number: int) -> object:
    west, south = 125.66 + 0.004 * (number % 32), 45.04 + 0.003 * (number // 32)
    return box(west, south, west + 0.003, south + 0.002)


def _computed(stack: Stack) -> int:
    return stack.earth_engine.app.requests.get("value:compute", 0)


def _observations(stack: Stack) -> int:
    table = stack.warehouse.table("observations_current")
    return int(stack.warehouse.run(f"SELECT COUNT(*) AS n FROM `{table}`", {})[0]["n"])


def main() -> None:
    """Print both counts."""
    with tempfile.TemporaryDirectory() as folder:
        images, observations, requests = backfill_of_a_year(Path(folder))
        print(f"a year of one AOI: {images} images, {observations} observations, {requests} requests (bar: 5)")
    with tempfile.TemporaryDirectory() as folder:
        observations, requests = thousand_aois_under_one_image(Path(folder))
        print(f"1,000 AOIs under one image: {observations} observations, {requests} requests (bar: 10)")


if __name__ == "__main__":
    main()
