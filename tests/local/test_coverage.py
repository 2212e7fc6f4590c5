"""Pixel shares against exactextract, on shapes with holes, parts, spikes and edges along pixel borders; centres inside
against GDAL's rasterisation.
"""

import numpy as np
import pytest
from affine import Affine
from exactextract import exact_extract
from exactextract.feature import JSONFeatureSource
from exactextract.raster import NumPyRasterSource
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from shapely import MultiPolygon, Point, Polygon, box, make_valid
from shapely.affinity import affine_transform
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from local.earth_engine.values import Projection, Window
from local.earth_engine.zonal import centres_inside
from shared.geometry.pixel_shares import pixel_shares

HEIGHT, WIDTH = 12, 17
# A millionth of the grid is finer than any outline; at 10⁻²² of a pixel GEOS, which is asked here, finds area where none is.
coordinate = st.integers(0, 2**20).map(lambda n: n / 2**20)
corners = st.lists(
    st.tuples(coordinate.map(lambda v: v * WIDTH), coordinate.map(lambda v: v * HEIGHT)), min_size=3, max_size=9
)


def expected(shape: BaseGeometry) -> np.ndarray:
    """exactextract counts rows from the top: y is turned over for it."""
    source = NumPyRasterSource(np.zeros((HEIGHT, WIDTH), np.uint8), xmin=0, ymin=0, xmax=WIDTH, ymax=HEIGHT)
    feature = {"type": "Feature", "properties": {}, "geometry": mapping(shape)}
    found = exact_extract(source, JSONFeatureSource(feature), ["cell_id", "coverage"])[0]["properties"]
    shares = np.zeros(HEIGHT * WIDTH)
    shares[np.asarray(found["cell_id"], dtype=np.int64)] = found["coverage"]
    return shares.reshape(HEIGHT, WIDTH)[::-1]


@pytest.mark.parametrize(
    "shape",
    [
        box(2, 3, 9, 8),
        box(2.25, 3.5, 2.75, 3.75),
        box(0, 0, WIDTH, HEIGHT),
        Point(8, 6).buffer(5.3),
        Point(8, 6).buffer(5.3).difference(Point(9, 6).buffer(2.1)),
        MultiPolygon([box(1, 1, 3.5, 3.5), box(3.5, 3.5, 6, 6), Point(12.2, 8.1).buffer(3)]),
        Polygon([(0, 0), (WIDTH, HEIGHT), (WIDTH, HEIGHT - 0.01)]),
    ],
)
def test_shares_are_those_of_exactextract(shape: BaseGeometry) -> None:
    found = pixel_shares(shape, HEIGHT, WIDTH)
    assert found == pytest.approx(expected(shape), abs=1e-6)
    assert found.sum() == pytest.approx(shape.area, abs=1e-6)
    assert ((found >= 0) & (found <= 1)).all()


@settings(max_examples=200, deadline=None)
@given(corners)
def test_any_shape_has_its_area_pixel_by_pixel(points: list[tuple[float, float]]) -> None:
    shape = make_valid(Polygon(points))
    found = pixel_shares(shape, HEIGHT, WIDTH)
    for row, column in ((0, 0), (5, 7), (HEIGHT - 1, WIDTH - 1)):
        cell = box(column, row, column + 1, row + 1)
        assert found[row, column] == pytest.approx(shape.intersection(cell).area, abs=1e-6)
    assert found.sum() == pytest.approx(shape.area, abs=1e-5)


def test_what_is_too_fine_for_an_overlay_has_its_area() -> None:
    shape = make_valid(Polygon([(8.5, 0), (0, 0), (17, 0), (7e-22, 3), (7.4375, 5.25), (0, 3)]))
    found = pixel_shares(shape, HEIGHT, WIDTH)
    assert found.sum() == pytest.approx(8.5 * 3 / 2), "a triangle, and one without width"
    assert found == pytest.approx(pixel_shares(Polygon([(8.5, 0), (17, 0), (0, 3)]), HEIGHT, WIDTH))


@pytest.mark.parametrize(
    "shape",
    [
        Point(8, 6).buffer(5.3).difference(Point(9, 6).buffer(2.1)),
        MultiPolygon([box(1, 1, 3.6, 3.4), Point(12.2, 8.1).buffer(3)]),
        Polygon([(-3, -2), (WIDTH + 4, HEIGHT), (WIDTH, HEIGHT + 3)]),
    ],
)
def test_centres_inside_are_those_of_gdal(shape: BaseGeometry) -> None:
    grid = Affine(10, 0, 500_000, 0, -10, 5_000_000)
    placed = affine_transform(shape, [10, 0, 0, -10, 500_000, 5_000_000])
    found = centres_inside(placed, Window(Projection("EPSG:32651", grid), 0, 0, WIDTH, HEIGHT))
    assert found is not None
    assert (found == rasterize([mapping(placed)], (HEIGHT, WIDTH), transform=grid)).all()
    assert centres_inside(placed, Window(Projection("EPSG:32651", grid), 900, 0, WIDTH, HEIGHT)) is None
