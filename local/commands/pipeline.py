"""Running the pipeline on this machine, and registering areas anywhere."""

import json
import logging
import os
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from local.commands.common import CONSOLE, Out, app, counted, say
from local.runs.workspace import DEFAULT_OUT, begin_anew, claim, link_into, main_aoi, recall, remember
from shared.errors import UserInputError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from local.runs.own_scenes import Prepared


class PubSub(StrEnum):
    """What carries the messages of the embedded stack."""

    BUS = "bus"
    EMULATOR = "emulator"


@app.command()
def demo(out: Out = DEFAULT_OUT / "demo") -> None:
    """Three synthetic years through every function; prints a monthly table and what changed, leaves reports."""
    from local.runs.demo import run_demo  # noqa: PLC0415 — each command loads only what it needs

    run_demo(out, say, CONSOLE)


@app.command()
def run(
    aois: Annotated[Path, typer.Option(help="Areas: GeoJSON, Shapefile (.shp), GeoPackage or KML, in any CRS.")],
    scenes: Annotated[
        Path | None, typer.Option(help="Folder of classified GeoTIFFs of any name, folders in it included.")
    ] = None,
    sentinel2: Annotated[
        Path | None,
        typer.Option(help="Instead: folder of Sentinel-2 L1C products, classified by the published network."),
    ] = None,
    out: Out = DEFAULT_OUT / "run",
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Leave out images before this day.")
    ] = None,
    end: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Leave out images after this day.")] = None,
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="Day of every raster, where no name tells it."),
    ] = None,
    dates: Annotated[Path | None, typer.Option(help="CSV file with rows of file name and date.")] = None,
    band: Annotated[str | None, typer.Option(help="Name or number of the band that holds the classes.")] = None,
    labels: Annotated[
        str | None, typer.Option(help="How classes are coded: dynamic-world, expert, or 1=water,2=trees,0=none.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Start from nothing instead of adding to an earlier run.")] = False,
) -> None:
    """The whole pipeline once, on your own GeoTIFFs and areas; adds to what an earlier run left in its folder."""
    if (scenes is None) == (sentinel2 is None):
        raise UserInputError("expected one of --scenes (classified images) and --sentinel2 (L1C products)")
    from local.runs import inputs, own_scenes  # noqa: PLC0415
    from local.runs.meeting import check_meeting  # noqa: PLC0415
    from shared.settings import Settings  # noqa: PLC0415

    collection = inputs.read_aois(aois)
    registered = inputs.registered(aois, collection, Settings(project="local-project"))
    aoi_ids = [aoi.aoi_id for aoi in registered]
    wishes = own_scenes.Wishes(day.date() if day else None, dates, band, labels)
    if scenes is not None:
        own_scenes.rasters_in(scenes)  # what is not there makes no folder
    from local.runs.beside import check_not_serving  # noqa: PLC0415

    check_not_serving(out)
    adding = claim(out, overwrite)
    if sentinel2 is not None:
        if not adding:
            remember(out, out / "images")
        scenes, wishes = _classified(sentinel2, out, inputs.outlines(registered)), own_scenes.Wishes()
    images = own_scenes.prepare(scenes or out, out / "classes", wishes, say)
    chosen = inputs.between(images, start.date() if start else None, end.date() if end else None)
    check_meeting(registered, [image.path for image in chosen], say)
    from local.runs import steps  # noqa: PLC0415
    from local.runs.outputs import monthly_table  # noqa: PLC0415
    from local.stack import Stack  # noqa: PLC0415

    if not adding:
        begin_anew(out)
    folder = _gathered(out, scenes or out, chosen, adding)
    first_scene, last_scene = inputs.acquired_days(image.image_id for image in chosen)
    first, last = (start.date() if start else first_scene), (end.date() if end else last_scene)
    say(f"{counted(len(aoi_ids), 'area')}, {counted(len(chosen), 'image')} from {first_scene} to {last_scene}")
    shown = main_aoi(out) if adding and (out / "report.html").exists() else aoi_ids[0]
    main = shown in aoi_ids
    remember(out, folder, shown)
    # old areas see the new images, and new areas the old ones
    earliest, latest = inputs.acquired_days(path.stem for path in folder.glob("*.tif"))
    earliest, latest = min(first, earliest), max(last, latest)
    settings = {"discover_window_days": str((latest - earliest).days + 45)} if adding else {}
    with Stack(folder, out, backfill_start=earliest if adding else first, settings=settings) as stack:
        steps.register_and_backfill(stack, collection, say)
        stack.tick("discover", run_date=latest)
        steps.settle(stack, say)
        steps.composite_and_summarise(stack, steps.day_after(latest), say)
        steps.find_changes(stack, latest, say)
        steps.record_passes(stack, latest, say)
        ordered = sorted(aoi_ids, key=lambda aoi_id: aoi_id != shown)
        report_path = steps.write_outputs(stack, ordered, first, last, out, say, main)
        CONSOLE.print(monthly_table(stack.warehouse, ordered[0], last.year, CONSOLE.width))
    say(f"Tables are in {out}; open {report_path}")


def _gathered(out: Path, scenes: Path, chosen: "list[Prepared]", adding: bool) -> Path:
    """The images of this run and of those before it, as links in one folder, with what is known of their passes."""
    from local.earth_engine.passes import PASSES_FILE  # noqa: PLC0415

    folder = out / "images"
    if adding and recall(out) != folder.resolve():
        link_into(folder, ((path.stem, path) for path in sorted(recall(out).glob("*.tif"))))
    link_into(folder, chosen)
    known = folder / PASSES_FILE
    for place in (scenes, recall(out) if adding else scenes):
        if (place / PASSES_FILE).is_file() and not known.exists():
            known.symlink_to((place / PASSES_FILE).resolve())
    return folder


def _classified(sentinel2: Path, out: Path, outlines: "list[BaseGeometry]") -> Path:
    from local.sentinel2.folder import classify_folder  # noqa: PLC0415

    folder = out / "classified"
    folder.mkdir(parents=True, exist_ok=True)
    say("Classifying with the published network")
    classify_folder(sentinel2, outlines, folder, say)
    return folder


@app.command()
def serve(
    scenes: Annotated[Path | None, typer.Option(help="Folder of scenes, watched; default: one synthetic year.")] = None,
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
        from local.sample.place import write_aoi  # noqa: PLC0415
        from local.sample.years import write_finished_year  # noqa: PLC0415

        scenes = out / "scenes"
        if not any(scenes.glob("*.tif")):
            write_finished_year(scenes)
        write_aoi(out / "aoi.geojson")
    first, _ = inputs.acquired_days(scene.path.stem for scene in inputs.check_scenes(scenes))
    from local.runs.beside import check_not_serving, listed_in  # noqa: PLC0415
    from local.runs.narrating import Narrator  # noqa: PLC0415
    from local.runs.pages import Pages  # noqa: PLC0415
    from local.runs.serving import keep_running, window_days  # noqa: PLC0415
    from local.servers.pooled_server import PooledServer  # noqa: PLC0415
    from local.stack import Stack  # noqa: PLC0415

    check_not_serving(out)
    google = pubsub is PubSub.EMULATOR
    window = {"discover_window_days": str(window_days(first))}
    with Stack(scenes, out, backfill_start=first, webhook_port=port, settings=window, google_pubsub=google) as stack:
        remember(out, scenes)
        pages = PooledServer(Pages(stack.warehouse), threads=1).start()
        addresses = {"pages": pages.url, **stack.addresses()}
        if as_json:
            print(json.dumps(addresses), flush=True)  # noqa: T201 — machine-readable
        else:
            for part, address in addresses.items():
                say(f"{part:>15}  {address}")
            say("Stop with Ctrl-C")
            logging.getLogger("landcover").addHandler(Narrator(_say_now))
            sys.stdout.flush()
        with listed_in(out, stack):
            keep_running(stack, every)
        pages.stop()


def _say_now(text: str) -> None:
    say(text)
    sys.stdout.flush()


@app.command()
def register(
    aois: Annotated[Path, typer.Argument(help="Areas: GeoJSON, Shapefile, GeoPackage or KML.")],
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
