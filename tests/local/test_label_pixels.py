"""The labels of a window as they are fetched, beside the rasters themselves."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from local.earth_engine.server import EarthEngineServer
from shared.change.leaving import LASTING, SNOW, UNSEEN
from shared.change.watching import Frame, Watch
from shared.earth_engine.label_pixels import fetch_labels
from shared.imagery.images import SceneImage
from shared.measurement.overpasses import PlannedOverpass
from shared.settings import Settings
from tests.scenes import write_scene

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
