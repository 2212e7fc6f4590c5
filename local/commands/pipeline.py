"""Running the pipeline on this machine, and registering areas anywhere."""

import json
import os
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from local.commands.common import CONSOLE, Day, Out, app, say
from local.runs.workspace import DEFAULT_OUT, remember
from shared.errors import UserInputError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


class PubSub(StrEnum):
    """What carries the messages of the embedded stack."""

    BUS = "bus"
    EMULATOR = "emulator"


@app.command()
def demo(out: Out = DEFAULT_OUT / "demo") -> None:
    """A whole synthetic year through every function; prints the monthly table and leaves a report."""
    from local.runs.demo import run_demo  # noqa: PLC0415 — each command loads only what it needs

    run_demo(out, say, CONSOLE)


@app.command()
def run(
    aois: Annotated[Path, typer.Option(help="GeoJSON file with the areas.")],
    scenes: Annotated[Path | None, typer.Option(help="Folder with one GeoTIFF for each Dynamic World image.")] = None,
    sentinel2: Annotated[
        Path | None,
        typer.Option(help="Instead: folder of Sentinel-2 L1C products, classified by the published network."),
    ] = None,
    out: Out = DEFAULT_OUT / "run",
    start: Day = None,
    end: Day = None,
) -> None:
    """The whole pipeline once, on your own GeoTIFFs and areas."""
    if (scenes is None) == (sentinel2 is None):
        raise UserInputError("expected one of --scenes (classified images) and --sentinel2 (L1C products)")
    from local.runs import inputs  # noqa: PLC0415
    from shared.settings import Settings  # noqa: PLC0415

    collection = inputs.read_aois(aois)
    registered = inputs.registered(aois, collection, Settings(project="local-project"))
    aoi_ids = [aoi.aoi_id for aoi in registered]
    if sentinel2 is not None:
        scenes = _classified(sentinel2, out, inputs.outlines(registered))
    found = inputs.check_scenes(scenes)
    chosen = inputs.between(found, start.date() if start else None, end.date() if end else None)
    from local.runs import steps  # noqa: PLC0415
    from local.runs.outputs import monthly_table  # noqa: PLC0415
    from local.stack import Stack  # noqa: PLC0415

    steps.fresh_folder(out)
    folder = scenes if len(chosen) == len(found) else _linked(out / "scenes", [scene.path for scene in chosen])
    first_scene, last_scene = inputs.acquired_days(chosen)
    first, last = (start.date() if start else first_scene), (end.date() if end else last_scene)
    say(f"{len(aoi_ids)} AOIs, {len(chosen)} images from {first_scene} to {last_scene}")
    with Stack(folder, out, backfill_start=first) as stack:
        remember(out, folder)
        steps.register_and_backfill(stack, collection, say)
        stack.tick("discover", run_date=last)
        steps.settle(stack, say)
        steps.composite_and_summarise(stack, steps.day_after(last), say)
        steps.find_changes(stack, last, say)
        steps.record_passes(stack, last, say)
        report_path = steps.write_outputs(stack, aoi_ids, first, last, out, say)
        CONSOLE.print(monthly_table(stack.warehouse, aoi_ids[0], last.year))
    say(f"Tables are in {out}; open {report_path}")


def _classified(sentinel2: Path, out: Path, outlines: "list[BaseGeometry]") -> Path:
    from local.runs.steps import fresh_folder  # noqa: PLC0415
    from local.sentinel2.folder import classify_folder  # noqa: PLC0415

    fresh_folder(out)
    folder = out / "classified"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say("Classifying with the published network")
    classify_folder(sentinel2, outlines, folder, say)
    return folder


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
    from local.runs import inputs  # noqa: PLC0415

    if scenes is None:
        from local.sample.year import write_aoi, write_finished_year  # noqa: PLC0415

        scenes = out / "scenes"
        if not any(scenes.glob("*.tif")):
            write_finished_year(scenes)
        write_aoi(out / "aoi.geojson")
    first, _ = inputs.acquired_days(inputs.check_scenes(scenes))
    from local.runs.serving import keep_running, window_days  # noqa: PLC0415
    from local.stack import Stack  # noqa: PLC0415

    google = pubsub is PubSub.EMULATOR
    window = {"discover_window_days": str(window_days(first))}
    with Stack(scenes, out, backfill_start=first, webhook_port=port, settings=window, google_pubsub=google) as stack:
        remember(out, scenes)
        addresses = stack.addresses()
        if as_json:
            print(json.dumps(addresses), flush=True)  # noqa: T201 — machine-readable
        else:
            for part, address in addresses.items():
                say(f"{part:>15}  {address}")
            say("Stop with Ctrl-C")
            sys.stdout.flush()
        keep_running(stack, every)


@app.command()
def register(
    aois: Annotated[Path, typer.Argument(help="GeoJSON file with the areas.")],
    url: Annotated[str, typer.Option(help="Address of the registration webhook.")],
    secret_file: Annotated[
        Path | None, typer.Option(help="File with the signing secret (whsec_…); default: LANDCOVER_WEBHOOK_SECRET.")
    ] = None,
) -> None:
    """Sign and post areas to a webhook."""
    from local.runs import inputs  # noqa: PLC0415

    # not as an option: whoever lists the processes of a machine reads those
    secret = inputs.read_secret(secret_file) if secret_file else os.environ.get("LANDCOVER_WEBHOOK_SECRET", "")
    if not secret:
        raise UserInputError("no signing secret: give --secret-file or set LANDCOVER_WEBHOOK_SECRET")
    collection = inputs.read_aois(aois)
    from local.runs.registering import post_registration  # noqa: PLC0415

    for answer in post_registration(collection, url, secret.strip()):
        say(f"{answer['aoi_id']} version {answer['aoi_version']}: {answer['area_m2'] / 1e6:.3f} km²")
