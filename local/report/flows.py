"""From → to: what each class became between two years, as ribbons and in words (view ``report_transitions``).

Two maps of ground where nothing happens differ as well, so a cell never stands alone: beside it is what is *supported*
(patches on which the classifier's probabilities moved as well), and the same cell between the two years of the area
that are most alike.
"""

from typing import Any, NamedTuple

from local.report.choices import Language
from local.report.data import Rows
from local.report.numbers import hectares, percent
from local.report.words import CLASS_WORDS, listed

_MOST_NAMED, _MOST_ROWS = 3, 10
_WIDTH, _HEIGHT, _END = 300, 220, 14
# A ribbon thinner than this is a hair that nobody sees; the table has it.
_THINNEST = 0.4


class Ribbon(NamedTuple):
    """A path from a class to a class; ``stayed`` where they are one."""

    from_class_id: int
    to_class_id: int
    path: str
    stayed: bool
    words: str


class End(NamedTuple):
    """What a class has in one of the two years: the left or the right edge of the chart."""

    class_id: int
    x: float
    y: float
    height: float


class Flows(NamedTuple):
    """What became what between two years, ready to be drawn; ``cells`` are the largest that changed, largest first."""

    from_year: int
    to_year: int
    said: list[str]
    ribbons: list[Ribbon]
    ends: list[End]
    cells: Rows
    rest_ha: float
    supported: bool
    alike: bool


def flows(rows: Rows, to_year: int, compared_with: str, language: Language) -> Flows | None:
    """What became what until a year; None where it was compared with none. ``rows`` are those of ``report_flows``."""
    cells = [row for row in rows if row["to_year"] == to_year and row["compared_with"] == compared_with]
    seen_ha = cells[0]["seen_in_both_ha"] if cells else 0
    if not seen_ha:
        return None
    changed = [cell for cell in cells if cell["from_class_id"] != cell["to_class_id"] and cell["mapped_area_ha"] > 0]
    supported = cells[0]["least_move"] is not None
    changed.sort(key=lambda cell: (-(cell["supported_area_ha"] or 0), -cell["mapped_area_ha"]))
    ends, ribbons = _drawn(cells, seen_ha, language)
    return Flows(
        from_year=cells[0]["from_year"],
        to_year=to_year,
        said=_said(cells[0], changed, supported, language),
        ribbons=ribbons,
        ends=ends,
        cells=changed[:_MOST_ROWS],
        rest_ha=sum(cell["mapped_area_ha"] for cell in changed[_MOST_ROWS:]),
        supported=supported,
        alike=cells[0]["alike_from_year"] is not None and not _themselves(cells[0]),
    )


def _drawn(cells: Rows, seen_ha: float, language: Language) -> tuple[list[End], list[Ribbon]]:
    """Both stacks in class order from the top, and ribbons that leave and arrive in class order."""
    scale = _HEIGHT / seen_ha
    left: dict[int, float] = {}
    right: dict[int, float] = {}
    for cell in cells:
        area = cell["mapped_area_ha"]
        left[cell["from_class_id"]] = left.get(cell["from_class_id"], 0.0) + area
        right[cell["to_class_id"]] = right.get(cell["to_class_id"], 0.0) + area
    ends, starts = [], []
    for x, stack in ((0.0, left), (_WIDTH - _END, right)):
        y, tops = 0.0, {}
        for class_id in sorted(stack):
            tops[class_id] = y
            ends.append(End(class_id, x, round(y, 1), round(stack[class_id] * scale, 1)))
            y += stack[class_id] * scale
        starts.append(tops)
    outgoing, incoming = starts
    ribbons = []
    for cell in sorted(cells, key=lambda cell: (cell["from_class_id"], cell["to_class_id"])):
        was, became, thick = cell["from_class_id"], cell["to_class_id"], cell["mapped_area_ha"] * scale
        if thick >= _THINNEST:
            words = _TEXTS[language]["cell"](
                CLASS_WORDS[language][was], CLASS_WORDS[language][became], hectares(cell["mapped_area_ha"])
            )
            ribbons.append(Ribbon(was, became, _ribbon(outgoing[was], incoming[became], thick), was == became, words))
        outgoing[was] += thick
        incoming[became] += thick
    return [end for end in ends if end.height > 0], sorted(ribbons, key=lambda ribbon: not ribbon.stayed)


def _ribbon(y0: float, y1: float, thick: float) -> str:
    x0, x1, middle = _END, _WIDTH - _END, _WIDTH / 2
    return (
        f"M{x0} {y0:.1f}C{middle:g} {y0:.1f} {middle:g} {y1:.1f} {x1} {y1:.1f}v{thick:.1f}"
        f"C{middle:g} {y1 + thick:.1f} {middle:g} {y0 + thick:.1f} {x0} {y0 + thick:.1f}z"
    )


def _themselves(cell: dict[str, Any]) -> bool:
    """Whether the two years are those that are most alike."""
    return (cell["from_year"], cell["to_year"]) == (cell["alike_from_year"], cell["alike_to_year"])


def _said(first: dict[str, Any], changed: Rows, supported: bool, language: Language) -> list[str]:
    text, words = _TEXTS[language], CLASS_WORDS[language]
    mapped_ha = sum(cell["mapped_area_ha"] for cell in changed)
    said = [text["differ"](hectares(mapped_ha), percent(mapped_ha / first["seen_in_both_ha"]))]
    if first["alike_from_year"] is not None:
        key = "themselves" if _themselves(first) else "alike"
        said.append(text[key](first["alike_from_year"], first["alike_to_year"]))
    if not supported:
        return [*said, text["labels only"]()]
    named = [cell for cell in changed if cell["supported_area_ha"]]
    parts = [
        text["cell"](words[c["from_class_id"]], words[c["to_class_id"]], hectares(c["supported_area_ha"]))
        for c in named[:_MOST_NAMED]
    ]
    total_ha = sum(cell["supported_area_ha"] for cell in named)
    return [text["supported"](hectares(total_ha), listed(parts, language)) if named else text["none"](), *said]


_TEXTS: dict[Language, dict[str, Any]] = {
    Language.EN: {
        "differ": lambda ha, x: (
            f"The two maps differ on {ha}\u00a0ha, {x} of what was seen in both; even maps of unchanged ground usually differ on about a tenth."
        ),
        "alike": lambda a, b: (
            f"In alike years: the same between {a} and {b}, the two years of this area that are most alike; so much can be noise."
        ),
        "themselves": lambda a, b: f"Of all years of this area, {a} and {b} are most alike.",
        "supported": lambda ha, cells: (
            f"Supported change, in patches of half a hectare or more on which the classifier's probabilities moved as well: {ha}\u00a0ha, most of all {cells}."
        ),
        "none": lambda: "No change between the two maps is supported by the classifier's probabilities.",
        "labels only": lambda: "The scenes carry labels only, so nothing says which of the differences are change.",
        "cell": lambda a, b, ha: f"{a} → {b} {ha}\u00a0ha",
    },
    Language.ZH: {
        "differ": lambda ha, x: (
            f"两幅图有 {ha}\u00a0公顷不同，占两年均看到地面的 {x}；未变地面的两幅图通常也有约十分之一不同。"
        ),
        "alike": lambda a, b: (
            f"相似年份：{a} 与 {b} 年之间的同一格，即本区域最相似的两年；这样大小的差异可能只是噪声。"
        ),
        "themselves": lambda a, b: f"在本区域各年中，{a} 与 {b} 年最相似。",
        "supported": lambda ha, cells: (
            f"有依据的变化（半公顷以上、分类器概率也随之变化的地块）：{ha}\u00a0公顷，主要是{cells}。"
        ),
        "none": lambda: "两幅图之间的差异都没有分类器概率的支持。",
        "labels only": lambda: "影像只有标签，无法判断哪些差异是变化。",
        "cell": lambda a, b, ha: f"{a} → {b} {ha}\u00a0公顷",
    },
}
