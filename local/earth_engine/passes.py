"""The collection of all Sentinel-2 scenes, as metadata: what Dynamic World left out, and how cloudy it was.

``passes.geojson`` in the scenes folder names them: features with ``id`` (as in COPERNICUS/S2_HARMONIZED) and the
property ``CLOUDY_PIXEL_PERCENTAGE``. Scenes that have an image need not be listed.
"""

import json
from pathlib import Path

from shapely.geometry import shape

from local.earth_engine.catalog import mean_sensing_time_ms
from local.earth_engine.errors import asset_not_found
from local.earth_engine.values import Collection, Geometry, Image

PASSES_FILE = "passes.geojson"


class PassCatalog:
    """The passes of a scenes folder. Without the file there is no such collection."""

    def __init__(self, collection: str, folder: Path) -> None:
        self.collection_id = collection
        self._path = folder / PASSES_FILE

    def collection(self, asset_id: str) -> Collection:
        """One image without bands for each pass. Raises EngineError when there is no list of passes."""
        if not self._path.is_file():
            raise asset_not_found("ImageCollection", asset_id)
        features = json.loads(self._path.read_text(encoding="utf-8"))["features"]
        return Collection([_image(f, self.collection_id) for f in features], asset_id=self.collection_id)

    def image(self, asset_id: str) -> Image:
        """Raises EngineError: the scenes themselves are not served."""
        raise asset_not_found("Image", asset_id)


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
