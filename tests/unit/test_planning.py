"""Which images make an overpass, in which order and grid, and how work is cut to fit."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from math import cos, radians
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely import MultiPolygon, Polygon, box, segmentize, unary_union
from shapely.geometry import mapping, shape

from shared.aois.aoi import Aoi, Part
from shared.classes import CLASS_NAMES
from shared.geometry.cells import cells_of, region_around, region_of_cells, slices
from shared.geometry.cutting import cut_to_pixels, pixels_of
from shared.geometry.grids import partition, utm_zone
from shared.imagery.footprints import footprint_shape
from shared.imagery.images import SceneImage
from shared.measurement.budgets import Budget, Tally, chunked, divisor_to_split, packed
from shared.measurement.overpasses import overpasses_by_aoi, overpasses_over
from shared.measurement.pieces import Layer, Piece, pieces_of
from shared.measurement.unseen import is_awaited
from shared.messages.subscriptions import messaging

SENSED = "20210103T023111"
WHOLE = 10**12


def image(
    datastrip: str, tile: str = "T51TYL", area: Polygon | None = None, crs: str = "EPSG:32651", **more: Any
) -> SceneImage:
    outline = area if area is not None else box(125, 45, 126, 46)
    fields = {"bands": ("label",), "version_us": 1, **more}
    return SceneImage(image_id=f"{SENSED}_{datastrip}_{tile}", footprint=dict(mapping(outline)), crs=crs, **fields)


AOI = Aoi("a", 1, 1e6, dict(mapping(box(125.2, 45.2, 125.4, 45.4))))


def test_images_that_miss_the_aoi_take_no_part() -> None:
    near, far = image("20210103T023107"), image("20210103T023107", "T51TXK", box(123, 45, 124, 46))
    (overpass,) = overpasses_over(AOI, [near, far])
    assert overpass.images == (near,)


def test_the_stack_of_images_does_not_depend_on_their_order() -> None:
    images = [image("20210103T023107"), image("20210103T023114", "T51TYK"), image("20210103T023105", "T51TXL")]
    layers = {pieces_of("k", AOI, overpasses_over(AOI, order), True, WHOLE)[0].layer for order in permutations(images)}
    (layer,) = layers
    assert [image_id[16:31] for image_id in layer.overpasses[0]] == [
        "20210103T023105",
        "20210103T023107",
        "20210103T023114",
    ]


def test_images_of_a_pieces_own_zone_lie_on_top() -> None:
    aoi = Aoi("a", 1, 1e6, dict(mapping(box(125.9, 45.2, 126.1, 45.4))))
    west = image("20210103T023105", area=box(125, 45, 126.5, 46))
    east = image("20210103T023109", "T52TBR", box(125.5, 45, 127, 46), "EPSG:32652")
    (overpass,) = overpasses_over(aoi, [west, east])
    pieces = {piece.layer.grid_image_id: piece for piece in pieces_of("k", aoi, [overpass], True, WHOLE)}
    assert pieces[west.image_id].layer.overpasses[0][-1] == west.image_id
    assert pieces[east.image_id].layer.overpasses[0][-1] == east.image_id
    assert shape(pieces[west.image_id].part.geometry).bounds[2] == 126


def test_probabilities_need_all_nine_bands_in_every_image() -> None:
    full = image("20210103T023107", bands=(*CLASS_NAMES, "label"))
    labels = image("20210103T023114", "T51TYK")
    assert pieces_of("k", AOI, overpasses_over(AOI, [full]), True, WHOLE)[0].layer.with_probabilities
    assert not pieces_of("k", AOI, overpasses_over(AOI, [full, labels]), True, WHOLE)[0].layer.with_probabilities


def test_a_footprint_that_crosses_the_antimeridian_is_cut_there() -> None:
    crossing = {"type": "Polygon", "coordinates": [[[179, 10], [-179, 10], [-179, 11], [179, 11], [179, 10]]]}
    found = footprint_shape(crossing)
    assert found.area == pytest.approx(2)
    assert found.intersects(box(179.5, 10.2, 179.6, 10.4))
    assert not found.intersects(box(0, 10.2, 1, 10.4))


@pytest.mark.parametrize(
    ("code", "zone"),
    [
        ("EPSG:32651", (51, True)),
        ("EPSG:32701", (1, False)),
        ("EPSG:4326", None),
        ("EPSG:32661", None),
        ("EPSG:32600", None),
    ],
)
def test_utm_zones_are_read_from_codes(code: str, zone: tuple[int, bool] | None) -> None:
    assert utm_zone(code) == zone


zones = st.lists(st.sampled_from([1, 2, 30, 31, 51, 52, 60]), min_size=1, max_size=4, unique=True)


@given(zones, st.sets(st.booleans(), min_size=1), st.floats(-179, 178), st.floats(-60, 59), st.floats(0.01, 8))
def test_pieces_cover_the_geometry_and_do_not_overlap(
    numbers: list[int], hemispheres: set[bool], lon: float, lat: float, size: float
) -> None:
    geometry = box(lon, lat, min(180, lon + size), lat + size / 2)
    codes = [f"EPSG:32{6 if north else 7}{number:02d}" for number in numbers for north in hemispheres]
    pieces = partition(geometry, codes)
    assert sum(piece.area for piece in pieces.values()) == pytest.approx(geometry.area, rel=1e-9)
    assert unary_union(list(pieces.values())).area == pytest.approx(geometry.area, rel=1e-9)


def test_other_grids_take_the_whole_geometry() -> None:
    geometry = MultiPolygon([box(0, 0, 1, 1), box(7, 0, 8, 1)])
    assert partition(geometry, ["EPSG:4326", "EPSG:32651"]) == {"EPSG:32651": geometry}


@given(st.lists(st.integers(1, 30)), st.integers(1, 40))
def test_chunks_keep_order_lose_nothing_and_fit(costs: list[int], limit: int) -> None:
    budget = Budget(5, 10**9, limit, 10**9)
    runs = list(chunked(costs, budget, lambda cost: Budget(1, 0, cost, 0)))
    assert [item for run in runs for item in run] == costs
    assert all(len(run) == 1 or (sum(run) <= limit and len(run) <= 5) for run in runs)


def test_many_areas_at_once_have_the_overpasses_of_each_by_itself() -> None:
    images = [
        image("20210103T023107"),
        image("20220315T101500"),
        image("20210103T023107", "T51TXK", box(124, 45, 125.3, 46)),
    ]
    aois = [
        Aoi(f"a{n}", 1, 1e6, dict(mapping(box(west, 45.2, west + 0.01, 45.21))))
        for n, west in enumerate((124.5, 125.1, 125.7, 127))
    ]
    together = overpasses_by_aoi(aois, images)
    assert together == {aoi.aoi_id: overpasses_over(aoi, images) for aoi in aois}
    assert [len(found[0].images) if found else 0 for found in together.values()] == [1, 3, 2, 0]
    assert overpasses_by_aoi(aois, []) == {aoi.aoi_id: [] for aoi in aois}


@pytest.mark.parametrize("count", [1, 20, 21, 200])
def test_the_region_of_many_areas_holds_them_all(count: int) -> None:
    aois = [
        Aoi(f"a{n}", 1, 1e6, dict(mapping(box(w, 1, w + 0.03, 1.04))))
        for n, w in enumerate(range(-count // 2, count // 2 + 1))
    ]
    region = shape(region_around([aoi.outline for aoi in aois]))
    assert all(region.covers(aoi.outline) for aoi in aois)
    assert region.area < 0.05 * len(aois), "not one box around the globe"


def test_the_newer_version_lies_on_top_and_no_image_is_dropped() -> None:
    images = [image("20210103T023107", version_us=3), image("20210103T023114", version_us=1)]
    images.append(image("20210103T023105", "T51TYK", version_us=2))
    layers = {pieces_of("k", AOI, overpasses_over(AOI, order), True, WHOLE)[0].layer for order in permutations(images)}
    (layer,) = layers
    assert [image_id[16:31] for image_id in layer.overpasses[0]] == [
        "20210103T023114",
        "20210103T023105",
        "20210103T023107",
    ]


@given(st.floats(-179, 170), st.floats(-70, 60), st.floats(0.05, 3), st.integers(1, 40))
def test_an_area_cut_by_size_is_the_same_area(west: float, south: float, side: float, shares: int) -> None:
    whole = box(west, south, west + side, south + side / 2)
    most = max(200, pixels_of(whole) // shares)
    parts = list(cut_to_pixels(whole, most))
    assert all(pixels_of(part) <= most for part in parts)
    assert sum(part.area for part in parts) == pytest.approx(whole.area, rel=1e-9)
    assert unary_union(parts).area == pytest.approx(whole.area, rel=1e-9)


@pytest.mark.parametrize(("latitude", "square_km"), [(0.0, 100.0), (45.0, 1.0), (-65.0, 400.0)])
def test_pixels_are_estimated_within_a_percent(latitude: float, square_km: float) -> None:
    """Against the area on the ellipsoid, by GeographicLib."""
    side = square_km**0.5 / 111.32
    square = box(10, latitude, 10 + side / cos(radians(latitude)), latitude + side)
    truth_m2 = abs(Geod(ellps="WGS84").geometry_area_perimeter(segmentize(square, 0.01))[0])
    assert pixels_of(square) * 100 == pytest.approx(truth_m2, rel=0.01)


def test_cells_are_those_that_the_geometry_touches() -> None:
    assert cells_of(box(125.2, 45.2, 125.4, 45.4)) == [(45 + 90) * 360 + 125 + 180]
    assert cells_of(box(-0.5, -0.5, 0.5, 0.5)) == [89 * 360 + 179, 89 * 360 + 180, 90 * 360 + 179, 90 * 360 + 180]
    fiji = MultiPolygon([box(179.5, -17, 180, -16.5), box(-180, -17, -179.5, -16.5)])
    assert cells_of(fiji) == [73 * 360, 73 * 360 + 359]
    assert shape(region_of_cells(cells_of(fiji))).area == 2, "not a row of 360"


def test_two_continents_are_not_joined_by_a_box() -> None:
    cells = [*cells_of(box(10.2, 50.2, 10.3, 50.3)), *cells_of(box(-60.3, -3.3, -60.2, -3.2))]
    assert shape(region_of_cells(cells)).area == 2


def test_slices_cover_the_time_and_hold_what_fits_a_listing() -> None:
    start, end = datetime(2015, 6, 27, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    small = dict(mapping(box(10, 50, 10.01, 50.01)))
    for region, most_days in ((small, 4_000), (dict(mapping(box(0, 40, 20, 60))), 10), (None, 0.4)):
        found = list(slices(start, min(end, start + timedelta(days=400)) if region is None else end, region))
        assert found[0][0] == start
        assert all(a[1] == b[0] for a, b in pairwise(found))
        assert max(until - since for since, until in found) <= timedelta(days=most_days)
    assert len(list(slices(start, end, small))) == 1


def piece(key: str, layer: int, pixel_count: int, geometry: dict[str, Any]) -> Piece:
    return Piece(key, Layer(((str(layer),),), str(layer), True), Part("EPSG:32651", geometry, pixel_count, 500))


def test_a_request_holds_what_its_budget_allows_and_shared_layers_count_once() -> None:
    field, other = {"a": 1}, {"b": 1}
    same = [piece(f"k{n}", 1, 10, field) for n in range(6)]
    assert [len(run) for run in packed(same, Budget(1, 5, 1000, 500))] == [5, 1]
    layers = [piece(f"k{n}", n, 10, field) for n in range(6)]
    assert [len(run) for run in packed(layers, Budget(2, 100, 1000, 500))] == [2, 2, 2]
    assert [len(run) for run in packed(layers, Budget(10, 100, 25, 500))] == [2, 2, 2]
    geometries = [piece("k1", 1, 1, field), piece("k2", 1, 1, other)]
    assert [len(run) for run in packed(geometries, Budget(10, 100, 25, 999))] == [1, 1]
    assert Tally(same).use == Budget(1, 6, 60, 500)


@given(st.integers(1, 50), st.integers(0, 20), st.integers(101, 10**8))
def test_a_divisor_makes_at_least_two_requests_of_what_was_one(layers: int, more_pairs: int, pixel_count: int) -> None:
    budget = Budget(50, 1000, 20_000_000, 10**9)
    use = Budget(layers, layers + more_pairs, pixel_count, 500)
    limits = budget.divided(divisor_to_split(use, budget))
    assert use.layers > limits.layers or use.pairs > limits.pairs or use.pixels > limits.pixels


def test_a_scene_is_awaited_for_a_day_and_some_hours_of_attempts() -> None:
    now = datetime(2026, 5, 4, 2, 0, tzinfo=UTC)
    assert is_awaited(["20260503T023111"], now, 59)
    assert not is_awaited(["20260503T023111"], now, 60), "forty attempts before it would be a dead letter"
    assert not is_awaited(["20260503T013111"], now, 1)
    assert not is_awaited(["20260503T023111", "20260503T013111"], now, 1)
    (subscription,) = [each for each in messaging().subscriptions if each.name == "classify"]
    assert subscription.max_delivery_attempts - 60 >= 40
