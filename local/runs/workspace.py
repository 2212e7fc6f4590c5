"""What an output folder remembers, so that a later ``landcover report`` finds warehouse and scenes again."""

import json
from pathlib import Path

from shared.errors import UserInputError

_FILE = "landcover.json"
DEFAULT_OUT = Path("out")


def remember(out: Path, scenes: Path) -> None:
    """Note in an output folder which scenes its numbers come from."""
    (out / _FILE).write_text(json.dumps({"scenes": str(scenes.resolve())}) + "\n", encoding="utf-8")


def recall(out: Path) -> Path:
    """The scenes folder of an output folder. Raises UserInputError when it holds no warehouse."""
    try:
        return Path(json.loads((out / _FILE).read_text(encoding="utf-8"))["scenes"])
    except (OSError, ValueError, KeyError):
        raise UserInputError(f"{out}: no warehouse here; expected a folder that demo, run or serve wrote") from None
