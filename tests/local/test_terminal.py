"""What a person at a terminal is shown: tables that fit it, and what the functions did."""

import io
import logging
from datetime import date
from typing import Any

from rich.console import Console

from local.runs.narrating import Narrator
from local.runs.outputs import monthly_table
from shared.classes import CLASSES


class _Warehouse:
    """The two queries of the table, with a year in which trees have all but a hundredth of what was seen."""

    def query(self, name: str, **_: Any) -> list[dict[str, Any]]:
        months = range(1, 13) if name == "report_year" else [1]
        return [self._row(date(2021, month, 1), c.class_id) for month in months for c in CLASSES]

    @staticmethod
    def _row(month: date, class_id: int) -> dict[str, Any]:
        share = {0: 0.004, 1: 0.996}.get(class_id, 0.0) if month.month != 3 else None
        views = 0 if share is None else 7
        cover = None if share is None else 1.0
        return {"month": month, "class_id": class_id, "composite_share": share, "mean_share": share,
                "observation_count": views, "mean_coverage": cover}  # fmt: skip


def _shown(width: int) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(monthly_table(_Warehouse(), "forest", 2021, width))  # type: ignore[arg-type]
    return console.export_text()


def test_no_number_is_cut_in_a_narrow_terminal() -> None:
    lines = _shown(80).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    row = {line.split()[0]: line.split() for line in lines if line.strip()}
    assert row["trees"][1:] == ["100", "100", "–", *["100"] * 9, "100"]
    assert row["water"][1:] == ["<1", "<1", "–", *["<1"] * 9, "<1"]
    assert row["views"][1:] == ["7", "7", "0", *["7"] * 9, "7"]
    assert row["Jan"][-1] == "Year"


def test_a_wide_one_shows_both_shares() -> None:
    text = _shown(200)
    assert "99.6 / 99.6" in text
    assert "…" not in text


def test_what_was_done_refused_and_failed_is_told_in_a_line_each_and_idle_ticks_are_not() -> None:
    told: list[str] = []
    logger = logging.getLogger("tests.narrated")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers[:] = [Narrator(told.append)]

    def log(level: int, message: str, **fields: Any) -> None:
        logger.log(level, message, extra={"fields": fields})

    log(logging.INFO, "done", function="measure", aoi_count=1, observations=4, handed_on=0, seconds=1.2)
    log(logging.INFO, "done", function="measure", aoi_count=1, observations=0, seconds=1.2)
    log(logging.INFO, "done", function="register_aoi", event="aoi.registered", aoi=["a", "b"])
    log(logging.ERROR, "dead letter", function="measure", reason="no such image")
    assert [line[10:] for line in told] == [
        "measure: done, observations 4",
        "register_aoi: done, aoi a, b",
        "measure: dead letter, reason no such image",
    ]
