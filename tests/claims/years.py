"""Whether what is said of a year, and of what became what between two, is so."""

import html
import re

import pytest

from tests.claims.months import check_composition
from tests.claims.reading import WORDS, agrees, hectares, is_area, plain, shares


def check_first_screen(page: str, annual: list[dict[str, str]], area_ha: float) -> None:
    """Headline, facts and legend are the year's."""
    of, areas_ha = shares(annual), hectares(annual)
    assert of is not None
    headline = plain(re.findall(r"<h1>(.*?)</h1>", page, re.S)[0])
    named = re.findall(r"([\d,.]+) ha of ([a-z ]+?)(?=,| and | in )", headline)
    order = sorted(range(9), key=lambda c: -of[c])
    for (area, word), class_id in zip(named, order, strict=False):
        assert word == WORDS[class_id]
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
    pairs: dict[tuple[int, int], dict[tuple[int, int], tuple[float, float]]] = {}
    for row in transitions:
        years = pairs.setdefault((int(row["from_period"]), int(row["to_period"])), {})
        cell = float(row["mapped_area_m2"]) / 10_000, float(row["supported_area_m2"]) / 10_000
        years[int(row["from_class_id"]), int(row["to_class_id"])] = cell
    cells = pairs[from_year, to_year]
    seen_ha = sum(mapped for mapped, _ in cells.values())
    changed = {pair: cell for pair, cell in cells.items() if pair[0] != pair[1] and cell[0] > 0}
    order = sorted(changed, key=lambda pair: (-changed[pair][1], -changed[pair][0]))

    said = plain(section)
    assert f"From {from_year} to {to_year}: what became what" in said
    ((area, percent),) = re.findall(r"The two maps differ on ([\d,.]+) ha, ([\d.]+ %) of what was seen in both", said)
    differs_ha = sum(mapped for mapped, _ in changed.values())
    assert is_area(area, differs_ha)
    assert agrees(percent, differs_ha / seen_ha)
    supported = [pair for pair in order if changed[pair][1] > 0]
    if supported:
        ((total, named),) = re.findall(
            r"Supported change, in patches .*? moved as well: ([\d,.]+) ha, most of all (.*?) ha\.", said
        )
        assert is_area(total, sum(changed[pair][1] for pair in supported))
        for text, (was, became) in zip(re.split(r" ha(?:, | and )", named), supported, strict=False):
            assert text.startswith(f"{WORDS[was]} → {WORDS[became]} ")
            assert is_area(text.rsplit(" ", 1)[1], changed[was, became][1])
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
            assert area_ha < 0.01 if text.startswith("<") else is_area(text, area_ha), (pair, text, area_ha)
    others = re.findall(r'<th scope="row">all others</th><td>([\d,.]+)</td>', body)
    assert bool(others) == (len(order) > 10)
    assert all(is_area(text, sum(changed[pair][0] for pair in order[10:])) for text in others)

    # a ribbon is as thick as its part of all ground, of 220 units; a hair is not drawn
    ribbons = re.findall(r'd="M14 \S+?C[^v]*v([\d.]+)C.*?<title>(.*?) → (.*?) ([\d,.]+)\s*ha</title>', section)
    drawn = {(WORDS.index(was), WORDS.index(became)): float(thick) for thick, was, became, _ in ribbons}
    assert drawn.keys() == {pair for pair, (mapped, _) in cells.items() if mapped / seen_ha * 220 >= 0.4}
    assert all(thick == pytest.approx(cells[pair][0] / seen_ha * 220, abs=0.051) for pair, thick in drawn.items())
