"""The published network once more, in plain numpy and double precision, from its description: a second truth.

No convolution routine, no resizing routine and none of the project's code. Arrays are rows, columns, channels.
"""

from collections.abc import Mapping

import numpy as np

Weights = Mapping[str, np.ndarray]


def logits(weights: Weights, bands: np.ndarray) -> np.ndarray:
    """Normalised bands (H, W, 9) → logits (H, W, 9)."""
    net = _Layers(weights)
    height, width = bands.shape[:2]
    full = net.mish(net.norm("", net.spread("conv2d", bands)))
    t = shrink(full)
    a = net.block(t, ((2, 3), (1, 4), (3, 5), (2, 6), (4, 7), (3, 8)), (5, 9))
    b = net.block(a, ((6, 10), (4, 11), (7, 12), (5, 13), (8, 14), (6, 15)), (9, 16))
    s = net.depthwise(net.pointwise(t, 1, 1), "", 2)
    c = np.concatenate([b, s], axis=2)
    y = net.block(c, ((10, 17), (7, 18), (11, 19), (8, 20), (12, 21), (9, 22)), (13, 23))
    y = grow(y, height, width)
    y = y / np.sqrt(np.maximum((y * y).sum(axis=2, keepdims=True), 1e-12))
    return y @ net.array("conv2d_14/kernel")[0, 0] + net.array("conv2d_14/bias")


class _Layers:
    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def array(self, name: str) -> np.ndarray:
        return np.asarray(self.weights[name], dtype=np.float64)

    def mish(self, x: np.ndarray) -> np.ndarray:
        return x * np.tanh(np.logaddexp(0, x))

    def norm(self, suffix: str, x: np.ndarray) -> np.ndarray:
        name = f"batch_normalization{suffix}"
        spread = np.sqrt(self.array(f"{name}/moving_variance") + 0.001)
        centred = (x - self.array(f"{name}/moving_mean")) / spread
        return centred * self.array(f"{name}/gamma") + self.array(f"{name}/beta")

    def spread(self, name: str, x: np.ndarray) -> np.ndarray:
        """A 3 × 3 convolution with zeros around."""
        kernel = self.array(f"{name}/kernel")
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        height, width = x.shape[:2]
        return self.array(f"{name}/bias") + sum(
            padded[i : i + height, j : j + width] @ kernel[i, j] for i in range(3) for j in range(3)
        )

    def pointwise(self, x: np.ndarray, index: int, norm: int) -> np.ndarray:
        y = x @ self.array(f"conv2d_{index}/kernel")[0, 0] + self.array(f"conv2d_{index}/bias")
        return self.mish(self.norm(f"_{norm}", y))

    def depthwise(self, x: np.ndarray, suffix: str, norm: int) -> np.ndarray:
        kernel = self.array(f"depthwise_conv2d{suffix}/depthwise_kernel")[..., 0]
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        height, width = x.shape[:2]
        y = sum(padded[i : i + height, j : j + width] * kernel[i, j] for i in range(3) for j in range(3))
        return self.mish(self.norm(f"_{norm}", y + self.array(f"depthwise_conv2d{suffix}/bias")))

    def block(self, x: np.ndarray, layers: tuple[tuple[int, int], ...], skip: tuple[int, int]) -> np.ndarray:
        y = x
        for number, (index, norm) in enumerate(layers):
            y = self.depthwise(y, f"_{index}", norm) if number % 2 else self.pointwise(y, index, norm)
        return y + self.pointwise(x, *skip)


def shrink(x: np.ndarray) -> np.ndarray:
    """To half the size, rounded down, along both axes: a triangle as wide as the step, weights adding up to one."""
    rows, columns = (_triangle(n, n // 2) for n in x.shape[:2])
    return np.einsum("ih,jw,hwc->ijc", rows, columns, x, optimize=True)


def _triangle(n: int, m: int) -> np.ndarray:
    step = n / m
    centres = (np.arange(m) + 0.5) * step
    weights = np.maximum(0, 1 - np.abs(np.arange(n) + 0.5 - centres[:, None]) / step)
    return weights / weights.sum(axis=1, keepdims=True)


def grow(x: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear between pixel centres; beyond the outermost centres the edge holds."""
    return np.einsum("ih,jw,hwc->ijc", _linear(x.shape[0], height), _linear(x.shape[1], width), x, optimize=True)


def _linear(m: int, n: int) -> np.ndarray:
    at = np.clip((np.arange(n) + 0.5) * m / n - 0.5, 0, m - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(m)))
