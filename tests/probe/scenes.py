"""The place that is probed, and reading findings."""

from pathlib import Path

from shapely import box

from local.probe.model import Finding, Result
from tests.scenes import write_passes, write_scene

AT = (125.666, 45.104)
DAYS = (3, 8, 13, 18, 23)


def image(day: int, second: str = "T023105") -> str:
    return f"202107{day:02d}T023111_202107{day:02d}{second}_T51TYL"


def write_scenes(folder: Path) -> list[str]:
    """Six images of five overpasses, one of them cut in two; and the list of passes that names them all."""
    names = [*(image(day) for day in DAYS), image(DAYS[-1], "T023300")]
    for name in names:
        write_scene(folder, name, crs="EPSG:32651", origin=(709_000.0, 5_000_000.0), shape=(200, 200))
    clouds = {name: 5.0 + number for number, name in enumerate(names)}
    clouds["20210705T023111_20210705T023105_T51TYL"] = 20.0
    write_passes(folder, clouds, box(125.658, 45.096, 125.682, 45.113))
    return names


def of(results: list[Result], name: str) -> dict[str, Finding]:
    return {result.finding.part: result.finding for result in results if result.check.name == name}
