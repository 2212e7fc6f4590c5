"""The report as its reader sees it: in Chromium, on a desktop and a phone, light and dark, in both languages."""

import base64
import csv
import json
import re
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from typer.testing import CliRunner

from local.cli import app
from local.commands.common import opened
from local.report.choices import Language, ReportForm
from local.report.making import render_report
from shared.errors import UserInputError
from tests.claims.years import check_flows
from tests.pipeline.conftest import HIDDEN, Demo

ARTIFACTS = Path(__file__).resolve().parents[2] / "out" / "screenshots"
STATEMENTS = {
    "en": {
        1: "almost all of the ground seen is snow and ice (918 ha, 98 %)",
        2: "almost all of the ground seen is snow and ice",
        3: "mixed: snow and ice",
        4: "mostly crops",
        5: "mostly crops",
        6: "together",
        7: "trees (468 ha, 50 %) and crops",
        8: "about equal",
        9: "more than half|trees (487 ha, 52 %)",
        10: "snow appears (4.3 %)",
        11: "no more snow",
        12: "mostly snow and ice (637 ha, 68 %), then crops (156 ha, 17 %)",
    },
    "zh": {
        1: "所见地面几乎全部为冰雪（918 公顷，98 %）",
        2: "所见地面几乎全部为冰雪",
        3: "类型混杂：冰雪",
        4: "以农作物",
        5: "以农作物",
        6: "合计",
        7: "树木（468 公顷，50 %）和农作物",
        8: "大致相等",
        9: "树木（487 公顷，52 %）",
        10: "出现积雪（4.3 %）",
        11: "积雪消失",
        12: "以冰雪（637 公顷，68 %）为主，其次是农作物（156 公顷，17 %）",
    },
}


YEAR = {"en": "2.2 % of the composite, but 27 %", "zh": "占合成图的 2.2 %，但按各月平均占区域的 27 %"}
AMOUNT = r"([\d,.]+) (ha|公顷|%)"


def says(text: str, wanted: str) -> bool:
    """Whether these words stand in a text, with amounts as near as those of the published analysis have to be."""
    amounts = re.findall(AMOUNT, wanted)
    words = re.split(AMOUNT, wanted)[::3]
    found = re.search(AMOUNT.join(re.escape(part) for part in words), text)
    return found is not None and all(
        points(*given) == pytest.approx(points(*one), abs=0.5 if "." in one[0] else 1.0)
        for given, one in zip(zip(*[iter(found.groups())] * 2, strict=True), amounts, strict=True)
    )


def points(number: str, unit: str) -> float:
    """Percent of the sample's 937 ha."""
    value = float(number.replace(",", ""))
    return value if unit == "%" else value / 9.366


@pytest.fixture(scope="module")
def reports(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sample year's report in every form."""
    folder = tmp_path_factory.mktemp("reports")
    made = {
        name: folder / name
        for name in ("en.html", "zh.html", "report.csv", "report.json", "report.png", "report.gpkg", "report.xlsx")
    }
    with opened(demo.out) as found:
        for name, path in made.items():
            form = ReportForm(path.suffix.removeprefix("."))
            language = Language.ZH if name.startswith("zh") else Language.EN
            render_report(found.warehouse, "songnen-sample", 2021, path, language, form)
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
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator(".months image").count() == 12
    first = page.locator("svg.drawn").first.bounding_box()
    assert first, "a map is the first picture"
    assert first["y"] + first["height"] * 0.6 < options["viewport"]["height"], "and lies within the first screen"
    assert page.locator("svg:not([aria-label]):not([aria-hidden]), img:not([alt])").count() == 0
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"report-{language}-{view}.png", full_page=True)
    page.close()


def test_nothing_is_hidden_to_the_right_at_any_width(browser: Browser, reports: dict[str, Path], demo: Demo) -> None:
    for path in (reports["en.html"], reports["zh.html"], demo.out / "report.html"):
        page, _, _ = open_page(browser, path)
        for width in (360, 390, 480, 600, 720, 760, 761, 820, 960, 1100, 1280, 1440, 1600):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(HIDDEN) == [], width
        page.close()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_says_what_the_published_analysis_says(browser: Browser, reports: dict[str, Path], language: str) -> None:
    page, _, _ = open_page(browser, reports[f"{language}.html"])
    sentences = [text.replace("\u00a0", " ") for text in page.locator(".months .sentence").all_inner_texts()]
    assert len(sentences) == 12
    for month, wanted in STATEMENTS[language].items():
        assert any(says(sentences[month - 1], part) for part in wanted.split("|")), sentences[month - 1]
    assert says(page.locator("#sure p").first.inner_text().replace("\u00a0", " "), YEAR[language])
    page.close()


def test_it_says_the_same_without_its_script(browser: Browser, reports: dict[str, Path]) -> None:
    plain = browser.new_context(java_script_enabled=False)
    with_script, _, _ = open_page(browser, reports["en.html"])
    without = plain.new_page()
    without.goto(reports["en.html"].as_uri())
    for part in ("header", ".strip", ".legend", ".months", "#sure", "#numbers", "#origin"):
        assert without.locator(part).inner_text() == with_script.locator(part).inner_text(), part
    assert not without.locator("#viewer").is_visible(), "no control that does nothing"
    plain.close()
    with_script.close()


# Text whose contrast with what is painted behind it is below 4.5 to 1 (WCAG 2.2, 1.4.3); boxes are opaque or clear.
FAINT = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = colour => { const [r, g, b] = parts(colour).map(channel); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const clear = colour => parts(colour)[3] === 0;
  const faint = [];
  for (const e of document.querySelectorAll("body *")) {
    const text = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!text || e.ownerSVGElement || e.closest("script, style, option") || !e.getClientRects().length) continue;
    let behind = e;
    while (behind.parentElement && clear(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    const ground = getComputedStyle(behind).backgroundColor;
    if (parts(ground).length === 4 && !clear(ground)) continue;
    const [a, b] = [luminance(getComputedStyle(e).color), luminance(clear(ground) ? "rgb(255, 255, 255)" : ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)} ${e.textContent.slice(0, 30)}`);
  }
  return faint;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(browser: Browser, reports: dict[str, Path], scheme: Any) -> None:
    page, _, _ = open_page(browser, reports["en.html"], color_scheme=scheme)
    assert page.evaluate(FAINT) == []
    page.add_style_tag(content=".note { color: #999 }")
    assert page.evaluate(FAINT) or scheme == "dark", "grey on white is found"
    page.close()


def picture(page: Page, name: str) -> str:
    return str(page.locator(f"#{name}").get_attribute("href"))


def test_a_slider_shows_each_month_and_two_are_swiped_by_keyboard_and_pointer(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page, errors, _ = open_page(browser, reports["en.html"], viewport={"width": 1200, "height": 900})
    page.locator("#period").focus()
    assert page.locator("#shown").inner_text() == "July"
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.locator("#shown").inner_text() == "December"
    assert "mostly snow and ice" in page.locator("#says").inner_text()
    assert picture(page, "left") == picture(page, "map12")
    assert not page.locator("#swiper").is_visible()
    page.locator("#with").select_option("7")
    assert picture(page, "other") == picture(page, "map7")
    assert page.locator("#sides").inner_text() == "December | July"
    page.locator("#swipe").focus()
    page.keyboard.press("End")
    stage = page.locator(".stage").bounding_box()
    assert stage
    before = float(str(page.locator("#curtain").get_attribute("x")))
    page.mouse.click(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    middle = float(str(page.locator("#curtain").get_attribute("x")))
    width = float(str(page.locator("#left").get_attribute("width")))
    assert before == pytest.approx(width + 6)
    assert middle == pytest.approx(width / 2, abs=2)
    page.locator(".column").nth(2).click()
    assert page.locator("#shown").inner_text() == "March"
    assert errors == []
    page.close()


def test_one_class_alone_is_shown_on_every_map_and_in_the_bars(browser: Browser, reports: dict[str, Path]) -> None:
    page, errors, _ = open_page(browser, reports["en.html"])
    whole = picture(page, "map7")
    trees = page.locator('.legend tr[data-class="1"] button')
    trees.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("href => document.getElementById('map7').getAttribute('href') !== href", arg=whole)
    assert page.locator('.legend tr[data-class="1"]').get_attribute("aria-pressed") == "true"
    assert page.locator(".stack i.on").count() == page.locator(".stack i.c1").count() > 0
    page.keyboard.press("Enter")
    page.wait_for_function("href => document.getElementById('map7').getAttribute('href') === href", arg=whole)
    assert page.locator("html.only").count() == 0
    assert errors == []
    page.close()


def test_all_years_are_one_page(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "history.html"
    common = ["report", "--aoi", "songnen-sample", "--warehouse", str(demo.out)]
    refused = CliRunner().invoke(app, [*common, "--out", str(tmp_path / "x.csv"), "--format", "csv"])
    assert isinstance(refused.exception, UserInputError)
    done = CliRunner().invoke(app, [*common, "--out", str(path)])
    assert done.exit_code == 0, done.output
    page, errors, outside = open_page(browser, path, viewport={"width": 1200, "height": 900})
    assert (errors, outside) == ([], [])
    check_flows(path.read_text(encoding="utf-8"), demo.table("transitions.csv", None), 2020, 2022)
    years = sorted({row["year"] for row in demo.table("annual_summary.csv", None)})
    assert [
        str(key) for key in page.locator("tr[data-period]").evaluate_all("all => all.map(e => e.dataset.period)")
    ] == years
    assert page.locator(".months image").count() == len(years)
    for width in (360, 760, 1000, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(HIDDEN) == [], width
    page.close()


def test_page_csv_json_and_tables_agree(browser: Browser, reports: dict[str, Path], demo: Demo) -> None:
    page, _, _ = open_page(browser, reports["en.html"])
    table: dict[str, list[str]] = {}
    for row in page.locator("tr[data-period]").all():
        cells = row.locator("td[data-class]").all()
        assert [cell.get_attribute("data-class") for cell in cells] == [str(c) for c in range(9)]
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
        area_ha, *percents = table[period][class_id].split("|")
        assert float(area_ha.replace(",", "")) == pytest.approx(float(row["composite_area_m2"]) / 10_000, abs=0.5)
        assert percents == [f"{float(row[c]) * 100:.1f}" for c in ("composite_share", "mean_share")]


def test_the_picture_is_a_picture(reports: dict[str, Path]) -> None:
    assert reports["report.png"].read_bytes().startswith(b"\x89PNG")
    assert len(reports["report.png"].read_bytes()) > 50_000


def test_every_form_names_whom_to_name(reports: dict[str, Path]) -> None:
    words = "This dataset is produced for the Dynamic World Project by Google"
    with reports["report.csv"].open(newline="", encoding="utf-8") as file:
        assert all(row["attribution"].startswith(words) for row in csv.DictReader(file))
    assert json.loads(reports["report.json"].read_text(encoding="utf-8"))["attribution"].startswith(words)
    with zipfile.ZipFile(reports["report.xlsx"]) as book:
        assert words in book.read("xl/sharedStrings.xml").decode()
    with sqlite3.connect(reports["report.gpkg"]) as database:
        assert str(database.execute("SELECT attribution FROM area").fetchone()[0]).startswith(words)
        assert str(database.execute("SELECT value FROM about WHERE name = 'attribution'").fetchone()[0]).startswith(
            words
        )


def test_geopackage_and_workbook_hold_the_table(reports: dict[str, Path]) -> None:
    """The GeoPackage as SQLite, the workbook as the XML that it is."""
    with reports["report.csv"].open(newline="", encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    with sqlite3.connect(reports["report.gpkg"]) as database:
        names = {row[0] for row in database.execute("SELECT table_name FROM gpkg_contents")}
        kept = database.execute(
            "SELECT period, class_id, composite_share FROM months UNION ALL SELECT period, class_id, composite_share FROM year"
        ).fetchall()
        (srs,) = database.execute("SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = 'area'").fetchone()
        area_ha, water_ha = database.execute("SELECT area_ha, water_ha FROM area").fetchone()
    assert {"area", "months", "year", "about"} <= names
    assert [(p, str(c), repr(s)) for p, c, s in kept] == [
        (r["period"], r["class_id"], r["composite_share"]) for r in expected
    ]
    assert srs == 4326
    assert water_ha == float(expected[-9]["composite_area_ha"])
    assert 900 < area_ha < 1000
    with zipfile.ZipFile(reports["report.xlsx"]) as book:
        sheets = re.findall(r'<sheet name="(\w+)"', book.read("xl/workbook.xml").decode())
        months = book.read(f"xl/worksheets/sheet{sheets.index('months') + 1}.xml").decode()
    assert sheets[:3] == ["about", "months", "year"]
    numbers = {float(value) for value in re.findall(r"<v>([\d.eE+-]+)</v>", months)}
    assert {float(f"{float(r['composite_share']):.16g}") for r in expected[:-9]} <= numbers, "GDAL writes 16 digits"


def test_it_prints_on_four_pages_with_every_class(browser: Browser, reports: dict[str, Path], demo: Demo) -> None:
    for path in (reports["en.html"], reports["zh.html"], demo.out / "report.html"):
        page, _, _ = open_page(browser, path, viewport={"width": 703, "height": 1032})
        page.emulate_media(media="print")
        assert page.evaluate(HIDDEN) == [], "703 px is A4 less its margins"
        for part in page.locator("#numbers th, #numbers td, .legend th, .strip").all():
            assert part.is_visible()
        made = page.pdf(prefer_css_page_size=True)
        assert 1 < len(re.findall(rb"/Type\s*/Page\b", made)) <= 4
        page.close()


def test_all_data_are_in_the_page(browser: Browser, reports: dict[str, Path]) -> None:
    page, _, _ = open_page(browser, reports["en.html"])
    for link in page.locator("a[download]").all():
        kind, text = str(link.get_attribute("href")).split(";base64,")
        held = base64.b64decode(text).decode()
        assert held == reports["report.csv" if "csv" in kind else "report.json"].read_text(encoding="utf-8")
    assert page.locator("a[download]").count() == 2
    page.close()
