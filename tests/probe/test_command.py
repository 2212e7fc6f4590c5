"""What the command takes and prints, and the page that describes the checks."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from local.cli import app
from local.probe.checks import CHECKS
from local.probe.deployment import Deployment, point_of
from local.runs.workspace import remember
from local.stack import forget_clients
from shared.errors import UserInputError


def test_the_command_prints_lines_or_json_and_leaves_measures(deployment: Deployment, tmp_path: Path) -> None:
    assert deployment.stack is not None
    out, measures = tmp_path / "out", tmp_path / "probe.json"
    out.mkdir()
    scenes = tmp_path / "scenes"
    shutil.copytree(deployment.stack._scenes, scenes)
    remember(out, scenes)
    command = ["probe", "--warehouse", str(out), "--at", "125.666,45.104"]
    said = CliRunner().invoke(app, [*command, "--only", "earth-engine/errors", "--write", str(measures)])
    assert said.exit_code == 0, said.output
    assert "Available bands: [water, trees" in said.output, "brackets are text, no markup"
    assert said.output.splitlines()[-1] == "6 pass"
    assert json.loads(measures.read_text())["embedded"] is True
    said = CliRunner().invoke(
        app, ["probe", "--warehouse", str(out), "--at", "0,0", "--only", "earth-engine/i", "--json"]
    )
    assert said.exit_code == 1
    found = json.loads(said.output)
    assert [r["check"] for r in found["results"] if r["outcome"] == "fail"] == [
        "earth-engine/images",
        "earth-engine/ingestion-time",
        "earth-engine/ids",
    ]
    assert found["results"][1]["remedy"].startswith("Look at LANDCOVER_COLLECTION")


def test_nobody_logged_in_is_one_plain_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDCOVER_PROJECT", "some-project")
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    forget_clients()
    try:
        failed = CliRunner().invoke(app, ["probe"])
    finally:
        monkeypatch.undo()
        forget_clients()
    assert isinstance(failed.exception, UserInputError)
    assert "gcloud auth application-default login" in str(failed.exception)


def test_a_place_is_longitude_and_latitude(deployment: Deployment) -> None:
    assert point_of("31.0,30.8") == (31.0, 30.8)
    for text in ("31", "east,north", "200,0", "0,85"):
        with pytest.raises(UserInputError, match="expected"):
            point_of(text)
    assert Deployment(deployment.warehouse).point == (31.0, 30.8), "nothing is registered"


def test_the_page_and_the_checks_agree() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "probe.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `[a-z-]+/[a-z-]+` \|.*$", page, re.MULTILINE)
    assert described == [f"| `{c.name}` | {c.asks} | {c.means} | {c.remedy} |" for c in CHECKS]
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    names = [check.name for check in CHECKS]
    assert all(names.index(check.needs) < names.index(check.name) for check in CHECKS if check.needs)
