"""How a raster's numbers are read as Dynamic World classes: as they are, by a named scheme, or by a mapping."""

import numpy as np

from shared.classes import CLASS_NAMES
from shared.errors import UserInputError

HIDDEN = 255
# The annotators' coding (Dynamic World training data): 0 is unlabelled, 10 cloud.
SCHEMES = {
    "dynamic-world": {n: n for n in range(9)},
    "expert": {0: HIDDEN, **{n: n - 1 for n in range(1, 10)}, 10: HIDDEN},
}
USAGE = (
    "give --labels expert (1 water to 9 snow, 0 and 10 hidden), or a mapping such as --labels 1=water,2=trees,0=none"
)


def read_scheme(text: str) -> dict[int, int]:
    """``dynamic-world``, ``expert``, or ``10=trees,20=6,0=none``: class by number in the file; HIDDEN where none.

    Raises UserInputError.
    """
    if text in SCHEMES:
        return SCHEMES[text]
    mapping: dict[int, int] = {}
    for part in text.split(","):
        number, _, meaning = (piece.strip() for piece in part.partition("="))
        if not number.isdecimal() or int(number) > 255:
            raise UserInputError(f"--labels {text}: expected {', '.join(SCHEMES)}, or a mapping like 1=water,0=none")
        if meaning in CLASS_NAMES:
            mapping[int(number)] = CLASS_NAMES.index(meaning)
        elif meaning.isdecimal() and int(meaning) < len(CLASS_NAMES):
            mapping[int(number)] = int(meaning)
        elif meaning == "none":
            mapping[int(number)] = HIDDEN
        else:
            raise UserInputError(
                f"--labels {text}: {meaning or 'nothing'!r} is no class; expected 0 to 8, none, or a name like water"
            )
    return mapping


def recoded(values: np.ndarray, hidden: np.ndarray, scheme: dict[int, int]) -> np.ndarray:
    """Numbers of a file as classes in bytes; HIDDEN where the file hides or the scheme says none or nothing."""
    classes = np.full(values.shape, HIDDEN, dtype=np.uint8)
    for number, meaning in scheme.items():
        classes[values == number] = meaning
    classes[hidden] = HIDDEN
    return classes


def legend(counts: np.ndarray) -> str:
    """In one line what was read: ``water 3 %, trees 97 %``. ``counts`` are pixels by class."""
    total = max(1, int(counts.sum()))
    shares = (f"{name.replace('_', ' ')} {n / total:.0%}" for name, n in zip(CLASS_NAMES, counts, strict=True) if n)
    return ", ".join(shares) or "nothing"
