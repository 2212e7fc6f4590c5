"""The first thing to run after a deployment."""

import json
from pathlib import Path
from typing import Annotated

import typer

from local.commands.common import CONSOLE, Embedded, app, opened, say


@app.command()
def probe(
    warehouse: Embedded = None,
    at: Annotated[
        str | None,
        typer.Option(help="Longitude,latitude to try; default: the first registered area, or the Nile delta."),
    ] = None,
    url: Annotated[str | None, typer.Option(help="Address of the registration webhook.")] = None,
    hint_url: Annotated[str | None, typer.Option(help="Address that takes early hints.")] = None,
    only: Annotated[str, typer.Option(help="Only checks whose name begins so, such as bigquery.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    write: Annotated[Path | None, typer.Option(help="File for what was measured.")] = None,
) -> None:
    """Ask the services, one by one, what the pipeline assumes of them; some two minutes."""
    from local.probe.checks import CHECKS  # noqa: PLC0415
    from local.probe.deployment import Deployment, point_of  # noqa: PLC0415
    from local.probe.model import Outcome, Result  # noqa: PLC0415
    from local.probe.report import document, lines, summary, write_measures  # noqa: PLC0415
    from local.probe.runner import chosen  # noqa: PLC0415
    from local.probe.runner import probe as run_checks  # noqa: PLC0415

    place = point_of(at) if at is not None else None
    results: list[Result] = []
    with opened(warehouse) as opening:
        stack = opening.stack
        url, hint_url = url or (stack.webhook_url if stack else None), hint_url or (stack.hint_url if stack else None)
        deployment = Deployment(opening.warehouse, stack, url, place, hint_url)
        for result in run_checks(deployment, chosen(CHECKS, only)):
            results.append(result)
            if not as_json:
                for line in lines(result):
                    CONSOLE.print(line, markup=False, soft_wrap=True)
        if write is not None:
            write_measures(deployment, results, write)
        if as_json:
            print(json.dumps(document(deployment, results), ensure_ascii=False))  # noqa: T201 — machine-readable
        else:
            say(summary(results))
    if any(result.finding.outcome is Outcome.FAIL for result in results):
        raise typer.Exit(1)
