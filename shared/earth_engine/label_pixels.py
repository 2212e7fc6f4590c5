"""The labels of an area pixel by pixel, as the rule of alarms takes them, from ``computePixels``.

One request gives a window: how often each lasting class was seen in the baseline, what was seen last before the year,
and a band for each view of the year. Labels travel as label + 1: what is masked comes as 0, which is a class too.
"""

from collections.abc import Sequence
from typing import Any

import ee
import numpy as np

from shared.change.leaving import LASTING, LONGEST_ROW, SNOW, UNSEEN
from shared.change.pixels import LabelPixels
from shared.change.watching import PIXEL_M, Frame, Watch
from shared.classes import LABEL_BAND
from shared.earth_engine.client import compute_pixels
from shared.errors import RetryLaterError
from shared.imagery.names import sensing_time
from shared.measurement.overpasses import PlannedOverpass
from shared.measurement.pieces import stacks_of
from shared.settings import Settings

_VOTES = [f"votes_{class_id}" for class_id in LASTING]
_SEEN, _BEFORE = "seen", "before"
# The last label before the year and the number of its view, in one value.
_LABELS = 16


def fetch_labels(settings: Settings, watched: Watch, frame: Frame) -> LabelPixels:
    """The labels of a window. Raises RetryLaterError for an answer of another shape, and as the service answers."""
    image = label_image(settings.collection, watched, frame.crs)
    answer = compute_pixels(pixel_request(image, frame), settings.earth_engine_patience_seconds)
    names = (*_VOTES, _SEEN, _BEFORE, *_view_names(watched))
    if answer.shape != (frame.height, frame.width) or answer.dtype.names != names:
        raise RetryLaterError(
            f"Earth Engine: expected {frame.height} × {frame.width} pixels of {len(names)} bands, found {answer.shape} "
            f"of {len(answer.dtype.names or ())}"
        )
    before = answer[_BEFORE].astype(np.int64)
    return LabelPixels(
        np.stack([answer[name].astype(np.int32) for name in _VOTES]),
        answer[_SEEN].astype(np.int32),
        _label(before % _LABELS),
        (before // _LABELS).astype(np.int16),
        np.stack([_label(answer[name]) for name in _view_names(watched)]),
    )


def label_image(collection: str, watched: Watch, crs: str) -> Any:
    """The image whose bands are votes, views that count, the last label before, and a band for each view."""
    past = [_clear(label) for label in _labels(collection, watched.baseline, crs)]
    latest = sensing_time(watched.baseline[-1].overpass_id) - LONGEST_ROW
    lately = [n for n, o in enumerate(watched.baseline) if sensing_time(o.overpass_id) >= latest]
    one_hot = [label.eq(ee.Image.constant(list(LASTING))).rename(_VOTES) for label in past]
    bands = ee.ImageCollection(one_hot).sum().unmask(0, False).toDouble()
    bands = bands.addBands(ee.ImageCollection(past).count().unmask(0, False).toDouble().rename([_SEEN]))
    before = ee.ImageCollection([past[n].add(1 + _LABELS * n) for n in lately]).mosaic()
    bands = bands.addBands(before.unmask(0, False).toDouble().rename([_BEFORE]))
    for label, name in zip(_labels(collection, watched.views, crs), _view_names(watched), strict=True):
        bands = bands.addBands(label.add(1).unmask(0, False).toByte().rename([name]))
    return bands


def _labels(collection: str, overpasses: Sequence[PlannedOverpass], crs: str) -> list[Any]:
    return [
        ee.ImageCollection([ee.Image(f"{collection}/{image_id}") for image_id in stack]).mosaic().select([LABEL_BAND])
        for stack in stacks_of(crs, overpasses)
    ]


def _clear(label: Any) -> Any:
    return label.updateMask(label.neq(SNOW))


def _view_names(watched: Watch) -> list[str]:
    return [f"view_{number}" for number in range(len(watched.views))]


def _label(coded: np.ndarray) -> np.ndarray:
    """Labels out of label + 1, where 0 is masked."""
    return np.where(coded > 0, coded - 1, UNSEEN).astype(np.uint8)


def pixel_request(image: Any, frame: Frame) -> dict[str, Any]:
    """What ``computePixels`` takes for an image over a frame."""
    affine = {
        "scaleX": PIXEL_M,
        "shearX": 0,
        "translateX": frame.west_m,
        "shearY": 0,
        "scaleY": -PIXEL_M,
        "translateY": frame.north_m,
    }
    return {
        "expression": image,
        "fileFormat": "NUMPY_NDARRAY",
        "grid": {
            "dimensions": {"width": frame.width, "height": frame.height},
            "affineTransform": affine,
            "crsCode": frame.crs,
        },
    }
