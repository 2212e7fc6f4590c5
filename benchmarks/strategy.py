"""Four ways to ask Earth Engine for class areas, on the same scenes and the same local Earth Engine.

(a) ours, through the functions; (b) the tutorial way, ``reduceRegion(frequencyHistogram)`` and ``getInfo`` for each AOI
and image; (c) geemap's zonal statistics by group for each image; (d) one ``reduceRegions`` an image with our bands.
Requests, bytes and pixels are counts; seconds are of one run. Of (b) over a hundred AOIs ten are run and counted ten
times, since each AOI is asked for by itself.
"""

import contextlib
import io
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import ee
import numpy as np
from shapely import box
from shapely.geometry import mapping

from benchmarks.rows import Bar, Row, timed
from local.earth_engine import raster
from local.runs.registering import post_registration
from local.sample.passes import REPROCESSED_DAY, SPLIT_DAY
from local.sample.place import sample_aoi
from local.sample.years import write_finished_year
from local.stack import Stack
from shared.classes import CLASSES
from shared.earth_engine.client import connect
from shared.earth_engine.expressions import area_bands, grid
from shared.measurement.pieces import Layer
from tests.scenes import write_scene

_WAIT_SECONDS = 1800.0
_IMAGE = "20210703T023111_20210703T023105_T51TYL"
_SAMPLED = 10
_AREA = "Earth Engine"

Areas = dict[tuple[str, str, int], float]  # (AOI, image or overpass, class) → m²


class Cost(NamedTuple):
    """What a strategy took."""

    requests: float
    megabytes: float
    pixels: float
    seconds: float

    def times(self, factor: float) -> "Cost":
        return Cost(*(value * factor for value in self))


class _Counter:
    """Counts band pixels read from scenes, whoever asks."""

    def __init__(self) -> None:
        self.pixels = 0

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        real = raster.RasterFile._read_block

        def counted(file: raster.RasterFile, index: int, col: int, row: int, width: int, height: int) -> Any:
            columns = min(col + width, file.width) - max(col, 0)
            rows = min(row + height, file.height) - max(row, 0)
            self.pixels += max(columns, 0) * max(rows, 0)
            return real(file, index, col, row, width, height)

        raster.RasterFile._read_block = counted  # type: ignore[method-assign]
        try:
            yield
        finally:
            raster.RasterFile._read_block = real  # type: ignore[method-assign]


_COUNTER = _Counter()


def _measured(stack: Stack, work: Callable[[], Areas]) -> tuple[Cost, Areas]:
    app = stack.earth_engine.app
    before = (app.requests.get("value:compute", 0), app.bytes_received + app.bytes_sent, _COUNTER.pixels)
    seconds, areas = timed(work)
    after = (app.requests.get("value:compute", 0), app.bytes_received + app.bytes_sent, _COUNTER.pixels)
    requests, transferred, pixels = (b - a for a, b in zip(before, after, strict=True))
    return Cost(requests, transferred / 1e6, pixels, seconds), areas


def _ours(stack: Stack, trigger: Callable[[], Any]) -> Areas:
    trigger()
    assert stack.bus.wait_idle(_WAIT_SECONDS)
    stack.bigquery.settle()
    rows = stack.warehouse.query("export_observations")
    # as summed, before shares are taken of the registered area: that is what the others sum
    return {
        (row["aoi_id"], row["overpass_id"], row["class_id"]): row["label_area_m2"]
        * row["measured_aoi_area_m2"]
        / row["aoi_area_m2"]
        for row in rows
    }


def _regions(features: list[dict[str, Any]]) -> Any:
    return ee.FeatureCollection(
        [ee.Feature(ee.Geometry(f["geometry"], None, False), {"key": f["id"]}) for f in features]
    )


def _tutorial(stack: Stack, features: list[dict[str, Any]], images: list[str]) -> Areas:
    """(b): weighted pixel counts × 100 m², as tutorials have it."""
    found: Areas = {}
    for image_id in images:
        image = ee.Image(f"{stack.settings.collection}/{image_id}").select("label")
        for feature in features:
            region = ee.Geometry(feature["geometry"], None, False)
            counted = image.reduceRegion(ee.Reducer.frequencyHistogram(), region, 10, maxPixels=1e9).getInfo()
            counts = counted["label"] or {}
            for c in CLASSES:
                found[feature["id"], image_id, c.class_id] = 100 * counts.get(str(c.class_id), 0.0)
    return found


def _geemap(stack: Stack, features: list[dict[str, Any]], images: list[str]) -> Areas:
    """(c): ``geemap.zonal_statistics_by_group`` of each image over all AOIs."""
    import geemap  # noqa: PLC0415 — a heavy peer

    found: Areas = {}
    regions = _regions(features)
    for image_id in images:
        label = ee.Image(f"{stack.settings.collection}/{image_id}").select("label").toInt()
        with contextlib.redirect_stdout(io.StringIO()):
            zonal = geemap.zonal_statistics_by_group(
                label, regions, statistics_type="SUM", scale=10, decimal_places=6, return_fc=True
            )
        for feature in zonal.getInfo()["features"]:
            properties = feature["properties"]
            for c in CLASSES:
                found[properties["key"], image_id, c.class_id] = float(properties.get(f"Class_{c.class_id}") or 0.0)
    return found


def _one_an_image(stack: Stack, features: list[dict[str, Any]], images: list[str]) -> Areas:
    """(d): our bands, image by image, all AOIs in each request."""
    found: Areas = {}
    regions = _regions(features)
    for image_id in images:
        layer = Layer(((image_id,),), image_id, with_probabilities=True)
        bands = area_bands(stack.settings.collection, layer)
        summed = bands.reduceRegions(regions, ee.Reducer.sum(), crs=grid(stack.settings.collection, layer))
        for feature in summed.getInfo()["features"]:
            for c in CLASSES:
                area = feature["properties"].get(f"label_{c.name}") or 0.0
                found[feature["properties"]["key"], image_id, c.class_id] = area
    return found


def _largest_difference(ours: Areas, theirs: Areas, images: list[str]) -> float:
    """Largest difference of a class area as a share of the AOI; ours by overpass, theirs by image."""
    seen: Areas = defaultdict(float)
    for (aoi_id, overpass_id, _), area in ours.items():
        seen[aoi_id, overpass_id, 0] += area
    sizes: dict[str, float] = defaultdict(float)
    for (aoi_id, _, _), area in seen.items():
        sizes[aoi_id] = max(sizes[aoi_id], area)
    chosen = set(images)
    return max(
        abs(ours[aoi_id, image_id[:15], class_id] - area) / sizes[aoi_id]
        for (aoi_id, image_id, class_id), area in theirs.items()
        if image_id in chosen
    )


def _register(stack: Stack, features: list[dict[str, Any]]) -> Any:
    collection = {"type": "FeatureCollection", "features": features}
    return post_registration(collection, stack.webhook_url, stack.webhook_secret)


def _fields(count: int, west: float, south: float, columns: int) -> list[dict[str, Any]]:
    return [
        {"type": "Feature", "id": f"a{i}", "properties": {}, "geometry": dict(mapping(box(x, y, x + 0.003, y + 0.002)))}
        for i in range(count)
        for x, y in [(west + 0.004 * (i % columns), south + 0.003 * (i // columns))]
    ]


def _rows(work: str, ours: Cost, peers: dict[str, Cost], difference: dict[str, float]) -> Iterator[Row]:
    for name, peer in peers.items():
        few = Bar(1 / 20) if name[1] in "bc" else None
        yield Row(_AREA, f"{work}: requests", "", ours.requests, name, peer.requests, few)
        even = Bar(1.1) if name[1] == "d" else None
        reading = "" if even else "they read labels only, ours probabilities too"
        yield Row(_AREA, f"{work}: band pixels read", "", ours.pixels, name, peer.pixels, even, reading)
        yield Row(_AREA, f"{work}: bytes both ways", "MB", ours.megabytes, name, peer.megabytes)
        reading = "ours with Pub/Sub and BigQuery; two cores, no network"
        yield Row(_AREA, f"{work}: wall time", "s", ours.seconds, name, peer.seconds, None, reading)
        reading = "share of the AOI" + {"b": "; it takes a pixel for 100 m²", "c": "; it samples a lon/lat grid"}.get(
            name[1], ""
        )
        equal = Bar(1e-6) if name[1] == "d" else None
        yield Row(_AREA, f"{work}: areas differ from {name} by", "", difference[name], bar=equal, reading=reading)


def _thousand_aois_one_image(folder: Path) -> Iterator[Row]:
    scenes = folder / "scenes"
    scenes.mkdir()
    features = _fields(1000, 125.66, 45.04, 32)
    with Stack(scenes, folder / "out", backfill_start=date(2021, 1, 1)) as stack, _COUNTER.counting():
        _register(stack, features)
        stack.bus.wait_idle(_WAIT_SECONDS)
        labels = np.random.default_rng(1).integers(0, 9, (140, 140)).repeat(10, 0).repeat(10, 1)
        write_scene(scenes, _IMAGE, crs="EPSG:32651", origin=(708_000, 5_004_000), labels=labels)
        body = json.dumps({"image_id": _IMAGE}).encode()
        ours, areas = _measured(stack, lambda: _ours(stack, lambda: stack.bus.publish("acquisitions", body, {})))
        connect(stack.settings, "benchmark")
        peers, differences = _peers(stack, features, [_IMAGE], areas, [_IMAGE], features)
    yield from _rows("1,000 AOIs × 1 image", ours, peers, differences)


def _year(folder: Path, features: list[dict[str, Any]], work: str) -> Iterator[Row]:
    images = [scene.image_id for scene in write_finished_year(folder / "scenes")]
    # the images whose ground no other image of the overpass replaces
    whole = [
        i for i in images if i.endswith("T51TYL") and i[:8] not in {f"{SPLIT_DAY:%Y%m%d}", f"{REPROCESSED_DAY:%Y%m%d}"}
    ]
    with Stack(folder / "scenes", folder / "out", backfill_start=date(2021, 1, 1)) as stack, _COUNTER.counting():
        ours, areas = _measured(stack, lambda: _ours(stack, lambda: _register(stack, features)))
        connect(stack.settings, "benchmark")
        peers, differences = _peers(stack, features, images, areas, whole, features[:_SAMPLED])
    yield from _rows(work, ours, peers, differences)
    if len(features) == 1:
        yield Row(_AREA, f"{work}: requests", "", ours.requests, bar=Bar(5), reading="a backfill, listing included")


def _peers(
    stack: Stack,
    features: list[dict[str, Any]],
    images: list[str],
    areas: Areas,
    compared: list[str],
    sampled: list[dict[str, Any]],
) -> tuple[dict[str, Cost], dict[str, float]]:
    some, counted = _measured(stack, lambda: _tutorial(stack, sampled, images))
    costs, found = (
        {"(b) reduceRegion each": some.times(len(features) / len(sampled))},
        {"(b) reduceRegion each": counted},
    )
    for name, strategy in {"(c) geemap by group": _geemap, "(d) reduceRegions an image": _one_an_image}.items():
        costs[name], found[name] = _measured(stack, lambda strategy=strategy: strategy(stack, features, images))  # type: ignore[misc]
    return costs, {name: _largest_difference(areas, theirs, compared) for name, theirs in found.items()}


def rows() -> Iterator[Row]:
    """Requests, pixels, bytes and time of the three pieces of work."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        found += _thousand_aois_one_image(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        found += _year(Path(folder), [sample_aoi()], "1 AOI × a year")
    with tempfile.TemporaryDirectory() as folder:
        found += _year(Path(folder), _fields(100, 125.635, 45.11, 10), "100 AOIs × a year")
    yield from found
    asked = [row for row in found if row.what.endswith(": requests") and row.peer is not None]
    for name in dict.fromkeys(row.peer_name for row in asked):
        of_peer = [row for row in asked if row.peer_name == name]
        ours, theirs = sum(row.ours for row in of_peer), sum(row.peer or 0 for row in of_peer)
        few = Bar(1 / 20) if name[1] in "bc" else None
        yield Row(_AREA, "the three together: requests", "", ours, name, theirs, few)
