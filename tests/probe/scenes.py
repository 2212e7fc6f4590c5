"""The place that is probed, and reading findings."""

from pathlib import Path

import numpy as np
from shapely import box

from local.probe.model import Finding, Result
from tests.l1c import clear_l1c, write_classified, write_l1c
from tests.scenes import write_passes, write_scene

AT = (125.666, 45.104)
DAYS = (3, 8, 13, 18, 23)
ORIGIN, SCENE_SHAPE = (709_000.0, 5_000_000.0), (198, 198)


def image(day: int, second: str = "T023105") -> str:
    return f"202107{day:02d}T023111_202107{day:02d}{second}_T51TYL"


def write_scenes(folder: Path) -> list[str]:
    """Six images of five overpasses, one of them cut in two; and the list of passes that names them all."""
    names = [*(image(day) for day in DAYS), image(DAYS[-1], "T023300")]
    for name in names:
        write_scene(folder, name, crs="EPSG:32651", origin=ORIGIN, shape=(200, 200))
    clouds = {name: 5.0 + number for number, name in enumerate(names)}
    clouds["20210705T023111_20210705T023105_T51TYL"] = 20.0
    write_passes(folder, clouds, box(125.658, 45.096, 125.682, 45.113))
    return names


def write_pixels(folder: Path) -> None:
    """The scene of the clearest image, which is now what the network says of it."""
    name, bands = image(DAYS[0]), clear_l1c(*SCENE_SHAPE)
    write_classified(folder / f"{name}.tif", bands, ORIGIN)
    write_l1c(folder, name, bands, origin=ORIGIN, cloud_percent=5.0, probability=np.zeros(SCENE_SHAPE))


def of(results: list[Result], name: str) -> dict[str, Finding]:
    return {result.finding.part: result.finding for result in results if result.check.name == name}
