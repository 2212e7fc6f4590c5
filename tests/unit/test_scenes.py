"""Names of images and products, overpasses, and footprints around the antimeridian."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from shared.errors import InvalidMessageError
from shared.geometry.grids import is_near_tile
from shared.imagery.boxes import bounding_boxes
from shared.imagery.images import SceneImage, by_overpass
from shared.imagery.names import parse_scene_name, sensing_time
from shared.messages.bodies import Acquisition, MeasurementRequest
from shared.messages.receiving import parse

GOOD = "20210103T023111_20210103T023107_T51TYL"


def image(image_id: str) -> SceneImage:
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    return SceneImage(image_id=image_id, version_us=1, footprint=square, crs="EPSG:32651", bands=("label",))


def test_an_image_id_has_sensing_time_product_time_and_tile() -> None:
    name = parse_scene_name("GOOGLE/DYNAMICWORLD/V1/20210103T023111_20210103T023107_T51TYL")
    assert name == ("20210103T023111", "20210103T023107", "T51TYL")


@pytest.mark.parametrize(
    "product",
    [
        "S2A_MSIL1C_20210103T023111_N0209_R046_T51TYL_20210103T035510",
        "S2B_MSIL2A_20210103T023111_N0214_R046_T51TYL_20210103T051210.SAFE",
        "S2C_MSIL1C_20210103T023111_N0511_R046_T51TYL_20250103T051210",
    ],
)
def test_a_product_id_joins_its_image_on_sensing_time_and_tile(product: str) -> None:
    wanted = parse_scene_name("20210103T023111_20210103T023107_T51TYL")
    found = parse_scene_name(product)
    assert (found.sensing_stamp, found.tile) == (wanted.sensing_stamp, wanted.tile)


@pytest.mark.parametrize(
    "name", ["", "T51TYL", "20210103T023111_T51TYL", "LC08_118028_20210103", "x" * 500, "../../etc/passwd"]
)
def test_other_names_are_refused_with_what_was_expected(name: str) -> None:
    with pytest.raises(InvalidMessageError, match="neither a Dynamic World image id"):
        parse_scene_name(name)


def test_real_identifiers_are_understood_or_refused(shared_data: Path) -> None:
    text = (shared_data / "e_notifications/product_ids.tsv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines(), delimiter="\t"))
    understood = 0
    for cell in (cell for row in rows[1:] for cell in row):
        try:
            name = parse_scene_name(cell)
        except InvalidMessageError:
            continue
        understood += 1
        assert sensing_time(name.sensing_stamp).year >= 2015
    assert understood >= 15


@pytest.mark.parametrize(
    "stamp",
    ["20210231T000000", "20210101T250000", "00010101T000000", "99991231T235959", "20150622T235959",
     "٢٠٢١٠١٠٣T٠٢٣١١١", "20210103T023111\n", " 20210103T023111"],
)  # fmt: skip
def test_a_moment_that_does_not_exist_is_refused_wherever_it_may_stand(stamp: str) -> None:
    with pytest.raises(InvalidMessageError):
        sensing_time(stamp)
    for name in (f"{stamp}_20210103T023107_T51TYL", f"S2A_MSIL1C_{stamp}_N0209_R046_T51TYL_20210103T035510"):
        with pytest.raises(InvalidMessageError):
            parse_scene_name(name)
        for body in ({"image_id": name}, {"image_id": GOOD, "also": [{"image_id": name}]}):
            with pytest.raises(InvalidMessageError, match="image_id"):
                parse(Acquisition, json.dumps(body).encode())
    work = {"overpass_ids": [stamp], "aois": [{"aoi_id": "a", "aoi_version": 1}]}
    with pytest.raises(InvalidMessageError, match="overpass_ids"):
        parse(MeasurementRequest, json.dumps(work).encode())


@pytest.mark.parametrize(
    "name", [f"{GOOD}\n", f"{GOOD}\x00", f"\x1b[2J/{GOOD}", f"[/]/{GOOD}", GOOD.replace("51", "٥١")]
)
def test_nothing_else_stands_in_an_id(name: str) -> None:
    with pytest.raises(InvalidMessageError):
        parse_scene_name(name)


TILE = shapely.box(125.0, 44.0, 126.4, 45.0)


@pytest.mark.parametrize(
    ("footprint", "near"),
    [
        (TILE, True),
        (shapely.box(*np.add(TILE.bounds, [0, 90, 0, 90])), False),
        (shapely.box(-180, -90, 180, 90), False),
        (shapely.box(118, 40, 130, 48), False),
        (shapely.box(124, 41, 124.5, 47), False),
        (shapely.MultiPolygon([shapely.box(x, 44, x + 0.9, 45) for x in range(119, 130)]), False),
        (shapely.Polygon([(125, 44), (126, 45), (126, 44), (125, 45)]), False),
        (shapely.Polygon(), False),
    ],
)
def test_a_footprint_is_believed_where_and_as_large_as_its_tile_may_be(footprint: BaseGeometry, near: bool) -> None:
    assert is_near_tile(footprint, "T51TYL") is near


def test_a_footprint_on_both_sides_of_the_antimeridian_is_believed() -> None:
    halves = [shapely.box(179.3, 45, 180, 46), shapely.box(-180, 45, -179.5, 46)]
    assert is_near_tile(shapely.MultiPolygon(halves), "T01TCL")
    assert is_near_tile(shapely.box(-33, 82, -24.5, 83), "T26XNR"), "a tile near the pole has many degrees"


def test_images_group_by_datatake() -> None:
    groups = by_overpass(
        [
            image("20210108T023111_20210108T023107_T51TYL"),
            image("20210103T023111_20210103T023107_T51TYL"),
            image("20210103T023111_20210103T023107_T51TYK"),
        ]
    )
    assert {key: len(group) for key, group in groups.items()} == {"20210103T023111": 2, "20210108T023111": 1}
    assert list(groups) == sorted(groups)


def test_a_footprint_across_the_antimeridian_has_two_boxes() -> None:
    crossing = {"type": "Polygon", "coordinates": [[[179, 10], [-179, 10], [-179, 11], [179, 11], [179, 10]]]}
    assert bounding_boxes(crossing) == [(179, 10, 180, 11), (-180, 10, -179, 11)]
    beyond = {"type": "Polygon", "coordinates": [[[179, 10], [181, 10], [181, 11], [179, 11], [179, 10]]]}
    assert bounding_boxes(beyond) == [(179, 10, 180, 11), (-180, 10, -179, 11)]


def test_an_ordinary_footprint_has_one_box() -> None:
    cut = {
        "type": "MultiPolygon",
        "coordinates": [[[[1, 2], [3, 2], [3, 5], [1, 2]]], [[[7, 8], [9, 8], [9, 9], [7, 8]]]],
    }
    assert bounding_boxes(cut) == [(1, 2, 9, 9)]
