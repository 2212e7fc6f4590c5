"""Sentences made from numbers, in English and Chinese. The rules are these functions; nothing else decides a word.

- *almost all*: one class has 95 % or more. *Mostly*: 60 % or more. *More than half*: 50 % or more.
- *together*: the two largest have 80 % or more between them; *about equal* when they differ by less than five points.
- otherwise the three largest are named; a class without any ground never is.
- from month to month the kind of sentence stays until a limit is passed by five points, or another class leads by as much.
- *snow appears* or *no more snow*: snow and ice crosses 4 % from one month that was seen to the next, also with ties and
  gaps settled.
- *gained*, *lost*: every class that has ten points more or less than in the last month that was seen, or the last year
  of eight months or more, where what both saw is 0.8 of the area or more and both have two effective views, and also
  with ties and gaps settled it has ten points more or less. Snow that is said to have gained so much is
  not said to appear as well; of years it is never said.
- a *thin* month (``quality`` of the ``report_*`` views) is said to be one, with the number of its views.
- the part of the area that was seen is said where it is less than 95 %, the months where they are not twelve.
- a month or year without a usable view says what became of its passes.
- mean and composite are explained by the class that they differ in most, from ten points on.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from local.report.choices import Language
from local.report.numbers import hectares, percent, points, signed_points
from shared.classes import CLASSES

SNOW = 8
# From this share on a class is there at all: less is what the classifier mistakes.
SNOW_SEEN = 0.01
_ALMOST_ALL, _MOSTLY, _HALF, _TOGETHER = 0.95, 0.60, 0.50, 0.80
_EQUAL, _CHANGED = 0.05, 0.10
# Composites of two years in which nothing happens differ by some 1.5 points, simulated on 2.5 km²: less than twice that
# says nothing.
_COMPARED = 0.03
# Where nothing happens, a month's share of snow crosses 1 % in every third month, 4 % in one of twenty-eight, and with
# ties and gaps settled in one of a hundred (5 %, without: in one of fifty), so that a first snow of 4 % is still told. The
# kind of sentence changes in 51 months of a hundred without this margin and in 18 with it (``benchmarks/shares.py``).
_SNOW_CROSSED, _MARGIN = 0.04, 0.05
# What two months saw is known of each, not of both together, which is at least their sum less the whole. With these
# limits one month in a thousand of unchanged ground gains or loses ten points at most, fewer than on exactly the ground
# that both saw twice, and more months are compared (``benchmarks/shares.py``).
_BOTH_SEEN, _FEWEST_VIEWS = 0.80, 2.0
WHOLE = 0.95
# A year that was seen in so many months can be compared with another such.
FEWEST_MONTHS = 8
# What the grid of pixels leaves open at the edge of an area is not unseen ground.
_PIXEL_HA, _ROUNDING = 0.01, 1e-4

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


class Seen(NamedTuple):
    """What was seen of an area over one period: composite shares (0..1) by class value, None where nothing was; the
    seen ground in hectares, and as a share of the area; the shares with ties and gaps settled, and how many views of equal
    coverage would say as much, both None where they are not known (of a year no views are).
    """

    by_class: tuple[float, ...] | None
    seen_ha: float
    seen_share: float
    settled: tuple[float, ...] | None = None
    views: float | None = None

    def ranked(self) -> list[tuple[int, float]]:
        """(class value, share), largest first, without those that are absent; equal shares by class value."""
        there = [(class_id, share) for class_id, share in enumerate(self.by_class or ()) if share > 0]
        return sorted(there, key=lambda pair: (-pair[1], pair[0]))


def seen_of(rows: Sequence[dict[str, Any]], area_ha: float) -> Seen:
    """From the nine rows of one period of a ``report_*`` view, or from none."""
    shares = {row["class_id"]: row["composite_share"] for row in rows}
    if not shares or any(share is None for share in shares.values()):
        return Seen(None, 0.0, 0.0)
    seen_ha = sum(row["composite_area_ha"] for row in rows)
    whole = area_ha - seen_ha < max(_PIXEL_HA, _ROUNDING * area_ha)
    settled = {row["class_id"]: row.get("settled_share") for row in rows}
    return Seen(
        tuple(shares[c.class_id] for c in CLASSES),
        seen_ha,
        1.0 if whole else seen_ha / area_ha,
        None if None in settled.values() else tuple(settled[c.class_id] for c in CLASSES),
        rows[0].get("effective_views"),
    )


def month_sentence(
    month: int,
    now: Seen,
    before: tuple[str, Seen] | None,
    reason: str,
    language: Language,
    kind: "Kind | None" = None,
    thin_views: int = 0,
) -> str:
    """What one month shows. ``before`` is the last earlier month of the year that was seen, with its name; ``reason`` is said
    where nothing was seen, ``kind`` what its sentence is where the months before have a say in it. ``thin_views`` is how
    many views a thin month has, 0 for one that is not thin.
    """
    name, text = MONTH_WORDS[language][month - 1], _TEXTS[language]
    if now.by_class is None:
        return text["unseen"](name, reason)
    parts = [composition(now, language, kind)]
    if before is not None:
        changed, snow = _changed(before, now)
        parts += _snow_turn(before[1], now, language) if not snow else []
        parts += _since(before[0], changed, language)
    if now.seen_share < WHOLE:
        parts.append(text["seen"](percent(now.seen_share)))
    if thin_views:
        parts.append(text["thin"](thin_views))
    return text["sentence"](name, parts)


def year_sentence(
    year: int,
    composite: Seen,
    means: Sequence[float | None],
    months: int,
    reason: str,
    language: Language,
    before: tuple[str, Seen] | None = None,
) -> str:
    """What the year's composite shows, of how much of the year and the area, and what the mean says instead. ``before``
    is an earlier year to compare with, and its name.
    """
    text, words = _TEXTS[language], CLASS_WORDS[language]
    if composite.by_class is None:
        return text["unseen"](str(year), reason)
    parts = [composition(composite, language)]
    if before is not None and months >= FEWEST_MONTHS:
        parts += _since(before[0], _changed(before, composite)[0], language)
    if months < 12:
        parts.append(text["months"](months))
    if composite.seen_share < WHOLE:
        parts.append(text["seen"](percent(composite.seen_share)))
    apart = [(abs(mean - composite.by_class[c]), c, mean) for c, mean in enumerate(means) if mean is not None]
    difference, class_id, mean = max(apart, default=(0.0, 0, 0.0))
    if difference >= _CHANGED:
        parts.append(text["mean"](words[class_id], percent(composite.by_class[class_id]), percent(mean)))
    return text["sentence"](str(year), parts)


def comparison(name: str, seen: Seen, first_name: str, first: Seen, language: Language) -> str:
    """What one area or year has more and less of than the first, from three points on, in points of the ground seen."""
    text, words = _TEXTS[language], CLASS_WORDS[language]
    if seen.by_class is None or first.by_class is None:
        return text["not compared"](name, first_name)
    differences = sorted(((share - first.by_class[c], c) for c, share in enumerate(seen.by_class)), key=_by_size)
    parts = [text["points"](words[c], signed_points(d)) for d, c in differences if abs(d) >= _COMPARED]
    return text["compared"](name, first_name, parts) if parts else text["alike"](name, first_name)


def _by_size(difference: tuple[float, int]) -> tuple[float, int]:
    return -abs(difference[0]), difference[1]


def unseen_reason(fates: Counter[str], language: Language) -> str:
    """Why there is no usable view, by what became of the passes."""
    text = _TEXTS[language]
    passes = sum(fates.values())
    if not passes:
        return text["no pass"]()
    return text["passes"](passes, [text[fate](count) for fate, count in sorted(fates.items()) if count])


class Kind(IntEnum):
    """What a sentence says of the largest classes, by how much."""

    MIXED = 0
    HALF = 1
    TOGETHER = 2
    MOSTLY = 3
    ALMOST_ALL = 4


def kind_of(shares: Seen, before: tuple[Kind, Seen] | None = None) -> Kind:
    """The kind of sentence; after that of another month, the same unless a limit was passed by the margin, or its largest
    class is clearly no longer that. More than half is never said of less.
    """
    most, next_most = _largest_two(shares)
    judged = {
        Kind.ALMOST_ALL: (most, _ALMOST_ALL),
        Kind.MOSTLY: (most, _MOSTLY),
        Kind.TOGETHER: (most + next_most, _TOGETHER),
        Kind.HALF: (most, _HALF),
        Kind.MIXED: (1.0, 0.0),
    }
    now = next(kind for kind, (share, limit) in judged.items() if share >= limit)
    if before is None or shares.by_class is None:
        return now
    former, then = before
    ((largest, _), *_) = then.ranked()
    if most - shares.by_class[largest] > _MARGIN:
        return now
    share, limit = judged[now]
    passed = now > former and share >= min(limit + _MARGIN, _ALMOST_ALL)
    share, limit = judged[former]
    holds = share >= (limit if former is Kind.HALF else limit - _MARGIN)
    return former if holds and not passed else now


def composition(shares: Seen, language: Language, kind: Kind | None = None) -> str:
    """What the ground seen consists of: the largest classes, in hectares and percent."""
    text = _TEXTS[language]
    named = [_amount(class_id, share, shares, language) for class_id, share in shares.ranked()[:3]]
    if len(named) == 1:
        return text["all"](named[0])
    most, next_most = _largest_two(shares)
    match kind_of(shares) if kind is None else kind:
        case Kind.ALMOST_ALL:
            return text["almost all"](named[0], named[1])
        case Kind.MOSTLY:
            return text["mostly"](named[0], named[1])
        case Kind.HALF | Kind.MIXED as few if len(named) > 2:
            return text["half" if few is Kind.HALF else "mixed"](*named)
    key = "equal" if most - next_most < _EQUAL else "together"
    return text[key](named[0], named[1], percent(most + next_most))


def _largest_two(shares: Seen) -> tuple[float, float]:
    most, next_most = ([share for _, share in shares.ranked()[:2]] + [0.0, 0.0])[:2]
    return most, next_most


def _amount(class_id: int, share: float, shares: Seen, language: Language) -> str:
    return _TEXTS[language]["amount"](CLASS_WORDS[language][class_id], hectares(share * shares.seen_ha), percent(share))


def _changed(before: tuple[str, Seen], now: Seen) -> tuple[list[tuple[float, int]], bool]:
    """(difference, class value) of every class that gained or lost enough to be told, largest gain first; and whether snow
    and ice is among them.
    """
    _, then = before
    if then.by_class is None or now.by_class is None or not comparable(then, now):
        return [], False
    differences = sorted(((share - then.by_class[c], c) for c, share in enumerate(now.by_class)), reverse=True)
    told = [(d, c) for d, c in differences if abs(d) >= _CHANGED and _moved(c, then, now)]
    return told, any(c == SNOW for _, c in told)


def _snow_turn(then: Seen, now: Seen, language: Language) -> list[str]:
    text = _TEXTS[language]
    if then.by_class is None or now.by_class is None:
        return []
    snow_then, snow_now = _snow(then), _snow(now)
    if snow_then < _SNOW_CROSSED <= snow_now:
        return [text["snow appears"](percent(now.by_class[SNOW]))]
    return [text["snow gone"]()] if snow_now < _SNOW_CROSSED <= snow_then else []


def _since(name: str, changed: list[tuple[float, int]], language: Language) -> list[str]:
    text, words = _TEXTS[language], CLASS_WORDS[language]
    gained = [(words[c], points(d)) for d, c in changed if d > 0]
    lost = [(words[c], points(d)) for d, c in reversed(changed) if d < 0]
    clauses = [text[key](named) for key, named in (("gained", gained), ("lost", lost)) if named]
    return [text["since"](name, clauses)] if clauses else []


def _snow(seen: Seen) -> float:
    """The share of snow and ice that neither ties nor gaps explain."""
    return min(of[SNOW] for of in (seen.by_class, seen.settled) if of is not None)


def comparable(then: Seen, now: Seen) -> bool:
    """Whether two periods saw enough of the same ground, and often enough, to tell what changed between them."""
    both_seen = then.seen_share + now.seen_share - 1
    views = [round(seen.views, 1) for seen in (then, now) if seen.views is not None]
    return both_seen >= _BOTH_SEEN - _ROUNDING and min(views, default=_FEWEST_VIEWS) >= _FEWEST_VIEWS


def _moved(class_id: int, then: Seen, now: Seen) -> bool:
    """Whether a class gained or lost as much with ties and gaps settled, and to the same side."""
    if then.by_class is None or now.by_class is None or then.settled is None or now.settled is None:
        return True
    side = 1 if now.by_class[class_id] > then.by_class[class_id] else -1
    return side * (now.settled[class_id] - then.settled[class_id]) >= _CHANGED


def listed(items: Sequence[str], language: Language) -> str:
    """``a, b and c``."""
    comma, last = (", ", " and ") if language is Language.EN else ("、", "和")
    return last.join([comma.join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _english_points(verb: str, classes: Sequence[tuple[str, str]]) -> str:
    """``crops gained 20 points and trees 14``."""
    (first, most), *others = classes
    return listed([f"{first} {verb} {most} points", *(f"{name} {amount}" for name, amount in others)], Language.EN)


def _english_passes(passes: int, fates: Sequence[str]) -> str:
    return f"{passes} {'pass' if passes == 1 else 'passes'}: {listed(fates, Language.EN)}"


_TEXTS: dict[Language, dict[str, Callable[..., str]]] = {
    Language.EN: {
        "sentence": lambda name, parts: f"{name}: {'; '.join(parts)}.",
        "unseen": lambda name, reason: f"{name}: no usable view ({reason}).",
        "amount": lambda a, ha, x: f"{a} ({ha}\u00a0ha, {x})",
        "all": lambda a: f"all of the ground seen is {a}",
        "almost all": lambda a, b: f"almost all of the ground seen is {a}; most of the rest is {b}",
        "mostly": lambda a, b: f"mostly {a}, then {b}",
        "together": lambda a, b, both: f"{a} and {b} have {both} together",
        "equal": lambda a, b, both: f"{a} and {b} are about equal and have {both} together",
        "half": lambda a, b, c: f"more than half is {a}, then {b} and {c}",
        "mixed": lambda a, b, c: f"mixed: {a}, {b} and {c}",
        "snow appears": lambda x: f"snow appears ({x})",
        "snow gone": lambda: "no more snow",
        "points": lambda a, x: f"{a} {x}",
        "gained": lambda classes: _english_points("gained", classes),
        "lost": lambda classes: _english_points("lost", classes),
        "since": lambda name, clauses: f"since {name}, {', while '.join(clauses)}",
        "compared": lambda name, first, parts: (
            f"{name} against {first}, in points: {listed(parts, Language.EN)}; what differs by less than three is left out."
        ),
        "not compared": lambda name, first: f"{name} against {first}: one of them was not seen.",
        "alike": lambda name, first: f"{name} against {first}: no class differs by three points or more.",
        "thin": lambda views: f"a thin month, of {'one view' if views == 1 else f'{views} views'}",
        "seen": lambda x: f"only {x} of the area was seen",
        "months": lambda n: f"from {n} of 12 months",
        "mean": lambda a, x, y: f"{a} has {x} of the composite, but {y} of the area on average over the months",
        "passes": _english_passes,
        "no pass": lambda: "no pass of a satellite is known",
        "usable": lambda n: f"{n} usable, but in no composite yet",
        "masked": lambda n: f"{n} clouded over the area",
        "too cloudy": lambda n: f"{n} too cloudy for an image",
        "not published": lambda n: f"{n} without an image so far",
        "failed": lambda n: f"{n} failed to be measured",
    },
    Language.ZH: {
        "sentence": lambda name, parts: f"{name}：{'；'.join(parts)}。",
        "unseen": lambda name, reason: f"{name}：没有可用影像（{reason}）。",
        "amount": lambda a, ha, x: f"{a}（{ha}\u00a0公顷，{x}）",
        "all": lambda a: f"所见地面全部为{a}",
        "almost all": lambda a, b: f"所见地面几乎全部为{a}；其余主要是{b}",
        "mostly": lambda a, b: f"以{a}为主，其次是{b}",
        "together": lambda a, b, both: f"{a}和{b}合计 {both}",
        "equal": lambda a, b, both: f"{a}与{b}大致相等，合计 {both}",
        "half": lambda a, b, c: f"超过一半为{a}，其次是{b}和{c}",
        "mixed": lambda a, b, c: f"类型混杂：{a}、{b}和{c}",
        "snow appears": lambda x: f"出现积雪（{x}）",
        "snow gone": lambda: "积雪消失",
        "points": lambda a, x: f"{a} {x}",
        "gained": lambda classes: "、".join(f"{a}增加 {x}" for a, x in classes) + " 个百分点",
        "lost": lambda classes: "、".join(f"{a}减少 {x}" for a, x in classes) + " 个百分点",
        "since": lambda name, clauses: f"与 {name}相比，{'，'.join(clauses)}",
        "compared": lambda name, first, parts: (
            f"{name} 与 {first} 相比（百分点）：{listed(parts, Language.ZH)}；相差不足三个百分点的不列出。"
        ),
        "not compared": lambda name, first: f"{name} 与 {first}：其中之一没有观测。",
        "alike": lambda name, first: f"{name} 与 {first} 相比：没有类别相差三个百分点或以上。",
        "thin": lambda views: f"依据单薄，只有 {views} 次观测",
        "seen": lambda x: f"只看到区域的 {x}",
        "months": lambda n: f"仅 12 个月中的 {n} 个月",
        "mean": lambda a, x, y: f"{a}占合成图的 {x}，但按各月平均占区域的 {y}",
        "passes": lambda passes, fates: f"过境 {passes} 次：{'，'.join(fates)}",
        "no pass": lambda: "没有已知的卫星过境",
        "usable": lambda n: f"{n} 次可用，但尚未进入合成图",
        "masked": lambda n: f"{n} 次区域上空有云",
        "too cloudy": lambda n: f"{n} 次云太多而无影像",
        "not published": lambda n: f"{n} 次尚无影像",
        "failed": lambda n: f"{n} 次测量失败",
    },
}
