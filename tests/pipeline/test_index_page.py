"""The page of many areas: small, sortable, right; and a few side by side."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser
from typer.testing import CliRunner

from local.cli import app
from local.report.choices import Language
from local.report.overview import AreaYear, write_comparison, write_index, year_bars
from shared.errors import UserInputError
from tests.pipeline.conftest import Demo


def made_up(count: int) -> list[AreaYear]:
    random = np.random.default_rng(1)
    areas = []
    for number in range(count):
        shares = random.dirichlet(np.ones(9), size=13)
        areas.append(
            AreaYear(
                aoi_id=f"a{number}",
                label=f"Estate {number} <b>",
                area_ha=float(random.uniform(1, 1000)),
                year=2021,
                months={month: tuple(map(float, shares[month])) for month in range(1, 13)},
                coverage={month: float(random.uniform(0.2, 1)) for month in range(1, 13)},
                annual=tuple(map(float, shares[0])),
                mean=tuple(map(float, shares[0])),
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
    by_trees = sorted(areas, key=lambda area: -(area.annual[1] or 0))
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
    thin = area._replace(months={1: (0.25, 0.75, 0, 0, 0, 0, 0, 0, 0)}, coverage={1: 0.5})
    assert year_bars(thin) == (
        '<svg viewBox="0 0 108 40" aria-hidden="true"><path class="c0" d="M2 30.0h4v10.0h-4z"/>'
        '<path class="c1" d="M2 0.0h4v30.0h-4z"/></svg>'
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
