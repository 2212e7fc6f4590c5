"""Fixtures: a local Earth Engine on an empty folder of scenes, and real data where it lies."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.earth_engine.server import EarthEngineServer
from shared.earth_engine import client
from shared.settings import Settings

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
