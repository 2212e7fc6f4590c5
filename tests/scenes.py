"""Scenes made in memory, and areas computed without any of the project's code."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from affine import Affine
from exactextract import exact_extract
from pyproj import Geod, Transformer
from shapely import box, segmentize, transform
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

CLASS_NAMES = (
    "water",
    "trees",
    "grass",
    "flooded_vegetation",
    "crops",
    "shrub_and_scrub",
    "built",
    "bare",
    "snow_and_ice",
)
NODATA = -1.0


def random_probabilities(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Nine probability bands that sum to one, patchy so that classes have edges."""
    random = np.random.default_rng(seed)
    coarse = (
        random.random((9, shape[0] // 4 + 1, shape[1] // 4 + 1)).repeat(4, 1).repeat(4, 2)[:, : shape[0], : shape[1]]
    )
    mixed = coarse**3 + 0.01 * random.random((9, *shape))
    return np.asarray(mixed / mixed.sum(axis=0), dtype=np.float32)


def write_scene(
    folder: Path,
    image_id: str,
    *,
    crs: str,
    origin: tuple[float, float],
    pixel: float = 10,
    shape: tuple[int, int] = (100, 100),
    seed: int = 0,
    labels: np.ndarray | None = None,
    hidden: np.ndarray | None = None,
    label_only: bool = False,
    south_up: bool = False,
) -> Path:
    """Write one GeoTIFF scene. ``labels`` fixes the classes, ``hidden`` masks pixels; returns the path.

    ``origin`` is the corner of the first pixel: north-west, or south-west when rows run north.
    """
    if labels is not None:
        shape = labels.shape
        probabilities = np.full((9, *shape), 0.05, dtype=np.float32)
        np.put_along_axis(probabilities, labels[None].astype(np.int64), 0.6, axis=0)
    else:
        probabilities = random_probabilities(shape, seed)
    top = probabilities.argmax(axis=0).astype(np.float32)
    masked = np.zeros(shape, dtype=bool) if hidden is None else hidden
    bands = [] if label_only else [(name, probabilities[i]) for i, name in enumerate(CLASS_NAMES)]
    bands.append(("label", top))
    path = folder / f"{image_id}.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=shape[0],
        width=shape[1],
        count=len(bands),
        dtype="int16" if label_only else "float32",
        crs=crs,
        transform=Affine(pixel, 0, origin[0], 0, pixel if south_up else -pixel, origin[1]),
        nodata=NODATA,
    ) as dataset:
        for index, (name, values) in enumerate(bands, 1):
            dataset.write(np.where(masked, NODATA, values).astype(dataset.dtypes[0]), index)
            dataset.set_band_description(index, name)
    return path


class Cells(NamedTuple):
    """The pixels of one raster that a polygon touches: row, column, and the area inside the polygon in m²."""

    rows: np.ndarray
    columns: np.ndarray
    areas_m2: np.ndarray
    polygon_m2: float


def independent_cells(path: Path, polygon: BaseGeometry, eight_bit: bool = False) -> Cells:
    """exactextract straight on the file for coverage fractions; each pixel's area is that of its corners on the
    ellipsoid, by GeographicLib through pyproj. The polygon is in lon/lat. ``eight_bit`` rounds the fractions as Earth
    Engine does. Cells without data are left out.
    """
    geod = Geod(ellps="WGS84")
    with rasterio.open(path) as dataset:
        to_crs = Transformer.from_crs("EPSG:4326", dataset.crs, always_xy=True)
        to_degrees = Transformer.from_crs(dataset.crs, "EPSG:4326", always_xy=True)
        dense = segmentize(polygon, 0.0005)
        projected = transform(dense, lambda xy: np.column_stack(to_crs.transform(xy[:, 0], xy[:, 1])))
        feature = {"type": "Feature", "properties": {}, "geometry": mapping(projected)}
        found = exact_extract(str(path), feature, ["cell_id", "coverage"])[0]["properties"]
        cells = np.asarray(found.get("cell_id", found.get("band_1_cell_id")), dtype=np.int64)
        coverage = np.asarray(found.get("coverage", found.get("band_1_coverage")))
        if eight_bit:
            coverage = np.floor(coverage * 255 + 0.25) / 255
        rows, columns = np.divmod(cells, dataset.width)
        corners = []
        for dc, dr in ((0, 0), (1, 0), (1, 1), (0, 1)):
            x, y = dataset.transform @ (columns + dc, rows + dr)
            corners.append(np.column_stack(to_degrees.transform(x, y)))
    quads = np.stack(corners, axis=1)
    areas = np.array([abs(geod.polygon_area_perimeter(q[:, 0], q[:, 1])[0]) for q in quads]) * coverage
    return Cells(rows, columns, areas, float(abs(geod.geometry_area_perimeter(dense)[0])))


def independent_areas(path: Path, polygon: BaseGeometry, eight_bit: bool = False) -> dict[str, np.ndarray | float]:
    """Label areas, probability areas, valid area and polygon area in m², for a lon/lat polygon over one raster."""
    cells = independent_cells(path, polygon, eight_bit)
    with rasterio.open(path) as dataset:
        values = {name: dataset.read(i + 1)[cells.rows, cells.columns] for i, name in enumerate(dataset.descriptions)}
    label = values["label"]
    valid = label != NODATA
    result: dict[str, np.ndarray | float] = {
        "label": np.array([cells.areas_m2[valid & (label == c)].sum() for c in range(9)]),
        "valid": float(cells.areas_m2[valid].sum()),
        "aoi": cells.polygon_m2,
    }
    if "water" in values:
        result["probability"] = np.array([(cells.areas_m2 * values[name])[valid].sum() for name in CLASS_NAMES])
    return result


def write_passes(folder: Path, clouds: dict[str, float], outline: BaseGeometry = box(125, 45, 126, 46)) -> None:  # noqa: B008
    """The collection of all Sentinel-2 scenes: cloud percent by scene id, all with one footprint."""
    features = [
        {
            "type": "Feature",
            "id": scene_id,
            "properties": {"CLOUDY_PIXEL_PERCENTAGE": cloud},
            "geometry": mapping(outline),
        }
        for scene_id, cloud in clouds.items()
    ]
    (folder / "passes.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
