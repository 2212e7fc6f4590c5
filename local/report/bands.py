"""This year's months in the band of the same months of earlier years, class by class (view ``report_change``).

A class stands *out* in a month in which it has two points more than in every earlier year, or two points less. That is
a comparison; what is told of as change rests on patches (``findings``). One earlier year is no band: only months with
two or more are shown.
"""

from collections import defaultdict
from typing import Any, NamedTuple

from local.report.choices import Language
from local.report.data import ReportData
from local.report.numbers import hectares
from local.report.words import CLASS_WORDS, MONTH_WORDS, listed

_OUT, _WORTH_A_CHART = 0.02, 0.02
_FEWEST_YEARS = 2
_STEP, _HEIGHT = 20, 100


class Mark(NamedTuple):
    """One month of a chart, in its units: where the band begins and ends, its mean, and this year."""

    x: float
    top: float
    bottom: float
    mean: float
    now: float
    out: bool
    words: str


class Band(NamedTuple):
    """One class: what its months say, the hectares at the upper edge of its chart, and a mark for each month."""

    class_id: int
    title: str
    top_ha: float
    years: int
    marks: list[Mark]


def bands(data: ReportData, language: Language) -> list[Band]:
    """A band for each class that had two percent in some month, then or now: what stands out first, then by size."""
    by_class: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in data.baseline:
        if row["baseline_years"] >= _FEWEST_YEARS:
            by_class[row["class_id"]].append(row)
    tops = {c: max(max(r["composite_share"], r["baseline_max_share"]) for r in rows) for c, rows in by_class.items()}
    shown = [class_id for class_id, top in tops.items() if top >= _WORTH_A_CHART]
    shown.sort(key=lambda c: (not any(map(_out, by_class[c])), -tops[c], c))
    return [_band(class_id, by_class[class_id], tops[class_id], data, language) for class_id in shown]


def _band(class_id: int, rows: list[dict[str, Any]], top: float, data: ReportData, language: Language) -> Band:
    def y(share: float) -> float:
        return round(_HEIGHT * (1 - share / top), 1)

    marks = [
        Mark(
            x=(row["month"].month - 0.5) * _STEP,
            top=y(row["baseline_max_share"]),
            bottom=y(row["baseline_min_share"]),
            mean=y(row["baseline_share"]),
            now=y(row["composite_share"]),
            out=_out(row) != 0,
            words=_TEXTS[language]["mark"](
                MONTH_WORDS[language][row["month"].month - 1],
                hectares(row["composite_share"] * data.area_ha),
                hectares(row["baseline_min_share"] * data.area_ha),
                hectares(row["baseline_max_share"] * data.area_ha),
            ),
        )
        for row in rows
    ]
    years = max(row["baseline_years"] for row in rows)
    return Band(class_id, _title(class_id, rows, data.area_ha, language), top * data.area_ha, years, marks)


def _out(row: dict[str, Any]) -> int:
    """1 above every earlier year, -1 below, 0 within."""
    beyond = _beyond(row)
    return 0 if abs(beyond) <= _OUT else 1 if beyond > 0 else -1


def _beyond(row: dict[str, Any]) -> float:
    """How much more than in any earlier year there is, or (negative) how much less; as a share of the ground seen."""
    share = row["composite_share"]
    return float(max(share - row["baseline_max_share"], 0) + min(share - row["baseline_min_share"], 0))


def _title(class_id: int, rows: list[dict[str, Any]], area_ha: float, language: Language) -> str:
    text, word, said = _TEXTS[language], CLASS_WORDS[language][class_id], []
    for sign, key in ((-1, "less"), (1, "more")):
        out = [row for row in rows if _out(row) == sign]
        if out:
            most = max(abs(_beyond(row)) for row in out) * area_ha
            named = listed([MONTH_WORDS[language][row["month"].month - 1] for row in out], language)
            said.append(text[key](named, hectares(most)))
    return str(text["out"](word, said) if said else text["within"](word))


_TEXTS: dict[Language, dict[str, Any]] = {
    Language.EN: {
        "out": lambda a, said: f"{a}: {'; '.join(said)}",
        "less": lambda months, ha: f"less than in any earlier year in {months}, by up to {ha}\u00a0ha",
        "more": lambda months, ha: f"more than in any earlier year in {months}, by up to {ha}\u00a0ha",
        "within": lambda a: f"{a}: as in earlier years",
        "mark": lambda month, now, low, high: f"{month}: {now} ha; earlier {low} to {high} ha",
    },
    Language.ZH: {
        "out": lambda a, said: f"{a}：{'；'.join(said)}",
        "less": lambda months, ha: f"{months}少于以往任何一年，最多少 {ha}\u00a0公顷",
        "more": lambda months, ha: f"{months}多于以往任何一年，最多多 {ha}\u00a0公顷",
        "within": lambda a: f"{a}：与往年相当",
        "mark": lambda month, now, low, high: f"{month}：{now} 公顷；往年 {low} 至 {high} 公顷",
    },
}
