"""Classifying one scene into a file like a Dynamic World image: nine probabilities and the label, cloud-optimised."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
import rasterio.shutil
import shapely
from affine import Affine
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from local.sentinel2 import mask
from local.sentinel2.choices import Form, Mask
from local.sentinel2.scene import Scene, SceneReader
from shared.classes import CLASS_NAMES, LABEL_BAND
from shared.errors import UserInputError
from shared.network.model import VERSION, Network
from shared.network.tiling import CORE_PIXELS, Span, Tile, tiles

_PIXEL_M = 10
# Probabilities in bytes: in steps of 1/250, which add up to 250 in every pixel.
BYTE_STEPS = 250
_BYTE_NODATA = 255
Progress = Callable[[int, int], None]


class Written(NamedTuple):
    """What a file covers: pixels of the chosen tiles, and how many of them have a label."""

    pixels: int
    labelled: int

    @property
    def hidden(self) -> float:
        """Share of the pixels without a label: cloud, shadow, or no data."""
        return 1 - self.labelled / self.pixels


def tiles_over(scene: Scene, region: BaseGeometry | None = None) -> list[Tile]:
    """The scene's tiles, or those that a region in the scene's CRS touches, in order of rows."""
    whole = list(tiles(scene.height, scene.width))
    if region is None:
        return whole
    shapely.prepare(region)
    return [tile for tile in whole if region.intersects(shapely.box(*_bounds_m(scene, tile.core)))]


def _bounds_m(scene: Scene, span: Span) -> tuple[float, float, float, float]:
    west, north = scene.west_m + span.left * _PIXEL_M, scene.north_m - span.top * _PIXEL_M
    return west, north - span.height * _PIXEL_M, west + span.width * _PIXEL_M, north


def classify(
    reader: SceneReader,
    network: Network,
    chosen: Sequence[Tile],
    out: Path,
    *,
    form: Form = Form.FLOAT,
    hidden_by: Mask = Mask.BANDS,
    progress: Progress = lambda done, total: None,
) -> Written:
    """Write ten bands of the chosen tiles as a cloud-optimised GeoTIFF; between them there is no data.

    The file appears when it is whole. Raises UserInputError when the scene cannot be read.
    """
    area = _around([tile.core for tile in chosen])
    clouds = mask.cloud_mask(reader, area) if hidden_by is Mask.BANDS else None
    done = labelled = 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".classify-") as folder:
        rough, whole = Path(folder) / "rough.tif", Path(folder) / "whole.tif"
        with rasterio.open(rough, "w", **_profile(reader.scene, area, form)) as dataset:
            _describe(dataset, reader.scene, form, hidden_by)
            for row, strip in _strips(chosen, area):
                values = np.full((len(CLASS_NAMES), row.height, row.width), np.nan, dtype=np.float32)
                for tile in strip:
                    at = np.s_[:, :, tile.core.left - area.left : tile.core.right - area.left]
                    values[at] = _classified(reader, network, tile, clouds)
                    done += 1
                    progress(done, len(chosen))
                labelled += int(np.isfinite(values[0]).sum())
                window = Window(0, row.top - area.top, row.width, row.height)
                dataset.write(_bands(values, form), window=window)
        rasterio.shutil.copy(
            rough, whole, driver="COG", compress="DEFLATE", predictor="YES", overview_resampling="NEAREST",
            bigtiff="IF_SAFER",
        )  # fmt: skip
        whole.replace(out)
    return Written(sum(tile.core.height * tile.core.width for tile in chosen), labelled)


def _classified(reader: SceneReader, network: Network, tile: Tile, clouds: mask.CloudMask | None) -> np.ndarray | float:
    """Probabilities of a tile, NaN where hidden; the network is spared what is hidden altogether."""
    hidden = np.zeros((tile.core.height, tile.core.width), dtype=bool) if clouds is None else clouds.on(tile.core)
    if hidden.all():
        return np.nan
    pixels = reader.pixels(tile.window)
    if not pixels.valid.all(axis=0).any():
        return np.nan
    found = network.probabilities(pixels, tile)
    found[:, hidden] = np.nan
    return found


def _around(spans: Sequence[Span]) -> Span:
    if not spans:
        raise UserInputError("no part of the scene lies in the areas")
    tops, lefts, bottoms, rights = zip(*spans, strict=True)
    return Span(min(tops), min(lefts), max(bottoms), max(rights))


def _strips(chosen: Sequence[Tile], area: Span) -> Iterator[tuple[Span, list[Tile]]]:
    """Tiles that stand side by side, with the strip of the area that they are in."""
    for top, strip in groupby(chosen, lambda tile: tile.core.top):
        side_by_side = list(strip)
        yield Span(top, area.left, side_by_side[0].core.bottom, area.right), side_by_side


def _profile(scene: Scene, area: Span, form: Form) -> dict[str, Any]:
    west, _, _, north = _bounds_m(scene, area)
    return {
        "driver": "GTiff",
        "crs": scene.crs,
        "transform": Affine(_PIXEL_M, 0, west, 0, -_PIXEL_M, north),
        "height": area.height,
        "width": area.width,
        "count": len(CLASS_NAMES) + 1,
        "dtype": "float32" if form is Form.FLOAT else "uint8",
        "nodata": np.nan if form is Form.FLOAT else _BYTE_NODATA,
        # one strip of tiles is one block, written once; what is never written is no data
        "blockysize": CORE_PIXELS,
        "interleave": "band",
        "compress": "DEFLATE",
        "zlevel": 1,
        "sparse_ok": True,
        "bigtiff": "IF_SAFER",
    }


def _describe(dataset: Any, scene: Scene, form: Form, hidden_by: Mask) -> None:
    dataset.descriptions = (*CLASS_NAMES, LABEL_BAND)
    if form is Form.BYTE:
        dataset.scales = (*[1 / BYTE_STEPS] * len(CLASS_NAMES), 1)
    dataset.update_tags(
        scene=scene.image_id or scene.name,
        source="network",
        dynamicworld_algorithm_version=VERSION,
        qa_algorithm_version=mask.VERSION if hidden_by is Mask.BANDS else "none",
        attribution="Contains modified Copernicus Sentinel data, classified by the published Dynamic World network",
    )


def _bands(probabilities: np.ndarray, form: Form) -> np.ndarray:
    """Nine probabilities and their argmax, as they are stored."""
    hidden = np.isnan(probabilities[0])
    label = probabilities.argmax(axis=0)
    if form is Form.FLOAT:
        return np.concatenate([probabilities, np.where(hidden, np.nan, label).astype(np.float32)[np.newaxis]])
    found = np.concatenate([steps(np.where(hidden, 0, probabilities)), label[np.newaxis]]).astype(np.uint8)
    found[:, hidden] = _BYTE_NODATA
    return found


def steps(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities (9, …) in whole steps that add up as they do: rounded down, and the largest remainders up."""
    exact = probabilities * np.float32(BYTE_STEPS)
    found = np.floor(exact).astype(np.int16)
    lacking = np.rint(exact.sum(axis=0)).astype(np.int16) - found.sum(axis=0, dtype=np.int16)
    rank = np.argsort(np.argsort(found - exact, axis=0, kind="stable"), axis=0, kind="stable")
    return np.asarray(found + (rank < lacking))
