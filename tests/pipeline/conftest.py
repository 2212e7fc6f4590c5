"""The demo, run once for all tests that read what it leaves, and a browser to look at it."""

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

# Whatever keeps a part of itself from being seen to the right, or lies beyond the edge of the window.
HIDDEN = """() => {
  const width = document.documentElement.clientWidth, found = [];
  for (const e of document.querySelectorAll("body *")) {
    if (e.ownerSVGElement || !e.getClientRects().length) continue;
    const box = e.getBoundingClientRect();
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible") found.push(`${e.tagName}.${e.className} hides`);
    if (box.right > width + 0.5 || box.left < -0.5) found.push(`${e.tagName}.${e.className} reaches from ${box.left} to ${box.right}`);
  }
  return found;
}"""


class Demo:
    """What one run of the demo printed and left."""

    def __init__(self, out: Path, stdout: str) -> None:
        self.out, self.stdout = out, stdout

    @property
    def page(self) -> str:
        """The report of the published year."""
        return (self.out / "report-songnen-sample-2021.html").read_text(encoding="utf-8")

    def table(self, name: str, year: int | None = 2021) -> list[dict[str, str]]:
        """The rows of the published year, of another, or of all."""
        with (self.out / name).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [row for row in rows if year is None or self._when(row).startswith(str(year))]

    def composite(self, month: int, year: int = 2021) -> list[float]:
        """Percent of each class in a month's composite."""
        rows = [r for r in self.table("monthly_summary.csv", year) if r["month"] == f"{year}-{month:02d}-01"]
        return [float(r["composite_share"]) * 100 for r in sorted(rows, key=lambda r: int(r["class_id"]))]

    def annual(self, column: str, year: int = 2021) -> list[float]:
        rows = sorted(self.table("annual_summary.csv", year), key=lambda r: int(r["class_id"]))
        return [float(r[column]) * 100 for r in rows]

    @staticmethod
    def _when(row: dict[str, str]) -> str:
        return next(row[name] for name in ("acquired_at", "month", "year", "to_period") if name in row)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out = tmp_path_factory.mktemp("demo")
    command = [str(Path(sys.executable).parent / "landcover"), "demo", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Demo(out, done.stdout)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()
