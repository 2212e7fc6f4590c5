"""Whether what is said of the months of a year is so."""

import re

import pytest

from tests.claims.reading import WORDS, agrees, hectares, shares

SNOW = 8
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")  # fmt: skip
AMOUNT = re.compile(r"([a-z][a-z ]*?) \(([\d,.]+) ha, ([<>]? ?[\d.]+ %)\)")


def check_composition(sentence: str, of: list[float], areas_ha: list[float], margin: float = 0.0) -> None:
    """Each amount is its class's, the classes named are the largest in their order, and the word fits the shares, but for
    a margin in which the word of the month before stays.
    """
    amounts = AMOUNT.findall(sentence)
    assert amounts, sentence
    order = sorted(range(9), key=lambda c: -of[c])
    for rank, (before, area, percent) in enumerate(amounts):
        named = order[rank]
        ties = [c for c in range(9) if abs(of[c] - of[named]) < 1e-9]
        (class_id,) = [c for c in ties if before.endswith(WORDS[c])]
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
                    expected[WORDS[c]] = round(moves[0] * 100)
        said = re.search(r"; (since [^;]*?)[;.]", sentence)
        assert bool(said) == bool(expected), (sentence, expected)
        if said is not None and last is not None:
            check_since(said[1], expected, last[0])
        told = WORDS[SNOW] in expected
        snow = min(now[SNOW], settled[SNOW])
        snow_before = min(last[1][SNOW], last[3][SNOW]) if last is not None else snow
        appears = not told and snow_before < 0.04 <= snow
        gone = not told and snow < 0.04 <= snow_before
        assert ("snow appears" in sentence) == appears, sentence
        assert ("no more snow" in sentence) == gone, sentence
        last = name, now, seen, settled, views
