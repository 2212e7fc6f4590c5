"""The report as its reader sees it: in Chromium, on a desktop and a phone, light and dark, in both languages."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.pipeline.conftest import Demo

ARTIFACTS = Path(__file__).resolve().parents[2] / "out" / "screenshots"
LANDCOVER = str(Path(sys.executable).parent / "landcover")
STATEMENTS = {
    "en": {
        1: "almost all of the land is snow and ice (98.0 %)",
        2: "almost all of the land is snow and ice",
        3: "mixed: snow and ice",
        4: "mostly crops",
        5: "mostly crops",
        6: "together",
        7: "trees (50.0 %) and crops",
        8: "about equal",
        9: "more than half|trees (52.0 %)",
        10: "snow appears (4.28 %)",
        11: "no more snow",
        12: "mostly snow and ice (68.0 %), then crops (16.6 %)",
    },
    "zh": {
        1: "几乎全部土地为冰雪（98.0 %）",
        2: "几乎全部土地为冰雪",
        3: "类型混杂：冰雪",
        4: "以农作物为主",
        5: "以农作物为主",
        6: "合计",
        7: "树木（50.0 %）和农作物",
        8: "大致相等",
        9: "树木（52.0 %）",
        10: "出现积雪（4.28 %）",
        11: "积雪消失",
        12: "以冰雪为主（68.0 %），其次是农作物（16.6 %）",
    },
}


@pytest.fixture(scope="module")
def reports(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sample year's report in every form."""
    folder = tmp_path_factory.mktemp("reports")
    made = {name: folder / name for name in ("en.html", "zh.html", "report.csv", "report.json", "report.png")}
    common = ["report", "--aoi", "songnen-sample", "--year", "2021", "--warehouse", str(demo.out)]
    for name, path in made.items():
        form = path.suffix.removeprefix(".")
        language = "zh" if name.startswith("zh") else "en"
        command = [LANDCOVER, *common, "--out", str(path), "--format", form, "--lang", language]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    return made


def open_page(browser: Browser, path: Path, **options: Any) -> tuple[Page, list[str], list[str]]:
    """A page with the console errors and the requests beyond the file itself that opening it causes."""
    page = browser.new_page(**options)
    errors: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_load_state("networkidle")
    outside = [url for url in requests if url != path.as_uri() and not url.startswith("data:")]
    return page, errors, outside


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("view", "options"),
    [
        ("desktop", {"viewport": {"width": 1200, "height": 900}}),
        ("phone", {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}),
        ("dark", {"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"}),
    ],
)
def test_it_opens_without_error_or_request_and_fits(
    browser: Browser, reports: dict[str, Path], language: str, view: str, options: dict[str, Any]
) -> None:
    page, errors, outside = open_page(browser, reports[f"{language}.html"], **options)
    assert errors == []
    assert outside == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= options["viewport"]["width"], "nothing sticks out; tables scroll by themselves"
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator(".months img").count() == 12
    assert page.locator("img:not([alt]), figure[role=img]:not([aria-label])").count() == 0
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"report-{language}-{view}.png", full_page=True)
    page.close()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_says_what_the_published_analysis_says(browser: Browser, reports: dict[str, Path], language: str) -> None:
    page, _, _ = open_page(browser, reports[f"{language}.html"])
    sentences = page.locator("ul.words li").all_inner_texts()
    assert len(sentences) == 12
    for month, wanted in STATEMENTS[language].items():
        assert any(part in sentences[month - 1] for part in wanted.split("|")), sentences[month - 1]
    year = page.locator("strong").first.inner_text()
    assert "2.2" in year
    assert "26.6 %" in year
    page.close()


def test_page_csv_json_and_tables_agree(browser: Browser, reports: dict[str, Path], demo: Demo) -> None:
    page, _, _ = open_page(browser, reports["en.html"])
    table: dict[str, list[str]] = {}
    for row in page.locator("tr[data-period]").all():
        cells = row.locator("td").all()[2:]
        table[str(row.get_attribute("data-period"))] = [cell.inner_text().replace("\n", "|") for cell in cells]
    page.close()
    with reports["report.csv"].open(newline="", encoding="utf-8") as file:
        exported = {(r["period"], r["class_id"]): r for r in csv.DictReader(file)}
    document = json.loads(reports["report.json"].read_text(encoding="utf-8"))
    periods = {m["month"]: m for m in document["months"]} | {"2021": document["annual"]}
    monthly = {(r["month"][:7], r["class_id"]): r for r in demo.table("monthly_summary.csv")}
    annual = {("2021", r["class_id"]): r for r in demo.table("annual_summary.csv")}
    truth = monthly | annual
    assert exported.keys() == truth.keys()
    for key, row in truth.items():
        period, class_id = key[0], int(key[1])
        for column in ("composite_share", "mean_share", "probability_share", "mean_coverage"):
            assert exported[key][column] == row[column], (key, column)
        for column in ("composite_share", "mean_share", "probability_share"):
            assert repr(periods[period]["classes"][class_id][column]) == row[column], (key, column)
        shown = table[period][class_id].split("|")
        assert shown == [f"{float(row[c]) * 100:.2f}" for c in ("composite_share", "mean_share")]


def test_the_picture_is_a_picture(reports: dict[str, Path]) -> None:
    assert reports["report.png"].read_bytes().startswith(b"\x89PNG")
    assert len(reports["report.png"].read_bytes()) > 50_000


def test_it_prints(browser: Browser, reports: dict[str, Path]) -> None:
    page, _, _ = open_page(browser, reports["en.html"])
    page.emulate_media(media="print")
    assert len(page.pdf()) > 20_000
    page.close()
