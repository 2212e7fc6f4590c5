"""What a person hands to the command line: AOI files and folders of scenes, checked before any work is done."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.errors import RasterioError
from shapely.geometry.base import BaseGeometry

from local.earth_engine.catalog import SceneFile, read_scene
from local.earth_engine.geotiff import open_geotiff
from shared.aois.feature import RegisteredAoi, outline_of
from shared.aois.registration import InvalidRegistrationError, parse_event
from shared.classes import LABEL_BAND
from shared.errors import UserInputError
from shared.imagery.names import parse_scene_name, sensing_time
from shared.settings import DYNAMIC_WORLD_START, Settings

_SAMPLE_PIXELS = 512
_SHOWN_FAULTS = 3


def read_aois(path: Path) -> dict[str, Any]:
    """A GeoJSON file as a FeatureCollection whose features all have ids.

    Takes a Feature, FeatureCollection or bare geometry; features without an id are numbered. Raises UserInputError.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserInputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UserInputError(f"{path}: expected a GeoJSON file, found a folder") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise UserInputError(f"{path}: not GeoJSON ({error})") from None
    kind = document.get("type") if isinstance(document, dict) else None
    match kind:
        case "FeatureCollection":
            features = document.get("features")
        case "Feature":
            features = [document]
        case "Polygon" | "MultiPolygon":
            features = [{"type": "Feature", "properties": {}, "geometry": document}]
        case _:
            raise UserInputError(f"{path}: not GeoJSON (expected a Feature or FeatureCollection, found {kind!r})")
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise UserInputError(f"{path}: not GeoJSON (expected a list of features)")
    crs = {"crs": document["crs"]} if "crs" in document and kind == "FeatureCollection" else {}
    return {"type": "FeatureCollection", **crs, "features": [_with_id(f, n) for n, f in enumerate(features, 1)]}


def read_secret(path: Path) -> str:
    """The signing secret in a file. Raises UserInputError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserInputError(f"{path}: no secret can be read ({type(error).__name__})") from None


def _with_id(feature: dict[str, Any], number: int) -> dict[str, Any]:
    properties = feature.get("properties")
    named = isinstance(properties, dict) and "aoi_id" in properties
    return feature if named or feature.get("id") is not None else {**feature, "id": f"aoi-{number}"}


def check_aois(path: Path, collection: dict[str, Any], settings: Settings) -> list[str]:
    """The ids of the AOIs, checked by the rules of the webhook. Raises UserInputError that names the first faults."""
    return [aoi.aoi_id for aoi in registered(path, collection, settings)]


def registered(path: Path, collection: dict[str, Any], settings: Settings) -> list[RegisteredAoi]:
    """The AOIs as the webhook would register them. Raises UserInputError that names the first faults."""
    event = {"type": "aoi.registered", "timestamp": DYNAMIC_WORLD_START.isoformat(), "data": collection}
    body = json.dumps(event).encode()
    try:
        return parse_event(body, settings).registered
    except InvalidRegistrationError as error:
        shown = "; ".join(
            f"{fault.pointer.removeprefix('/data')}: {fault.detail}" for fault in error.faults[:_SHOWN_FAULTS]
        )
        more = len(error.faults) - _SHOWN_FAULTS
        raise UserInputError(f"{path}: {shown}" + (f"; and {more} more faults" if more > 0 else "")) from None


def outlines(aois: list[RegisteredAoi]) -> list[BaseGeometry]:
    """The geometries of AOIs, in lon/lat."""
    return [outline_of(aoi) for aoi in aois]


def check_scenes(folder: Path) -> list[SceneFile]:
    """Every scene of a folder, in order of time. Raises UserInputError for the first that cannot be used."""
    if not folder.is_dir():
        raise UserInputError(f"{folder}: no such folder" if not folder.exists() else f"{folder}: expected a folder")
    paths = sorted(path for path in folder.glob("*.tif") if not path.name.startswith("."))
    if not paths:
        raise UserInputError(f"{folder}: no GeoTIFF (*.tif) in this folder")
    scenes = [read_scene(path) for path in paths]
    for scene in scenes:
        _check_labels(scene)
    return scenes


def _check_labels(scene: SceneFile) -> None:
    """Look at a coarse picture of the labels: anything but 0 to 8 means another product or another coding."""
    with open_geotiff(scene.path) as dataset:
        index = scene.band_names.index(LABEL_BAND) + 1
        shape = (min(dataset.height, _SAMPLE_PIXELS), min(dataset.width, _SAMPLE_PIXELS))
        try:
            labels = dataset.read(index, out_shape=shape, masked=True).compressed()
        except RasterioError as error:
            raise UserInputError(f"{scene.path.name}: not a readable raster ({error})") from None
    odd = np.unique(labels[~np.isin(labels, np.arange(9)) & np.isfinite(labels)])
    if odd.size:
        found = ", ".join(f"{value:g}" for value in odd[:5])
        raise UserInputError(
            f"{scene.path.name}: labels must be Dynamic World classes 0 to 8 (or the file's nodata), found {found}"
        )


def acquired_days(scenes: list[SceneFile]) -> tuple[date, date]:
    """First and last UTC day of a list of scenes."""
    stamps = sorted(parse_scene_name(scene.path.stem).sensing_stamp for scene in scenes)
    return sensing_time(stamps[0]).date(), sensing_time(stamps[-1]).date()


def between(scenes: list[SceneFile], start: date | None, end: date | None) -> list[SceneFile]:
    """The scenes acquired from ``start`` to ``end``, both included. Raises UserInputError when none is left."""
    chosen = [
        scene
        for scene in scenes
        if (start is None or acquired_days([scene])[0] >= start) and (end is None or acquired_days([scene])[0] <= end)
    ]
    if not chosen:
        first, last = acquired_days(scenes)
        raise UserInputError(
            f"no scene between {start or first} and {end or last}; there are some from {first} to {last}"
        )
    return chosen
