"""Sentences made from numbers, in English and Chinese. What may be said is decided in ``judging``; here are the words.

- the largest classes are named by the kind of their shares; two that have most *together* are *about equal* when they
  differ by less than five points; a class without any ground never is named.
- snow that is said to have gained so much is not said to appear as well; of years it is never said.
- a *thin* month (``quality`` of the ``report_*`` views) is said to be one, with the number of its views.
- the part of the area that was seen is said where it is less than 95 %, the months where they are not twelve.
- a month or year without a usable view says what became of its passes.
- mean and composite are explained by the class that they differ in most, from ten points on.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from local.report.choices import Language
from local.report.judging import (
    FEWEST_MONTHS,
    SNOW,
    TOLD,
    WHOLE,
    Kind,
    Seen,
    changed,
    kind_of,
    largest_two,
    snow_crossed,
)
from local.report.numbers import hectares, percent, points, signed_points
from local.report.words import CLASS_WORDS, MONTH_WORDS, listed

_EQUAL = 0.05
# Composites of two years in which nothing happens differ by some 1.5 points, simulated on 2.5 km²: less than twice that
# says nothing.
_COMPARED = 0.03


def month_sentence(
    month: int,
    now: Seen,
    before: tuple[str, Seen] | None,
    reason: str,
    language: Language,
    kind: Kind | None = None,
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
        name_before, then = before
        gained_or_lost = changed(then, now)
        if not any(class_id == SNOW for _, class_id in gained_or_lost):
            parts += _snow_turn(then, now, language)
        parts += _since(name_before, gained_or_lost, language)
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
        parts += _since(before[0], changed(before[1], composite), language)
    if months < 12:
        parts.append(text["months"](months))
    if composite.seen_share < WHOLE:
        parts.append(text["seen"](percent(composite.seen_share)))
    apart = [(abs(mean - composite.by_class[c]), c, mean) for c, mean in enumerate(means) if mean is not None]
    difference, class_id, mean = max(apart, default=(0.0, 0, 0.0))
    if difference >= TOLD:
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


def composition(shares: Seen, language: Language, kind: Kind | None = None) -> str:
    """What the ground seen consists of: the largest classes, in hectares and percent."""
    text = _TEXTS[language]
    named = [_amount(class_id, share, shares, language) for class_id, share in shares.ranked()[:3]]
    if len(named) == 1:
        return text["all"](named[0])
    most, next_most = largest_two(shares)
    match kind_of(shares) if kind is None else kind:
        case Kind.ALMOST_ALL:
            return text["almost all"](named[0], named[1])
        case Kind.MOSTLY:
            return text["mostly"](named[0], named[1])
        case Kind.HALF | Kind.MIXED as few if len(named) > 2:
            return text["half" if few is Kind.HALF else "mixed"](*named)
    key = "equal" if most - next_most < _EQUAL else "together"
    return text[key](named[0], named[1], percent(most + next_most))


def _amount(class_id: int, share: float, shares: Seen, language: Language) -> str:
    return _TEXTS[language]["amount"](CLASS_WORDS[language][class_id], hectares(share * shares.seen_ha), percent(share))


def _snow_turn(then: Seen, now: Seen, language: Language) -> list[str]:
    match snow_crossed(then, now):
        case 1 if now.by_class is not None:
            return [_TEXTS[language]["snow appears"](percent(now.by_class[SNOW]))]
        case -1:
            return [_TEXTS[language]["snow gone"]()]
    return []


def _since(name: str, differences: list[tuple[float, int]], language: Language) -> list[str]:
    text, words = _TEXTS[language], CLASS_WORDS[language]
    gained = [(words[c], points(d)) for d, c in differences if d > 0]
    lost = [(words[c], points(d)) for d, c in reversed(differences) if d < 0]
    clauses = [text[key](named) for key, named in (("gained", gained), ("lost", lost)) if named]
    return [text["since"](name, clauses)] if clauses else []


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
