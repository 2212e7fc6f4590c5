"""The local engine's zonal sum against exactextract, rasterstats and xarray: same raster, same polygons, same answer.

A float raster of 5,000 × 5,000 pixels of 10 m and polygons of 10 ha to 1,000 km²; each tool opens the raster once for
all polygons of a size. Peak memory is that of a fresh process.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from pyproj import Transformer
from shapely import Polygon, transform
from shapely.geometry import mapping, shape

from benchmarks.rows import Bar, Row, medians

_AREA = "zonal sum"
_CRS, _WEST, _NORTH, _PIXEL_M = "EPSG:32651", 600_000, 5_100_000, 10
_SIZE = 5_000
# hectares of each polygon, and how many
_SIZES = {"200 × 10 ha": (10, 200), "50 × 1 km²": (100, 50), "4 × 100 km²": (10_000, 4), "1 × 1,000 km²": (100_000, 1)}
_GROWN = 3  # the raster that is nine times as large, for memory


def rows() -> Iterator[Row]:
    """Speed for each size, agreement, and memory as the raster grows around the polygon."""
    with tempfile.TemporaryDirectory() as folder:
        raster = _write(Path(folder) / "small.tif", _SIZE)
        for name, (hectares, count) in _SIZES.items():
            yield from _speeds(raster, _polygons(hectares, count), name)
        grown = _write(Path(folder) / "large.tif", _SIZE * _GROWN)
        small, large = (_peak_megabytes(path, _polygons(100, 1)[0]) for path in (raster, grown))
        yield Row(
            _AREA, "peak memory, raster nine times as large", "MB", large, "raster as it was", small, Bar(1.05),
            "1 km² of it is summed; the rest should not matter",
        )  # fmt: skip


def _write(path: Path, size: int) -> Path:
    random = np.random.default_rng(4)
    with rasterio.open(
        path, "w", driver="GTiff", width=size, height=size, count=1, dtype="float32", crs=_CRS, tiled=True,
        transform=Affine(_PIXEL_M, 0, _WEST, 0, -_PIXEL_M, _NORTH),
    ) as dataset:  # fmt: skip
        for row in range(0, size, 500):
            block = random.random((500, size), dtype=np.float32)
            dataset.write(block, 1, window=rasterio.windows.Window(0, row, size, 500))
    return path


def _polygons(hectares: float, count: int) -> list[Polygon]:
    """Stars of sixty points in UTM metres, each with about the area that is asked for, strewn around the middle."""
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = np.sqrt(hectares * 10_000 / np.pi) * (1 + 0.1 * np.cos(7 * angles))
    centre = _SIZE * _PIXEL_M / 2
    shifts = np.random.default_rng(5).uniform(-3_000, 3_000, (count, 2))
    return [
        Polygon(
            np.column_stack(
                [_WEST + centre + dx + radius * np.cos(angles), _NORTH - centre + dy + radius * np.sin(angles)]
            )
        )
        for dx, dy in shifts
    ]


def _speeds(raster: Path, polygons: list[Polygon], name: str) -> Iterator[Row]:
    features = [{"type": "Feature", "properties": {}, "geometry": mapping(polygon)} for polygon in polygons]
    peers: dict[str, Callable[[], np.ndarray]] = {
        "exactextract": lambda: _exactextract(raster, features),
        "rasterstats": lambda: _rasterstats(raster, features),
        "xarray + clip": lambda: _xarray(raster, polygons),
    }
    ours = _engine(raster, polygons)
    seconds, *others = medians(ours, *peers.values())
    bars = {"exactextract": Bar(0.8, at_least=True), "rasterstats": Bar(5, at_least=True)}
    millions = sum(polygon.area for polygon in polygons) / _PIXEL_M**2 / 1e6
    truth = _exactextract(raster, features)
    for (peer, work), other in zip(peers.items(), others, strict=True):
        what = f"{name}: million pixels a second"
        yield Row(_AREA, what, "", millions / seconds, peer, millions / other, bars.get(peer))
        if peer != "exactextract":
            differs = float(np.abs(work() / truth - 1).max())
            yield Row(_AREA, f"{name}: {peer} differs by up to", "", differs, reading="from the exact sum")
    differs = float(np.abs(ours() / _eight_bit(raster, features) - 1).max())
    reading = "from exactextract's shares, rounded to 8 bits"
    yield Row(_AREA, f"{name}: ours differs by up to", "", differs, bar=Bar(1e-6), reading=reading)


def _engine(raster: Path, polygons: list[Polygon]) -> Callable[[], np.ndarray]:
    """The local engine's own reduction of one band, without the web server around it."""
    from local.earth_engine import reducers  # noqa: PLC0415
    from local.earth_engine.raster import RasterFile  # noqa: PLC0415
    from local.earth_engine.values import Band, Geometry  # noqa: PLC0415
    from local.earth_engine.zonal import reduce_region, region_in  # noqa: PLC0415

    to_degrees = Transformer.from_crs(_CRS, "EPSG:4326", always_xy=True)
    regions = [
        Geometry(transform(polygon, lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1]))), False)
        for polygon in polygons
    ]

    def work() -> np.ndarray:
        source = RasterFile(raster)
        band = Band("b1", source.projection, lambda window: source.read(1, window))
        total = reducers.SIMPLE["sum"]
        shapes = [region_in(region, source.projection) for region in regions]
        return np.array([reduce_region([[band]], total, shape, source.projection)[0]["sum"] for shape in shapes])

    return work


def _exactextract(raster: Path, features: list[dict[str, Any]]) -> np.ndarray:
    from exactextract import exact_extract  # noqa: PLC0415

    return np.array([found["properties"]["sum"] for found in exact_extract(str(raster), features, ["sum"])])


def _eight_bit(raster: Path, features: list[dict[str, Any]]) -> np.ndarray:
    """The sums with weights as Earth Engine has them."""
    from exactextract import exact_extract  # noqa: PLC0415

    found = [cell["properties"] for cell in exact_extract(str(raster), features, ["values", "coverage"])]
    return np.array([(f["values"] * np.floor(255 * f["coverage"] + 0.25) / 255).sum() for f in found])


def _rasterstats(raster: Path, features: list[dict[str, Any]]) -> np.ndarray:
    from rasterstats import zonal_stats  # noqa: PLC0415

    return np.array([found["sum"] for found in zonal_stats(features, str(raster), stats=["sum"], nodata=-9999)])


def _xarray(raster: Path, polygons: list[Polygon]) -> np.ndarray:
    import rioxarray  # noqa: PLC0415 — a peer

    with rioxarray.open_rasterio(raster) as opened:
        clipped = [opened.rio.clip_box(*p.bounds).rio.clip([mapping(p)]) for p in polygons]
        return np.array([float(part.where(part != part.rio.nodata).sum()) for part in clipped])


def _peak_megabytes(raster: Path, polygon: Polygon) -> float:
    arguments = [sys.executable, "-m", "benchmarks.zonal", str(raster), json.dumps(mapping(polygon))]
    return float(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    _engine(Path(sys.argv[1]), [shape(json.loads(sys.argv[2]))])()
    (peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(int(peak.split()[1]) / 1024)
