"""A shared band is read once on a window, and forgotten with its last reader."""

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from affine import Affine
from shapely import box

from local.earth_engine.algorithms.compositing import quality_mosaic
from local.earth_engine.algorithms.resampling import resample
from local.earth_engine.reducers import SIMPLE
from local.earth_engine.registry import invoke
from local.earth_engine.values import Band, Collection, Image, Pixels, Projection, Window
from local.earth_engine.zonal import reduce_region

GRID = Projection("EPSG:32651", Affine(10, 0, 600_000, 0, -10, 5_100_000))
SIDE = 40
REGION = box(600_000, 5_100_000 - 10 * SIDE, 600_000 + 10 * SIDE, 5_100_000)


class Stored:
    """A band that counts how often it is read and how many of its and others' pixels are alive at most."""

    alive = most = 0

    def __init__(self, value: float) -> None:
        self.reads = 0
        self._value = value

    @property
    def image(self) -> Image:
        return Image(bands=(Band("b", GRID, self._read),))

    def _read(self, window: Window) -> Pixels:
        self.reads += 1
        values = np.full(window.shape, self._value)
        Stored.alive += 1
        Stored.most = max(Stored.most, Stored.alive)
        weakref.finalize(values, self._forget)
        return Pixels(values, None)

    @staticmethod
    def _forget() -> None:
        Stored.alive -= 1


@pytest.fixture(autouse=True)
def counting() -> Iterator[None]:
    Stored.alive = Stored.most = 0
    yield
    assert Stored.alive == 0


def total(image: Image) -> Any:
    (found,) = reduce_region([image.bands], SIMPLE["sum"], REGION, GRID)
    return found["sum"]


def test_a_chain_over_many_images_keeps_few_of_them() -> None:
    stored = [Stored(number) for number in range(50)]
    added = stored[0].image
    for one in stored[1:]:
        added = invoke("Image.add", {"image1": added, "image2": one.image})
    assert total(added) == pytest.approx(SIDE**2 * sum(range(50)))
    assert [one.reads for one in stored] == [1] * 50
    assert Stored.most <= 3


def test_what_is_used_again_later_is_read_once() -> None:
    stored = Stored(3)
    image = stored.image
    squared = invoke("Image.multiply", {"image1": image, "image2": image})
    halved = invoke("Image.divide", {"image1": image, "image2": 2})
    masked = invoke("Image.updateMask", {"image": squared, "mask": image})
    both = invoke("Image.add", {"image1": masked, "image2": halved})
    assert total(both) == pytest.approx(SIDE**2 * (9 + 1.5))
    assert stored.reads == 1


def element(one: Image, two: Image) -> Image:
    stack = invoke("Image.addBands", {"dstImg": one, "srcImg": two})
    array = invoke("Image.toArray", {"image": stack})
    return invoke("Image.arrayGet", {"image": array, "position": invoke("Image.constant", {"value": 1})})  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "combine",
    [
        lambda one, two: quality_mosaic(Collection([one, two]), "b"),
        lambda one, two: invoke("reduce.max", {"collection": Collection([one, two])}),
        lambda one, two: invoke("Image.unmask", {"input": two, "value": one}),
        lambda one, two: invoke("Image.updateMask", {"image": two, "mask": one}),
        element,
    ],
    ids=["qualityMosaic", "reduce", "unmask", "updateMask", "arrayGet"],
)
def test_every_way_to_combine_says_what_it_reads(combine: Callable[[Image, Image], Image]) -> None:
    """What an algorithm does not say would be read anew by the next reader."""
    first, second = Stored(1), Stored(2)
    one, two = first.image, second.image
    again = invoke("Image.add", {"image1": resample(one), "image2": invoke("Image.not", {"value": two})})
    both = invoke("Image.add", {"image1": combine(one, two), "image2": again})
    assert total(both) == pytest.approx(SIDE**2 * (2 + 1 + 0))
    assert (first.reads, second.reads) == (1, 1)


def test_what_neighbourhoods_share_is_read_once_and_forgotten() -> None:
    stored = [Stored(number) for number in range(30)]
    added = stored[0].image
    for one in stored[1:]:
        added = invoke("Image.add", {"image1": added, "image2": one.image})
    counted = invoke("Image.connectedPixelCount", {"input": added, "maxSize": 5})
    halved = invoke("Image.divide", {"image1": added, "image2": 2})
    again = invoke("Image.connectedPixelCount", {"input": halved, "maxSize": 5})
    both = invoke("Image.add", {"image1": counted, "image2": again})
    assert total(invoke("Image.reproject", {"image": both, "crs": GRID, "scale": None})) == SIDE**2 * (5 + 5)
    assert [one.reads for one in stored] == [1] * 30
    assert Stored.most <= 3
