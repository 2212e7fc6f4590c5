"""Where tiles lie by their names, against ESA's own metadata."""

import json
import re
from pathlib import Path

import pytest
from shapely import Polygon, box

from shared.geometry.tiles import TILE_M, crs_of_tile, tile_corner_m, tile_outline


@pytest.mark.parametrize(
    ("tile", "crs", "corner"),
    [
        ("T46RER", "EPSG:32646", (499_980, 3_100_020)),
        ("T10SDG", "EPSG:32610", (399_960, 4_200_000)),
        ("T49MEM", "EPSG:32749", (499_980, 9_200_020)),
        ("T49LEL", "EPSG:32749", (499_980, 9_100_000)),
        ("T51TYL", "EPSG:32651", (699_960, 5_100_000)),
    ],
)
def test_corners_as_they_are_published(tile: str, crs: str, corner: tuple[int, int]) -> None:
    """All but the last by the metadata of their products."""
    assert (crs_of_tile(tile), tile_corner_m(tile)) == (crs, corner)


def test_corners_and_footprints_of_real_products(shared_data: Path) -> None:
    folder = shared_data / "b_sentinel2" / "product_metadata"
    described = json.loads(next(folder.glob("S2A_OPER*/tileInfo.json")).read_text())
    xs, ys = zip(*described["tileGeometry"]["coordinates"][0], strict=True)
    assert tile_corner_m("T10SDG") == (min(xs), max(ys))
    assert (max(xs) - min(xs), max(ys) - min(ys)) == (TILE_M, TILE_M)
    found = 0
    for path in folder.glob("*.SAFE/MTD_MSI*.xml"):
        tile = next(part for part in path.parent.name.split("_") if re.fullmatch(r"T\d\d[A-Z]{3}", part))
        (text,) = re.findall("<EXT_POS_LIST>([^<]*)", path.read_text())
        numbers = [float(number) for number in text.split()]
        outline = tile_outline(tile)
        assert outline is not None
        for lat, lon in zip(numbers[0::2], numbers[1::2], strict=True):
            assert outline.distance(box(lon - 1e-9, lat, lon + 1e-9, lat).centroid) < 0.01, (tile, lon, lat)
        found += 1
    assert found == 4


def test_a_tile_across_180_degrees_lies_on_both_sides() -> None:
    outline = tile_outline("T01LAC")
    assert outline is not None
    assert len(outline.geoms) == 2
    assert outline.intersects(Polygon([(179.5, -16), (179.9, -16), (179.9, -15.9)]))
    assert not outline.intersects(box(0, -20, 10, 20))


def test_a_name_that_no_tile_has_is_nowhere() -> None:
    for tile in ("T00AAA", "T99TYL", "T51TAL", "T51TYI", "T51AYL"):
        assert tile_outline(tile) is None
