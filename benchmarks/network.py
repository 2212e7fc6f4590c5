"""The network's speed against the plain way to export it and against its floor, and an area of 100 km² from pixels to
areas: of a file, as ``landcover classify`` takes it, and to a row, as the function ``classify`` does it.

All on one thread. The plain export writes Mish as it is defined, with Softplus and Tanh; the floor has a ReLU in its
place: the same convolutions with an activation that costs next to nothing (and no sensible answer). TensorFlow takes
part where it is installed and DYNAMIC_WORLD_SAVED_MODEL names the published ``model/forward``.
"""

import importlib.util
import json
import logging
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
from shapely import box, transform
from shapely.geometry import mapping

from benchmarks.rows import Bar, Row, medians
from local.network.convert import convert, weights_of
from shared.network.model import FILE

_AREA = "network"
_ROUNDS = {416: 5, 1024: 3}  # by tile size: a run of the larger takes ten seconds
_SAVED_MODEL = "DYNAMIC_WORLD_SAVED_MODEL"
_CRS, _WEST, _NORTH = "EPSG:32651", 600_000, 5_100_000
_SIDE_PIXELS = 1_000  # 100 km²
_MOST_SECONDS, _MOST_MEGABYTES = 20.0, 1024.0
_IMAGE = "20210703T023111_20210703T023105_T51TWM"
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
    yield from _whole_row()


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
        printed = _in_a_process("file", str(scene), str(Path(folder) / "image.tif"))
        yield from _held_to_the_bars(printed, "a file", "masked, classified, written, summed")


def _whole_row() -> Iterator[Row]:
    """100 km² in a fresh process that asks a local Earth Engine for the pixels, which works in this one."""
    from local.earth_engine.server import EarthEngineServer  # noqa: PLC0415 — no part of what the process holds
    from shared.settings import Settings  # noqa: PLC0415
    from tests.l1c import clear_l1c, write_l1c  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        size = (_SIDE_PIXELS + 50) // 6 * 6
        bands = clear_l1c(size, size)
        write_l1c(Path(folder), _IMAGE, bands, crs=_CRS, origin=(_WEST, _NORTH), probability=np.zeros((size, size)))
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        collection = Settings.model_fields["pass_collection"].default
        server = EarthEngineServer({}, {collection: Path(folder)}).start()
        try:
            printed = _in_a_process("row", server.url)
        finally:
            server.stop()
        yield from _held_to_the_bars(printed, "a scene in Earth Engine", "fetched, classified, summed, as a row")


def _in_a_process(*arguments: str) -> str:
    one_thread = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GDAL_NUM_THREADS"), "1")}
    command = [sys.executable, "-m", "benchmarks.network", *arguments]
    return subprocess.run(command, env=one_thread, capture_output=True, text=True, check=True).stdout


def _held_to_the_bars(printed: str, what: str, done: str) -> Iterator[Row]:
    found = json.loads(printed)
    reading = f"{done}; processor time of one core"
    name = f"100 km² of {what}"
    yield Row(_AREA, f"{name}: from pixels to areas", "s", found["seconds"], "the bar", _MOST_SECONDS, Bar(1), reading)
    yield Row(_AREA, f"{name}: peak memory", "MB", found["megabytes"], "the bar", _MOST_MEGABYTES, Bar(1))


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


def _classify_to_a_row(url: str) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415
    from functools import partial  # noqa: PLC0415

    from shared.aois.aoi import Aoi  # noqa: PLC0415
    from shared.aois.geometry import ellipsoidal_area_m2  # noqa: PLC0415
    from shared.earth_engine.client import connect  # noqa: PLC0415
    from shared.earth_engine.listing import list_scenes  # noqa: PLC0415
    from shared.earth_engine.scene_masks import SceneMask  # noqa: PLC0415
    from shared.geometry.utm import to_lon_lat  # noqa: PLC0415
    from shared.imagery.names import moments_of  # noqa: PLC0415
    from shared.measurement.budgets import classification_budget  # noqa: PLC0415
    from shared.measurement.jobs import measure_jobs  # noqa: PLC0415
    from shared.measurement.overpasses import overpasses_by_aoi  # noqa: PLC0415
    from shared.measurement.pairs import jobs_of  # noqa: PLC0415
    from shared.measurement.rows import Source, observation_row, provenance  # noqa: PLC0415
    from shared.network.classifying import classify_pieces  # noqa: PLC0415
    from shared.network.model import Network  # noqa: PLC0415
    from shared.network.scenes import classified_images  # noqa: PLC0415
    from shared.settings import Settings  # noqa: PLC0415

    settings = Settings(project="local-project", earth_engine_url=url)
    connect(settings, "benchmark")
    square = box(_WEST + 50, _NORTH - _SIDE_PIXELS * 10 - 50, _WEST + _SIDE_PIXELS * 10 + 50, _NORTH - 50)
    outline = transform(square, lambda metres: to_lon_lat(_CRS, metres))
    aoi = Aoi("square", 1, ellipsoidal_area_m2(outline), dict(mapping(outline)))
    scenes = list_scenes(settings, *moments_of([_IMAGE[:15]]))
    jobs = jobs_of([aoi], overpasses_by_aoi([aoi], classified_images(scenes, SceneMask.RECIPE)))
    measure = partial(classify_pieces, settings, Network(threads=1), SceneMask.RECIPE)
    done = [pair for batch in measure_jobs(jobs, measure, classification_budget(settings)) for pair in batch.done]
    ((job, areas),) = done
    images = job.overpasses[0].images
    row = observation_row(aoi, _IMAGE[:15], areas, provenance(images, datetime.now(UTC)), Source.NETWORK)
    if not row["coverage"] > 0.99:
        raise RuntimeError(f"only {row['coverage']:.0%} of the area was seen")


if __name__ == "__main__":
    if sys.argv[1] == "file":
        _classify_and_sum(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        _classify_to_a_row(sys.argv[2])
    (peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(json.dumps({"seconds": time.process_time(), "megabytes": int(peak.split()[1]) / 1024}))
