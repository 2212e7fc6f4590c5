"""The large pieces of work on the strict stand-ins, through every function: requests, the longest invocation by Earth
Engine's modelled clock, and dead letters:

    python -m benchmarks strict

Invocations run one at a time, so that each knows which requests are its own. Half an hour on two cores.
"""

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from affine import Affine
from pyproj import Geod, Transformer
from shapely import Polygon, box, contains, intersection, intersects, prepare, segmentize, transform
from shapely import area as area_of
from shapely.geometry import mapping

from benchmarks.rows import Bar, Row
from local.runs.registering import post_registration
from local.stack import Stack
from shared.aois.aoi import Aoi
from shared.classes import CLASS_NAMES, LABEL_BAND
from shared.measurement.areas import Areas
from shared.measurement.rows import observation_row, provenance
from shared.messages.bodies import AoiRef, MeasurementRequest, Tick
from shared.warehouse.touches import touch

_AREA = "strict stand-ins"
_CRS, _ORIGIN = "EPSG:32651", (600_000.0, 5_100_000.0)
_DECADE, _YEAR = date(2016, 11, 1), date(2021, 1, 1)
_TILE_PIXELS = 10_980
_BLOCK_PIXELS = 30
_INVOCATION_SECONDS = 540.0
_WAIT_SECONDS = 3 * 3600.0


class Spent(NamedTuple):
    """What one piece of work took: requests, seconds of each invocation on the engine's clock, dead letters."""

    requests: int
    invocations: list[float]
    dead_letters: int


class InvocationClock:
    """Lets a stack's invocations run one at a time and keeps the modelled seconds of each one's requests."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._lock = threading.Lock()
        self.seconds: list[float] = []

    @contextmanager
    def watching(self) -> Iterator["InvocationClock"]:
        push, clock = self._stack._push, self._stack.earth_engine.app.clock

        def watched(function: str, body: dict[str, Any]) -> int:
            with self._lock:
                before = len(clock)
                status = push(function, body)
                self.seconds.append(sum(seconds for _, seconds in clock[before:]))
                return status

        bus: Any = self._stack.bus
        bus._push = watched
        try:
            yield self
        finally:
            bus._push = push

    def spent(self, requests_before: int) -> Spent:
        """What was used since; waits until nothing is left to do."""
        assert self._stack.bus.wait_idle(_WAIT_SECONDS), "messages are still waiting"
        self._stack.bigquery.settle()
        dead = self._stack.warehouse.query("dead_letters_brief")
        return Spent(requests(self._stack) - requests_before, self.seconds, len(dead))


def requests(stack: Stack) -> int:
    """Computations that Earth Engine was asked for so far, listings among them."""
    return stack.earth_engine.app.requests.get("value:compute", 0)


def pixel_requests(stack: Stack) -> int:
    """Requests for pixels that Earth Engine was asked so far."""
    return stack.earth_engine.app.requests.get("image:computePixels", 0)


def square(side_km: float, west_m: float = 5_000, north_m: float = 5_000) -> Polygon:
    """A square that lies so many metres from the corner of the scenes, in lon/lat."""
    to_degrees = Transformer.from_crs(_CRS, "EPSG:4326", always_xy=True)
    x, y, side = _ORIGIN[0] + west_m, _ORIGIN[1] - north_m, side_km * 1000
    corners = [(x, y), (x + side, y), (x + side, y - side), (x, y - side)]
    return Polygon([to_degrees.transform(*corner) for corner in corners])


def feature(aoi_id: str, polygon: Polygon) -> dict[str, Any]:
    return {"type": "Feature", "id": aoi_id, "properties": {}, "geometry": dict(mapping(polygon))}


def every_five_days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=5 * n) for n in range(count)]


def write_overpasses(scenes: Path, days: Sequence[date], side_pixels: int, label_only: bool = False) -> list[str]:
    """An overpass on each day, all of one picture: one file, and links that bear the others' names."""
    names = [f"{day:%Y%m%d}T023111_{day:%Y%m%d}T023105_T51TWM" for day in days]
    scenes.mkdir(parents=True, exist_ok=True)
    picture = scenes / f"{names[0]}.tif"
    _write_picture(picture, side_pixels, label_only)
    for name in names[1:]:
        (scenes / f"{name}.tif").symlink_to(picture)
    return names


def _blocks(side_pixels: int) -> np.ndarray:
    """The class of each block of a picture, row by row."""
    return np.random.default_rng(side_pixels).integers(0, 9, (side_pixels // _BLOCK_PIXELS + 1,) * 2, dtype=np.uint8)


def true_areas(side_pixels: int, polygon: Polygon) -> np.ndarray:
    """Ellipsoidal area in m² of each class within a lon/lat polygon over a picture: GeographicLib on what each block
    shares with the polygon.
    """
    to_metres = Transformer.from_crs("EPSG:4326", _CRS, always_xy=True)
    to_degrees = Transformer.from_crs(_CRS, "EPSG:4326", always_xy=True)
    outline = transform(
        segmentize(polygon, 0.0005), lambda xy: np.column_stack(to_metres.transform(xy[:, 0], xy[:, 1]))
    )
    prepare(outline)
    blocks = _blocks(side_pixels)
    rows, columns = (index.ravel() for index in np.indices(blocks.shape))
    side_m = _BLOCK_PIXELS * 10.0
    west, north = _ORIGIN[0] + columns * side_m, _ORIGIN[1] - rows * side_m
    frames = box(west, north - side_m, west + side_m, north)
    whole, touched = contains(outline, frames), intersects(outline, frames)
    shares = np.where(whole, frames, None)
    shares[touched & ~whole] = intersection(frames[touched & ~whole], outline)
    geod = Geod(ellps="WGS84")
    found = np.zeros(9)
    for number in np.flatnonzero(area_of(shares) > 0):
        x, y = shares[number].exterior.coords.xy
        area_m2, _ = geod.polygon_area_perimeter(*to_degrees.transform(x, y))
        found[blocks.ravel()[number]] += abs(area_m2)
    return found


def _write_picture(path: Path, side_pixels: int, label_only: bool) -> None:
    """Blocks of one class each; its probability is 0.6 there, that of the others 0.05."""
    labels = _blocks(side_pixels).repeat(_BLOCK_PIXELS, 0).repeat(_BLOCK_PIXELS, 1)[:side_pixels, :side_pixels]
    names = [LABEL_BAND] if label_only else [*CLASS_NAMES, LABEL_BAND]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=side_pixels,
        width=side_pixels,
        count=len(names),
        dtype="uint8" if label_only else "float32",
        crs=_CRS,
        transform=Affine(10, 0, _ORIGIN[0], 0, -10, _ORIGIN[1]),
        tiled=True,
        compress="zstd",
        zstd_level=1,
        interleave="band",
    ) as dataset:
        for index, name in enumerate(names, 1):
            values = labels if name == LABEL_BAND else np.where(labels == index - 1, 0.6, 0.05)
            dataset.write(values.astype(dataset.dtypes[0]), index)
            dataset.set_band_description(index, name)


@contextmanager
def a_stack(folder: Path, start: date) -> Iterator[Stack]:
    with Stack(folder / "scenes", folder / "out", backfill_start=start) as stack:
        yield stack


def register(stack: Stack, *features: dict[str, Any]) -> None:
    post_registration(
        {"type": "FeatureCollection", "features": list(features)}, stack.webhook_url, stack.webhook_secret
    )


def history(folder: Path, side_km: float, start: date, overpasses: int) -> tuple[Spent, list[str]]:
    """The backfill of one square; returns what it took and the overpasses that were kept."""
    write_overpasses(folder / "scenes", every_five_days(start, overpasses), round(side_km * 100) + 1_000)
    with a_stack(folder, start) as stack, InvocationClock(stack).watching() as clock:
        register(stack, feature("square", square(side_km)))
        spent = clock.spent(0)
        kept = stack.warehouse.run(
            f"SELECT overpass_id FROM `{stack.warehouse.table('observations_current')}` ORDER BY overpass_id", {}
        )
    return spent, [row["overpass_id"] for row in kept]


def many_areas(folder: Path, count: int = 1_000) -> tuple[Spent, int]:
    """Small areas under one new image; returns what it took and how many have their observation."""
    with a_stack(folder, _YEAR) as stack:
        columns = 40
        register(
            stack,
            *(
                feature(f"a{n:04}", square(0.2, 300 + 250 * (n % columns), 300 + 250 * (n // columns)))
                for n in range(count)
            ),
        )
        assert stack.bus.wait_idle(_WAIT_SECONDS)
        stack.bigquery.settle()
        with InvocationClock(stack).watching() as clock:
            before = requests(stack)
            (name,) = write_overpasses(folder / "scenes", [_YEAR], 1_200)
            stack.bus.publish("acquisitions", f'{{"image_id": "{name}"}}'.encode(), {})
            spent = clock.spent(before)
        kept = stack.warehouse.run(f"SELECT COUNT(*) AS n FROM `{stack.warehouse.table('observations_current')}`", {})
    return spent, kept[0]["n"]


def large_overpass(
    folder: Path, side_km: float = 99.98, scene_pixels: int = _TILE_PIXELS
) -> tuple[Spent, float, float]:
    """One overpass of a large square; returns what it took, the coverage that was found, and by how much the area of a
    class differs at most from the truth on the ellipsoid, in parts per million of the AOI.
    """
    area = square(side_km, 1_000, 1_000)
    (name,) = write_overpasses(folder / "scenes", [_YEAR], scene_pixels)
    with a_stack(folder, _YEAR + timedelta(days=300)) as stack:
        register(stack, feature("square", area))
        assert stack.bus.wait_idle(_WAIT_SECONDS)
        stack.bigquery.settle()
        with InvocationClock(stack).watching() as clock:
            before = requests(stack)
            request = MeasurementRequest(
                overpass_ids=[name[:15]], aois=[AoiRef(aoi_id="square", aoi_version=1)], announce=True
            )
            stack.bus.publish("measurements", request.model_dump_json().encode(), {"lane": "live"})
            spent = clock.spent(before)
        (row,) = stack.warehouse.run(f"SELECT * FROM `{stack.warehouse.table('observations_current')}`", {})
    measured = np.zeros(9)
    for record in row["classes"]:
        measured[record["class_id"]] = record["label_area_m2"]
    worst_m2 = float(np.abs(measured - true_areas(scene_pixels, area)).max())
    return spent, row["coverage"], worst_m2 / row["aoi_area_m2"] * 1e6


def year_composites(
    folder: Path, features: list[dict[str, Any]], overpasses: int, scene_pixels: int
) -> tuple[Spent, int]:
    """The year composite of each area; returns what they took and how many there are. That their overpasses were
    observed is written into the warehouse beforehand.
    """
    names = write_overpasses(folder / "scenes", every_five_days(_YEAR, overpasses), scene_pixels, label_only=True)
    with a_stack(folder, date.today()) as stack:
        register(stack, *features)
        assert stack.bus.wait_idle(_WAIT_SECONDS)
        stack.bigquery.settle()
        aois = stack.warehouse.run(f"SELECT aoi_id, area_m2 FROM `{stack.warehouse.table('aois')}`", {})
        stack.warehouse.append("observations", [_observed(row, name) for row in aois for name in names])
        touch(stack.warehouse, [_YEAR.isoformat()])
        stack.bigquery.settle()
        with InvocationClock(stack).watching() as clock:
            before = requests(stack)
            stack.publish_tick(Tick(job="composite", period="year"))
            spent = clock.spent(before)
        kept = stack.warehouse.run(f"SELECT COUNT(*) AS n FROM `{stack.warehouse.table('composites_current')}`", {})
    return spent, kept[0]["n"]


def _observed(aoi: dict[str, Any], image_id: str) -> dict[str, Any]:
    area_m2 = aoi["area_m2"]
    areas = Areas(area_m2, area_m2, {c: area_m2 if c == 1 else 0.0 for c in range(9)}, None)
    made_of = provenance([], datetime.now(UTC) - timedelta(minutes=5))
    return observation_row(Aoi(aoi["aoi_id"], 1, area_m2, {}), image_id[:15], areas, made_of)


def rows() -> Iterator[Row]:
    """Each piece of work: requests, longest invocation, dead letters, and what must have come of it."""
    small = [feature(f"a{n:03}", square(1, 300 + 1_100 * (n % 20), 300 + 1_100 * (n // 20))) for n in range(200)]
    with tempfile.TemporaryDirectory() as folder:
        spent, kept = history(Path(folder), 1, _DECADE, 730)
        yield from _rows("a decade of 1 km², 730 overpasses", spent, len(kept), 730, Bar(25))
    with tempfile.TemporaryDirectory() as folder:
        spent, kept = history(Path(folder), 10, _DECADE, 730)
        yield from _rows("a decade of 100 km², 730 overpasses", spent, len(kept), 730)
    with tempfile.TemporaryDirectory() as folder:
        yield from _rows("1,000 AOIs under one image", *many_areas(Path(folder)), 1_000, Bar(5))
    with tempfile.TemporaryDirectory() as folder:
        spent, coverage, worst_ppm = large_overpass(Path(folder))
        yield from _rows("an overpass of 10,000 km²", spent, round(coverage), 1)
        what = "an overpass of 10,000 km²: a class area differs from the ellipsoid by"
        yield Row(_AREA, what, "ppm", worst_ppm, bar=Bar(20), reading="of the AOI, as published")
    with tempfile.TemporaryDirectory() as folder:
        large = [feature("square", square(99.98, 1_000, 1_000))]
        spent, count = year_composites(Path(folder), large, 73, _TILE_PIXELS)
        yield from _rows("a year composite of 10,000 km², 73 overpasses", spent, count, 1)
    with tempfile.TemporaryDirectory() as folder:
        spent, count = year_composites(Path(folder), small, 73, 2_400)
        yield from _rows("200 year composites of 1 km², 73 overpasses", spent, count, 200)


def _rows(work: str, spent: Spent, kept: int, wanted: int, most_requests: Bar | None = None) -> Iterator[Row]:
    yield Row(_AREA, f"{work}: Earth Engine requests", "", spent.requests, bar=most_requests, reading="listings too")
    longest = max(spent.invocations, default=0.0)
    reading = f"of {len(spent.invocations)}, on the engine's clock"
    yield Row(_AREA, f"{work}: longest invocation", "s", longest, bar=Bar(_INVOCATION_SECONDS), reading=reading)
    yield Row(_AREA, f"{work}: rows missing", "", wanted - kept, bar=Bar(0), reading=f"of {wanted:,}")
    yield Row(_AREA, f"{work}: dead letters", "", spent.dead_letters, bar=Bar(0))
