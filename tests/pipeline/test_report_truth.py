"""What reports say, claim by claim, against the CSV files: a tropical area, one that is half unseen, a year without data,
and the demo. ``tests/claims`` computes what is expected, with nothing of the report's code.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from pyproj import Transformer
from shapely import box
from shapely.geometry import mapping

from local.report.making import render_history, render_report
from local.runs.outputs import write_csv
from local.runs.steps import day_after
from shared.messages.bodies import Tick
from tests.claims.months import SNOW, check_composition, check_months
from tests.claims.reading import WORDS, agrees, hectares, month_sentences, plain, shares, table, without_tables
from tests.claims.years import check_first_screen, check_flows
from tests.pipeline.conftest import Demo
from tests.scenes import write_scene
from tests.stacks import feature, register, settle, start_stack

CRS, ORIGIN, SIZE = "EPSG:32721", (500_000.0, 9_400_000.0), 100
SEEN = {1: 2, 2: 2, 3: 3, 4: 2, 5: 2, 6: 2, 9: 1}
CLOUDY = [(2021, 7, 4), (2021, 7, 14), (2021, 8, 4), *((2022, month, 4) for month in range(1, 13))]


class Written(NamedTuple):
    """The pages, by AOI and year (0: all years), and the tables beside them."""

    pages: dict[tuple[str, int], str]
    monthly: list[dict[str, str]]
    annual: list[dict[str, str]]
    observations: list[dict[str, str]]
    area_ha: dict[str, float]


def land(month: int) -> np.ndarray:
    """Forest with a river and fields; from June on a quarter of it is bare."""
    labels = np.full((SIZE, SIZE), 1)
    labels[:, 40:44], labels[60:75, 50:90] = 0, 4
    if month >= 6:
        labels[:50, 50:] = 7
    return labels


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    folder = tmp_path_factory.mktemp("tropics")
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform
    west, north = ORIGIN
    corners = [to_degrees(x, y) for x, y in ((west + 200, north - 800), (west + 800, north - 200))]
    inside = box(corners[0][0], corners[0][1], corners[1][0], corners[1][1])
    half = box(2 * corners[0][0] - corners[1][0] - 0.0018, corners[0][1], corners[1][0], corners[1][1])
    with start_stack(folder) as stack:
        random = np.random.default_rng(5)
        for month, views in SEEN.items():
            for view in range(views):
                stamp = f"2021{month:02d}{4 + 10 * view:02d}T140051"
                hidden = random.random((10, 10)).repeat(10, 0).repeat(10, 1) < 0.2
                write_scene(
                    folder / "scenes",
                    f"{stamp}_{stamp}_T21MWN",
                    crs=CRS,
                    origin=ORIGIN,
                    labels=land(month),
                    hidden=hidden,
                )
        write_passes(folder / "scenes" / "passes.geojson", half)
        areas = {"tropical": inside, "half": half}
        answers = register(
            stack, *(feature(name, dict(mapping(area)), backfill_start="2021-01-01") for name, area in areas.items())
        )
        stack.tick("composite")
        settle(stack)
        for year, month, day in CLOUDY:
            stack.publish_tick(Tick(job="record-passes", day=date(year, month, day)))
        settle(stack)
        stack.summarise(day_after(date(2022, 12, 31)))
        write_csv(stack.warehouse, folder)
        pages = {}
        for name, year in (("tropical", 2021), ("half", 2021), ("tropical", 2022)):
            path = folder / f"{name}-{year}.html"
            render_report(stack.warehouse, name, year, path)
            pages[name, year] = path.read_text(encoding="utf-8")
        render_history(stack.warehouse, "tropical", folder / "history.html")
        pages["tropical", 0] = (folder / "history.html").read_text(encoding="utf-8")
    yield Written(
        pages,
        table(folder / "monthly_summary.csv"),
        table(folder / "annual_summary.csv"),
        table(folder / "observations.csv"),
        {answer["aoi_id"]: answer["area_m2"] / 10_000 for answer in answers},
    )


def write_passes(path: Path, area: Any) -> None:
    features = [
        {
            "type": "Feature",
            "id": f"{year}{month:02d}{day:02d}T140051_{year}{month:02d}{day:02d}T140051_T21MWN",
            "properties": {"CLOUDY_PIXEL_PERCENTAGE": 90.0},
            "geometry": mapping(area.buffer(0.05)),
        }
        for year, month, day in CLOUDY
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def of_area(rows: list[dict[str, str]], aoi_id: str, **match: str) -> list[dict[str, str]]:
    return [r for r in rows if r["aoi_id"] == aoi_id and all(r[name] == value for name, value in match.items())]


def check_area_months(written: Written, name: str) -> None:
    monthly, observations = of_area(written.monthly, name), of_area(written.observations, name)
    check_months(month_sentences(written.pages[name, 2021]), monthly, observations, written.area_ha[name], 2021)


def test_the_demo(demo: Demo) -> None:
    observations = demo.table("observations.csv")
    area_ha = float(observations[0]["aoi_area_m2"]) / 10_000
    check_months(month_sentences(demo.page), demo.table("monthly_summary.csv"), observations, area_ha, 2021)
    check_first_screen(demo.page, demo.table("annual_summary.csv"), area_ha)
    (said,) = re.findall(r"([\d.]+ %) of the composite, but (\d+ %) of the area", plain(demo.page))
    snow = [demo.annual(column)[SNOW] / 100 for column in ("composite_share", "mean_share")]
    assert all(agrees(text, share) for text, share in zip(said, snow, strict=True)), "they differ by snow"
    (named,) = re.findall(r"within so many points of the mean: (.*?)\. That", without_tables(demo.page))
    spread = dict(re.findall(r"([a-z ]+?) (\d+\.\d)(?:, | and |$)", named))
    there = [name for name, share in zip(WORDS, demo.annual("mean_share"), strict=True) if share >= 1]
    assert spread.keys() == set(there)
    assert all(0 < float(points) < 10 for points in spread.values())


def test_what_became_what_in_the_demo(demo: Demo) -> None:
    transitions = demo.table("transitions.csv", None)
    check_flows(demo.page, transitions, 2020, 2021)
    check_flows((demo.out / "report.html").read_text(encoding="utf-8"), transitions, 2021, 2022)


def test_a_tropical_area_says_nothing_of_snow(written: Written) -> None:
    page = written.pages["tropical", 2021]
    check_area_months(written, "tropical")
    check_first_screen(page, of_area(written.annual, "tropical", year="2021"), written.area_ha["tropical"])
    assert "snow" not in without_tables(page).lower()
    assert "Brazil" in page
    assert re.search(r"since May, bare gained \d+ points, while trees lost \d+ points", plain(page))
    assert month_sentences(page)[8].endswith("; a thin month, of one view.")


def test_an_area_half_unseen_says_so_beside_each_number(written: Written) -> None:
    page = written.pages["half", 2021]
    annual = of_area(written.annual, "half", year="2021")
    check_area_months(written, "half")
    assert all("a thin month" in sentence for sentence in month_sentences(page)[:6])
    check_first_screen(page, annual, written.area_ha["half"])
    seen = sum(hectares(annual)) / written.area_ha["half"]
    assert 0.3 < seen < 0.7
    assert f"only {seen * 100:.0f} % of the area was seen" in plain(page)
    assert plain(page).count(f"on the {seen * 100:.0f} % of the area that was seen") == 1, "in the headline"
    hatched = float(re.findall(r'<i class="unseen" style="flex-grow: ([\d.]+)"', page)[0])
    january = of_area(written.monthly, "half", month="2021-01-01")
    assert hatched == pytest.approx(100 - sum(hectares(january)) / written.area_ha["half"] * 100, abs=0.01)


def test_a_month_or_year_without_data_gives_its_reason(written: Written) -> None:
    sentences = month_sentences(written.pages["tropical", 2021])
    assert sentences[6] == "July: no usable view (2 passes: 2 too cloudy for an image)."
    assert sentences[7] == "August: no usable view (1 pass: 1 too cloudy for an image)."
    assert sentences[9] == "October: no usable view (no pass of a satellite is known)."
    page = written.pages["tropical", 2022]
    assert "<h1>Nothing was seen in 2022</h1>" in page
    assert "No usable view: 12 passes: 12 too cloudy for an image." in plain(page)
    assert all("no usable view (1 pass: 1 too cloudy for an image)" in s for s in month_sentences(page))
    text = without_tables(page)
    assert "No map: no image of 2022 is at hand." in text
    assert "snow" not in text.lower()
    assert "not at hand" not in text.replace("No map: no image of 2022 is at hand", "")


def test_the_page_of_all_years(written: Written) -> None:
    page = written.pages["tropical", 0]
    annual = of_area(written.annual, "tropical", year="2021")
    first, second = month_sentences(page)
    of = shares(annual)
    assert of
    check_composition(first.replace("2021", "In the year"), of, hectares(annual))
    assert "from 7 of 12 months" in first
    assert second == "2022: no usable view (nothing in the summaries)."
    assert "snow" not in without_tables(page).lower()
    rows = dict(re.findall(r'<tr data-period="(\d{4})".*?</th>.*?(<td data-class.*?)</tr>', page, re.S))
    assert rows.keys() == {"2021"}, "a year without data has a reason in place of numbers"
    table_ha = [
        float(cell.replace(",", "")) for cell in re.findall(r"<td data-class[^>]*>([\d,.]+)<small>", rows["2021"])
    ]
    assert table_ha == pytest.approx(hectares(annual), abs=0.051)
