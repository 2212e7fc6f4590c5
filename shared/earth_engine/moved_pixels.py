"""Which pixels around an event moved between the months before and after it, from ``computePixels``."""

from math import isqrt

import numpy as np

from shared.change.supporting import Sides
from shared.change.watching import SMALLEST_SIDE, Frame, place_in, tiles
from shared.earth_engine.client import compute_pixels
from shared.earth_engine.label_pixels import pixel_request
from shared.earth_engine.transitions import MOVED_BAND, moved_pixels
from shared.errors import RetryLaterError
from shared.measurement.budgets import transition_budget
from shared.measurement.pieces import stacks_of
from shared.settings import Settings


def fetch_moved(settings: Settings, compared: Sides, frame: Frame, divisor: int = 1) -> np.ndarray:
    """Which pixels of a frame moved by the least of LEAST_MOVES (rows, columns); in several requests where one may not
    hold it, ``divisor`` times as many where smaller ones are wanted.

    Raises RetryLaterError for an answer of another shape, and as the service answers.
    """
    image = moved_pixels(
        settings.collection, stacks_of(frame.crs, compared.before), stacks_of(frame.crs, compared.after)
    )
    most = transition_budget(settings).pixels // (len(compared.before) + len(compared.after)) // divisor
    moved = np.zeros((frame.height, frame.width), bool)
    for tile in tiles(frame, max(SMALLEST_SIDE, isqrt(most))):
        answer = compute_pixels(pixel_request(image, tile), settings.earth_engine_patience_seconds)
        if answer.shape != (tile.height, tile.width) or answer.dtype.names != (MOVED_BAND,):
            raise RetryLaterError(
                f"Earth Engine: expected {tile.height} × {tile.width} pixels of {MOVED_BAND}, found {answer.shape} of "
                f"{answer.dtype.names}"
            )
        moved[place_in(frame, tile)] = answer[MOVED_BAND]
    return moved
