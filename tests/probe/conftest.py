"""A stack for each module that probes one; a stack that a test starts for itself belongs into another module."""

from collections.abc import Callable, Iterator

import pytest

from local.probe.checks import CHECKS
from local.probe.deployment import Deployment
from local.probe.model import Finding
from local.probe.runner import chosen, probe
from tests.probe.scenes import AT, write_pixels, write_scenes
from tests.stacks import start_stack


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("probe")
    (folder / "scenes").mkdir()
    write_scenes(folder / "scenes")
    write_pixels(folder / "scenes")
    with start_stack(folder) as stack:
        yield Deployment(stack.warehouse, stack, stack.webhook_url, AT, stack.hint_url)


@pytest.fixture
def again(deployment: Deployment) -> Callable[[str], dict[str, Finding]]:
    """Makes the checks of one name again on the same stack, with nothing remembered; findings by part."""

    def made(name: str) -> dict[str, Finding]:
        fresh = Deployment(deployment.warehouse, deployment.stack, deployment.webhook_url, AT, deployment.hint_url)
        found = probe(fresh, chosen(CHECKS, name))
        return {result.finding.part: result.finding for result in found if result.check.name == name}

    return made
