"""What an output folder remembers: the scenes its numbers come from, who wrote it, and so what may be written over."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shared.errors import UserInputError

_FILE = "landcover.json"
_WAREHOUSE = "warehouse"
_OF_A_RUN = (
    _WAREHOUSE, "scenes", "classified", "observations.csv", "monthly_summary.csv", "annual_summary.csv",
    "transitions.csv", "patches.geojson", "report.html", "index.html", "messages.sqlite",
)  # fmt: skip
DEFAULT_OUT = Path("out")


def remember(out: Path, scenes: Path, main_aoi: str | None = None) -> None:
    """Note in an output folder which scenes its numbers come from, and which AOI ``report.html`` shows."""
    noted = {"scenes": str(scenes.resolve())} | ({"main_aoi": main_aoi} if main_aoi else {})
    (out / _FILE).write_text(json.dumps(noted) + "\n", encoding="utf-8")


def recall(out: Path) -> Path:
    """The scenes folder of an output folder. Raises UserInputError when it holds no warehouse."""
    noted = _noted(out)
    if noted is None:
        raise UserInputError(f"{out}: no warehouse here; expected a folder that demo, run or serve wrote")
    return Path(noted["scenes"])


def main_aoi(out: Path) -> str | None:
    """The AOI that ``report.html`` of an output folder shows, where that is known."""
    return (_noted(out) or {}).get("main_aoi")


def claim(out: Path, overwrite: bool = False) -> bool:
    """Make an output folder, or go on with one; True where an earlier run's results are in it and stay.

    ``overwrite`` is for a start from nothing, which ``begin_anew`` makes. Raises UserInputError where a file of no run
    stands in the way.
    """
    if out.exists() and not out.is_dir():
        raise UserInputError(f"{out}: expected a folder for the outputs, found a file")
    out.mkdir(parents=True, exist_ok=True)
    if _noted(out) is not None:
        return not overwrite
    foreign = [name for name in _OF_A_RUN if (out / name).exists()] + [p.name for p in out.glob("report-*.html")]
    if foreign and not overwrite:
        raise UserInputError(
            f"{out}: holds {', '.join(foreign[:3])} that no run here wrote; give another --out, or --overwrite"
        )
    return False


def begin_anew(out: Path) -> None:
    """Remove an earlier run's warehouse: the emulator's own files, messages, links to images; nobody else's file."""
    warehouse = out / _WAREHOUSE
    for left in [*warehouse.glob("*.duckdb*"), *out.glob("messages.sqlite*")]:
        left.unlink()
    shutil.rmtree(warehouse / "uploads", ignore_errors=True)
    for link in (out / "images").iterdir() if (out / "images").is_dir() else ():
        if link.is_symlink():
            link.unlink()
    if warehouse.is_dir() and not any(warehouse.iterdir()):
        warehouse.rmdir()


def claim_for_demo(out: Path) -> None:
    """Make an output folder, or begin anew in one of an earlier demo. Raises UserInputError for anybody else's."""
    if _noted(out) is not None and recall(out) != (out / "scenes").resolve():
        raise UserInputError(f"{out}: holds the results of a run on other scenes; give another --out")
    if not claim(out, overwrite=_noted(out) is not None):
        begin_anew(out)


def link_into(folder: Path, images: Iterable[tuple[str, Path]]) -> None:
    """Add images to a folder as links, named by their ids. What else is there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for image_id, path in images:
        link = folder / f"{image_id}.tif"
        if link.is_symlink():
            link.unlink()
        elif link.exists():
            raise UserInputError(f"{link}: expected a link that a run made, found a file; move it elsewhere")
        link.symlink_to(path.resolve())


def _noted(out: Path) -> dict[str, Any] | None:
    try:
        noted = json.loads((out / _FILE).read_text(encoding="utf-8"))
        return noted if isinstance(noted["scenes"], str) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
