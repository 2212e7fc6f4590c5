"""Per-pixel operations on one image or two."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from local.earth_engine.algorithms.images import as_image, per_band
from local.earth_engine.errors import EngineError
from local.earth_engine.registry import algorithm
from local.earth_engine.values import WGS84_ONE_DEGREE, Band, Image, Pixels, Window


def _binary(operation: Callable[[Any, Any], Any], yes_or_no: bool) -> Callable[..., Image]:
    """A per-pixel operation on two images: masked where either is; a single band pairs with every band."""

    def evaluate(image1: Any, image2: Any) -> Image:
        first, second = as_image(image1), as_image(image2)
        one, two = first.bands, second.bands
        if len(one) != len(two) and 1 not in {len(one), len(two)}:
            raise EngineError(
                f"Images must contain equal numbers of bands, or one band; found {len(one)} and {len(two)}."
            )
        longer = first if len(one) >= len(two) else second
        count = len(longer.bands)
        pairs = zip(one * (count if len(one) == 1 else 1), two * (count if len(two) == 1 else 1), strict=True)

        def joined(a: Band, b: Band, name: str) -> Band:
            def read(window: Window) -> Pixels:
                left, right = window.read(a), window.read(b)
                with np.errstate(divide="ignore", invalid="ignore"):
                    values = operation(left.values, right.values)
                if left.mask is None or right.mask is None:
                    both = right.mask if left.mask is None else left.mask
                else:
                    both = np.minimum(left.mask, right.mask)
                return Pixels(values, both)

            own = a if a.projection != WGS84_ONE_DEGREE else b
            wide = 1 if yes_or_no else max(a.value_bytes, b.value_bytes)
            return Band(
                name,
                own.projection,
                read,
                own.dimensions,
                leaves=a.leaves | b.leaves,
                value_bytes=wide,
                sources=(a, b),
            )

        bands = tuple(joined(a, b, named.name) for (a, b), named in zip(pairs, longer.bands, strict=True))
        return Image(dict(first.properties), first.geometry or second.geometry, bands)

    return evaluate


# What is 0 or 1 takes a byte.
_YES_OR_NO = {"eq", "neq", "gt", "gte", "lt", "lte", "and", "or"}


def _divide(a: Any, b: Any) -> Any:
    return np.where(np.asarray(b) == 0, 0, np.divide(a, b))


for _name, _operation in {
    "add": lambda a, b: np.add(a, b, dtype=float),
    "subtract": lambda a, b: np.subtract(a, b, dtype=float),
    "multiply": lambda a, b: np.multiply(a, b, dtype=float),
    "divide": _divide,
    "mod": np.mod,
    "pow": lambda a, b: np.power(np.asarray(a, dtype=float), b),
    "max": np.maximum,
    "min": np.minimum,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "and": lambda a, b: (a != 0) & (b != 0),
    "or": lambda a, b: (a != 0) | (b != 0),
}.items():
    algorithm(f"Image.{_name}")(_binary(_operation, _name in _YES_OR_NO))

for _name, _unary in {
    "not": lambda v: v == 0,
    "abs": np.abs,
    "round": np.round,
    "floor": np.floor,
    "ceil": np.ceil,
    "sqrt": np.sqrt,
    "log": np.log,
    "exp": np.exp,
    "toInt": lambda v: np.trunc(v).astype(np.int64),
}.items():
    algorithm(f"Image.{_name}")(
        lambda value, change=_unary: per_band(as_image(value), lambda p: Pixels(change(p.values), p.mask))
    )

# Casts: the values, and the bytes that each takes in an answer.
for _name, _cast, _bytes in (
    ("toByte", lambda v: np.clip(np.trunc(v), 0, 255).astype(np.uint8), 1),
    ("toFloat", lambda v: v.astype(np.float32), 4),
    ("toDouble", lambda v: v.astype(float), 8),
):
    algorithm(f"Image.{_name}")(lambda value, change=_cast, wide=_bytes: _cast_to(as_image(value), change, wide))


def _cast_to(image: Image, change: Callable[[np.ndarray], np.ndarray], value_bytes: int) -> Image:
    changed = per_band(image, lambda p: Pixels(change(p.values), p.mask))
    return replace(changed, bands=tuple(replace(band, value_bytes=value_bytes) for band in changed.bands))
