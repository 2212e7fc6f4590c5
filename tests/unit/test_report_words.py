"""Sentences and seasons from numbers made by hand."""

import pytest

from local.report.choices import Language
from local.report.labels import TEXTS
from local.report.seasons import seasons
from local.report.sentences import CLASS_WORDS, MONTH_WORDS, Shares, month_sentence, year_sentence

EN, ZH = Language.EN, Language.ZH


def shares(coverage: float = 0.9, **named: float) -> Shares:
    names = ("water", "trees", "grass", "flooded", "crops", "shrub", "built", "bare", "snow")
    return Shares(tuple(named.get(name, 0.0) for name in names), coverage)


@pytest.mark.parametrize(
    ("now", "english", "chinese"),
    [
        (
            shares(snow=0.9802, trees=0.0198),
            "January: almost all of the land is snow and ice (98.0 %); 1.98 % is not, of which trees has 1.98 %.",
            "1月：几乎全部土地为冰雪（98.0 %）；其余 1.98 % 中，树木占 1.98 %。",
        ),
        (
            shares(crops=0.65, trees=0.16, grass=0.09, bare=0.1),
            "January: mostly crops (65.0 %), then trees (16.0 %).",
            "1月：以农作物为主（65.0 %），其次是树木（16.0 %）。",
        ),
        (
            shares(crops=0.435, trees=0.43, built=0.135),
            "January: crops (43.5 %) and trees (43.0 %) are about equal and have 86.5 % together.",
            "1月：农作物（43.5 %）与树木（43.0 %）大致相等，合计 86.5 %。",
        ),
        (
            shares(trees=0.5, crops=0.42, built=0.08),
            "January: trees (50.0 %) and crops (42.0 %) have 92.0 % together.",
            "1月：树木（50.0 %）和农作物（42.0 %）合计 92.0 %。",
        ),
        (
            shares(trees=0.52, crops=0.2, water=0.18, built=0.1),
            "January: more than half is trees (52.0 %), then crops (20.0 %) and water (18.0 %).",
            "1月：超过一半为树木（52.0 %），其次是农作物（20.0 %）和水体（18.0 %）。",
        ),
        (
            shares(snow=0.4, crops=0.3, trees=0.3),
            "January: mixed: snow and ice (40.0 %), trees (30.0 %) and crops (30.0 %).",
            "1月：类型混杂：冰雪（40.0 %）、树木（30.0 %）和农作物（30.0 %）。",
        ),
        (Shares(None, None), "January: no usable view.", "1月：没有可用影像。"),
    ],
)
def test_one_month_by_itself(now: Shares, english: str, chinese: str) -> None:
    assert month_sentence(1, now, None, EN) == english
    assert month_sentence(1, now, None, ZH) == chinese


def test_what_changed_since_the_month_before() -> None:
    autumn = shares(crops=0.435, trees=0.43, built=0.135)
    october = shares(crops=0.4, trees=0.42, snow=0.0428, built=0.1372)
    assert "snow appears (4.28 %)" in month_sentence(10, october, autumn, EN)
    assert "no more snow" in month_sentence(11, autumn, october, EN)
    assert "出现积雪（4.28 %）" in month_sentence(10, october, autumn, ZH)
    june = month_sentence(6, autumn, shares(crops=0.65, trees=0.16, built=0.19), EN)
    assert june.endswith("trees gained 27 points.")
    assert "gained" not in month_sentence(6, autumn, shares(crops=0.36, trees=0.4, built=0.24), EN)


def test_a_thin_month_says_so() -> None:
    assert "thin: only 30.0 % of the area was seen" in month_sentence(6, shares(coverage=0.3, crops=1), None, EN)
    assert "thin" not in month_sentence(6, shares(coverage=0.5, crops=1), None, EN)


def test_the_year_explains_why_mean_and_composite_differ() -> None:
    year = shares(crops=0.435, trees=0.43, snow=0.0219, built=0.1131)
    text = year_sentence(2021, year, 0.266, EN)
    assert "snow and ice has 2.19 % of the composite, but 26.6 % of the ground on average" in text
    assert "of the composite" not in year_sentence(2021, year, 0.05, EN)


def test_both_languages_have_every_word() -> None:
    assert TEXTS[EN].keys() == TEXTS[ZH].keys()
    assert {len(words) for words in CLASS_WORDS.values()} == {9}
    assert {len(words) for words in MONTH_WORDS.values()} == {12}
    for key, text in TEXTS[EN].items():
        placeholders = {part.split("}")[0] for part in text.split("{")[1:]}
        assert placeholders == {part.split("}")[0] for part in TEXTS[ZH][key].split("{")[1:]}


def year_of(green: list[float], snow: list[float]) -> dict[int, tuple[float, ...]]:
    return {month: (0, g, 0, 0, 0, 0, 0, 1 - g - s, s) for month, (g, s) in enumerate(zip(green, snow, strict=True), 1)}


def test_seasons_of_a_northern_and_a_southern_year() -> None:
    green = [0.0, 0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.9, 0.8, 0.6, 0.3, 0.05]
    snow = [1.0, 0.9, 0.5, 0.1, 0, 0, 0, 0, 0, 0.1, 0.2, 0.7]
    found = seasons(year_of(green, snow))
    assert found == ((12, 1, 2, 3), 4, 7, 11)
    south = seasons(year_of(green[6:] + green[:6], [0.0] * 12))
    assert south == ((), 10, 1, 5)


def test_seasons_are_not_told_from_too_little() -> None:
    flat = seasons(year_of([0.9] * 12, [0.0] * 12))
    assert flat == ((), None, None, None)
    few = {month: share for month, share in year_of([0.9] * 12, [0.0] * 12).items() if month <= 7}
    assert seasons(few) is None
    assert seasons(year_of([0.0] * 12, [1.0] * 12)) == (tuple(range(1, 13)), None, None, None)
