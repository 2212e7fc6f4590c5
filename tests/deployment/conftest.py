"""Terraform runs once for all tests of the deployment."""

import subprocess
from pathlib import Path

import pytest

from tests.deployment.terraform import Configuration, Deployed, archived, initialised, tested


@pytest.fixture(scope="session")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    """Terraform's files, initialised; skips where Terraform or its provider cannot be had."""
    return initialised(tmp_path_factory.mktemp("deployment"))


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archived(initialised(tmp_path_factory.mktemp("whole"), hollow=False))


@pytest.fixture(scope="session")
def terraform_test(configuration: Configuration) -> "tuple[subprocess.CompletedProcess[str], dict[str, Deployed]]":
    return tested(configuration)


@pytest.fixture(scope="session")
def deployed(terraform_test: "tuple[subprocess.CompletedProcess[str], dict[str, Deployed]]") -> Deployed:
    """What Terraform would make, with its defaults."""
    return terraform_test[1]["everything"]


@pytest.fixture(scope="session")
def shared_by_clients(terraform_test: "tuple[subprocess.CompletedProcess[str], dict[str, Deployed]]") -> Deployed:
    """What it would make for three clients, without an address of the operator's for events."""
    return terraform_test[1]["several_clients"]
