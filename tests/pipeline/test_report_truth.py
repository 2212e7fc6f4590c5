"""What reports say, claim by claim, against the CSV files: a tropical area, one that is half unseen, a year without data,
and the demo. Nothing of the report's code is used to compute what is expected.
"""

import csv
import html
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
from tests.pipeline.conftest import Demo
from tests.scenes import CLASS_NAMES, write_scene
from tests.stacks import feature, register, settle, start_stack

CRS, ORIGIN, SIZE = "EPSG:32721", (500_000.0, 9_400_000.0), 100
SNOW = 8
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")  # fmt: skip
AMOUNT = re.compile(r"([a-z][a-z ]*?) \(([\d,.]+) ha, ([<>]? ?[\d.]+ %)\)")
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


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", text)))


def month_sentences(page: str) -> list[str]:
    return [plain(found) for found in re.findall(r'<span class="sentence">(.*?)</span>', page, re.S)]


def without_tables(page: str) -> str:
    """What is said, labels of pictures included, but for tables, styles, scripts and what can be downloaded."""
    body = page[page.index("<body>") :]
    for part in ("table", "script", "style"):
        body = re.sub(rf"<{part}\b.*?</{part}>", " ", body, flags=re.S)
    labels = re.findall(r'(?:aria-label|title|alt)="([^"]*)"', body)
    return plain(re.sub(r'="[^"]*"', "", body)) + " ".join(map(html.unescape, labels))


def shares(rows: list[dict[str, str]], column: str = "composite_share") -> list[float] | None:
    """Composite shares by class value; None where nothing was seen."""
    by_class = sorted(rows, key=lambda row: int(row["class_id"]))
    assert len(by_class) == 9
    return None if by_class[0][column] == "" else [float(row[column]) for row in by_class]


def hectares(rows: list[dict[str, str]]) -> list[float]:
    return [float(row["composite_area_m2"]) / 10_000 for row in sorted(rows, key=lambda row: int(row["class_id"]))]


def agrees(text: str, share: float) -> bool:
    """Whether a percentage is a share, rounded as its digits say."""
    number = float(re.sub(r"[^\d.]", "", text))
    if text.startswith("<"):
        return 0 < share * 100 < number
    if text.startswith(">"):
        return number < share * 100 < 100
    return abs(share * 100 - number) <= (0.0501 if "." in text else 0.501)


def check_composition(sentence: str, of: list[float], areas_ha: list[float], margin: float = 0.0) -> None:
    """Each amount is its class's, the classes named are the largest in their order, and the word fits the shares, but for
    a margin in which the word of the month before stays.
    """
    amounts = AMOUNT.findall(sentence)
    assert amounts, sentence
    order = sorted(range(9), key=lambda c: -of[c])
    words = [name.replace("_", " ") for name in CLASS_NAMES]
    for rank, (before, area, percent) in enumerate(amounts):
        named = order[rank]
        ties = [c for c in range(9) if abs(of[c] - of[named]) < 1e-9]
        (class_id,) = [c for c in ties if before.endswith(words[c])]
        assert agrees(percent, of[class_id]), (sentence, of)
        assert float(area.replace(",", "")) == pytest.approx(areas_ha[class_id], rel=0.0051, abs=0.051), sentence
    first, second = of[order[0]], of[order[1]]
    lead = {
        "all of the ground seen is": second == 0,
        "almost all of the ground seen is": first >= 0.95 - margin and second > 0,
        "mostly": 0.6 - margin <= first < 0.95,
        "are about equal": first < 0.6 + margin and first + second >= 0.8 - margin and first - second < 0.05,
        "together": first < 0.6 + margin and first + second >= 0.8 - margin,
        "more than half": 0.5 <= first < 0.6 + margin and first + second < 0.8 + margin,
        "mixed:": first < 0.5 + margin and first + second < 0.8 + margin,
    }
    said = next(word for word in lead if re.search(rf"(?<!almost ){word}", sentence))
    assert lead[said], (sentence, of)
    if together := re.search(r"have (\d+ %) together", sentence):
        assert agrees(together[1], first + second)


def coverages(observations: list[dict[str, str]], month: str) -> list[float]:
    """What each view of a month that counts saw of the area: the network's only where Dynamic World has fewer than two."""
    usable: dict[str, list[float]] = {"dynamic_world": [], "network": []}
    for row in observations:
        if row["class_id"] == "0" and row["acquired_at"].startswith(month) and float(row["coverage"]) >= 0.2:
            usable[row["source"]].append(float(row["coverage"]))
    return usable["dynamic_world"] + (usable["network"] if len(usable["dynamic_world"]) < 2 else [])


def check_thin(sentence: str, seen_by: list[float], seen: float) -> None:
    """Less than 0.7 of the area seen, or less than one and a half whole views (Kish), is said to be thin."""
    whole_views = sum(seen_by) ** 2 / sum(share**2 for share in seen_by)
    thin = max(seen, *seen_by) < 0.7 or round(whole_views, 1) < 1.5
    said = re.search(r"a thin month, of (one view|(\d+) views)", sentence)
    assert bool(said) == thin, (sentence, seen_by, seen)
    assert said is None or int(said[2] or 1) == len(seen_by), sentence


def check_since(said: str, expected: dict[str, int], then: str) -> None:
    """``since May, crops gained 20 points and trees 20, while snow and ice lost 50 points``: nothing else, nothing more."""
    found: dict[str, int] = {}
    month, _, clauses = said.removeprefix("since ").partition(", ")
    assert month == then
    for clause in clauses.split(", while "):
        (sign,) = [sign for verb, sign in (("gained", 1), ("lost", -1)) if f" {verb} " in clause]
        words = re.sub(r" (?:gained|lost) (\d+) points", r" \1", clause)
        found |= {name: sign * int(n) for name, n in re.findall(r"([a-z][a-z ]*?) (\d+)(?:, | and |$)", words)}
    assert found == expected, said


def check_months(
    sentences: list[str],
    monthly: list[dict[str, str]],
    observations: list[dict[str, str]],
    area_ha: float,
    year: int,
) -> None:
    """Every claim of the twelve sentences of a year."""
    assert len(sentences) == 12
    words = [name.replace("_", " ") for name in CLASS_NAMES]
    last: tuple[str, list[float], float, list[float], float] | None = None
    for name, number, sentence in zip(MONTHS, range(1, 13), sentences, strict=True):
        assert sentence.startswith(f"{name}: ")
        rows = [row for row in monthly if row["month"] == f"{year}-{number:02d}-01"]
        now = shares(rows) if rows else None
        assert ("no usable view" in sentence) == (now is None), sentence
        if now is None:
            continue
        seen = sum(hectares(rows)) / area_ha
        check_composition(sentence.split("; since")[0], now, hectares(rows), margin=0.05)
        check_thin(sentence, coverages(observations, f"{year}-{number:02d}"), seen)
        only = re.search(r"only (\d+ %) of the area was seen", sentence)
        assert bool(only) == (seen < 0.95), (sentence, seen)
        assert only is None or agrees(only[1], seen)
        settled, views = shares(rows, "settled_share"), float(rows[0]["effective_views"])
        assert settled is not None
        expected: dict[str, int] = {}
        if last is not None and seen + last[2] - 1 >= 0.8 - 1e-4 and min(views, last[4]) >= 1.95:
            for c in range(9):
                moves = now[c] - last[1][c], settled[c] - last[3][c]
                if min(moves) >= 0.1 or max(moves) <= -0.1:
                    expected[words[c]] = round(moves[0] * 100)
        said = re.search(r"; (since [^;]*?)[;.]", sentence)
        assert bool(said) == bool(expected), (sentence, expected)
        if said is not None and last is not None:
            check_since(said[1], expected, last[0])
        told = words[SNOW] in expected
        snow = min(now[SNOW], settled[SNOW])
        snow_before = min(last[1][SNOW], last[3][SNOW]) if last is not None else snow
        appears = not told and snow_before < 0.04 <= snow
        gone = not told and snow < 0.04 <= snow_before
        assert ("snow appears" in sentence) == appears, sentence
        assert ("no more snow" in sentence) == gone, sentence
        last = name, now, seen, settled, views


def check_first_screen(page: str, annual: list[dict[str, str]], area_ha: float) -> None:
    """Headline, facts and legend are the year's."""
    of, areas_ha = shares(annual), hectares(annual)
    assert of is not None
    headline = plain(re.findall(r"<h1>(.*?)</h1>", page, re.S)[0])
    named = re.findall(r"([\d,.]+) ha of ([a-z ]+?)(?=,| and | in )", headline)
    order = sorted(range(9), key=lambda c: -of[c])
    for (area, word), class_id in zip(named, order, strict=False):
        assert word == CLASS_NAMES[class_id].replace("_", " ")
        assert float(area.replace(",", "")) == pytest.approx(areas_ha[class_id], rel=0.0051, abs=0.051)
    assert sum(of[c] for c in order[: len(named)]) >= 0.8 or len(named) == 3
    facts = plain(re.findall(r'<ul class="facts">(.*?)</ul>', page, re.S)[0])
    months, seen, views = re.findall(
        r"(\d+) of 12 months seen ([<>]? ?[\d.]+ %) of the area seen (\d+) usable views", facts
    )[0]
    assert (months, views) == (annual[0]["months_observed"], annual[0]["observation_count"])
    assert agrees(seen, sum(areas_ha) / area_ha)
    legend = re.findall(r'<tr data-class="(\d)">.*?<td>([\d,.]+|–)\s*ha</td><td>(.*?)</td>', page, re.S)
    assert [int(class_id) for class_id, _, _ in legend] == list(range(9))
    for class_id, area, percent in legend:
        assert float(area.replace(",", "")) == pytest.approx(areas_ha[int(class_id)], rel=0.0051, abs=0.051)
        assert agrees(html.unescape(percent), of[int(class_id)])
    year = [plain(line) for line in re.findall(r'<p class="below">(.*?)</p>', page, re.S)]
    check_composition(next(line for line in year if line.startswith("Over ")), of, areas_ha)


def check_flows(page: str, transitions: list[dict[str, str]], from_year: int, to_year: int) -> None:
    """Sentences, table and ribbons of what became what are those of transitions.csv."""
    section = re.findall(r'<section id="flows">(.*?)</section>', page, re.S)[0]
    words = [name.replace("_", " ") for name in CLASS_NAMES]
    pairs: dict[tuple[int, int], dict[tuple[int, int], tuple[float, float]]] = {}
    for row in transitions:
        years = pairs.setdefault((int(row["from_period"]), int(row["to_period"])), {})
        cell = float(row["mapped_area_m2"]) / 10_000, float(row["supported_area_m2"]) / 10_000
        years[int(row["from_class_id"]), int(row["to_class_id"])] = cell
    cells = pairs[from_year, to_year]
    seen_ha = sum(mapped for mapped, _ in cells.values())
    changed = {pair: cell for pair, cell in cells.items() if pair[0] != pair[1] and cell[0] > 0}
    order = sorted(changed, key=lambda pair: (-changed[pair][1], -changed[pair][0]))

    def near(text: str, area_ha: float) -> bool:
        last_digit = 10.0 ** -len(text.partition(".")[2])
        return float(text.replace(",", "")) == pytest.approx(area_ha, rel=0.0051, abs=0.51 * last_digit)

    said = plain(section)
    assert f"From {from_year} to {to_year}: what became what" in said
    ((area, percent),) = re.findall(r"The two maps differ on ([\d,.]+) ha, ([\d.]+ %) of what was seen in both", said)
    differs_ha = sum(mapped for mapped, _ in changed.values())
    assert near(area, differs_ha)
    assert agrees(percent, differs_ha / seen_ha)
    supported = [pair for pair in order if changed[pair][1] > 0]
    if supported:
        ((total, named),) = re.findall(
            r"Supported change, in patches .*? moved as well: ([\d,.]+) ha, most of all (.*?) ha\.", said
        )
        assert near(total, sum(changed[pair][1] for pair in supported))
        for text, (was, became) in zip(re.split(r" ha(?:, | and )", named), supported, strict=False):
            assert text.startswith(f"{words[was]} → {words[became]} ")
            assert near(text.rsplit(" ", 1)[1], changed[was, became][1])
    else:
        assert "No change between the two maps is supported" in said

    alike = min(
        (pair for pair in pairs if pair[1] == pair[0] + 1),
        key=lambda pair: (
            sum(c[0] for (a, b), c in pairs[pair].items() if a != b) / sum(c[0] for c in pairs[pair].values()),
            pair,
        ),
    )
    itself = alike == (from_year, to_year)
    assert (
        f"Of all years of this area, {alike[0]} and {alike[1]}" if itself else f"between {alike[0]} and {alike[1]}"
    ) in said
    body = section[section.index("<tbody>") :]
    found = re.findall(
        r'<tr><th scope="row"><span class="chip c(\d)">.*?<span class="chip c(\d)">(.*?)</tr>', body, re.S
    )
    assert [(int(was), int(became)) for was, became, _ in found] == order[:10]
    for was, became, rest in found:
        columns = [html.unescape(text) for text in re.findall(r"<td>(.*?)</td>", rest)]
        pair = int(was), int(became)
        expected = [*changed[pair], *([] if itself else [pairs[alike][pair][0]])]
        assert len(columns) == len(expected)
        for text, area_ha in zip(columns, expected, strict=True):
            assert area_ha < 0.01 if text.startswith("<") else near(text, area_ha), (pair, text, area_ha)
    others = re.findall(r'<th scope="row">all others</th><td>([\d,.]+)</td>', body)
    assert bool(others) == (len(order) > 10)
    assert all(near(text, sum(changed[pair][0] for pair in order[10:])) for text in others)

    # a ribbon is as thick as its part of all ground, of 220 units; a hair is not drawn
    ribbons = re.findall(r'd="M14 \S+?C[^v]*v([\d.]+)C.*?<title>(.*?) → (.*?) ([\d,.]+)\s*ha</title>', section)
    drawn = {(words.index(was), words.index(became)): float(thick) for thick, was, became, _ in ribbons}
    assert drawn.keys() == {pair for pair, (mapped, _) in cells.items() if mapped / seen_ha * 220 >= 0.4}
    assert all(thick == pytest.approx(cells[pair][0] / seen_ha * 220, abs=0.051) for pair, thick in drawn.items())


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
    there = [
        name.replace("_", " ") for name, share in zip(CLASS_NAMES, demo.annual("mean_share"), strict=True) if share >= 1
    ]
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
