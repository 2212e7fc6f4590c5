"""What a page says, in plain words, and what the CSV files hold: read without any of the report's code."""

import csv
import html
import re
from pathlib import Path

import pytest

from tests.scenes import CLASS_NAMES

WORDS = [name.replace("_", " ") for name in CLASS_NAMES]


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


def is_area(text: str, area_ha: float) -> bool:
    """Whether hectares are an area, to half a percent or half of the last digit."""
    last_digit = 10.0 ** -len(text.partition(".")[2])
    return float(text.replace(",", "")) == pytest.approx(area_ha, rel=0.0051, abs=0.51 * last_digit)
