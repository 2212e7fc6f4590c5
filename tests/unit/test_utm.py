"""UTM both ways, beside PROJ."""

import numpy as np
import pytest
from pyproj import Transformer

from shared.geometry.utm import to_lon_lat, to_utm, zone_of


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
