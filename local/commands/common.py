"""What the commands share: the application, the terminal, options, and opening a warehouse."""

import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.console import Console

from local.runs.workspace import DEFAULT_OUT, recall
from shared.errors import UserInputError

if TYPE_CHECKING:
    from local.stack import Stack
    from shared.warehouse.client import Warehouse

_LONGEST_WAIT_SECONDS = 3600.0
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
CONSOLE = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 200)

Out = Annotated[Path, typer.Option(help="Folder for warehouse, tables and report.")]
Embedded = Annotated[
    Path | None,
    typer.Option(help="Output folder of demo, run or serve; default: BigQuery of LANDCOVER_PROJECT, or else the demo."),
]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Leave out what is older (UTC day).")]


def say(text: str) -> None:
    """One line for the person at the terminal."""
    CONSOLE.print(plain(text))


def counted(number: int, what: str) -> str:
    """``1 area``, ``3 areas``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def plain(text: str) -> str:
    """Text as it is shown: what a stranger's message holds moves no cursor, names no link and begins no line."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


class Opened(NamedTuple):
    """A warehouse to read and, where it is an embedded one, the stack around it."""

    warehouse: "Warehouse"
    stack: "Stack | None"

    def settle(self) -> None:
        """Wait until the embedded functions have handled what was published; in the cloud they do by themselves."""
        if self.stack is not None:
            self.stack.bus.wait_idle(_LONGEST_WAIT_SECONDS)


@contextlib.contextmanager
def opened(folder: Path | None) -> Iterator[Opened]:
    """The warehouse in a folder that demo, run or serve left, beside a serve that is running; without a folder the
    BigQuery dataset that the environment names, or else the demo's. Raises UserInputError when the folder holds no
    warehouse, or nobody is logged in.
    """
    if folder is None and "LANDCOVER_PROJECT" in os.environ:
        yield Opened(_named_by_environment(), None)
        return
    folder = folder or DEFAULT_OUT / "demo"
    scenes = recall(folder)
    from local.runs.beside import serving_at  # noqa: PLC0415

    serving = serving_at(folder)
    if serving is not None:
        os.environ.update(serving)
        yield Opened(_named_by_environment(), None)
        return
    from local.stack import Stack  # noqa: PLC0415
    from shared.settings import DYNAMIC_WORLD_START  # noqa: PLC0415

    with Stack(scenes, folder, backfill_start=DYNAMIC_WORLD_START) as stack:
        yield Opened(stack.warehouse, stack)


def _named_by_environment() -> "Warehouse":
    from google.auth.exceptions import DefaultCredentialsError  # noqa: PLC0415

    from shared.settings import load_settings  # noqa: PLC0415
    from shared.warehouse.client import Warehouse  # noqa: PLC0415

    try:
        return Warehouse(load_settings())
    except DefaultCredentialsError:
        raise UserInputError("no Google credentials here: gcloud auth application-default login") from None
