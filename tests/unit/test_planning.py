"""Which images make an overpass, in which order and grid, and how work is cut to fit."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box, unary_union
from shapely.geometry import mapping, shape

from shared.classes import CLASS_NAMES
from shared.grids import partition, utm_zone
from shared.planning import (
    Aoi,
    Budget,
    chunked,
    footprint_shape,
    overpasses_by_aoi,
    overpasses_over,
    pieces_of,
    region_of,
    without_superseded,
)
from shared.scenes import SceneImage

SENSED = "20210103T023111"


def image(
    product: str, tile: str = "T51TYL", area: Polygon | None = None, crs: str = "EPSG:32651", **more: Any
) -> SceneImage:
    outline = area if area is not None else box(125, 45, 126, 46)
    fields = {"bands": ("label",), "version_us": 1, **more}
    return SceneImage(image_id=f"{SENSED}_{product}_{tile}", footprint=dict(mapping(outline)), crs=crs, **fields)


def test_the_newest_product_of_a_scene_wins() -> None:
    old, new = image("20210103T023107"), image("20220315T101500")
    for order in permutations([old, new]):
        assert without_superseded(order) == [new]


def test_granules_of_a_cut_tile_are_both_kept() -> None:
    upper = image("20210103T023107", area=box(125, 45.4, 126, 46))
    lower = image("20210103T023112", area=box(125, 45, 126, 45.42))
    for order in permutations([upper, lower]):
        assert without_superseded(order) == [upper, lower]


def test_another_tile_never_supersedes() -> None:
    images = [image("20210103T023107", "T51TYL"), image("20220315T101500", "T51TYK")]
    assert without_superseded(images) == images


def test_a_reprocessed_cut_tile_replaces_both_granules() -> None:
    upper = image("20210103T023107", area=box(125, 45.4, 126, 46))
    lower = image("20210103T023112", area=box(125, 45, 126, 45.42))
    whole = image("20220315T101500")
    for order in permutations([upper, lower, whole]):
        assert without_superseded(order) == [whole]


AOI = Aoi("a", 1, 1e6, dict(mapping(box(125.2, 45.2, 125.4, 45.4))))


def test_images_that_miss_the_aoi_take_no_part() -> None:
    near, far = image("20210103T023107"), image("20210103T023107", "T51TXK", box(123, 45, 124, 46))
    (overpass,) = overpasses_over(AOI, [near, far])
    assert overpass.used == (near,)


def test_the_stack_of_images_does_not_depend_on_their_order() -> None:
    images = [image("20210103T023107"), image("20210103T023114", "T51TYK"), image("20210103T023105", "T51TXL")]
    layers = {pieces_of("k", AOI, overpasses_over(AOI, order), True)[0].layer for order in permutations(images)}
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
    pieces = {piece.layer.grid_image_id: piece for piece in pieces_of("k", aoi, [overpass], True)}
    assert pieces[west.image_id].layer.overpasses[0][-1] == west.image_id
    assert pieces[east.image_id].layer.overpasses[0][-1] == east.image_id
    assert shape(pieces[west.image_id].geometry).bounds[2] == 126


def test_probabilities_need_all_nine_bands_in_every_image() -> None:
    full = image("20210103T023107", bands=(*CLASS_NAMES, "label"))
    labels = image("20210103T023114", "T51TYK")
    assert pieces_of("k", AOI, overpasses_over(AOI, [full]), True)[0].layer.with_probabilities
    assert not pieces_of("k", AOI, overpasses_over(AOI, [full, labels]), True)[0].layer.with_probabilities


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
    budget = Budget(limit, 5, 10**9)
    runs = list(chunked(costs, budget, lambda cost: Budget(cost, 1, 0)))
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
    assert [len(found[0].used) if found else 0 for found in together.values()] == [1, 2, 1, 0]
    assert overpasses_by_aoi(aois, []) == {aoi.aoi_id: [] for aoi in aois}


@pytest.mark.parametrize("count", [1, 20, 21, 200])
def test_the_region_of_many_areas_holds_them_all(count: int) -> None:
    aois = [
        Aoi(f"a{n}", 1, 1e6, dict(mapping(box(w, 1, w + 0.03, 1.04))))
        for n, w in enumerate(range(-count // 2, count // 2 + 1))
    ]
    region = shape(region_of(aois))
    assert all(region.covers(aoi.outline) for aoi in aois)
    assert region.area < 0.05 * len(aois), "not one box around the globe"
