"""The command line ``landcover``."""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from local.report.choices import Language, ReportForm
from local.workspace import DEFAULT_OUT, recall, remember
from shared.errors import LandcoverError, UserInputError
from shared.settings import DYNAMIC_WORLD_START, Settings, load_settings
from shared.warehouse.client import Warehouse

if TYPE_CHECKING:
    from local.stack import Stack

_REPLAY_WAIT_SECONDS = 3600.0
app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
_CONSOLE = Console(highlight=False, width=None if sys.stdout.isatty() else 200)

Out = Annotated[Path, typer.Option(help="Folder for warehouse, tables and report.")]
Embedded = Annotated[
    Path | None, typer.Option(help="Output folder of demo, run or serve; default: BigQuery of LANDCOVER_PROJECT.")
]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


class PubSub(StrEnum):
    """What carries the messages of the embedded stack."""

    BUS = "bus"
    EMULATOR = "emulator"


def _say(text: str) -> None:
    _CONSOLE.print(text)


@app.command()
def demo(out: Out = DEFAULT_OUT / "demo") -> None:
    """A whole synthetic year through every function; prints the monthly table and leaves a report."""
    from local.demo import run_demo  # noqa: PLC0415 — each command loads only what it needs

    run_demo(out, _say, _CONSOLE)


@app.command()
def run(
    aois: Annotated[Path, typer.Option(help="GeoJSON file with the areas.")],
    scenes: Annotated[Path, typer.Option(help="Folder with one GeoTIFF for each Dynamic World image.")],
    out: Out = DEFAULT_OUT / "run",
    start: Day = None,
    end: Day = None,
) -> None:
    """The whole pipeline once, on your own GeoTIFFs and areas."""
    from local import inputs  # noqa: PLC0415

    collection = inputs.read_aois(aois)
    aoi_ids = inputs.check_aois(aois, collection, Settings(project="local-project"))
    found = inputs.check_scenes(scenes)
    chosen = inputs.between(found, start.date() if start else None, end.date() if end else None)
    from local import pipeline  # noqa: PLC0415
    from local.outputs import monthly_table  # noqa: PLC0415
    from local.stack import Stack  # noqa: PLC0415

    pipeline.fresh_folder(out)
    folder = scenes if len(chosen) == len(found) else _linked(out / "scenes", [scene.path for scene in chosen])
    first_scene, last_scene = inputs.acquired_days(chosen)
    first, last = (start.date() if start else first_scene), (end.date() if end else last_scene)
    _say(f"{len(aoi_ids)} AOIs, {len(chosen)} images from {first_scene} to {last_scene}")
    with Stack(folder, out, backfill_start=first) as stack:
        remember(out, folder)
        pipeline.register_and_backfill(stack, collection, _say)
        stack.tick("discover", run_date=last)
        pipeline.settle(stack, _say)
        pipeline.composite_and_summarise(stack, pipeline.day_after(last), _say)
        report_path = pipeline.write_outputs(stack, aoi_ids, first, last, out, _say)
        _CONSOLE.print(monthly_table(stack.warehouse, aoi_ids[0], last.year))
    _say(f"Tables are in {out}; open {report_path}")


def _linked(folder: Path, paths: list[Path]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in paths:
        (folder / path.name).symlink_to(path.resolve())
    return folder


@app.command()
def serve(
    scenes: Annotated[Path | None, typer.Option(help="Folder of scenes, watched; default: the synthetic year.")] = None,
    out: Out = DEFAULT_OUT / "serve",
    port: Annotated[int, typer.Option(help="Port of the webhook; 0 takes a free one.")] = 0,
    every: Annotated[float, typer.Option(help="Seconds between ticks.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as one JSON object.")] = False,
    pubsub: Annotated[PubSub, typer.Option(help="The in-process bus, or Google's emulator where gcloud has it.")] = (
        PubSub.BUS
    ),
) -> None:
    """The embedded stack, running until stopped; prints the address of every part."""
    from local import inputs  # noqa: PLC0415
    from local.sample.year import write_aoi, write_year  # noqa: PLC0415
    from local.serving import keep_running, window_days  # noqa: PLC0415
    from local.stack import Stack  # noqa: PLC0415

    if scenes is None:
        scenes = out / "scenes"
        if not any(scenes.glob("*.tif")):
            write_year(scenes)
        write_aoi(out / "aoi.geojson")
    first, _ = inputs.acquired_days(inputs.check_scenes(scenes))
    google = pubsub is PubSub.EMULATOR
    window = {"discover_window_days": str(window_days(first))}
    with Stack(scenes, out, backfill_start=first, webhook_port=port, settings=window, google_pubsub=google) as stack:
        remember(out, scenes)
        addresses = stack.addresses()
        if as_json:
            print(json.dumps(addresses), flush=True)  # noqa: T201 — machine-readable
        else:
            for part, address in addresses.items():
                _say(f"{part:>15}  {address}")
            _say("Stop with Ctrl-C")
            sys.stdout.flush()
        keep_running(stack, every)


@app.command()
def register(
    aois: Annotated[Path, typer.Argument(help="GeoJSON file with the areas.")],
    url: Annotated[str, typer.Option(help="Address of the registration webhook.")],
    secret: Annotated[
        str, typer.Option(envvar="LANDCOVER_WEBHOOK_SECRET", help="Signing secret (whsec_…).", show_default=False)
    ] = "",
) -> None:
    """Sign and post areas to a webhook."""
    from local import inputs  # noqa: PLC0415
    from local.pipeline import post_registration  # noqa: PLC0415

    if not secret:
        raise UserInputError("no signing secret: give --secret or set LANDCOVER_WEBHOOK_SECRET")
    for answer in post_registration(inputs.read_aois(aois), url, secret):
        _say(f"{answer['aoi_id']} version {answer['aoi_version']}: {answer['area_m2'] / 1e6:.3f} km²")


@app.command()
def report(
    aoi: Annotated[str, typer.Option(help="AOI id.")],
    year: Annotated[int, typer.Option(help="Calendar year.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    warehouse: Embedded = None,
    form: Annotated[ReportForm, typer.Option("--format", help="What to write.")] = ReportForm.HTML,
    language: Annotated[Language, typer.Option("--lang", help="Language of the words.")] = Language.EN,
) -> None:
    """The report of one area and year, from an embedded warehouse or a BigQuery dataset."""
    from local.pipeline import render_report  # noqa: PLC0415

    if warehouse is None and "LANDCOVER_PROJECT" not in os.environ:
        warehouse = DEFAULT_OUT / "demo"
    out.parent.mkdir(parents=True, exist_ok=True)
    with _stored(warehouse) if warehouse else contextlib.nullcontext(None) as stored:
        render_report(_open(stored), aoi, year, out, language, form)
    _say(f"Open {out}")


@app.command()
def index(
    year: Annotated[int, typer.Option(help="Calendar year.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    warehouse: Embedded = None,
    language: Annotated[Language, typer.Option("--lang", help="Language of the words.")] = Language.EN,
) -> None:
    """One page with a row for every area: sorts, filters, shows each year as a small chart."""
    from local.report.index import read_years, write_index  # noqa: PLC0415

    out.parent.mkdir(parents=True, exist_ok=True)
    with _stored(warehouse) if warehouse else contextlib.nullcontext(None) as stored:
        write_index(read_years(_open(stored), [year], []), out, language)
    _say(f"Open {out}")


@app.command()
def compare(
    aoi: Annotated[list[str], typer.Option(help="AOI id; give it several times to compare areas.")],
    year: Annotated[list[int], typer.Option(help="Calendar year; give it several times to compare years.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    warehouse: Embedded = None,
    language: Annotated[Language, typer.Option("--lang", help="Language of the words.")] = Language.EN,
) -> None:
    """Up to six areas or years side by side."""
    from local.report.index import read_years, write_comparison  # noqa: PLC0415

    out.parent.mkdir(parents=True, exist_ok=True)
    with _stored(warehouse) if warehouse else contextlib.nullcontext(None) as stored:
        write_comparison(read_years(_open(stored), year, aoi), out, language)
    _say(f"Open {out}")


Since = Annotated[datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Recorded since (UTC).")]
_EVER = datetime.combine(DYNAMIC_WORLD_START, datetime.min.time(), UTC)
dead_letters = typer.Typer(no_args_is_help=True, help="Messages that failed for good: look at them, bring them back.")
app.add_typer(dead_letters, name="dead-letters")


@dead_letters.command("list")
def list_dead_letters(warehouse: Embedded = None, since: Since = _EVER, topic: str = "", reason: str = "") -> None:
    """List dead letters that were not replayed."""
    from local.dead_letters import Selection, select  # noqa: PLC0415

    with _stored(warehouse) if warehouse else contextlib.nullcontext(None) as stored:
        letters = select(_open(stored), Selection(since.replace(tzinfo=UTC), topic, reason))
    for letter in letters:
        _say(f"{letter['recorded_at']:%Y-%m-%d %H:%M:%S}  {letter['topic']}  {letter['function']}: {letter['reason']}")
    _say(f"{len(letters)} dead letters")


@dead_letters.command("replay")
def replay_dead_letters(
    warehouse: Embedded = None,
    since: Since = _EVER,
    topic: str = "",
    reason: str = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be replayed.")] = False,
) -> None:
    """Publish dead letters on their topics again."""
    from local.dead_letters import Selection, replay, select  # noqa: PLC0415

    with _stored(warehouse) if warehouse else contextlib.nullcontext(None) as stored:
        opened = _open(stored)
        letters = select(opened, Selection(since.replace(tzinfo=UTC), topic, reason))
        if dry_run:
            _say(f"{len(letters)} dead letters would be replayed")
            return
        count = replay(opened, letters)
        if stored is not None:
            stored.bus.wait_idle(_REPLAY_WAIT_SECONDS)
        _say(f"{count} of {len(letters)} dead letters replayed")


@app.command()
def doctor(
    warehouse: Embedded = None,
    aoi: Annotated[list[str] | None, typer.Option(help="AOI id; may be given several times. Default: all.")] = None,
    since: Day = None,
    re_enqueue: Annotated[bool, typer.Option("--re-enqueue", help="Ask again for what can be mended.")] = False,
) -> None:
    """Compare what Earth Engine lists with what the warehouse has; say which overpasses are missing and why."""
    from local.doctor import MENDABLE, State, ask_again, examine  # noqa: PLC0415

    mendable = 0
    with _stored(warehouse) if warehouse else contextlib.nullcontext(None) as stored:
        opened = _open(stored)
        for found in examine(opened, aoi or [], since.date() if since else None):
            counts = ", ".join(f"{count} {state}" for state, count in sorted(found.counts().items()))
            _say(f"{found.ref.aoi_id} v{found.ref.aoi_version}: {counts or 'no overpass'}")
            for finding in found.findings:
                if finding.state is not State.MEASURED:
                    _say(f"  {finding.overpass_id}  {finding.state}{': ' if finding.why else ''}{finding.why}")
            if not found.cloud_known:
                _say(f"  {opened.settings.pass_collection} cannot be read: passes without an image are not listed")
            mendable += sum(finding.state in MENDABLE for finding in found.findings)
            if re_enqueue:
                _say(f"  {ask_again(opened, found)} overpasses asked for again")
        if re_enqueue and stored is not None:
            stored.bus.wait_idle(_REPLAY_WAIT_SECONDS)
    if mendable and not re_enqueue:
        _say(f"{mendable} can be mended: add --re-enqueue")


def _open(stored: "Stack | None") -> Warehouse:
    return stored.warehouse if stored is not None else Warehouse(load_settings())


@contextlib.contextmanager
def _stored(folder: Path) -> "Iterator[Stack]":
    from local.stack import Stack  # noqa: PLC0415

    scenes = recall(folder)
    with Stack(scenes, folder, backfill_start=DYNAMIC_WORLD_START) as stack:
        yield stack


def main() -> None:
    """Run the command line; what a person can mend is one plain sentence and exit code 1."""
    try:
        app()
    except LandcoverError as error:
        Console(stderr=True, highlight=False).print(f"landcover: {error}", markup=False, soft_wrap=True)
        sys.exit(1)
