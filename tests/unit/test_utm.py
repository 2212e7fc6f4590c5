"""UTM both ways, beside PROJ."""

import numpy as np
import pytest
from pyproj import Geod, Transformer

from shared.geometry.utm import cell_areas_m2, to_lon_lat, to_utm, zone_of


@pytest.mark.parametrize("crs", ["EPSG:32601", "EPSG:32631", "EPSG:32651", "EPSG:32719", "EPSG:32760"])
def test_points_of_a_zone_and_its_neighbours_are_those_of_proj(crs: str) -> None:
    random = np.random.default_rng(1)
    centre = 6 * int(crs[-2:]) - 183
    longitude = (centre + random.uniform(-7, 7, 500) + 180) % 360 - 180
    points = np.column_stack([longitude, random.uniform(-80, 84, 500)])
    there = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    wanted = np.column_stack(there.transform(points[:, 0], points[:, 1]))
    found = to_utm(crs, points)
    assert np.abs(found - wanted).max() < 1e-4
    back = to_lon_lat(crs, found)
    assert np.abs((back[:, 0] - points[:, 0] + 180) % 360 - 180).max() < 1e-9
    assert np.abs(back[:, 1] - points[:, 1]).max() < 1e-9


def test_zones_are_six_degrees_wide() -> None:
    assert [zone_of(*at) for at in ((125.66, 45.1), (-180, -1), (180, 1), (3, 50))] == [
        "EPSG:32651",
        "EPSG:32701",
        "EPSG:32660",
        "EPSG:32631",
    ]


def test_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="found EPSG:4326"):
        to_utm("EPSG:4326", np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("crs", "west", "north"), [("EPSG:32601", 166_000, 200_000), ("EPSG:32733", 780_000, 4_100_000)]
)
def test_cells_have_their_area_on_the_ellipsoid(crs: str, west: int, north: int) -> None:
    x, y = west + 10.0 * np.arange(4), north - 10.0 * np.arange(3)
    found = cell_areas_m2(crs, x, y)
    assert found.shape == (2, 3)
    to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    for (row, column), area in np.ndenumerate(found):
        ring = to_degrees.transform(x[[column, column + 1, column + 1, column]], y[[row, row, row + 1, row + 1]])
        assert area == pytest.approx(abs(Geod(ellps="WGS84").polygon_area_perimeter(*ring)[0]), rel=1e-7)
