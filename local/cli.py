"""The command line ``landcover``."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from local.commands import accuracy, cost, network, pipeline, probe, reports, upkeep
from local.commands.common import app, plain, say
from shared.errors import LandcoverError
from shared.version import __version__

__all__ = ["accuracy", "app", "cost", "main", "network", "pipeline", "probe", "reports", "upkeep"]


def _version(wanted: bool) -> None:
    if wanted:
        say(f"landcover {__version__}")
        raise typer.Exit


@app.callback(help="Land cover of registered areas, from Dynamic World on Earth Engine.")
def landcover(
    _: Annotated[bool, typer.Option("--version", help="Say the version.", callback=_version, is_eager=True)] = False,
) -> None:
    """What stands before any command."""


def main() -> None:
    """Run the command line; what a person can mend is one plain sentence and exit code 1."""
    try:
        app()
    except LandcoverError as error:
        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        console.print(plain(f"landcover: {error}"), soft_wrap=True)
        sys.exit(1)
