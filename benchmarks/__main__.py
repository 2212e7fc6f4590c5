"""All measurements as one table of ratios, ours : peer: python -m benchmarks [NAME …]

Prints it and leaves it as ``out/benchmarks.json`` and ``out/benchmarks.md``. Seconds are medians of five or more after
a warm-up unless the row says otherwise; counts are exact.
"""

import importlib
import json
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row

NAMES = (
    "strategy",
    "zonal",
    "cold_import",
    "handlers",
    "warehouse",
    "spatial_match",
    "network",
    "scale",
    "alarms",
    "shares",
    "transitions",
)
HEADS = ("area", "what", "ours", "peer", "", "ratio", "bar", "met", "how to read it")
_OUT = Path("out")


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    found: list[Row] = []
    console = Console(width=200)
    for name in names or NAMES:
        console.print(f"[dim]{name} …[/dim]")
        found += importlib.import_module(f"benchmarks.{name}").rows()
    table = Table(*HEADS)
    for row in found:
        table.add_row(*_cells(row))
    console.print(table)
    _OUT.mkdir(exist_ok=True)
    (_OUT / "benchmarks.json").write_text(json.dumps([_record(row) for row in found], indent=1, ensure_ascii=False))
    (_OUT / "benchmarks.md").write_text(_markdown(found), encoding="utf-8")
    missed = [row.what for row in found if row.holds is False]
    console.print(f"{len(found)} rows, {len(missed)} bars missed{': ' + '; '.join(missed) if missed else ''}")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[row.holds]
    bar = str(row.bar) if row.bar else ""
    unit = f" {row.unit}" if row.unit else ""
    peer = _number(row.peer) + unit if row.peer is not None else ""
    return (
        row.area,
        row.what,
        _number(row.ours) + unit,
        peer,
        row.peer_name,
        _number(row.ratio),
        bar,
        met,
        row.reading,
    )


def _record(row: Row) -> dict[str, object]:
    return {**row._asdict(), "bar": str(row.bar) if row.bar else None, "ratio": row.ratio, "met": row.holds}


def _markdown(found: list[Row]) -> str:
    lines = [f"Python {platform.python_version()}, {platform.machine()}; `python -m benchmarks`", ""]
    lines += ["| " + " | ".join(HEADS) + " |", "|---|---|---:|---:|---|---:|---|---|---|"]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in found]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
