"""Fixtures: scenes made on the spot, a local Earth Engine on them, an embedded stack, and real data where it lies."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.earth_engine.server import EarthEngineServer
from shared.earth_engine import client
from shared.settings import Settings
from tests.scenes import write_scene
from tests.stacks import start_stack

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


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


@pytest.fixture
def scene(tmp_path: Path) -> Callable[..., Path]:
    """Writes one GeoTIFF; see ``tests.scenes.write_scene``."""
    return write_scene


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[object]:
    """An embedded stack on an empty scenes folder; see ``tests.stacks.start_stack``."""
    with start_stack(tmp_path) as running:
        yield running
