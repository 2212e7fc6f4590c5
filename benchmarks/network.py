"""The network's speed against the plain way to export it and against its floor, and an area from pixels to areas.

All on one thread. The plain export writes Mish as it is defined, with Softplus and Tanh; the floor has a ReLU in its
place: the same convolutions with an activation that costs next to nothing (and no sensible answer). TensorFlow takes
part where it is installed and DYNAMIC_WORLD_SAVED_MODEL names the published ``model/forward``.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import rasterio
from affine import Affine
from shapely import box

from benchmarks.rows import Bar, Row, medians
from local.network.convert import convert, weights_of
from shared.network.model import FILE

_AREA = "network"
_ROUNDS = {416: 5, 1024: 3}  # by tile size: a run of the larger takes ten seconds
_SAVED_MODEL = "DYNAMIC_WORLD_SAVED_MODEL"
_CRS, _WEST, _NORTH = "EPSG:32651", 600_000, 5_100_000
_SIDE_PIXELS = 1_000  # 100 km²
_BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B10", "B11", "B12")


def rows() -> Iterator[Row]:
    """Speed by tile size, then time and memory for 100 km²."""
    weights = weights_of(onnx.load(FILE))
    ours = _session(FILE.read_bytes())
    peers = {
        "plain export": _session(convert(weights, _plain_mish).SerializeToString()),
        "floor: ReLU": _session(convert(weights, lambda graph, x: graph.add("Relu", x)).SerializeToString()),
    }
    tensorflow = _tensorflow()
    for side, rounds in _ROUNDS.items():
        bands = np.random.default_rng(side).random((1, 9, side, side), dtype=np.float32)
        runs: dict[str, Callable[[], Any]] = {name: _run(session, bands) for name, session in peers.items()}
        if tensorflow is not None:
            runs["TensorFlow"] = _saved_model_run(tensorflow, bands)
        seconds, *others = medians(_run(ours, bands), *runs.values(), rounds=rounds)
        differs = float(np.abs(_run(ours, bands)() - runs["plain export"]()).max())
        bars = {
            "plain export": Bar(1.3, at_least=True),
            "TensorFlow": Bar(1.3 if side == 416 else 2, at_least=True),
        }
        thousands = side**2 / 1_000
        for (name, _), other in zip(runs.items(), others, strict=True):
            what = f"{side}² pixels: thousand pixels a second"
            yield Row(_AREA, what, "", thousands / seconds, name, thousands / other, bars.get(name))
        yield Row(_AREA, f"{side}² pixels: logits differ from plain export by", "", differs, bar=Bar(1e-4))
    yield from _whole_area()


def _plain_mish(graph: Any, x: str) -> str:
    return str(graph.add("Mul", x, graph.add("Tanh", graph.add("Softplus", x))))


def _session(content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, bands: np.ndarray) -> Callable[[], np.ndarray]:
    return lambda: np.asarray(session.run(None, {"bands": bands})[0])


def _tensorflow() -> Any:
    if importlib.util.find_spec("tensorflow") is None or _SAVED_MODEL not in os.environ:
        return None
    import tensorflow as tf  # noqa: PLC0415 — a peer

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return tf.saved_model.load(os.environ[_SAVED_MODEL])


def _saved_model_run(model: Any, bands: np.ndarray) -> Callable[[], Any]:
    last = np.ascontiguousarray(bands.transpose(0, 2, 3, 1))
    return lambda: model(last).numpy()


def _whole_area() -> Iterator[Row]:
    """100 km² in a fresh process: a GeoTIFF of eleven bands, cloud mask, network, file, areas of ten bands."""
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder) / "scene.tif"
        _write(scene)
        command = [sys.executable, "-m", "benchmarks.network", str(scene), str(Path(folder) / "image.tif")]
        one_thread = {
            **os.environ,
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GDAL_NUM_THREADS"), "1"),
        }
        printed = subprocess.run(command, env=one_thread, capture_output=True, text=True, check=True).stdout
    found = json.loads(printed)
    reading = "masked, classified, written, summed; processor time of one core"
    yield Row(_AREA, "100 km²: from pixels to areas", "s", found["seconds"], bar=Bar(20), reading=reading)
    yield Row(_AREA, "100 km²: peak memory", "MB", found["megabytes"], bar=Bar(1024))


def _write(path: Path) -> None:
    random = np.random.default_rng(6)
    values = random.integers(200, 4000, (len(_BANDS), _SIDE_PIXELS, _SIDE_PIXELS)).astype(np.uint16)
    values[_BANDS.index("B10")] = 20
    for band in ("B5", "B6", "B7", "B8A", "B11", "B12"):
        coarse = values[_BANDS.index(band), ::2, ::2]
        values[_BANDS.index(band)] = coarse.repeat(2, axis=0).repeat(2, axis=1)
    with rasterio.open(
        path, "w", driver="GTiff", width=_SIDE_PIXELS, height=_SIDE_PIXELS, count=len(_BANDS), dtype="uint16", crs=_CRS,
        transform=Affine(10, 0, _WEST, 0, -10, _NORTH), tiled=True,
    ) as dataset:  # fmt: skip
        dataset.write(values)
        dataset.descriptions = _BANDS


def _classify_and_sum(scene_path: Path, out: Path) -> None:
    from local.earth_engine import reducers  # noqa: PLC0415
    from local.earth_engine.raster import RasterFile, pixel_area_m2  # noqa: PLC0415
    from local.earth_engine.values import Band, Pixels, Window  # noqa: PLC0415
    from local.earth_engine.zonal import reduce_region  # noqa: PLC0415
    from local.sentinel2.classify import classify, tiles_over  # noqa: PLC0415
    from local.sentinel2.scene import opened  # noqa: PLC0415
    from local.sentinel2.sources import Told, scene_from  # noqa: PLC0415
    from shared.network.model import Network  # noqa: PLC0415

    with scene_from(scene_path, Told(0, 150)) as scene, opened(scene) as reader:
        classify(reader, Network(threads=1), tiles_over(scene), out)
    image = RasterFile(out)
    area = Band("area", image.projection, lambda window: Pixels(pixel_area_m2(window), None))

    def weighed(index: int, class_id: int | None = None) -> Band:
        """Pixel area times a probability, or where the label is a class."""
        source = Band("stored", image.projection, lambda window: image.read(index, window))

        def read(window: Window) -> Pixels:
            values, valid = window.read(source)
            return Pixels(window.read(area).values * (values if class_id is None else values == class_id), valid)

        return Band("weighed", image.projection, read)

    wanted = [weighed(index) for index in range(1, 10)] + [weighed(10, class_id) for class_id in range(9)]
    square = box(_WEST, _NORTH - _SIDE_PIXELS * 10, _WEST + _SIDE_PIXELS * 10, _NORTH)
    found = reduce_region([[band] for band in wanted], reducers.SIMPLE["sum"], square, image.projection)
    if abs(sum(float(str(sums["sum"])) for sums in found[9:]) / square.area - 1) > 0.01:
        raise RuntimeError("the areas do not add up")


if __name__ == "__main__":
    _classify_and_sum(Path(sys.argv[1]), Path(sys.argv[2]))
    (peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(json.dumps({"seconds": time.process_time(), "megabytes": int(peak.split()[1]) / 1024}))
