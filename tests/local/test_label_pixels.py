"""Labels, and what moved between two sets of overpasses, as they are fetched, beside the rasters themselves."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import rasterio

from local.earth_engine.server import EarthEngineServer
from shared.change.leaving import LASTING, SNOW, UNSEEN
from shared.change.supporting import Sides
from shared.change.watching import Frame, Watch
from shared.classes import CLASS_NAMES
from shared.earth_engine.label_pixels import fetch_labels
from shared.earth_engine.moved_pixels import fetch_moved
from shared.imagery.images import SceneImage
from shared.measurement.overpasses import PlannedOverpass
from shared.settings import Settings
from tests.scenes import NODATA, write_scene

Served = tuple[Path, Settings, EarthEngineServer]


def test_votes_views_and_the_last_label_before_are_those_of_the_rasters(earth_engine: Served) -> None:
    scenes, settings, _ = earth_engine
    random = np.random.default_rng(6)
    shown, overpasses = [], []
    # the first day lies more than 240 before the last of the baseline: it votes, and is no last label
    for day in ("20210201", "20211001", "20211101", "20220105", "20220205"):
        labels, hidden = random.choice([0, 1, 1, 6, 7, SNOW], (40, 60)), random.random((40, 60)) < 0.4
        image_id = f"{day}T023111_{day}T023105_T51TYL"
        write_scene(scenes, image_id, crs="EPSG:32651", origin=(709_000, 5_000_000), labels=labels, hidden=hidden)
        image = SceneImage(image_id=image_id, version_us=1, crs="EPSG:32651", bands=("label",), footprint={})
        overpasses.append(PlannedOverpass(image_id[:15], (image,)))
        shown.append(np.where(hidden, UNSEEN, labels))
    watched = Watch(datetime(2023, 1, 1, tzinfo=UTC), overpasses[:3], overpasses[3:], complete=True)
    # ten pixels beyond the rasters to the east
    found = fetch_labels(settings, watched, Frame("EPSG:32651", 709_100, 4_999_900, 60, 20))
    cut = np.full((5, 20, 60), UNSEEN)
    cut[:, :, :50] = np.array(shown)[:, 10:30, 10:]
    past = np.where(cut[:3] == SNOW, UNSEEN, cut[:3])
    assert (found.votes == [(past == c).sum(0) for c in LASTING]).all()
    assert (found.seen == (past != UNSEEN).sum(0)).all()
    last = np.where(past[2] != UNSEEN, past[2], past[1])
    assert (found.before == last).all()
    known = last != UNSEEN
    assert (found.before_view == np.where(past[2] != UNSEEN, 2, 1))[known].all()
    assert (found.labels == cut[3:]).all()


def test_what_moved_is_that_of_the_rasters_mean_probabilities_in_one_request_or_in_several(
    earth_engine: Served,
) -> None:
    scenes, settings, server = earth_engine
    random = np.random.default_rng(8)
    overpasses, probabilities = [], []
    for number, day in enumerate(("20210201", "20210301", "20210401", "20220105", "20220205")):
        image_id = f"{day}T023111_{day}T023105_T51TYL"
        hidden = random.random((70, 90)) < 0.4
        path = write_scene(
            scenes, image_id, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(70, 90), seed=number, hidden=hidden
        )
        image = SceneImage(image_id=image_id, version_us=1, crs="EPSG:32651", bands=CLASS_NAMES, footprint={})
        overpasses.append(PlannedOverpass(image_id[:15], (image,)))
        with rasterio.open(path) as raster:
            bands = np.stack([raster.read(1 + raster.descriptions.index(name)) for name in CLASS_NAMES])
        probabilities.append(np.where(bands == NODATA, np.nan, bands.astype(float)))
    with np.errstate(invalid="ignore"):
        earlier, later = (np.nansum(of, 0) / (~np.isnan(of)).sum(0) for of in (probabilities[:3], probabilities[3:]))
    seen = ~np.isnan(earlier[0]) & ~np.isnan(later[0])
    was, became = (np.nan_to_num(of).argmax(0)[None] for of in (earlier, later))
    fell = (np.take_along_axis(earlier, was, 0) - np.take_along_axis(later, was, 0))[0]
    rose = (np.take_along_axis(later, became, 0) - np.take_along_axis(earlier, became, 0))[0]
    expected = seen & (was != became)[0] & (fell >= 0.15) & (rose >= 0.15)
    assert 0.1 < expected.mean() < 0.9
    frame, compared = Frame("EPSG:32651", 709_100, 4_999_900, 80, 60), Sides(overpasses[:3], overpasses[3:])
    for divisor, requests in ((1, 1), (100_000, 2 * 3)):
        before = server.app.requests.get("image:computePixels", 0)
        assert (fetch_moved(settings, compared, frame, divisor) == expected[10:70, 10:90]).all()
        assert server.app.requests["image:computePixels"] - before == requests
