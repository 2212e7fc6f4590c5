"""From L1C digital numbers to what the network was trained on.

Digital numbers (DN) are top-of-atmosphere reflectance × 10000, without the offset that products of processing baseline
04.00 and later carry. The formula and its constants are those of the notebook in github.com/google/dynamicworld; it
divides by the upper percentile itself, not by the distance of the two.
"""

from typing import NamedTuple

import numpy as np

# Centre and scale of the logarithm of each band, in the network's order.
_LOG_CENTRE_AND_SCALE = {
    "B2": (1.7417268007636313, 2.023298706048351),
    "B3": (1.7261204997060209, 2.038905204308012),
    "B4": (1.6798346251414997, 2.179592821212937),
    "B5": (1.7734969472909623, 2.2890068333026603),
    "B6": (2.289154079164943, 2.6171674549378166),
    "B7": (2.382939712192371, 2.773418590375327),
    "B8": (2.3828939530384052, 2.7578332604178284),
    "B11": (2.1952484264967844, 2.789092484314204),
    "B12": (1.554812948247501, 2.4140534947492487),
}
BANDS = tuple(_LOG_CENTRE_AND_SCALE)
BANDS_20_M = ("B5", "B6", "B7", "B11", "B12")
_NEAR, _FAR = np.float32(0.75), np.float32(0.25)


class Pixels(NamedTuple):
    """The nine bands on a 10 m window: ``dn`` (9, H, W) float32 and ``valid`` (9, H, W) bool, in the order BANDS."""

    dn: np.ndarray
    valid: np.ndarray


def normalised(pixels: Pixels) -> np.ndarray:
    """What the network takes, (9, H, W) float32 in 0..1. A missing value is 0 here, after the formula, as Earth
    Engine's ``Model.predictImage`` has it; DN 0 would be another value.
    """
    found = np.empty(pixels.dn.shape, dtype=np.float32)
    for band, (centre, scale) in enumerate(_LOG_CENTRE_AND_SCALE.values()):
        z = np.log(pixels.dn[band] * np.float32(0.005) + np.float32(1))
        z = (z - np.float32(centre)) * np.float32(5 / scale) - np.float32(1)
        found[band] = 1 / (1 + np.exp(-z))
    found[~pixels.valid] = 0
    return found


def upsampled(dn: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A 20 m band on the 10 m grid, bilinear in DN: (h + 2, w + 2) float32 and bool → (2h, 2w), values and validity.

    The outermost ring only lends its values. A 10 m pixel is valid where its own 20 m pixel is; what is missing around
    it, or lies outside the image, has no weight. Whole DN give exact sums, so any two windows agree bit for bit.
    """
    weight = valid.astype(np.float32)
    value = _doubled(_doubled(np.where(valid, dn, np.float32(0)).astype(np.float32), 0), 1)
    weight = _doubled(_doubled(weight, 0), 1)
    own = valid[1:-1, 1:-1].repeat(2, axis=0).repeat(2, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(own, value / weight, np.float32(0)), own


def _doubled(values: np.ndarray, axis: int) -> np.ndarray:
    """Twice as many samples along an axis, each three quarters of its own and a quarter of the nearer neighbour."""
    values = np.moveaxis(values, axis, 0)
    before, own, after = values[:-2], values[1:-1], values[2:]
    found = np.empty((2 * own.shape[0], *own.shape[1:]), dtype=np.float32)
    found[0::2] = _FAR * before + _NEAR * own
    found[1::2] = _NEAR * own + _FAR * after
    return np.moveaxis(found, 0, axis)
