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

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env=self.environment,
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


def initialised(tmp: Path) -> Configuration:
    """Copy and ``terraform init``. Skips where Terraform or the provider cannot be had, and says which."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on this machine")
    for name in ("functions", "shared", "terraform"):
        shutil.copytree(ROOT / name, tmp / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform*", ".build"))
    shutil.copy(ROOT / "constraints.txt", tmp)
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
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


def tested(configuration: Configuration) -> tuple["subprocess.CompletedProcess[str]", Deployed]:
    """Run ``terraform test`` and take the state of its run "everything"."""
    done = configuration.run("test", "-json", "-verbose")
    for line in _lines(done.stdout):
        if line.get("type") == "test_state" and line.get("@testrun") == "everything":
            return done, _deployed(line["test_state"])
    raise AssertionError(f"terraform test left no state: {done.stdout[-3000:]}")


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
