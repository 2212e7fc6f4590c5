"""Headlines, and this year beside earlier ones, from rows made by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from local.report.bands import bands
from local.report.cards import best_seen, month_cards
from local.report.choices import Language
from local.report.data import ReportData
from local.report.findings import Findings, findings, history_findings
from local.report.flows import flows

EN, ZH = Language.EN, Language.ZH
TREES, CROPS, BUILT, BARE = 1, 4, 6, 7


def rows(shares: dict[int, float], area_ha: float = 1000.0, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "class_id": c,
            "composite_share": shares.get(c, 0.0) if shares else None,
            "composite_area_ha": shares.get(c, 0.0) * area_ha if shares else None,
            "mean_share": shares.get(c, 0.0) if shares else None,
            "observation_count": 5,
            "network_count": 0,
            "months_observed": 12,
            "quality": "good",
            "year": 2021,
            **more,
        }
        for c in range(9)
    ]


def patch(area_ha: float, was: int = TREES, became: int = BARE, **more: Any) -> dict[str, Any]:
    return {
        "year": 2021,
        "state": "confirmed",
        "alarm": True,
        "from_class_id": was,
        "to_class_id": became,
        "area_ha": area_ha,
        "happened_after": datetime(2021, 5, 28, tzinfo=UTC),
        "happened_before": datetime(2021, 6, 7, tzinfo=UTC),
        "supported_area_ha": None,
        **more,
    }


def watched(area_ha: float | None = 800.0) -> list[dict[str, Any]]:
    return [{"year": 2021, "watched_area_ha": area_ha, "limit_ha": 0.5}]


WOODS = ReportData(
    aoi_id="a",
    aoi_version=1,
    label="A",
    year=2021,
    area_ha=1000.0,
    monthly=[row for m in range(1, 13) for row in rows({TREES: 0.9, CROPS: 0.1}, month=date(2021, m, 1))],
    annual=rows({TREES: 0.9, CROPS: 0.1}),
    watched=watched(),
)


def said(data: ReportData, language: Language = EN) -> Findings:
    found = findings(data, language)
    return Findings(plain(found.headline), [plain(line) for line in found.below])


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_alarms_are_the_headline_by_what_the_ground_was_and_became() -> None:
    later = {"happened_after": datetime(2021, 8, 1, tzinfo=UTC), "happened_before": datetime(2021, 8, 6, tzinfo=UTC)}
    changed = replace(
        WOODS, changes=[patch(120.0), patch(49.9, **later), patch(12.0, CROPS, BUILT, happened_after=None)]
    )
    found = said(changed)
    assert found.headline == (
        "170 ha of trees became bare ground between 28 May and 6 August 2021 and "
        "12.0 ha of crops became built-up land before 7 June 2021"
    )
    assert found.below[0] == "That is 18 % of the area, in 3 patches; the season does not explain it."
    assert found.below[1] == "Over 2021: mostly trees (900 ha, 90 %), then crops (100 ha, 10 %)."
    assert said(changed, ZH).headline == (
        "2021年5月28日至8月6日之间，170 公顷树木变为裸地；2021年6月7日之前，12.0 公顷农作物变为建成区"
    )


def test_what_the_months_before_and_after_say_is_said_once_it_is_known_of_all() -> None:
    compared = replace(WOODS, changes=[patch(8.0, supported_area_ha=7.5), patch(4.0, supported_area_ha=4.3)])
    assert said(compared).below[1] == "Compared over the months before and after, 11.8 ha changed."
    assert said(compared, ZH).below[1] == "按前后各月比较，变化面积为 11.8 公顷。"
    one = replace(WOODS, changes=[patch(8.0, supported_area_ha=7.5), patch(4.0)])
    assert not any("months before" in line for line in said(one).below)


def test_what_is_not_told_of_is_no_headline() -> None:
    """Provisional and withdrawn patches, small ones, and those of other years."""
    quiet = replace(
        WOODS,
        changes=[
            patch(3.0, state="provisional", alarm=False),
            patch(5.0, state="withdrawn"),
            patch(0.2, alarm=False),
            patch(70.0, year=2020),
        ],
    )
    found = said(quiet)
    assert found.headline == "No change beyond the season was found in 2021"
    assert found.below == [
        "On the 800 ha (80 %) with a usual class for each season, no patch of 0.50 ha or more left it. Other ground is not judged.",
        "Over 2021: mostly trees (900 ha, 90 %), then crops (100 ha, 10 %).",
        "3.0 ha more look changed and wait for a fourth clear view.",
        "5.0 ha that were told of have been taken back: the ground is as it was.",
    ]


def test_where_nothing_can_be_judged_the_headline_is_what_there_was() -> None:
    assert said(replace(WOODS, watched=watched(None))) == Findings(
        "900 ha of trees in 2021",
        [
            "Over 2021: mostly trees (900 ha, 90 %), then crops (100 ha, 10 %).",
            "Too little is known of two earlier years to say what is usual here, so change beyond the season cannot be told yet.",
        ],
    )
    assert (
        said(replace(WOODS, watched=[])).below[-1] == "Change beyond the season has not been looked for in this year."
    )


def test_what_is_said_of_a_year_says_of_how_many_months_it_is() -> None:
    unknown = replace(WOODS, watched=watched(None))
    one, two = (replace(unknown, monthly=WOODS.monthly[9 : 9 * (1 + count)]) for count in (1, 2))
    what = "mostly trees (900 ha, 90 %), then crops (100 ha, 10 %)."
    assert said(one).headline == "900 ha of trees in February 2021"
    assert said(one).below[0] == f"In February 2021, the only month seen: {what}"
    assert said(two).headline == "900 ha of trees in 2021"
    assert said(two).below[0] == f"Over the 2 months of 2021 that were seen: {what}"
    assert said(one, ZH).headline == "2021 年 2 月：树木 900 公顷"
    assert said(one, ZH).below[0].startswith("2021 年 2 月（仅此月有观测）：")


def test_the_report_opens_on_the_month_seen_best() -> None:
    def first_shown(*areas_ha: float) -> int:
        monthly = [
            row
            for month, area_ha in enumerate(areas_ha, 1)
            for row in rows({TREES: 1.0} if area_ha else {}, area_ha, month=date(2021, month, 1))
        ]
        return best_seen(month_cards(replace(WOODS, monthly=monthly), EN))

    assert first_shown(*[1000.0] * 12) == 7
    assert first_shown(1000.0, 0, 1000.0, 800.0, 0, 0, 900.0) == 3
    assert first_shown(0, 100.0) == 2


def test_a_year_without_data_says_only_that() -> None:
    dark = replace(
        WOODS,
        monthly=rows({}, month=date(2021, 1, 1)),
        annual=rows({}),
        fates=[{"fate": "masked", "month_of_year": 1, "processed_at": None}],
    )
    assert said(dark) == Findings("Nothing was seen in 2021", ["No usable view: 1 pass: 1 clouded over the area."])


def test_a_history_tells_of_all_years() -> None:
    def of(changes: list[dict[str, Any]], judged: list[int]) -> Findings:
        found = history_findings(changes, judged, 1000.0, 2021, WOODS.seen_year, EN)
        return Findings(plain(found.headline), [plain(line) for line in found.below])

    assert of([patch(30.0), patch(10.0, year=2020)], [2019, 2020, 2021]).headline.startswith("40.0 ha of trees became")
    assert of([patch(30.0)], [2019, 2020, 2021]).below[1] == "Change was looked for in 2019–2021."
    assert of([], [2020, 2021]).headline == "No change beyond the season was found in 2020–2021"
    assert of([], []).headline == "900 ha of trees in 2021"


def beside(month: int, now: float, low: float, high: float, class_id: int = TREES) -> dict[str, Any]:
    middle = (low + high) / 2
    return {
        "month": date(2021, month, 1),
        "class_id": class_id,
        "composite_share": now,
        "baseline_years": 3,
        "baseline_share": middle,
        "baseline_min_share": low,
        "baseline_max_share": high,
        "change_area_ha": (now - middle) * 1000,
    }


def test_a_class_stands_out_by_two_points_from_every_earlier_year() -> None:
    compared = [
        beside(5, 0.52, 0.5, 0.6),
        beside(6, 0.3, 0.5, 0.6),
        beside(7, 0.481, 0.5, 0.6),
        beside(8, 0.2, 0.5, 0.5),
    ]
    built = [beside(6, 0.01, 0.0, 0.01, BUILT)]
    (trees,) = bands(replace(WOODS, baseline=compared + built), EN)
    assert plain(trees.title) == "trees: less than in any earlier year in June and August, by up to 300 ha"
    assert [mark.out for mark in trees.marks] == [False, True, False, True]
    assert (trees.top_ha, trees.years) == (600, 3)
    june = trees.marks[1]
    assert (june.x, june.top, june.bottom, june.mean, june.now) == (110, 0, 16.7, 8.3, 50)
    assert june.words == "June: 300 ha; earlier 500 to 600 ha"
    assert bands(WOODS, EN) == []
    alone = [row | {"baseline_years": 1} for row in compared]
    assert bands(replace(WOODS, baseline=alone), EN) == [], "one earlier year is no band"


def cell(was: int, became: int, mapped: float, supported: float | None, **more: Any) -> dict[str, Any]:
    return {
        "from_year": 2020,
        "to_year": 2021,
        "compared_with": "previous",
        "from_class_id": was,
        "to_class_id": became,
        "mapped_area_ha": mapped,
        "supported_area_ha": supported,
        "alike_mapped_area_ha": 7.0,
        "alike_from_year": 2018,
        "alike_to_year": 2019,
        "least_move": None if supported is None else 0.2,
        "seen_in_both_ha": 1000.0,
        **more,
    }


def test_what_became_what_is_said_by_what_is_supported() -> None:
    cells = [
        cell(TREES, TREES, 700.0, 0.0),
        cell(CROPS, CROPS, 150.0, 0.0),
        cell(TREES, CROPS, 80.0, 0.0),
        cell(TREES, BARE, 70.0, 60.0),
        cell(CROPS, TREES, 0.0, 0.0),
        cell(TREES, BARE, 500.0, 500.0, to_year=2020, from_year=2019),
    ]
    found = flows(cells, 2021, "previous", EN)
    assert found
    assert [plain(line) for line in found.said] == [
        "Supported change, in patches of half a hectare or more on which the classifier's probabilities moved as well: 60.0 ha, most of all trees → bare 60.0 ha.",
        "The two maps differ on 150 ha, 15 % of what was seen in both; even maps of unchanged ground usually differ on about a tenth.",
        "In alike years: the same between 2018 and 2019, the two years of this area that are most alike; so much can be noise.",
    ]
    assert [(c["from_class_id"], c["to_class_id"]) for c in found.cells] == [(TREES, BARE), (TREES, CROPS)]
    assert [(end.class_id, end.height) for end in found.ends] == [
        (1, 187.0),
        (4, 33.0),
        (1, 154.0),
        (4, 50.6),
        (7, 15.4),
    ]
    assert [ribbon.stayed for ribbon in found.ribbons] == [True, True, False, False], "what changed lies on top"
    assert flows(cells, 2021, "baseline", EN) is None


def test_labels_alone_support_no_change() -> None:
    found = flows(
        [cell(TREES, TREES, 900.0, None), cell(TREES, BARE, 100.0, None, alike_from_year=None)], 2021, "previous", EN
    )
    assert found
    assert found.said[-1] == "The scenes carry labels only, so nothing says which of the differences are change."
    assert not found.supported
