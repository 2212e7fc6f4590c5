"""What a word of help costs: the command line waits with its packages until a command needs them.

Counted in packages, not in seconds: each of those below takes a tenth of a second or more to import.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"duckdb", "ee", "functions_framework", "google.cloud.bigquery", "numpy", "onnxruntime", "pyproj", "rasterio",
         "shapely", "sqlglot"}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "status", "said", "allowed"),
    [
        (["--help"], 0, "Commands", set()),
        (["--version"], 0, "landcover ", set()),
        (["run", "--help"], 0, "--aois", set()),
        (["nosuch"], 2, "No such command", set()),
        (["report", "--nosuch"], 2, "No such option", set()),
        # finding out that a file is not there needs at most what reads areas
        (["run", "--scenes", "nosuch", "--aois", "nosuch.geojson"], 1, "nosuch.geojson: no such file", {"numpy", "pyproj", "rasterio", "shapely"}),
    ],
)  # fmt: skip
def test_help_and_first_errors_load_nothing_that_is_slow(
    words: list[str], status: int, said: str, allowed: set[str], tmp_path: Path
) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "local", *words]
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": root}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == status, done.stderr[-2000:]
    loaded = set(re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE))
    assert "typer" in loaded, "the list of imports was not read"
    assert said in done.stdout + done.stderr
    assert loaded & HEAVY <= allowed
