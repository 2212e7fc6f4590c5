"""Sentences made from numbers, in English and Chinese. The rules are these functions; nothing else decides a word.

- *almost all*: one class has 95 % or more. *Mostly*: 60 % or more. *More than half*: 50 % or more.
- *together*: the two largest have 80 % or more between them; *about equal* when they differ by less than two points.
- otherwise the three largest are named.
- *snow appears* or *no more snow*: snow and ice crosses 1 % from one month that was seen to the next.
- a change is named when a class gained ten points or more since the last month that was seen.
- *thin*: less than half of the area was seen on average.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from local.report.choices import Language
from shared.classes import CLASSES

SNOW = 8
_ALMOST_ALL, _MOSTLY, _HALF, _TOGETHER = 0.95, 0.60, 0.50, 0.80
_EQUAL, _SNOW_SEEN, _GAIN, _THIN = 0.02, 0.01, 0.10, 0.50

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


class Shares(NamedTuple):
    """Composite shares (0..1) by class value over one period, and the mean coverage; None where nothing was seen."""

    by_class: tuple[float, ...] | None
    coverage: float | None

    def ranked(self) -> list[tuple[int, float]]:
        """(class value, share), largest first; equal shares by class value."""
        return sorted(enumerate(self.by_class or ()), key=lambda pair: (-pair[1], pair[0]))


def shares_of(rows: Sequence[dict[str, Any]]) -> Shares:
    """The nine rows of one period of a ``report_*`` view."""
    by_class = {row["class_id"]: row["composite_share"] for row in rows}
    if any(share is None for share in by_class.values()):
        return Shares(None, rows[0]["mean_coverage"])
    return Shares(tuple(by_class[c.class_id] for c in CLASSES), rows[0]["mean_coverage"])


def month_sentence(month: int, now: Shares, before: Shares | None, language: Language) -> str:
    """What one month shows. ``before`` is the last earlier month that was seen, if any."""
    name = MONTH_WORDS[language][month - 1]
    text = _TEXTS[language]
    if now.by_class is None:
        return text["unseen"](name)
    parts = [_composition(now, language)]
    if before is not None and before.by_class is not None:
        snow_then, snow_now = before.by_class[SNOW], now.by_class[SNOW]
        if snow_then < _SNOW_SEEN <= snow_now:
            parts.append(text["snow appears"](percent(snow_now)))
        elif snow_now < _SNOW_SEEN <= snow_then:
            parts.append(text["snow gone"]())
        gains = [(c, share - before.by_class[c]) for c, share in enumerate(now.by_class) if c != SNOW]
        gainer, gained = max(gains, key=lambda pair: pair[1])
        if gained >= _GAIN:
            parts.append(text["gained"](CLASS_WORDS[language][gainer], f"{gained * 100:.0f}"))
    if now.coverage is not None and now.coverage < _THIN:
        parts.append(text["thin"](percent(now.coverage)))
    return text["sentence"](name, parts)


def year_sentence(year: int, composite: Shares, mean_snow: float | None, language: Language) -> str:
    """What the year's composite shows, and what the mean says of snow when the two differ by ten points or more."""
    text = _TEXTS[language]
    if composite.by_class is None:
        return text["unseen"](str(year))
    parts = [_composition(composite, language)]
    snow = composite.by_class[SNOW]
    if mean_snow is not None and mean_snow - snow >= _GAIN:
        parts.append(text["mean snow"](percent(snow), percent(mean_snow)))
    return text["sentence"](str(year), parts)


def percent(share: float) -> str:
    """A share as percent: two decimals under 10 %, one above, so that small classes keep their digits."""
    return f"{share * 100:.2f} %" if share < 0.1 else f"{share * 100:.1f} %"


def _composition(shares: Shares, language: Language) -> str:
    words, text = CLASS_WORDS[language], _TEXTS[language]
    (first, most), (second, next_most), (third, least), *_ = shares.ranked()
    if most >= _ALMOST_ALL:
        return text["almost all"](words[first], percent(most), percent(1 - most), words[second], percent(next_most))
    if most >= _MOSTLY:
        return text["mostly"](words[first], percent(most), words[second], percent(next_most))
    if most + next_most >= _TOGETHER:
        key = "equal" if most - next_most < _EQUAL else "together"
        both = percent(most + next_most)
        return text[key](words[first], percent(most), words[second], percent(next_most), both)
    key = "half" if most >= _HALF else "mixed"
    return text[key](words[first], percent(most), words[second], percent(next_most), words[third], percent(least))


_TEXTS: dict[Language, dict[str, Callable[..., str]]] = {
    Language.EN: {
        "sentence": lambda name, parts: f"{name}: {'; '.join(parts)}.",
        "unseen": lambda name: f"{name}: no usable view.",
        "almost all": lambda a, x, rest, b, y: (
            f"almost all of the land is {a} ({x}); {rest} is not, of which {b} has {y}"
        ),
        "mostly": lambda a, x, b, y: f"mostly {a} ({x}), then {b} ({y})",
        "together": lambda a, x, b, y, both: f"{a} ({x}) and {b} ({y}) have {both} together",
        "equal": lambda a, x, b, y, both: f"{a} ({x}) and {b} ({y}) are about equal and have {both} together",
        "half": lambda a, x, b, y, c, z: f"more than half is {a} ({x}), then {b} ({y}) and {c} ({z})",
        "mixed": lambda a, x, b, y, c, z: f"mixed: {a} ({x}), {b} ({y}) and {c} ({z})",
        "snow appears": lambda x: f"snow appears ({x})",
        "snow gone": lambda: "no more snow",
        "gained": lambda a, x: f"{a} gained {x} points",
        "thin": lambda x: f"thin: only {x} of the area was seen on average",
        "mean snow": lambda x, y: (
            f"snow and ice has {x} of the composite, but {y} of the ground on average over the months"
        ),
    },
    Language.ZH: {
        "sentence": lambda name, parts: f"{name}：{'；'.join(parts)}。",
        "unseen": lambda name: f"{name}：没有可用影像。",
        "almost all": lambda a, x, rest, b, y: f"几乎全部土地为{a}（{x}）；其余 {rest} 中，{b}占 {y}",
        "mostly": lambda a, x, b, y: f"以{a}为主（{x}），其次是{b}（{y}）",
        "together": lambda a, x, b, y, both: f"{a}（{x}）和{b}（{y}）合计 {both}",
        "equal": lambda a, x, b, y, both: f"{a}（{x}）与{b}（{y}）大致相等，合计 {both}",
        "half": lambda a, x, b, y, c, z: f"超过一半为{a}（{x}），其次是{b}（{y}）和{c}（{z}）",
        "mixed": lambda a, x, b, y, c, z: f"类型混杂：{a}（{x}）、{b}（{y}）和{c}（{z}）",
        "snow appears": lambda x: f"出现积雪（{x}）",
        "snow gone": lambda: "积雪消失",
        "gained": lambda a, x: f"{a}增加 {x} 个百分点",
        "thin": lambda x: f"观测偏少：平均只看到面积的 {x}",
        "mean snow": lambda x, y: f"冰雪占合成图的 {x}，但按各月平均占地面的 {y}",
    },
}
