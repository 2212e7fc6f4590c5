"""Where a scene ends, any two areas of it agree bit for bit, with each other and with the whole scene at once."""

from collections.abc import Iterator

import numpy as np
import pytest

from local.earth_engine.server import EarthEngineServer
from shared.earth_engine import client
from shared.earth_engine.scene_masks import SceneMask
from shared.errors import NeverError
from shared.network.classifying import ScenePixels, probabilities_on, scene_pixels
from shared.network.fetching import scene_span
from shared.network.model import Network
from shared.network.tiling import SceneGrid, Span
from shared.settings import Settings
from tests.l1c import classified_at_once, random_l1c, write_l1c

CRS, HEIGHT, WIDTH = "EPSG:32651", 120, 180
LOWER, UPPER = (f"20210703T023111_20210703T023105_T51TY{row}" for row in "KL")
# Upper left corners in metres: the upper scene begins 300 m south and 1,000 m east of the lower one's corner.
CORNERS = {LOWER: (699_960, 4_998_000), UPPER: (700_960, 4_997_700)}
CLOUD = np.s_[40:60, 50:70]


def span_of(image_id: str) -> Span:
    """Which pixels a scene has, counted from the zone's corner, by hand."""
    west_m, north_m = CORNERS[image_id]
    top, left = (10_000_000 - north_m) // 10, west_m // 10
    return Span(top, left, top + HEIGHT, left + WIDTH)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("scenes")
    score = np.full((HEIGHT, WIDTH), 0.9, dtype=np.float32)
    score[CLOUD] = 0.3
    for number, (image_id, corner) in enumerate(CORNERS.items()):
        write_l1c(folder, image_id, random_l1c(HEIGHT, WIDTH, number), origin=corner, score=score)
    settings = Settings(project="local-project")
    server = EarthEngineServer({settings.collection: folder}, {settings.pass_collection: folder}).start()
    settings = settings.model_copy(update={"earth_engine_url": server.url})
    client.connect(settings, "test")
    yield settings
    server.stop()


@pytest.fixture(scope="module")
def network() -> Network:
    return Network()


def on(settings: Settings, network: Network, scenes: list[str], core: Span) -> np.ndarray:
    top_first: list[ScenePixels] = [scene_pixels(settings, SceneMask.CLOUD_SCORE, image_id) for image_id in scenes]
    return probabilities_on(settings, network, top_first, core, np.ones((core.height, core.width), dtype=bool))


def test_areas_that_reach_over_the_edge_agree_with_the_whole_scene(settings: Settings, network: Network) -> None:
    whole = classified_at_once(random_l1c(HEIGHT, WIDTH, 0))
    whole[:, *CLOUD] = np.nan
    scene = span_of(LOWER)
    for down, right in ((-10, -30), (HEIGHT - 22, WIDTH - 40), (38, -2), (-44, 60)):
        core = Span(scene.top + down, scene.left + right, scene.top + down + 60, scene.left + right + 80)
        own = core.grown(0, scene)
        expected = np.full((9, core.height, core.width), np.nan, dtype=np.float32)
        expected[:, own.top - core.top : own.bottom - core.top, own.left - core.left : own.right - core.left] = whole[
            :, own.top - scene.top : own.bottom - scene.top, own.left - scene.left : own.right - scene.left
        ]
        assert np.array_equal(on(settings, network, [LOWER], core), expected, equal_nan=True)
        assert np.isfinite(expected).any(), "nothing was compared"


def test_where_two_scenes_overlap_the_upper_ones_pixels_are_its_own_to_the_edge(
    settings: Settings, network: Network
) -> None:
    core = Span(*(end + shift for end, shift in zip(span_of(UPPER), (-20, -30, -60, -90), strict=True)))
    expected = np.full((9, core.height, core.width), np.nan, dtype=np.float32)
    for number, image_id in enumerate(CORNERS):
        scene = classified_at_once(random_l1c(HEIGHT, WIDTH, number))
        scene[:, *CLOUD] = np.nan
        place, at = span_of(image_id), core.grown(0, span_of(image_id))
        shown = scene[:, at.top - place.top : at.bottom - place.top, at.left - place.left : at.right - place.left]
        view = expected[:, at.top - core.top : at.bottom - core.top, at.left - core.left : at.right - core.left]
        np.copyto(view, shown, where=np.isfinite(shown))
    assert np.array_equal(on(settings, network, [UPPER, LOWER], core), expected, equal_nan=True)


def test_a_scene_is_asked_only_where_it_has_pixels(settings: Settings, network: Network) -> None:
    scene = span_of(LOWER)
    beside = Span(scene.top, scene.right, scene.bottom, scene.right + 40)
    assert np.isnan(on(settings, network, [LOWER], beside)).all()
    assert scene_span(settings, UPPER, SceneGrid(CRS, 0, 10_000_000)) == span_of(UPPER)


def test_a_scene_in_another_grid_is_refused(settings: Settings) -> None:
    with pytest.raises(NeverError, match="expected pixels of 10 m in EPSG:32652"):
        scene_span(settings, LOWER, SceneGrid("EPSG:32652", 0, 10_000_000))
