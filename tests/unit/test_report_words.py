"""Sentences and seasons from numbers made by hand."""

from collections import Counter

import pytest

from local.report.choices import Language
from local.report.judging import Kind, Seen, kind_of, seen_of
from local.report.labels import TEXTS
from local.report.numbers import cell_hectares, exact_hectares, hectares, percent, signed_points
from local.report.seasons import seasons
from local.report.sentences import month_sentence, unseen_reason, year_sentence
from local.report.strips import INKS, strip
from local.report.words import CLASS_WORDS, MONTH_WORDS
from shared.classes import CLASSES

EN, ZH = Language.EN, Language.ZH
NOTHING = Seen(None, 0.0, 0.0)


def seen(area_ha: float = 1000.0, seen_share: float = 1.0, **named: float) -> Seen:
    names = ("water", "trees", "grass", "flooded", "crops", "shrub", "built", "bare", "snow")
    return Seen(tuple(named.get(name, 0.0) for name in names), area_ha * seen_share, seen_share)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("now", "english", "chinese"),
    [
        (
            seen(snow=0.9802, trees=0.0198),
            "January: almost all of the ground seen is snow and ice (980 ha, 98 %); most of the rest is trees (19.8 ha, 2.0 %).",
            "1月：所见地面几乎全部为冰雪（980 公顷，98 %）；其余主要是树木（19.8 公顷，2.0 %）。",
        ),
        (
            seen(snow=1.0),
            "January: all of the ground seen is snow and ice (1,000 ha, 100 %).",
            "1月：所见地面全部为冰雪（1,000 公顷，100 %）。",
        ),
        (
            seen(crops=0.65, trees=0.16, grass=0.09, bare=0.1),
            "January: mostly crops (650 ha, 65 %), then trees (160 ha, 16 %).",
            "1月：以农作物（650 公顷，65 %）为主，其次是树木（160 公顷，16 %）。",
        ),
        (
            seen(crops=0.435, trees=0.43, built=0.135),
            "January: crops (435 ha, 44 %) and trees (430 ha, 43 %) are about equal and have 86 % together.",
            "1月：农作物（435 公顷，44 %）与树木（430 公顷，43 %）大致相等，合计 86 %。",
        ),
        (
            seen(trees=0.5, crops=0.42, built=0.08),
            "January: trees (500 ha, 50 %) and crops (420 ha, 42 %) have 92 % together.",
            "1月：树木（500 公顷，50 %）和农作物（420 公顷，42 %）合计 92 %。",
        ),
        (
            seen(trees=0.52, crops=0.2, water=0.18, built=0.1),
            "January: more than half is trees (520 ha, 52 %), then crops (200 ha, 20 %) and water (180 ha, 18 %).",
            "1月：超过一半为树木（520 公顷，52 %），其次是农作物（200 公顷，20 %）和水体（180 公顷，18 %）。",
        ),
        (
            seen(snow=0.4, crops=0.3, trees=0.3),
            "January: mixed: snow and ice (400 ha, 40 %), trees (300 ha, 30 %) and crops (300 ha, 30 %).",
            "1月：类型混杂：冰雪（400 公顷，40 %）、树木（300 公顷，30 %）和农作物（300 公顷，30 %）。",
        ),
        (
            NOTHING,
            "January: no usable view (3 passes: 1 clouded over the area and 2 too cloudy for an image).",
            "1月：没有可用影像（过境 3 次：1 次区域上空有云，2 次云太多而无影像）。",
        ),
    ],
)
def test_one_month_by_itself(now: Seen, english: str, chinese: str) -> None:
    fates = Counter({"too cloudy": 2, "masked": 1})
    assert plain(month_sentence(1, now, None, unseen_reason(fates, EN), EN)) == english
    assert plain(month_sentence(1, now, None, unseen_reason(fates, ZH), ZH)) == chinese


def test_a_month_without_any_known_pass_says_that() -> None:
    assert unseen_reason(Counter(), EN) == "no pass of a satellite is known"
    assert unseen_reason(Counter({"failed": 1}), EN) == "1 pass: 1 failed to be measured"


def test_what_changed_since_the_month_before_is_said_of_losses_as_of_gains() -> None:
    autumn = seen(crops=0.435, trees=0.43, built=0.135)
    october = seen(crops=0.4, trees=0.42, snow=0.0628, built=0.1172)
    assert "snow appears (6.3 %)" in plain(month_sentence(10, october, ("September", autumn), "", EN))
    assert "no more snow" in month_sentence(11, autumn, ("October", october), "", EN)
    assert "出现积雪（6.3 %）" in plain(month_sentence(10, october, ("September", autumn), "", ZH))
    june = month_sentence(6, autumn, ("April", seen(crops=0.65, trees=0.16, built=0.19)), "", EN)
    assert june.endswith("; since April, trees gained 27 points, while crops lost 22 points.")
    december = month_sentence(12, seen(snow=0.68, crops=0.166, trees=0.08, built=0.074), ("November", autumn), "", EN)
    assert december.endswith(
        "; since November, snow and ice gained 68 points, while trees lost 35 points and crops 27."
    )
    assert "snow appears" not in december, "it is said already"
    chinese = month_sentence(12, seen(snow=0.68, crops=0.166, trees=0.08, built=0.074), ("11月", autumn), "", ZH)
    assert chinese.endswith("；与 11月相比，冰雪增加 68 个百分点，树木减少 35、农作物减少 27 个百分点。")
    quiet = month_sentence(6, autumn, ("May", seen(crops=0.36, trees=0.4, built=0.24 - 0.01, bare=0.01)), "", EN)
    assert "gained" not in quiet
    assert "lost" not in quiet


def test_the_kind_of_sentence_and_snow_stay_until_a_limit_is_clearly_passed() -> None:
    """By hand: limits of 60, 80 and 50 percent, and five points on either side; half is never said of less."""

    def kinds(*months: dict[str, float]) -> list[Kind]:
        said: tuple[Kind, Seen] | None = None
        found = []
        for shares in months:
            said = kind_of(seen(**shares), said), seen(**shares)
            found.append(said[0])
        return found

    assert kinds({"crops": 0.61}, {"crops": 0.56}, {"crops": 0.54}, {"crops": 0.61}, {"crops": 0.66}) == [
        Kind.MOSTLY, Kind.MOSTLY, Kind.HALF, Kind.HALF, Kind.MOSTLY,
    ]  # fmt: skip
    assert kinds({"crops": 0.51}, {"crops": 0.49}, {"crops": 0.54}, {"crops": 0.55}) == [
        Kind.HALF, Kind.MIXED, Kind.MIXED, Kind.HALF,
    ]  # fmt: skip
    together = {"crops": 0.44, "trees": 0.38}
    assert kinds({"crops": 0.52, "trees": 0.2}, together) == [Kind.HALF, Kind.TOGETHER], "44 % are not half"
    assert kinds({"crops": 0.4, "trees": 0.3}, together, {"crops": 0.45, "trees": 0.41}) == [
        Kind.MIXED, Kind.MIXED, Kind.TOGETHER,
    ]  # fmt: skip
    assert kinds({"snow": 0.9, "trees": 0.1}, {"snow": 0.95}, {"snow": 0.91}, {"snow": 0.89}) == [
        Kind.MOSTLY, Kind.ALMOST_ALL, Kind.ALMOST_ALL, Kind.MOSTLY,
    ]  # fmt: skip
    assert kinds({"snow": 0.4, "trees": 0.3}, {"crops": 0.61, "trees": 0.2}) == [Kind.MIXED, Kind.MOSTLY], (
        "another leads"
    )
    kept = plain(month_sentence(6, seen(crops=0.57, trees=0.43), None, "", EN, Kind.MOSTLY))
    assert kept == "June: mostly crops (570 ha, 57 %), then trees (430 ha, 43 %)."
    little = seen(crops=0.9628, snow=0.0372)
    assert "snow appears" not in month_sentence(11, little, ("October", seen(crops=1)), "", EN)


def test_snow_that_ties_and_gaps_explain_neither_appears_nor_goes() -> None:
    september, october = seen(crops=1), seen(crops=0.95, snow=0.05)
    for settled, appears in ((0.039, False), (0.041, True)):
        now = october._replace(settled=(0, 0, 0, 0, 1 - settled, 0, 0, 0, settled))
        assert ("snow appears (5.0" in month_sentence(10, now, ("September", september), "", EN)) is appears
        assert ("no more snow" in month_sentence(11, september, ("October", now), "", EN)) is appears


def test_what_ties_and_gaps_explain_is_neither_gained_nor_lost() -> None:
    may, june = seen(crops=0.3, trees=0.7), seen(crops=0.5, trees=0.5)

    def said(crops_in_may: float, crops_in_june: float) -> str:
        before, now = (
            of._replace(settled=(0, 1 - crops, 0, 0, crops, 0, 0, 0, 0))
            for of, crops in ((may, crops_in_may), (june, crops_in_june))
        )
        return month_sentence(6, now, ("May", before), "", EN)

    assert said(0.32, 0.44).endswith("; since May, crops gained 20 points, while trees lost 20 points.")
    for then, now in ((0.32, 0.41), (0.44, 0.32)):
        assert "gained" not in said(then, now)
        assert "lost" not in said(then, now)


def test_what_was_hardly_seen_is_compared_with_nothing() -> None:
    for then, now, compared in ((0.9, 0.9, True), (0.9, 0.89, False), (1.0, 0.8, True), (0.6, 1.0, False)):
        text = month_sentence(6, seen(seen_share=now, crops=1), ("May", seen(seen_share=then, trees=1)), "", EN)
        assert ("since May, crops gained 100 points" in text) is compared, "what both saw is 0.8 of the area or more"
    june, may = seen(crops=1)._replace(views=2.0), seen(trees=1)
    for views, compared in ((1.96, True), (1.9, False)):
        text = month_sentence(6, june, ("May", may._replace(views=views)), "", EN)
        assert ("since May, crops gained" in text) is compared, "both have two effective views"
    little = seen(seen_share=0.4, crops=1)
    text = plain(month_sentence(6, little, ("May", seen(trees=1)), "", EN))
    assert text == "June: all of the ground seen is crops (400 ha, 100 %); only 40 % of the area was seen."
    assert "only" not in month_sentence(6, seen(seen_share=0.96, crops=1), None, "", EN)


def test_a_thin_month_is_called_thin_and_one_view_one_view() -> None:
    thin = plain(month_sentence(6, seen(seen_share=0.66, crops=1), None, "", EN, thin_views=2))
    assert thin.endswith("; only 66 % of the area was seen; a thin month, of 2 views.")
    one = plain(month_sentence(6, seen(crops=1), None, "", EN, thin_views=1))
    assert one == "June: all of the ground seen is crops (1,000 ha, 100 %); a thin month, of one view."
    assert month_sentence(6, seen(crops=1), None, "", ZH, thin_views=1).endswith("；依据单薄，只有 1 次观测。")


def test_the_year_says_of_how_much_it_speaks_and_why_mean_and_composite_differ() -> None:
    year = seen(crops=0.435, trees=0.43, snow=0.0219, built=0.1131)
    means = [year.by_class[c] if year.by_class and c != 8 else 0.266 for c in range(9)]
    text = plain(year_sentence(2021, year, means, 12, "", EN))
    assert text.endswith("; snow and ice has 2.2 % of the composite, but 27 % of the area on average over the months.")
    assert "of the composite" not in year_sentence(2021, year, year.by_class or (), 12, "", EN)
    before = ("2020", seen(crops=0.2, trees=0.665, built=0.135))
    changed = plain(year_sentence(2021, year, means, 12, "", EN, before))
    assert "; since 2020, crops gained 24 points, while trees lost 24 points; snow" in changed
    snowy = ("2020", seen(crops=0.45, trees=0.43, snow=0.06, built=0.06))
    assert "no more snow" not in year_sentence(2021, year, means, 12, "", EN, snowy), "that is said of months"
    assert "gained" not in year_sentence(2021, year, means, 7, "", EN, before), "too few months to compare"
    half = plain(year_sentence(2018, seen(seen_share=0.53, trees=1), [0, 1, *[0] * 7], 1, "", EN))
    assert half.endswith("; from 1 of 12 months; only 53 % of the area was seen.")
    assert year_sentence(2019, NOTHING, [None] * 9, 0, "why", EN) == "2019: no usable view (why)."


def test_numbers_have_the_digits_that_their_certainty_bears() -> None:
    assert [hectares(x) for x in (None, 0, 1911.48, 956.2, 83.24, 4.267, 0.314, 0.02, 0.001)] == [
        "–", "0", "1,910", "956", "83.2", "4.3", "0.31", "0.02", "< 0.01",
    ]  # fmt: skip
    assert [plain(percent(x)) for x in (None, 0, 0.0001, 0.0219, 0.0996, 0.435, 0.994, 0.998, 1)] == [
        "–", "0 %", "< 0.1 %", "2.2 %", "10 %", "44 %", "99 %", "> 99 %", "100 %",
    ]  # fmt: skip
    assert [exact_hectares(x) for x in (1911.48, 4.267, 0.00024)] == ["1,911.5", "4.27", "0.0002"]
    assert [signed_points(x, 1) for x in (0.0302, -0.02, 0.0004, -0.0004)] == ["+3.0", "\u22122.0", "±0.0", "±0.0"]
    assert [cell_hectares(x, 1911.48) for x in (None, 0, 1911.48, 4.267)] == ["–", "0.0", "1,911.5", "4.3"]
    assert [cell_hectares(4.267, whole) for whole in (20_000, 50)] == ["4", "4.27"]


def test_a_bar_holds_the_whole_area_and_every_class_that_is_there() -> None:
    drawn = strip(seen(seen_share=0.5, trees=0.9, water=0.008, built=0.092))
    assert [(part.class_id, part.of_area_percent, part.number) for part in drawn.parts] == [
        (0, 0.4, ""),
        (1, 45.0, "1"),
        (6, 4.6, ""),
    ]
    assert drawn.unseen_percent == 50


def test_a_number_on_a_colour_has_a_contrast_of_four_and_a_half() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for c in CLASSES:
        light, dark = sorted((luminance(c.colour), {"#000": 0.0, "#fff": 1.0}[INKS[c.class_id]]), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, c.name


def test_what_the_grid_leaves_open_at_the_edge_is_seen() -> None:
    def rows(area_ha: float) -> list[dict[str, object]]:
        return [
            {"class_id": c, "composite_share": float(c == 1), "composite_area_ha": area_ha * (c == 1)} for c in range(9)
        ]

    assert seen_of(rows(1911.4), 1911.48).seen_share == 1
    assert seen_of(rows(955.74), 1911.48).seen_share == pytest.approx(0.5)
    assert seen_of([], 1.0) == NOTHING


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
    for unseen, green_up, falls in ((3, None, 11), (10, 4, None), (6, 4, 11)):
        months = {month: shares for month, shares in year_of(green, snow).items() if month != unseen}
        gaps = seasons(months)
        assert gaps is not None
        assert (gaps.green_up, gaps.leaf_off) == (green_up, falls), f"it may have been in month {unseen}"


def test_seasons_are_not_told_from_too_little() -> None:
    flat = seasons(year_of([0.9] * 12, [0.0] * 12))
    assert flat == ((), None, None, None)
    few = {month: share for month, share in year_of([0.9] * 12, [0.0] * 12).items() if month <= 7}
    assert seasons(few) is None
    assert seasons(year_of([0.0] * 12, [1.0] * 12)) == (tuple(range(1, 13)), None, None, None)
