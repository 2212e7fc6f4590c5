"""Composites whose ties and gaps are settled, against numpy on the same pixels and areas that exactextract weighs."""

from collections import Counter
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from shapely import Polygon
from shapely.geometry import mapping

from local.earth_engine.server import EarthEngineServer
from shared.aois.aoi import Aoi
from shared.aois.geometry import ellipsoidal_area_m2
from shared.earth_engine.client import connect
from shared.earth_engine.composites import measure_composites
from shared.earth_engine.listing import list_images
from shared.measurement.areas import Areas, areas_of, disagreement, progress_of
from shared.measurement.composing import budget_of, composite_jobs, composite_window
from shared.measurement.jobs import measure_jobs
from shared.measurement.overpasses import overpasses_by_aoi
from shared.messages.bodies import CompositeRef, Progress
from shared.settings import Settings
from tests.scenes import independent_cells, random_probabilities, write_scene

Served = tuple[Path, Settings, EarthEngineServer]
ORIGIN, SIDE = (709_000.0, 5_000_000.0), 60
AREA = Polygon([(125.6580, 45.1180), (125.6635, 45.1185), (125.6630, 45.1222), (125.6578, 45.1220)])
# The month is July 2021: what lies thirteen months before it settles nothing.
DAYS = ("20200604", "20200709", "20200911", "20210203", "20210314", "20210602", "20210703", "20210718")
JULY = [day for day in DAYS if day.startswith("202107")]
BEFORE = [day for day in DAYS if "20200701" <= day < "20210701"]
UNSEEN = -1


@pytest.fixture
def views(earth_engine: Served) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Labels, UNSEEN under cloud, and probabilities by day. Every view hides two thirds: many pixels were seen by none of
    July, and some never.
    """
    found = {}
    random = np.random.default_rng(3)
    for seed, day in enumerate(DAYS):
        hidden = (random.random((SIDE // 3, SIDE // 3)) < (0.4 if day in JULY else 0.66)).repeat(3, 0).repeat(3, 1)
        probabilities = random_probabilities((SIDE, SIDE), seed)
        name = f"{day}T023111_{day}T023105_T51TYL"
        write_scene(
            earth_engine[0], name, crs="EPSG:32651", origin=ORIGIN, shape=(SIDE, SIDE), seed=seed, hidden=hidden
        )
        found[day] = (np.where(hidden, UNSEEN, probabilities.argmax(0)), np.where(hidden, np.nan, probabilities))
    return found


def measured(served: Served, period: str, start: date, **budgets: int) -> Areas:
    settings = served[1].model_copy(update=budgets)
    connect(settings, "test")
    aoi = Aoi("a", 1, ellipsoidal_area_m2(AREA), dict(mapping(AREA)))
    ref = CompositeRef(aoi_id="a", aoi_version=1, period=period, period_start=start)
    images = list_images(settings, *composite_window([ref], [aoi]))
    (job,) = composite_jobs([ref], {"a": aoi}, overpasses_by_aoi([aoi], images))
    batches = list(measure_jobs([job], partial(measure_composites, settings), budget_of([ref], settings)))
    ((_, areas),) = [done for batch in batches for done in batch.done]
    assert disagreement(areas, aoi) is None
    return areas


def by_class(folder: Path, classes: np.ndarray) -> np.ndarray:
    """Areas of classes, with the edge weights of Earth Engine, from the pixels alone."""
    grid = write_scene(folder, "grid", crs="EPSG:32651", origin=ORIGIN, shape=(SIDE, SIDE))
    cells = independent_cells(grid, AREA, eight_bit=True)
    here = classes[cells.rows, cells.columns]
    return np.bincount(here[here != UNSEEN], weights=cells.areas_m2[here != UNSEEN], minlength=9)


def test_a_month_is_settled_by_the_year_before_it(
    earth_engine: Served, views: dict[str, tuple[np.ndarray, np.ndarray]], tmp_path: Path
) -> None:
    mode, settled = np.full((SIDE, SIDE), UNSEEN), np.full((SIDE, SIDE), UNSEEN)
    shares, ties = np.zeros((9, SIDE, SIDE)), 0
    for at in np.ndindex(SIDE, SIDE):
        own = Counter(int(views[day][0][at]) for day in JULY if views[day][0][at] != UNSEEN)
        past = [int(views[day][0][at]) for day in BEFORE if views[day][0][at] != UNSEEN]
        most = [c for c in range(9) if own and own[c] == max(own.values())]
        if own:
            mode[at] = most[0]
            votes = Counter(past) + own
            settled[at] = max(most, key=lambda c: (votes[c], -c))
            ties += len(most) > 1 and settled[at] != mode[at]
        elif past:
            settled[at], own = past[-1], Counter([past[-1]])
        for c, n in own.items():
            shares[(c, *at)] = n / own.total()
    assert ties > 20, "some ties are decided otherwise than by the smallest number"
    areas = measured(earth_engine, "month", date(2021, 7, 1))
    tolerance_m2 = 1e-6 * areas.aoi_m2
    assert list(areas.label_m2.values()) == pytest.approx(by_class(tmp_path, mode), abs=tolerance_m2)
    assert areas.settled is not None
    assert areas.settled.mean_m2 is not None
    assert list(areas.settled.label_m2.values()) == pytest.approx(by_class(tmp_path, settled), abs=tolerance_m2)
    gaps = np.where(mode == UNSEEN, settled, UNSEEN)
    assert areas.settled.filled_m2 == pytest.approx(by_class(tmp_path, gaps).sum(), abs=tolerance_m2)
    assert 0.05 < areas.settled.filled_m2 / areas.aoi_m2 < 0.9
    assert areas.valid_m2 + areas.settled.filled_m2 < 0.99 * areas.aoi_m2, "and some was never seen"
    grid = independent_cells(tmp_path / "grid.tif", AREA, eight_bit=True)
    means = (shares[:, grid.rows, grid.columns] * grid.areas_m2).sum(1)
    assert list(areas.settled.mean_m2.values()) == pytest.approx(means, abs=tolerance_m2)

    cut = measured(earth_engine, "month", date(2021, 7, 1), label_pixel_budget=7_000)
    assert cut.settled is not None
    # where pieces meet, each pixel's two weights are rounded by themselves
    whole = list(areas.settled.label_m2.values())
    assert list(cut.settled.label_m2.values()) == pytest.approx(whole, abs=5e-5 * areas.aoi_m2)
    travelled = areas_of(Progress.model_validate_json(progress_of("f", 1, areas).model_dump_json()))
    assert travelled == areas, "what is handed on in the middle of an area loses nothing"


def test_a_year_is_the_class_of_the_largest_mean_probability(
    earth_engine: Served, views: dict[str, tuple[np.ndarray, np.ndarray]], tmp_path: Path
) -> None:
    of_year = [probabilities for day, (_, probabilities) in views.items() if day.startswith("2021")]
    means = np.ma.masked_invalid(of_year).mean(0)
    classes = np.where(means.mask[0], UNSEEN, means.argmax(0))
    areas = measured(earth_engine, "year", date(2021, 1, 1))
    assert areas.settled is not None
    found = list(areas.settled.label_m2.values())
    assert found == pytest.approx(by_class(tmp_path, classes), abs=1e-6 * areas.aoi_m2)
    assert (areas.settled.filled_m2, areas.settled.mean_m2) == (0.0, None)
    assert found != pytest.approx(list(areas.label_m2.values()), abs=0.01 * areas.aoi_m2), "the mode is another"
