"""The labels of an area, pixel by pixel, put together from windows."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from shared.change.leaving import LASTING, UNSEEN
from shared.change.watching import Frame, place_in


class LabelPixels(NamedTuple):
    """What a frame of pixels shows: ``votes`` (3, rows, columns) of LASTING and ``seen``, all snow-free views, in the
    baseline; ``before``, the last clear label before the year (UNSEEN where none), and ``before_view``, the index of
    its view in the baseline; ``labels`` (views, rows, columns), UNSEEN under cloud.
    """

    votes: np.ndarray
    seen: np.ndarray
    before: np.ndarray
    before_view: np.ndarray
    labels: np.ndarray


def assembled(frame: Frame, views: int, parts: Iterable[tuple[Frame, LabelPixels]]) -> LabelPixels:
    """Windows of a frame as one; where there is no window nothing was seen."""
    shape = (frame.height, frame.width)
    whole = LabelPixels(
        np.zeros((len(LASTING), *shape), np.int32),
        np.zeros(shape, np.int32),
        np.full(shape, UNSEEN, np.uint8),
        np.zeros(shape, np.int16),
        np.full((views, *shape), UNSEEN, np.uint8),
    )
    for window, found in parts:
        rows, columns = place_in(frame, window)
        for target, values in zip(whole, found, strict=True):
            target[..., rows, columns] = values
    return whole
