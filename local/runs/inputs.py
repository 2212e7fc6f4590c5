"""What a person hands to the command line: AOI files and folders of scenes, checked before any work is done."""

import json
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.errors import RasterioError
from shapely.geometry.base import BaseGeometry

from local.earth_engine.catalog import SceneFile, read_scene
from local.earth_engine.geotiff import open_geotiff
from local.runs.area_files import read_features, slug
from local.runs.own_scenes import Prepared
from shared.aois.feature import RegisteredAoi, outline_of
from shared.aois.registration import InvalidRegistrationError, parse_event
from shared.classes import LABEL_BAND
from shared.errors import UserInputError
from shared.imagery.names import parse_scene_name, sensing_time
from shared.settings import DYNAMIC_WORLD_START, Settings

_SAMPLE_PIXELS = 512
_SHOWN_FAULTS = 3


def read_aois(path: Path) -> dict[str, Any]:
    """The areas of a file (GeoJSON, Shapefile, GeoPackage, KML; any CRS) as a FeatureCollection in lon/lat.

    Every feature has an id: its own, one made of its name, or a number. Raises UserInputError.
    """
    return {"type": "FeatureCollection", "features": read_features(path)}


def read_secret(path: Path) -> str:
    """The signing secret in a file. Raises UserInputError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserInputError(f"{path}: no secret can be read ({type(error).__name__})") from None


def registered(path: Path, collection: dict[str, Any], settings: Settings) -> list[RegisteredAoi]:
    """The AOIs as the webhook would register them. Raises UserInputError that names the first faults."""
    event = {"type": "aoi.registered", "timestamp": DYNAMIC_WORLD_START.isoformat(), "data": collection}
    body = json.dumps(event).encode()
    try:
        return parse_event(body, settings).registered
    except InvalidRegistrationError as error:
        # one cause makes many a vertex wrong: the first fault of each area tells it
        first = {fault.pointer.split("/geometry")[0]: fault for fault in reversed(error.faults)}
        told = [fault for fault in error.faults if fault in first.values()]
        shown = "; ".join(
            f"{fault.pointer.removeprefix('/data')}: {_helpful(fault.detail, collection, fault.pointer)}"
            for fault in told[:_SHOWN_FAULTS]
        )
        more = len(told) - _SHOWN_FAULTS
        raise UserInputError(f"{path}: {shown}" + (f"; and {more} more areas" if more > 0 else "")) from None


def _helpful(detail: str, collection: dict[str, Any], pointer: str) -> str:
    """A fault in the words of a file, with what mends it."""
    detail = detail.replace("/data/features/", "/features/")
    if "Self-intersection" in detail:
        return f"{detail}; mend it, for instance with Fix geometries in QGIS"
    if detail.startswith("the same AOI id"):
        return f"{detail}; give each area an id of its own"
    if detail.startswith("expected an AOI id"):
        number = re.match(r"/data/features/(\d+)/", pointer)
        feature = collection["features"][int(number[1])] if number else {}
        given = (feature.get("properties") or {}).get("aoi_id", feature.get("id"))
        if isinstance(given, str) and (offered := slug(given)):
            return f"{detail}; {offered!r} would do"
    return detail


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


def acquired_days(image_ids: Iterable[str]) -> tuple[date, date]:
    """First and last UTC day of a list of images."""
    stamps = sorted(parse_scene_name(image_id).sensing_stamp for image_id in image_ids)
    return sensing_time(stamps[0]).date(), sensing_time(stamps[-1]).date()


def between(images: list[Prepared], start: date | None, end: date | None) -> list[Prepared]:
    """The images acquired from ``start`` to ``end``, both included. Raises UserInputError when none is left."""
    days = {image: acquired_days([image.image_id])[0] for image in images}
    chosen = [image for image, day in days.items() if (start is None or day >= start) and (end is None or day <= end)]
    if not chosen:
        first, last = min(days.values()), max(days.values())
        raise UserInputError(
            f"no scene between {start or first} and {end or last}; there are some from {first} to {last}"
        )
    return chosen
