"""Reducers: what to do with the weighted values of a region, a collection or a stack of images."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from local.earth_engine.errors import EngineError


class Accumulator(ABC):
    """Takes in values with weights, block by block, and answers a dictionary of outputs."""

    @abstractmethod
    def add(self, values: Sequence[np.ndarray], weights: np.ndarray) -> None:
        """One array for each input, and the weight of each value (all above zero)."""

    @abstractmethod
    def result(self) -> dict[str, Any]:
        """Output name to value."""


@dataclass(frozen=True)
class Reducer:
    """A recipe for accumulators: how many inputs it takes and the names of what it gives."""

    start: Callable[[], Accumulator]
    outputs: tuple[str, ...]
    inputs: int = 1
    weighted: bool = True

    def unweighted(self) -> "Reducer":
        return replace(self, weighted=False)

    def renamed(self, names: Sequence[str]) -> "Reducer":
        """The same reducer with other output names."""
        old = self.outputs
        return replace(
            self,
            start=lambda: _Renamed(self.start(), dict(zip(old, names, strict=True))),
            outputs=tuple(names),
        )


class _Moments(Accumulator):
    def __init__(self, pick: Callable[["_Moments"], dict[str, Any]]) -> None:
        self.weight = self.total = self.squares = 0.0
        self._pick = pick

    def add(self, values: Sequence[np.ndarray], weights: np.ndarray) -> None:
        v = values[0].astype(float, copy=False)
        self.weight += float(weights.sum())
        self.total += float(np.dot(v, weights))
        self.squares += float(np.dot(v * v, weights))

    def result(self) -> dict[str, Any]:
        return self._pick(self)

    @property
    def mean(self) -> float | None:
        return self.total / self.weight if self.weight else None

    @property
    def variance(self) -> float | None:
        return max(0.0, self.squares / self.weight - (self.total / self.weight) ** 2) if self.weight else None


class _Sum(Accumulator):
    def __init__(self) -> None:
        self._total = 0.0

    def add(self, values: Sequence[np.ndarray], weights: np.ndarray) -> None:
        self._total += float(np.dot(values[0].astype(float, copy=False), weights))

    def result(self) -> dict[str, Any]:
        return {"sum": self._total}


class _Histogram(Accumulator):
    """Weight of each distinct value."""

    def __init__(self, pick: Callable[[dict[float, float]], dict[str, Any]]) -> None:
        self._weights: dict[float, float] = {}
        self._pick = pick

    def add(self, values: Sequence[np.ndarray], weights: np.ndarray) -> None:
        distinct, where = np.unique(values[0], return_inverse=True)
        for value, weight in zip(distinct.tolist(), np.bincount(where.ravel(), weights=weights).tolist(), strict=False):
            self._weights[value] = self._weights.get(value, 0.0) + weight

    def result(self) -> dict[str, Any]:
        return self._pick(dict(sorted(self._weights.items())))


class _Collect(Accumulator):
    """Keeps every value, for what cannot be accumulated."""

    def __init__(self, pick: Callable[[np.ndarray], dict[str, Any]]) -> None:
        self._parts: list[np.ndarray] = []
        self._pick = pick

    def add(self, values: Sequence[np.ndarray], weights: np.ndarray) -> None:
        self._parts.append(np.asarray(values[0]))

    def result(self) -> dict[str, Any]:
        return self._pick(np.concatenate(self._parts) if self._parts else np.array([]))


class _Grouped(Accumulator):
    def __init__(self, inner: Reducer, field: int, name: str) -> None:
        self._inner, self._field, self._name = inner, field, name
        self._groups: dict[float, Accumulator] = {}

    def add(self, values: Sequence[np.ndarray], weights: np.ndarray) -> None:
        keys = values[self._field]
        rest = [v for i, v in enumerate(values) if i != self._field]
        for key in np.unique(keys).tolist():
            here = keys == key
            self._groups.setdefault(key, self._inner.start()).add([v[here] for v in rest], weights[here])

    def result(self) -> dict[str, Any]:
        return {"groups": [{self._name: _plain(key), **group.result()} for key, group in sorted(self._groups.items())]}


class _Combined(Accumulator):
    """Several reducers side by side, on the same input or each on its own share of the inputs."""

    def __init__(self, parts: Sequence[tuple[Reducer, slice, dict[str, str]]]) -> None:
        self._parts = [(reducer.start(), inputs, names) for reducer, inputs, names in parts]

    def add(self, values: Sequence[np.ndarray], weights: np.ndarray) -> None:
        for accumulator, inputs, _ in self._parts:
            accumulator.add(values[inputs], weights)

    def result(self) -> dict[str, Any]:
        return {
            names[name]: value for accumulator, _, names in self._parts for name, value in accumulator.result().items()
        }


class _Repeated(_Combined):
    def result(self) -> dict[str, Any]:
        gathered: dict[str, list[Any]] = {}
        for accumulator, _, _ in self._parts:
            for name, value in accumulator.result().items():
                gathered.setdefault(name, []).append(value)
        return gathered


class _Renamed(Accumulator):
    def __init__(self, inner: Accumulator, names: dict[str, str]) -> None:
        self._inner, self._names = inner, names

    def add(self, values: Sequence[np.ndarray], weights: np.ndarray) -> None:
        self._inner.add(values, weights)

    def result(self) -> dict[str, Any]:
        return {self._names.get(name, name): value for name, value in self._inner.result().items()}


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


def _moments(output: str, pick: Callable[[_Moments], Any], weighted: bool = True) -> Reducer:
    return Reducer(lambda: _Moments(lambda m: {output: pick(m)}), (output,), weighted=weighted)


def _collect(output: str, pick: Callable[[np.ndarray], Any], weighted: bool = False) -> Reducer:
    def safe(values: np.ndarray) -> dict[str, Any]:
        return {output: pick(values) if values.size else None}

    return Reducer(lambda: _Collect(safe), (output,), weighted=weighted)


def _most_frequent(weights: dict[float, float]) -> float | int | None:
    """The value with the largest weight; of equals, the smallest value."""
    return _plain(max(weights, key=lambda value: (weights[value], -value))) if weights else None


SIMPLE: dict[str, Reducer] = {
    "sum": Reducer(_Sum, ("sum",)),
    "mean": _moments("mean", lambda m: m.mean),
    "count": _moments("count", lambda m: round(m.weight), weighted=False),
    "variance": _moments("variance", lambda m: m.variance),
    "stdDev": _moments("stdDev", lambda m: None if m.variance is None else m.variance**0.5),
    "min": _collect("min", lambda v: v.min().item()),
    "max": _collect("max", lambda v: v.max().item()),
    "median": _collect("median", lambda v: float(np.median(v)), weighted=True),
    "first": _collect("first", lambda v: v[0].item()),
    "last": _collect("last", lambda v: v[-1].item()),
    "toList": Reducer(lambda: _Collect(lambda v: {"list": v.tolist()}), ("list",), weighted=False),
    "mode": Reducer(lambda: _Histogram(lambda w: {"mode": _most_frequent(w)}), ("mode",)),
    "frequencyHistogram": Reducer(
        lambda: _Histogram(lambda w: {"histogram": {str(_plain(k)): v for k, v in w.items()}}), ("histogram",)
    ),
    "countDistinct": Reducer(lambda: _Histogram(lambda w: {"count": len(w)}), ("count",), weighted=False),
}


def grouped(inner: Reducer, field: int, name: str) -> Reducer:
    """The inner reducer once for each value of input ``field``."""
    return Reducer(lambda: _Grouped(inner, field, name), ("groups",), inner.inputs + 1, inner.weighted)


def repeated(inner: Reducer, times: int) -> Reducer:
    """The inner reducer on each of ``times`` runs of inputs; outputs become lists."""
    parts = [
        (inner, slice(i * inner.inputs, (i + 1) * inner.inputs), {n: n for n in inner.outputs}) for i in range(times)
    ]
    return Reducer(lambda: _Repeated(parts), inner.outputs, inner.inputs * times, inner.weighted)


def combined(first: Reducer, second: Reducer, prefix: str, shared_inputs: bool) -> Reducer:
    """Two reducers side by side; with shared inputs both see the same values."""
    if shared_inputs and first.inputs != second.inputs:
        raise EngineError("Reducers sharing inputs must have the same number of inputs.")
    taken = set(first.outputs)
    names = {n: f"{prefix}{n}" if prefix else (f"{n}1" if n in taken else n) for n in second.outputs}
    split = first.inputs
    parts = [
        (first, slice(0, split), {n: n for n in first.outputs}),
        (second, slice(0, split) if shared_inputs else slice(split, split + second.inputs), names),
    ]
    inputs = first.inputs if shared_inputs else first.inputs + second.inputs
    return Reducer(lambda: _Combined(parts), (*first.outputs, *names.values()), inputs, first.weighted)
