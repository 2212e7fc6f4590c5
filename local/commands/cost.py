"""What registering would cost, before it is done."""

import json
import os
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from local.commands.common import Day, app, say


@app.command()
def cost(
    aois: Annotated[Path, typer.Argument(help="Areas: GeoJSON, Shapefile, GeoPackage or KML.")],
    start: Day = None,
    scenes: Annotated[
        Path | None,
        typer.Option(help="Folder of scenes that plays Dynamic World; default: Earth Engine of LANDCOVER_PROJECT."),
    ] = None,
    probed: Annotated[
        Path | None, typer.Option(help="File of landcover probe --write, for EECU-hours that were measured.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Overpasses, Earth Engine requests and EECU-hours, rows, bytes and dollars of a history and of a month."""
    from local.upkeep import cost as costs  # noqa: PLC0415 — each command loads only what it needs
    from shared.cost.estimates import usual_estimate  # noqa: PLC0415
    from shared.cost.work import GUESS  # noqa: PLC0415
    from shared.settings import Settings, load_settings  # noqa: PLC0415

    known = scenes is not None or "LANDCOVER_PROJECT" in os.environ
    settings = load_settings() if "LANDCOVER_PROJECT" in os.environ else Settings(project="local-project")
    areas = costs.read_areas(aois, start.date() if start else None, settings)
    rate = costs.measured_rate(probed) if probed is not None else GUESS
    if known:
        with costs.served(scenes, settings) if scenes is not None else nullcontext(settings) as reached:
            found = costs.cost(areas, reached, rate, lambda text: None if as_json else say(text))
    else:
        found = usual_estimate(areas, datetime.now(UTC).date(), settings, rate)
    if as_json:
        print(json.dumps(found.document(), ensure_ascii=False))  # noqa: T201 — machine-readable
    else:
        for line in costs.lines(found, areas):
            say(line)
