"""Names of classes and months, and lists, in each language."""

from collections.abc import Sequence

from local.report.choices import Language
from shared.classes import CLASSES

CLASS_WORDS: dict[Language, tuple[str, ...]] = {
    Language.EN: tuple(c.name.replace("_", " ") for c in CLASSES),
    Language.ZH: ("水体", "树木", "草地", "水淹植被", "农作物", "灌木", "建成区", "裸地", "冰雪"),
}
MONTH_WORDS: dict[Language, tuple[str, ...]] = {
    Language.EN: (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    Language.ZH: tuple(f"{month}月" for month in range(1, 13)),
}  # fmt: skip


def listed(items: Sequence[str], language: Language) -> str:
    """``a, b and c``."""
    comma, last = (", ", " and ") if language is Language.EN else ("、", "和")
    return last.join([comma.join(items[:-1]), items[-1]] if len(items) > 1 else items)
