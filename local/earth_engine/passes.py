"""The collection of all Sentinel-2 scenes: what Dynamic World left out, and how cloudy it was.

``passes.geojson`` in the scenes folder names them: features with ``id`` (as in COPERNICUS/S2_HARMONIZED) and the
property ``CLOUDY_PIXEL_PERCENTAGE``. Scenes that have an image need not be listed. Those in ``sentinel2/`` have pixels
too, and need not be listed either.
"""

import json
from pathlib import Path

from shapely.geometry import shape

from local.earth_engine.catalog import mean_sensing_time_ms
from local.earth_engine.errors import asset_not_found
from local.earth_engine.sentinel2 import SCENES_FOLDER, Sentinel2Catalog
from local.earth_engine.values import Collection, Geometry, Image

PASSES_FILE = "passes.geojson"


class PassCatalog:
    """The passes of a scenes folder. With neither the file nor scenes there is no such collection."""

    def __init__(self, collection: str, folder: Path) -> None:
        self.collection_id = collection
        self._path = folder / PASSES_FILE
        self._scenes = Sentinel2Catalog(collection, folder)

    def collection(self, asset_id: str) -> Collection:
        """One image for each pass, without bands where there are no pixels. Raises EngineError when none is known."""
        scenes = {str(image.properties["system:index"]): image for image in self._scenes.collection(asset_id).elements}
        if not self._path.is_file() and not scenes:
            raise asset_not_found("ImageCollection", asset_id)
        listed = json.loads(self._path.read_text(encoding="utf-8"))["features"] if self._path.is_file() else []
        passes = {str(feature["id"]): _image(feature, self.collection_id) for feature in listed}
        return Collection([*(passes | scenes).values()], asset_id=self.collection_id)

    def image(self, asset_id: str) -> Image:
        """A scene with pixels by its full asset id. Raises EngineError when it is not there."""
        return self._scenes.image(asset_id)


def knows_passes(folder: Path) -> bool:
    """Whether a scenes folder says when the satellites passed without leaving an image."""
    return (folder / PASSES_FILE).is_file() or (folder / SCENES_FOLDER).is_dir()


def _image(feature: dict[str, object], collection: str) -> Image:
    name = str(feature["id"])
    acquired_ms = mean_sensing_time_ms(name)
    properties = {
        **feature["properties"],  # type: ignore[dict-item]
        "system:index": name,
        "system:time_start": acquired_ms,
        "system:time_end": acquired_ms,
    }
    return Image(properties, Geometry(shape(feature["geometry"]), geodesic=False), (), f"{collection}/{name}")
