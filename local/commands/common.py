"""What the commands share: the application, the terminal, options, and opening a warehouse."""

import contextlib
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from local.workspace import recall
from shared.settings import DYNAMIC_WORLD_START, load_settings
from shared.warehouse.client import Warehouse

if TYPE_CHECKING:
    from local.stack import Stack

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="The command line ``landcover``."
)
CONSOLE = Console(highlight=False, width=None if sys.stdout.isatty() else 200)

Out = Annotated[Path, typer.Option(help="Folder for warehouse, tables and report.")]
Embedded = Annotated[
    Path | None, typer.Option(help="Output folder of demo, run or serve; default: BigQuery of LANDCOVER_PROJECT.")
]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


def say(text: str) -> None:
    """One line for the person at the terminal."""
    CONSOLE.print(text)


def warehouse_of(stored: "Stack | None") -> Warehouse:
    """The embedded warehouse that was opened, or the BigQuery dataset that the environment names."""
    return stored.warehouse if stored is not None else Warehouse(load_settings())


@contextlib.contextmanager
def stored_in(folder: Path) -> "Iterator[Stack]":
    """The embedded stack on a folder that demo, run or serve left. Raises UserInputError when it holds no warehouse."""
    from local.stack import Stack  # noqa: PLC0415

    scenes = recall(folder)
    with Stack(scenes, folder, backfill_start=DYNAMIC_WORLD_START) as stack:
        yield stack
