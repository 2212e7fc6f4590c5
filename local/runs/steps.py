"""Running the pipeline on the embedded stack: register, backfill, composite, summarise, write outputs."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from local.report.choices import Language
from local.report.making import render_report
from local.report.overview import read_years, write_index
from local.runs.outputs import write_csv, write_patches
from local.runs.registering import post_registration
from local.stack import Stack
from shared.errors import NeverError

Say = Callable[[str], None]
_LONGEST_WAIT_SECONDS = 24 * 3600.0
_MOST_REPORTS = 24


def settle(stack: Stack, say: Say) -> None:
    """Wait until every message is handled, saying now and then how far it is. Raises NeverError for dead letters."""
    shown = [time.monotonic()]

    def watch() -> None:
        if time.monotonic() - shown[0] > 5:
            shown[0] = time.monotonic()
            say(f"  still working; requests to go: {stack.bus.unfinished}")

    stack.bus.wait_idle(_LONGEST_WAIT_SECONDS, watch)
    stack.bigquery.settle()
    dead = stack.warehouse.query("dead_letters_brief")
    if dead:
        raise NeverError(
            f"{len(dead)} messages failed for good; the first in {dead[0]['function']}: {dead[0]['reason']}"
        )


def register_and_backfill(stack: Stack, collection: dict[str, Any], say: Say) -> list[dict[str, Any]]:
    """Register AOIs at the stack's own webhook and measure their history."""
    answers = post_registration(collection, stack.webhook_url, stack.webhook_secret)
    for answer in answers:
        other = "; tables and reports show this outline, no longer the earlier one of that id"
        note = other if answer["aoi_version"] > 1 else ""
        say(f"  {answer['aoi_id']} version {answer['aoi_version']}: {answer['area_m2'] / 1e6:.3f} km²{note}")
    settle(stack, say)
    return answers


def composite_and_summarise(stack: Stack, run_time: datetime, say: Say) -> None:
    """Recompute stale composites, then run the scheduled SQL as of a moment."""
    stack.tick("composite")
    settle(stack, say)
    stack.summarise(run_time)


def find_changes(stack: Stack, last: date, say: Say) -> None:
    """Compare years, find the patches of changed ground as of a day, tell of those that are news; say what there is."""
    for job in ("transition", "find-changes", "alert-changes"):
        stack.tick(job, run_date=last)
        settle(stack, say)
    _say_transitions(stack, say)
    for row in stack.warehouse.query("export_patches"):
        after = f"after {row['happened_after']:%Y-%m-%d} and " if row["happened_after"] else ""
        when = f"{after}before {row['happened_before']:%Y-%m-%d}"
        what = f"{row['area_ha']:.1f} ha of {row['from_class_name']} became {row['to_class_name']}"
        say(f"  {row['aoi_id']}: {what} {when} ({row['state']})")


def _say_transitions(stack: Stack, say: Say) -> None:
    pairs: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in stack.warehouse.query("export_transitions"):
        if row["from_class_id"] != row["to_class_id"]:
            pairs[row["aoi_id"], row["from_period"], row["to_period"]].append(row)
    for (aoi_id, earlier, later), rows in pairs.items():
        mapped_ha = sum(row["mapped_area_m2"] for row in rows) / 10_000
        supported = [row["supported_area_m2"] for row in rows if row["supported_area_m2"] is not None]
        what = (
            f"{sum(supported) / 10_000:.1f} ha of it supported change"
            if supported
            else "labels cannot say what of it is change"
        )
        say(f"  {aoi_id}: maps of {earlier} and {later} differ on {mapped_ha:.1f} ha, {what}")


def record_passes(stack: Stack, last: date, say: Say) -> None:
    """Record the passes up to a day where the scenes folder knows them, and say how fresh each AOI is."""
    if stack.knows_passes:
        stack.tick("record-passes", run_date=last)
        settle(stack, say)
    for row in stack.warehouse.query("freshness"):
        seen = f"last usable view {row['last_usable_at']:%Y-%m-%d}" if row["last_usable_at"] else "no usable view"
        say(f"  {row['aoi_id']}: {seen}; latest passes: {row['latest_passes'] or 'none known'}")


def write_outputs(
    stack: Stack, aoi_ids: Iterable[str], first: date, last: date, out: Path, say: Say, main: bool = True
) -> Path:
    """CSV files, patches as GeoJSON, reports; returns the path of the first AOI's report of the last year.

    That one is ``report.html`` where ``main``; where not, the ``report.html`` of an earlier run stays.
    """
    write_csv(stack.warehouse, out)
    write_patches(stack.warehouse, out / "patches.geojson")
    pairs = [(aoi_id, year) for aoi_id in aoi_ids for year in range(last.year, first.year - 1, -1)]
    written: list[Path] = []
    pages: dict[tuple[str, int], str] = {}
    for number, (aoi_id, year) in enumerate(pairs[:_MOST_REPORTS]):
        path = out / ("report.html" if main and number == 0 else f"report-{aoi_id}-{year}.html")
        render_report(stack.warehouse, aoi_id, year, path)
        written.append(path)
        pages[aoi_id, year] = path.name
        if len(pairs) > 1:
            say(f"  {path.name}: {aoi_id} {year}")
    if len({aoi_id for aoi_id, _ in pairs}) > 1:
        write_index(read_years(stack.warehouse, [last.year], []), out / "index.html", Language.EN, pages)
        say(f"  index.html: all areas in {last.year}")
    if len(pairs) > _MOST_REPORTS:
        say(f"  {_MOST_REPORTS} of {len(pairs)} reports written; `landcover report` makes the others")
    return written[0]


def day_after(day: date) -> datetime:
    """Midnight UTC at the end of a day: the run time of summaries that include it."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
