"""Fixtures: a local Earth Engine on an empty folder of scenes, and real data where it lies. How tests are handed out."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from local.earth_engine.server import EarthEngineServer
from shared.earth_engine import client
from shared.settings import Settings

# What these find false says with what values, as in a test.
pytest.register_assert_rewrite("tests.claims")

# Terraform runs once for the one, the demo once for the other: each is for one worker.
_TOGETHER = {
    "deployment": ("deployment/",),
    "demo": (
        "pipeline/test_demo.py",
        "pipeline/test_index_page.py",
        "pipeline/test_report_in_browser.py",
        "pipeline/test_report_truth.py",
    ),
}
# What takes longest begins first, so that no worker is left with it at the end.
_FIRST = (
    "deployment",
    "demo",
    "pipeline/test_hostile_registration.py",
    "pipeline/test_any_order.py",
    "pipeline/test_functions.py",
    "warehouse/test_executed.py",
    "pipeline/test_cost.py",
    "pipeline/test_kill.py",
    "pipeline/test_faults.py",
    "pipeline/test_command_line.py",
    "pipeline/test_crashes.py",
    "pipeline/test_register.py",
    "pipeline/test_frugality.py",
    "network/test_products.py",
)
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: many tests wait for a server that works, or for time to pass."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first."""
    places = {name: place for place, name in enumerate(_FIRST)}
    items.sort(key=lambda item: places.get(_group(item.nodeid), len(places)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """With ``--dist loadfile``: what belongs together is one file."""
    return _ByGroup(config, log) if config.getvalue("dist") == "loadfile" else None


class _ByGroup(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def _group(nodeid: str) -> str:
    file = nodeid.partition("::")[0].removeprefix("tests/")
    return next((group for group, files in _TOGETHER.items() if file.startswith(files)), file)


def pytest_report_header() -> str:
    return f"sample data: {'found' if SHARED_DATA.is_dir() else 'absent, tests on it are skipped'}"


@pytest.fixture
def shared_data() -> Path:
    """The folder of third-party sample data; tests that need it are skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the third-party sample data is not on this machine")
    return SHARED_DATA


@pytest.fixture
def earth_engine(tmp_path: Path) -> Iterator[tuple[Path, Settings, EarthEngineServer]]:
    """An empty scenes folder served as Dynamic World, the settings to reach it, and the server."""
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    settings = Settings(project="local-project")
    server = EarthEngineServer({settings.collection: scenes}).start()
    settings = settings.model_copy(update={"earth_engine_url": server.url})
    client.connect(settings, "test")
    yield scenes, settings, server
    server.stop()
