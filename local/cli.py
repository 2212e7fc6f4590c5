"""The command line ``landcover``."""

import sys

from rich.console import Console

from local.commands import cost, network, pipeline, probe, reports, upkeep
from local.commands.common import app, plain
from shared.errors import LandcoverError

__all__ = ["app", "cost", "main", "network", "pipeline", "probe", "reports", "upkeep"]


def main() -> None:
    """Run the command line; what a person can mend is one plain sentence and exit code 1."""
    try:
        app()
    except LandcoverError as error:
        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        console.print(plain(f"landcover: {error}"), soft_wrap=True)
        sys.exit(1)
