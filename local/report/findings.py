"""What a report says first: what changed beyond the season, or that nothing did, or why that cannot be told.

- Alarms of the year (confirmed patches that are told of, ``report_patches``) are the headline: their area by what the
  ground was and became, largest first, and the interval in which it happened.
- Where their time is over by half a year, on how much ground the months before and after them differ.
- Without one, where change was looked for: nothing changed, and on how much ground that holds.
- Where no earlier year says what is usual, the headline is the largest classes, until they have 80 % of the ground
  seen, three at most; where nothing was seen, that. What is said of the year says of how many months it is.
"""

from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from local.report.choices import Language
from local.report.data import ReportData
from local.report.judging import WHOLE, Seen
from local.report.numbers import hectares, percent
from local.report.sentences import composition, unseen_reason
from local.report.words import CLASS_WORDS, MONTH_WORDS, listed

_MOST_NAMED = 2
# What a class is called where it stands at the end of a sentence.
_GROUND = {Language.EN: {6: "built-up land", 7: "bare ground"}, Language.ZH: {}}
_MOST_CLASSES, _MOST_OF_IT = 3, 0.8
CONFIRMED, PROVISIONAL, WITHDRAWN = "confirmed", "provisional", "withdrawn"


class Turned(NamedTuple):
    """Ground that was one class and became another: hectares, patches, and the interval in which it happened."""

    from_class_id: int
    to_class_id: int
    area_ha: float
    patches: int
    after: datetime | None
    before: datetime


class Findings(NamedTuple):
    """The headline, and what stands below it."""

    headline: str
    below: list[str]


def turned(patches: list[dict[str, Any]]) -> list[Turned]:
    """Patches by what the ground was and became, largest area first."""
    kinds: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for patch in patches:
        kinds[(patch["from_class_id"], patch["to_class_id"])].append(patch)
    found = []
    for (was, became), of_kind in kinds.items():
        afters = [patch["happened_after"] for patch in of_kind]
        after = None if None in afters else min(afters)
        area_ha = sum(patch["area_ha"] for patch in of_kind)
        before = max(patch["happened_before"] for patch in of_kind)
        found.append(Turned(was, became, area_ha, len(of_kind), after, before))
    return sorted(found, key=lambda kind: (-kind.area_ha, kind.from_class_id, kind.to_class_id))


def alarms(data: ReportData) -> list[dict[str, Any]]:
    """The patches of the year that are told of and stand, largest first."""
    return [p for p in data.of_year(data.changes) if p["alarm"] and p["state"] == CONFIRMED]


def findings(data: ReportData, language: Language) -> Findings:
    """The headline of one AOI and year."""
    text = _TEXTS[language]
    told = turned(alarms(data))
    watched_ha, limit_ha = _watched(data)
    if data.seen_year.by_class is None and not any(data.seen(month).by_class for month in range(1, 13)):
        return Findings(text["nothing seen"](data.year), [text["because"](unseen_reason(data.fates_of(), language))])
    months = [month for month in range(1, 13) if data.seen(month).by_class]
    below = [text["year"](data.year, months, composition(data.seen_year, language))] if data.seen_year.by_class else []
    if told:
        headline = _headline(told, language)
        below.insert(0, _share_of(told, data.area_ha, language))
        supported_ha = [patch["supported_area_ha"] for patch in alarms(data)]
        if None not in supported_ha:
            below.insert(1, text["supported"](hectares(sum(supported_ha))))
    elif watched_ha:
        headline = text["no change"](data.year)
        below.insert(0, text["watched"](hectares(watched_ha), percent(watched_ha / data.area_ha), hectares(limit_ha)))
    else:
        headline = _most(text["time"](data.year, months), data.seen_year, language)
        below.append(text["not judged"]() if data.of_year(data.watched) else text["not looked for"]())
    return Findings(headline, below + _unsettled(data, language))


def history_findings(
    changes: list[dict[str, Any]],
    judged: list[int],
    area_ha: float,
    last: int,
    seen: Seen,
    language: Language,
) -> Findings:
    """The headline of all years: ``judged`` are those in which change was looked for and could be found, ``seen`` is what
    the ``last`` year shows.
    """
    text = _TEXTS[language]
    told = turned([patch for patch in changes if patch["alarm"] and patch["state"] == CONFIRMED])
    years = _years(judged)
    below = [text["in year"](last, composition(seen, language))]
    if told:
        below = [_share_of(told, area_ha, language), text["judged"](years), *below]
        return Findings(_headline(told, language), below)
    if judged:
        return Findings(text["no change"](years), below)
    return Findings(_most(str(last), seen, language), [*below, text["never judged"]()])


def _years(years: list[int]) -> str:
    return f"{years[0]}–{years[-1]}" if len(years) > 1 else str(years[0]) if years else ""


def _headline(told: list[Turned], language: Language) -> str:
    named = [_told(kind, language) for kind in told[:_MOST_NAMED]]
    return str(_TEXTS[language]["and"](named, len(told[_MOST_NAMED:])))


def _share_of(told: list[Turned], area_ha: float, language: Language) -> str:
    share = sum(kind.area_ha for kind in told) / area_ha
    return str(_TEXTS[language]["share"](percent(share), sum(kind.patches for kind in told)))


def _most(time: str, seen: Seen, language: Language) -> str:
    """The largest classes, until they have most of the ground seen; ``time`` is the year or its only month seen."""
    if seen.by_class is None:
        return str(_TEXTS[language]["no composite"](time))
    named, together = [], 0.0
    for class_id, share in seen.ranked()[:_MOST_CLASSES]:
        named.append(_TEXTS[language]["of"](hectares(share * seen.seen_ha), CLASS_WORDS[language][class_id]))
        together += share
        if together >= _MOST_OF_IT:
            break
    said = str(_TEXTS[language]["most"](time, listed(named, language)))
    return said if seen.seen_share >= WHOLE else said + _TEXTS[language]["of what"](percent(seen.seen_share))


def _watched(data: ReportData) -> tuple[float | None, float]:
    (row,) = data.of_year(data.watched) or [{"watched_area_ha": None, "limit_ha": 0.0}]
    return row["watched_area_ha"], row["limit_ha"]


def _unsettled(data: ReportData, language: Language) -> list[str]:
    """What waits for a fourth view, and what was told of and taken back."""
    text, patches = _TEXTS[language], data.of_year(data.changes)
    said = []
    for state, told_of in ((PROVISIONAL, True), (WITHDRAWN, False)):
        area_ha = sum(p["area_ha"] for p in patches if p["state"] == state and (told_of or p["alarm"]))
        if area_ha:
            said.append(text[state](hectares(area_ha)))
    return said


def _told(kind: Turned, language: Language) -> str:
    words = CLASS_WORDS[language]
    became = _GROUND[language].get(kind.to_class_id, words[kind.to_class_id])
    when = _TEXTS[language]["when"](kind.after, kind.before)
    return _TEXTS[language]["turned"](hectares(kind.area_ha), words[kind.from_class_id], became, when)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _english_when(after: datetime | None, before: datetime) -> str:
    if after is None:
        return f"before {_day(before)}"
    start = str(after.day) if (after.year, after.month) == (before.year, before.month) else f"{after.day} {after:%B}"
    return f"between {start if after.year == before.year else _day(after)} and {_day(before)}"


def _english_year(year: int, months: list[int], what: str) -> str:
    if len(months) == 1:
        return f"In {MONTH_WORDS[Language.EN][months[0] - 1]} {year}, the only month seen: {what}."
    return (
        f"Over {year}: {what}."
        if len(months) == 12
        else f"Over the {len(months)} months of {year} that were seen: {what}."
    )


def _chinese_year(year: int, months: list[int], what: str) -> str:
    if len(months) == 1:
        return f"{year} 年 {months[0]} 月（仅此月有观测）：{what}。"
    return f"{year} 年全年：{what}。" if len(months) == 12 else f"{year} 年有观测的 {len(months)} 个月：{what}。"


def _chinese_when(after: datetime | None, before: datetime) -> str:
    end = f"{before.year}年{before.month}月{before.day}日"
    if after is None:
        return f"{end}之前"
    if after.year == before.year:
        end = end.removeprefix(f"{before.year}年")
    return f"{after.year}年{after.month}月{after.day}日至{end}之间"


_TEXTS: dict[Language, dict[str, Any]] = {
    Language.EN: {
        "and": lambda parts, more: (
            listed(parts, Language.EN) + (f", and {more} smaller kinds of change" if more > 1 else ", and one more" if more else "")
        ),
        "turned": lambda ha, a, b, when: f"{ha}\u00a0ha of {a} became {b} {when}",
        "when": _english_when,
        "share": lambda x, n: f"That is {x} of the area, in {'one patch' if n == 1 else f'{n} patches'}; the season does not explain it.",
        "supported": lambda ha: f"Compared over the months before and after, {ha}\u00a0ha changed.",
        "year": _english_year,
        "in year": lambda year, what: f"Over {year}: {what}.",
        "time": lambda year, months: f"{MONTH_WORDS[Language.EN][months[0] - 1]} {year}" if len(months) == 1 else str(year),
        "no change": lambda year: f"No change beyond the season was found in {year}",
        "watched": lambda ha, x, limit: (
            f"On the {ha}\u00a0ha ({x}) with a usual class for each season, no patch of {limit}\u00a0ha or more left it. Other ground is not judged."
        ),
        "most": lambda time, what: f"{what} in {time}",
        "of what": lambda x: f", on the {x} of the area that was seen",
        "of": lambda ha, a: f"{ha}\u00a0ha of {a}",
        "no composite": lambda time: f"{time}: seen, but not yet composed",
        "not judged": lambda: "Too little is known of two earlier years to say what is usual here, so change beyond the season cannot be told yet.",
        "judged": lambda years: f"Change was looked for in {years}.",
        "never judged": lambda: "No year can be judged yet: two earlier years have to say what is usual.",
        "not looked for": lambda: "Change beyond the season has not been looked for in this year.",
        "nothing seen": lambda year: f"Nothing was seen in {year}",
        "because": lambda reason: f"No usable view: {reason}.",
        PROVISIONAL: lambda ha: f"{ha}\u00a0ha more look changed and wait for a fourth clear view.",
        WITHDRAWN: lambda ha: f"{ha}\u00a0ha that were told of have been taken back: the ground is as it was.",
    },
    Language.ZH: {
        "and": lambda parts, more: "；".join(parts) + (f"；另有 {more} 类较小变化" if more else ""),
        "turned": lambda ha, a, b, when: f"{when}，{ha} 公顷{a}变为{b}",
        "when": _chinese_when,
        "share": lambda x, n: f"占区域的 {x}，共 {n} 块；季节不能解释这一变化。",
        "supported": lambda ha: f"按前后各月比较，变化面积为 {ha} 公顷。",
        "year": _chinese_year,
        "in year": lambda year, what: f"{year} 年全年：{what}。",
        "time": lambda year, months: f"{year} 年" + (f" {months[0]} 月" if len(months) == 1 else ""),
        "no change": lambda year: f"{year} 年未发现超出季节的变化",
        "watched": lambda ha, x, limit: f"在各季节都有常见类别的 {ha} 公顷（{x}）上，没有 {limit} 公顷或更大的地块偏离。其余地面不作判断。",
        "most": lambda time, what: f"{time}：{what}",
        "of what": lambda x: f"（仅看到区域的 {x}）",
        "of": lambda ha, a: f"{a} {ha}\u00a0公顷",
        "no composite": lambda time: f"{time}：有观测，但尚未合成",
        "not judged": lambda: "更早两年的观测不足以说明此地的常态，因此还不能判断超出季节的变化。",
        "judged": lambda years: f"检查变化的年份：{years}。",
        "never judged": lambda: "还没有可以判断的年份：须有两个更早的年份说明常态。",
        "not looked for": lambda: "本年尚未检查超出季节的变化。",
        "nothing seen": lambda year: f"{year} 年没有任何观测",
        "because": lambda reason: f"没有可用影像：{reason}。",
        PROVISIONAL: lambda ha: f"另有 {ha} 公顷疑似变化，等待第四次清晰观测。",
        WITHDRAWN: lambda ha: f"曾通报的 {ha} 公顷已撤回：地面恢复原状。",
    },
}  # fmt: skip
