"""The local Earth Engine refuses what the service refuses, for the same reason; seen through the real client."""

import threading
from pathlib import Path
from typing import Any

import ee
import numpy as np
import pytest
import requests
from shapely import box
from shapely.geometry import mapping

from local.earth_engine import limits
from local.earth_engine.algorithms.images import constant
from local.earth_engine.errors import EngineError
from local.earth_engine.meter import Meter
from local.earth_engine.server import EarthEngineServer
from local.earth_engine.values import Band
from shared.classes import CLASS_NAMES
from shared.earth_engine import client
from shared.errors import DeploymentError, RetryLaterError, TileMemoryError, TooBigError, TooManyAggregationsError
from shared.settings import Settings
from tests.scenes import write_scene

Served = tuple[Path, Settings, EarthEngineServer]
NAME = "20210703T023111_20210703T023105_T51TYL"
FIELD = dict(mapping(box(125.661, 45.105, 125.665, 45.108)))


@pytest.fixture
def image(earth_engine: Served) -> Any:
    scenes, settings, _ = earth_engine
    write_scene(scenes, NAME, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200), seed=1)
    return ee.Image(f"{settings.collection}/{NAME}")


def compute(value: Any) -> Any:
    return client.compute(value, 0.01)


def sums(image: Any, count: int, **options: Any) -> Any:
    """One list of so many reductions."""
    region = ee.Geometry(FIELD, None, False)
    one = ee.Image.pixelArea().reduceRegion(ee.Reducer.sum(), region, crs=image.select("label").projection(), **options)
    return (
        ee.List([one.set("n", n) for n in range(count)])
        if count == 1
        else ee.List.sequence(1, count).map(
            lambda n: (
                ee.Image.pixelArea()
                .multiply(ee.Number(n))
                .reduceRegion(ee.Reducer.sum(), region, crs=image.select("label").projection(), **options)
            )
        )
    )


def test_fifty_aggregations_are_taken_and_one_more_is_not(image: Any) -> None:
    assert len(compute(sums(image, 50))) == 50
    for _ in range(3):
        with pytest.raises(TooManyAggregationsError, match=r"Quota exceeded: Too many concurrent aggregations\."):
            compute(sums(image, 51))


def test_more_requests_than_forty_at_once_are_refused(earth_engine: Served) -> None:
    _, settings, server = earth_engine
    release = threading.Event()
    entered = threading.Semaphore(0)
    original = server.app._computed

    def held(method: str, request: Any) -> Any:
        entered.release()
        release.wait(30)
        return original(method, request)

    server.app._computed = held  # type: ignore[method-assign]
    url = f"{server.url}/v1alpha/projects/{settings.project}/value:compute"
    body = {"expression": {"result": "0", "values": {"0": {"constantValue": 1}}}}
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(requests.post(url, json=body, timeout=60).status_code))
        for _ in range(limits.MOST_REQUESTS_AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert entered.acquire(timeout=30)
    refused = requests.post(url, json=body, timeout=60)
    release.set()
    for thread in threads:
        thread.join()
    assert (refused.status_code, refused.json()["error"]["message"]) == (429, limits.TOO_MANY_REQUESTS)
    assert statuses == [200] * limits.MOST_REQUESTS_AT_ONCE


def band(name: str, value_bytes: int = 8, depth: int = 1) -> Band:
    leaves = frozenset((f"{name}-{n}", 1) for n in range(depth))
    return Band(name, constant(0).bands[0].projection, lambda window: pytest.fail("no pixel may be read"), leaves=leaves, value_bytes=value_bytes)  # fmt: skip


def test_twenty_double_bands_are_too_much_for_a_whole_tile_and_not_for_a_sixteenth() -> None:
    bands = [band(f"b{n}") for n in range(20)]
    with pytest.raises(EngineError) as refused:
        Meter().aggregate(bands, [851_968], 1)
    assert refused.value.message.startswith(
        "Output of image computation is too large (20 bands for 851,968 pixels = 130.0 MiB > 80.0 MiB)."
    )
    assert isinstance(client.as_our_error(Exception(refused.value.message)), TileMemoryError)
    Meter().aggregate(bands, [524_288], 1)
    Meter().aggregate(bands, [20_000_000], 4)
    Meter().aggregate([band("label", value_bytes=1)], [3_000_000], 1)
    for scale in (0.5, 17):
        with pytest.raises(EngineError, match="Valid tileScales are 1 to 16"):
            Meter().aggregate(bands, [100], scale)


def test_a_deep_stack_wants_small_tiles() -> None:
    deep = [band("label", depth=700)]
    with pytest.raises(EngineError, match=r"User memory limit exceeded\."):
        Meter().aggregate(deep, [1_100_000], 1)
    Meter().aggregate(deep, [1_100_000], 4)


def test_what_takes_too_long_is_refused_before_a_pixel_is_read() -> None:
    """A year's mode over 3,200 km² is published to work in one request; three times that is not."""
    year = [band("mode", depth=100)]
    Meter().aggregate(year, [32_000_000], 4)
    with pytest.raises(EngineError, match=r"Computation timed out\.") as refused:
        Meter().aggregate(year, [96_000_000], 4)
    assert refused.value.status == 400
    assert isinstance(client.as_our_error(refused.value), TooBigError)


def test_the_clock_says_what_each_request_took_by_its_tag(earth_engine: Served, image: Any) -> None:
    _, _, server = earth_engine
    ee.data.setWorkloadTag("measure")
    compute(sums(image, 50))
    tag, seconds = server.app.clock[-1]
    assert tag == "measure"
    assert 10 < seconds < 25, "fifty layers of a small area: a quarter of a minute"


def test_a_listing_has_at_most_five_thousand_elements(image: Any) -> None:
    points = ee.FeatureCollection(ee.List.sequence(1, 5_001).map(lambda n: ee.Feature(None, {"n": n})))
    with pytest.raises(TooBigError, match="aborted after accumulating over 5000 elements"):
        compute(points)


def test_a_new_project_is_refused_in_four_ways_and_then_not(earth_engine: Served, image: Any) -> None:
    _, _, server = earth_engine
    server.app.refuse_first = 4
    texts = set()
    for _ in range(4):
        with pytest.raises(DeploymentError) as refused:
            compute(ee.Number(1))
        texts.add(str(refused.value)[:40])
    assert len(texts) == 4
    assert compute(ee.Number(1)) == 1


def test_a_sum_over_nothing_has_no_property(earth_engine: Served) -> None:
    scenes, settings, _ = earth_engine
    write_scene(scenes, NAME, crs="EPSG:32651", origin=(709_000, 5_000_000), hidden=np.ones((100, 100), dtype=bool))
    image = ee.Image(f"{settings.collection}/{NAME}").select(list(CLASS_NAMES[:2])).addBands(ee.Image.pixelArea())
    found = compute(image.reduceRegion(ee.Reducer.sum(), ee.Geometry(FIELD, None, False), scale=10))
    assert set(found) == {"area"}


def test_an_images_time_is_its_tiles_and_its_version_no_property_to_filter_by(earth_engine: Served, image: Any) -> None:
    _, settings, _ = earth_engine
    began = ee.Date("2021-07-03T02:31:11").millis()
    after = compute(ee.Number(image.get("system:time_start")).subtract(began))
    assert 0 <= after < 25 * 60_000
    images = ee.ImageCollection(settings.collection)
    assert compute(images.size()) == 1
    assert compute(images.filter(ee.Filter.gt("system:version", 0)).size()) == 0
    computed = images.map(lambda i: i.set("ingested", i.get("system:version")))
    assert compute(computed.filter(ee.Filter.gt("ingested", 0)).size()) == 1


def test_footprints_come_as_polygons_and_as_rings(earth_engine: Served) -> None:
    scenes, settings, _ = earth_engine
    for tile in ("T51TYL", "T51TYK", "T51TXL", "T51TXK", "T52TBR", "T52TCR"):
        name = f"20210703T023111_20210703T023105_{tile}"
        write_scene(scenes, name, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(20, 20))
    described = ee.ImageCollection(settings.collection).map(lambda i: ee.Feature(ee.Image(i).geometry()))
    kinds = {feature["geometry"]["type"] for feature in compute(ee.FeatureCollection(described))["features"]}
    assert kinds == {"Polygon", "LinearRing"}


def test_a_call_that_hangs_is_asked_once(earth_engine: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client alone would ask four times, four deadlines long: longer than an invocation."""
    calls = []

    def hang(*_: Any) -> Any:
        calls.append(1)
        raise TimeoutError

    monkeypatch.setattr(ee.data, "computeValue", hang)
    monkeypatch.setattr("google.api_core.retry.retry_unary.time.monotonic", iter(range(0, 10_000, 330)).__next__)
    with pytest.raises(RetryLaterError):
        client.compute(ee.Number(1), 60)
    assert len(calls) == 1
    assert ee.data._get_state().max_retries == 0
