"""A folder of L1C scenes as a folder of classified images that the pipeline can run on."""

from collections.abc import Callable, Sequence
from pathlib import Path

from shapely.geometry.base import BaseGeometry

from local.sentinel2.classify import classify, tiles_over
from local.sentinel2.product import L2A_FILE, PRODUCT_FILE
from local.sentinel2.regions import region_on
from local.sentinel2.scene import opened
from local.sentinel2.sources import scene_from
from shared.errors import UserInputError
from shared.network.model import Network


def scenes_in(folder: Path) -> list[Path]:
    """The products (SAFE folders, zips) and GeoTIFFs of a folder. Raises UserInputError when there is none."""
    if not folder.is_dir():
        raise UserInputError(f"{folder}: no such folder" if not folder.exists() else f"{folder}: expected a folder")
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in {".zip", ".tif", ".tiff"}
        or any((path / n).is_file() for n in (PRODUCT_FILE, L2A_FILE))
    ]
    if not found:
        raise UserInputError(f"{folder}: no Sentinel-2 product (*.SAFE, *.zip) and no GeoTIFF in this folder")
    return found


def classify_folder(folder: Path, outlines: Sequence[BaseGeometry], target: Path, say: Callable[[str], None]) -> None:
    """Classify what the outlines (lon/lat) touch of each scene; one file an image, named by its id.

    Of several products of one scene the one processed last counts. Raises UserInputError when a scene cannot be used or
    names no image, and when none touches an outline.
    """
    network = Network()
    processed: dict[str, str] = {}
    for path in scenes_in(folder):
        with scene_from(path) as scene, opened(scene) as reader:
            if scene.image_id is None:
                raise UserInputError(
                    f"{path.name}: expected a product, or a file named like 20210103T023111_20210103T023107_T51TYL.tif"
                )
            if scene.processed < processed.get(scene.image_id, ""):
                say(f"  {path.name}: left out, another product of this scene was processed later")
                continue
            chosen = tiles_over(scene, region_on(scene, outlines))
            if not chosen:
                say(f"  {path.name}: shows none of the areas")
                continue
            written = classify(reader, network, chosen, target / f"{scene.image_id}.tif")
            processed[scene.image_id] = scene.processed
            say(f"  {path.name}: {written.pixels * 1e-4:,.1f} km² classified, {written.hidden:.0%} hidden")
    if not processed:
        raise UserInputError(f"{folder}: none of the scenes shows any of the areas")
