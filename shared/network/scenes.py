"""Scenes as the images that the network makes of them, so that they are planned like those of Dynamic World."""

from collections.abc import Iterable

from shared.classes import CLASS_NAMES
from shared.imagery.images import SceneImage
from shared.imagery.scenes import Scene, crs_of
from shared.network.model import VERSION


def classified_images(scenes: Iterable[Scene], mask: str) -> list[SceneImage]:
    """The images of scenes that have pixels, with the network's version, and the mask's."""
    return [
        SceneImage(
            image_id=scene.scene_id,
            version_us=scene.version_us,
            footprint=scene.footprint,
            crs=crs_of(scene.scene_id),
            bands=CLASS_NAMES,
            algorithm_version=VERSION,
            qa_version=mask,
        )
        for scene in scenes
        if scene.has_pixels
    ]
