"""The page of many areas: small, sortable, right; and a few side by side."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser
from typer.testing import CliRunner

from local.cli import app
from local.report.choices import Language
from local.report.judging import Seen
from local.report.overview import AreaYear, write_comparison, write_index, year_bars
from shared.errors import UserInputError
from tests.pipeline.conftest import HIDDEN, Demo


def made_up(count: int) -> list[AreaYear]:
    random = np.random.default_rng(1)
    areas = []
    for number in range(count):
        shares = random.dirichlet(np.ones(9), size=13)
        area_ha = float(random.uniform(1, 1000))
        seen = [
            Seen(tuple(map(float, of)), area_ha * share, share)
            for of, share in zip(shares, map(float, random.uniform(0.2, 1, 13)), strict=True)
        ]
        areas.append(
            AreaYear(
                aoi_id=f"a{number}",
                label=f"Estate {number} <b>",
                area_ha=area_ha,
                year=2021,
                months=dict(enumerate(seen[1:], 1)),
                annual=seen[0],
                mean=seen[0].by_class or (),
                changed_ha=None if number % 2 else float(number),
                overpasses=int(random.integers(10, 60)),
                months_observed=12,
            )
        )
    return areas


def test_a_thousand_areas_fit_in_five_megabytes_and_sort(tmp_path: Path, browser: Browser) -> None:
    areas = made_up(1000)
    path = tmp_path / "index.html"
    write_index(areas, path, Language.EN)
    assert path.stat().st_size < 5_000_000
    page = browser.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    first = page.locator("#areas tbody tr >> nth=0 >> th")
    trees = page.get_by_role("button", name="1 trees")
    trees.click()
    by_trees = sorted(areas, key=lambda area: -(area.annual.by_class or [0, 0])[1])
    assert first.inner_text() == by_trees[0].label
    trees.click()
    assert first.inner_text() == by_trees[-1].label
    page.get_by_role("button", name="area").click()
    assert first.inner_text() == "Estate 0 <b>"
    page.locator("#filter").fill("estate 77 ")
    assert page.locator("#areas tbody tr:visible").count() == 1
    assert errors == []
    page.close()


def test_a_small_chart_adds_up() -> None:
    (area,) = made_up(1)
    half = area._replace(months={1: Seen((0.245, 0.75, 0, 0.005, 0, 0, 0, 0, 0), 5.0, 0.5)})
    drawn = year_bars(half)
    assert re.findall(r'class="c(\d)" d="M0 ([\d.]+)h8v([\d.]+)h-8z"', drawn) == [
        ("0", "35.10", "4.90"),
        ("1", "20.10", "15.00"),
        ("3", "20.00", "0.10"),
    ], "half of the height, without a crack, however thin a class is"
    assert drawn.count("v40h-8z") == 12, "twelve frames of the whole area"


def test_an_index_links_the_reports_and_fits_every_width(tmp_path: Path, browser: Browser) -> None:
    areas = made_up(3)
    (tmp_path / "report-a1-2021.html").write_text("", encoding="utf-8")
    write_index(areas, tmp_path / "index.html", Language.EN, {("a0", 2021): "report.html"})
    page = browser.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    links = page.locator("tbody th a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert links == ["report.html", "report-a1-2021.html"]
    assert page.locator("h1").inner_text() == "Land cover of 3 areas in 2021"
    changed = page.locator("tbody tr td:nth-child(3)").all_inner_texts()
    assert changed == ["0", "–", "2.0"], "nothing changed is not the same as nobody can tell"
    write_comparison(areas, tmp_path / "compare.html", Language.EN)
    for name in ("index.html", "compare.html"):
        page.goto((tmp_path / name).as_uri())
        for width in (360, 480, 760, 1000, 1001, 1280, 1600):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(HIDDEN) == [], (name, width)
    page.close()


def test_one_area_is_one_area(tmp_path: Path) -> None:
    write_index(made_up(1), tmp_path / "index.html", Language.EN)
    assert "<h1>Land cover of one area in 2021</h1>" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_comparison_says_what_differs(tmp_path: Path) -> None:
    first, second = (
        area._replace(label=name, annual=Seen(shares, 100.0, 1.0))
        for area, name, shares in zip(
            made_up(2),
            ("A", "B"),
            ((0.0, 0.7, 0, 0, 0.3, 0, 0, 0, 0), (0.005, 0.5, 0, 0, 0.315, 0, 0.18, 0, 0)),
            strict=True,
        )
    )
    write_comparison([first, second], tmp_path / "c.html", Language.EN)
    text = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert "B against A, in points: trees −20 and built +18; what differs by less than three is left out." in text
    assert "−20.0 points" in text
    later = first._replace(year=2022)
    write_comparison([first, later], tmp_path / "years.html", Language.EN)
    assert "2022 against 2021: no class differs by three points or more." in (tmp_path / "years.html").read_text(
        "utf-8"
    )


def test_two_to_six_are_compared(tmp_path: Path) -> None:
    areas = made_up(7)
    write_comparison(areas[:6], tmp_path / "six.html", Language.ZH)
    text = (tmp_path / "six.html").read_text(encoding="utf-8")
    assert text.count("<figure") == 6
    assert "&lt;b&gt;" in text
    for count in (1, 7):
        with pytest.raises(UserInputError, match="two to 6"):
            write_comparison(areas[:count], tmp_path / "no.html", Language.EN)


def test_the_commands_read_the_warehouse(demo: Demo, tmp_path: Path) -> None:
    common = ["--warehouse", str(demo.out), "--year", "2021"]
    done = CliRunner().invoke(app, ["index", *common, "--out", str(tmp_path / "index.html")])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for share in demo.annual("composite_share"):
        assert f">{share:.1f}</td>" in page
    again = ["--aoi", "songnen-sample", "--year", "2021", "--out", str(tmp_path / "compare.html")]
    done = CliRunner().invoke(app, ["compare", *common, *again])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "compare.html").read_text(encoding="utf-8").count("<figure") == 2
