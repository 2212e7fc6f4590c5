"""The published weights as one ONNX file: ``python -m local.network.convert forward_weights.npz FILE.onnx``.

Input ``bands`` (1, 9, H, W): normalised bands in the order of ``shared.network.normalisation``. Output ``logits``
(1, 9, H, W): classes by value. H and W are free. Weights keep their published names; only their axes are turned to what
ONNX expects. Batch norms stay beside their convolutions: the runtime folds them when it loads the file.

Architecture: github.com/google/dynamicworld, read from the published SavedModel. Its diagram leaves out both resizings,
the normalisation of the features, Mish and the batch norms.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
_IR_VERSION = 10
_EPSILON = 0.001
_SMALLEST_NORM = 1e-12
_BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
# (convolution, batch norm) of each pointwise, then (depthwise, batch norm) of each depthwise layer, then of the skip.
_BLOCKS = (
    (((2, 3), (3, 5), (4, 7)), ((1, 4), (2, 6), (3, 8)), (5, 9)),
    (((6, 10), (7, 12), (8, 14)), ((4, 11), (5, 13), (6, 15)), (9, 16)),
    (((10, 17), (11, 19), (12, 21)), ((7, 18), (8, 20), (9, 22)), (13, 23)),
)
Weights = Mapping[str, np.ndarray]


class _Graph:
    """Nodes and weights as they are added; every method returns the name of what it computes."""

    def __init__(self, weights: Weights, activation: "Activation") -> None:
        self.weights, self.activation = weights, activation
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def add(self, operation: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{operation.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        self.initializers.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name: str, axes: tuple[int, ...] | None = None) -> str:
        value = self.weights[name]
        return self.constant(name, value if axes is None else value.transpose(axes))

    def convolution(self, x: str, index: int, norm: int | None) -> str:
        """A convolution with bias; with a batch norm, that and the activation after it."""
        name = _indexed("conv2d", index)
        kernel = self.weight(f"{name}/kernel", (3, 2, 0, 1))
        margin = self.weights[f"{name}/kernel"].shape[0] // 2
        y = self.add("Conv", x, kernel, self.weight(f"{name}/bias"), pads=[margin] * 4, output=name)
        return y if norm is None else self._normalised(y, norm)

    def depthwise(self, x: str, index: int, norm: int) -> str:
        name = _indexed("depthwise_conv2d", index)
        kernel = self.weight(f"{name}/depthwise_kernel", (2, 3, 0, 1))
        channels = self.weights[f"{name}/depthwise_kernel"].shape[2]
        y = self.add("Conv", x, kernel, self.weight(f"{name}/bias"), pads=[1] * 4, group=channels, output=name)
        return self._normalised(y, norm)

    def _normalised(self, x: str, index: int) -> str:
        name = _indexed("batch_normalization", index)
        statistics = [self.weight(f"{name}/{part}") for part in _BATCH_NORM]
        return self.activation(self, self.add("BatchNormalization", x, *statistics, epsilon=_EPSILON, output=name))

    def block(self, x: str, index: int) -> str:
        """Three times pointwise then depthwise, and beside them one pointwise that is added."""
        pointwise, depthwise, skip = _BLOCKS[index]
        y = x
        for (a, n), (d, m) in zip(pointwise, depthwise, strict=True):
            y = self.depthwise(self.convolution(y, a, n), d, m)
        return self.add("Add", y, self.convolution(x, *skip))


Activation = Callable[[_Graph, str], str]


def _indexed(name: str, index: int) -> str:
    return f"{name}_{index}" if index else name


def mish(graph: _Graph, x: str) -> str:
    """Mish(x) = x·tanh(ln(1+eˣ)) as x·p/(2−p) with p = s(2−s), s = sigmoid(x).

    It cannot overflow and loses nothing for negative x. ONNX Runtime's ``Softplus`` is not vectorised: written with it,
    the network takes two to three times as long.
    """
    two = graph.constant("two", np.array(2, dtype=np.float32))
    s = graph.add("Sigmoid", x)
    p = graph.add("Mul", s, graph.add("Sub", two, s))
    return graph.add("Mul", x, graph.add("Div", p, graph.add("Sub", two, p)))


def convert(weights: Weights, activation: Activation = mish) -> onnx.ModelProto:
    """The network of these weights: arrays by published name, kernels as (height, width, in, out)."""
    graph = _Graph(weights, activation)
    sizes = graph.add("Shape", "bands", start=2, end=4)
    half = graph.add("Div", sizes, graph.constant("int_two", np.array([2, 2], dtype=np.int64)))
    full = graph.convolution("bands", 0, 0)
    # Without exclude_outside the image's border would weigh in what lies outside of it.
    antialiased: dict[str, Any] = {"antialias": 1, "exclude_outside": 1}
    small = _resized(graph, full, half, **antialiased)
    deep = graph.block(graph.block(small, 0), 1)
    side = graph.depthwise(graph.convolution(small, 1, 1), 0, 2)
    features = _resized(graph, graph.block(graph.add("Concat", deep, side, axis=1), 2), sizes)
    squares = graph.add("ReduceSumSquare", features, graph.constant("channels", np.array([1], dtype=np.int64)))
    floor = graph.constant("smallest_norm", np.array(_SMALLEST_NORM, dtype=np.float32))
    length = graph.add("Sqrt", graph.add("Max", squares, floor))
    logits = graph.convolution(graph.add("Div", features, length), 14, None)
    return _model(graph, logits)


def _resized(graph: _Graph, x: str, sizes: str, **attributes: Any) -> str:
    """Bilinear, centres of half pixels, to a size in rows and columns."""
    return graph.add(
        "Resize",
        x,
        "",
        "",
        sizes,
        mode="linear",
        coordinate_transformation_mode="half_pixel",
        axes=[2, 3],
        **attributes,
    )


def _model(graph: _Graph, logits: str) -> onnx.ModelProto:
    def pixels(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 9, "height", "width"])

    graph.add("Identity", logits, output="logits")
    whole = helper.make_graph(
        graph.nodes, "dynamic_world", [pixels("bands")], [pixels("logits")], list(graph.initializers.values())
    )
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(whole, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="landcover-watch")
    onnx.checker.check_model(model, full_check=True)
    return model


def weights_of(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """The published arrays back from a file that ``convert`` made, by name and in their published axes."""
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer if "/" in tensor.name}
    back = {"kernel": (2, 3, 1, 0), "depthwise_kernel": (2, 3, 0, 1)}
    return {
        name: value.transpose(back[part]) if (part := name.rsplit("/", 1)[1]) in back else value
        for name, value in found.items()
    }


def main(source: Path, target: Path) -> None:
    """Convert a file of published weights; the same bytes each time."""
    with np.load(source, allow_pickle=False) as archive:
        model = convert({name: archive[name] for name in archive.files})
    target.write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
