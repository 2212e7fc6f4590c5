"""Running Terraform's own checks on a copy of the tree. Nothing is created: applies happen with mocked providers only."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import SHARED_DATA

ROOT = Path(__file__).resolve().parents[2]
_OFFLINE_PROVIDERS = SHARED_DATA.parent / "terraform-offline" / "setup.sh"
_TIMEOUT_SECONDS = 600


class Configuration(NamedTuple):
    """An initialised copy of ``terraform/`` with the code beside it, and the environment to run Terraform in."""

    folder: Path
    environment: dict[str, str]
    offline: bool

    def run(self, *arguments: str, root: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
        """One Terraform command in the module, or in the root below it that is named."""
        return subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder / root,
            env={**self.environment, **{f"TF_VAR_{name}": value for name, value in variables.items()}},
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )


class Deployed(NamedTuple):
    """What Terraform would make, from an apply with mocked answers: resources by type, then by key."""

    resources: dict[str, dict[str, dict[str, Any]]]
    outputs: dict[str, Any]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        return self.resources.get(kind, {})


def initialised(tmp: Path, *, hollow: bool = True) -> Configuration:
    """Copy and ``terraform init``. Skips where Terraform or the provider cannot be had, and says which.

    What is only put into the archive, code and network, is left empty in a hollow copy: Terraform carries each text
    through every step, which takes half of its time.
    """
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on this machine")
    for name in ("functions", "shared", "terraform"):
        shutil.copytree(ROOT / name, tmp / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform*", ".build"))
    if hollow:
        for path in (*tmp.rglob("*.py"), *tmp.rglob("*.onnx")):
            path.write_bytes(b"")
    # GOGC: most of its memory is schemas that stay; to look through them less often saves a quarter of its work.
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "GOGC": "800"}
    if not Path(environment.get("TF_CLI_CONFIG_FILE", "")).is_file() and _OFFLINE_PROVIDERS.is_file():
        script = f'eval "$({_OFFLINE_PROVIDERS})" && printf %s "$TF_CLI_CONFIG_FILE"'
        made = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, check=True, timeout=_TIMEOUT_SECONDS
        )
        environment["TF_CLI_CONFIG_FILE"] = made.stdout
    offline = "terraform-offline" in environment.get("TF_CLI_CONFIG_FILE", "")
    configuration = Configuration(tmp / "terraform", environment, offline)
    done = configuration.run("init", "-backend=false", "-input=false", "-no-color")
    if done.returncode != 0:
        pytest.skip(f"the providers cannot be had here: {done.stderr.strip()[:200]}")
    return configuration


class Example:
    """One of ``examples/``, ready to be planned. Needs the offline stand-in: the real provider wants credentials."""

    def __init__(self, configuration: Configuration, name: str, **variables: str) -> None:
        if not configuration.offline:
            pytest.skip("a plan with the real provider needs credentials")
        self._configuration = configuration
        self._root = f"examples/{name}"
        self._variables = variables
        # its own backend is out of reach
        override = configuration.folder / self._root / "backend_override.tf"
        override.write_text('terraform {\n  backend "local" {\n  }\n}\n', encoding="utf-8")
        self._run("init", "-input=false")

    def plan(self, *arguments: str, **variables: str) -> dict[str, Any]:
        """A plan as Terraform's JSON."""
        self._run("plan", "-input=false", "-lock=false", "-out=plan.out", *arguments, **variables)
        found: dict[str, Any] = json.loads(self._run("show", "-json", "plan.out"))
        return found

    def apply(self) -> None:
        """Make it, as far as the stand-in makes anything."""
        self._run("apply", "-input=false", "-auto-approve")

    def _run(self, *arguments: str, **variables: str) -> str:
        done = self._configuration.run(*arguments, root=self._root, **{**self._variables, **variables})
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout


def archived(configuration: Configuration) -> Path:
    """The archive that a deployment uploads, of a copy that is not hollow."""
    done = configuration.run(
        *("plan", "-target=data.archive_file.source", "-input=false", "-lock=false", "-no-color"),
        project="some-landcover-project",
        public_webhook="true",
        alert_email="operators@example.com",
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return configuration.folder / ".build" / "landcover.zip"


def tested(configuration: Configuration) -> tuple["subprocess.CompletedProcess[str]", dict[str, Deployed]]:
    """Run ``terraform test`` and take the states of the runs that apply, by name."""
    done = configuration.run("test", "-json", "-verbose")
    states = {
        line["@testrun"]: _deployed(line["test_state"])
        for line in _lines(done.stdout)
        if line.get("type") == "test_state"
    }
    assert states, f"terraform test left no state: {done.stdout[-3000:]}"
    return done, states


def _lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        yield json.loads(line)


def _deployed(state: dict[str, Any]) -> Deployed:
    resources: dict[str, dict[str, dict[str, Any]]] = {}
    for resource in state["root_module"]["resources"]:
        key = f"{resource['name']}[{resource['index']}]" if "index" in resource else resource["name"]
        resources.setdefault(resource["type"], {})[key] = resource["values"]
    outputs = {name: output.get("value") for name, output in state["outputs"].items()}
    return Deployed(resources, outputs)
