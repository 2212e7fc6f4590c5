"""What supported change is worth: a small run of ``benchmarks/transitions.py``, five places of each kind; and what the
months before and after an event are, and which ground is its own.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from benchmarks.transitions import KINDS, MODES, SUPPORTED, simulated
from shared.change.supporting import around, sides, supported
from shared.change.watching import Frame, place_in
from shared.classes import CLASS_NAMES
from shared.imagery.images import SceneImage
from shared.measurement.overpasses import PlannedOverpass


@pytest.mark.parametrize("kind", ["evergreen", "seasonal"])
def test_the_rule_reaches_its_bars_and_maps_that_differ_do_not(kind: str) -> None:
    assert kind in KINDS
    tally = simulated(kind, 5)
    changed = {rule: np.mean([case.changed for case in cases]) for rule, cases in tally.quiet.items()}
    found = {rule: np.mean([case.found for case in cases]) for rule, cases in tally.cleared.items()}
    assert changed[SUPPORTED] <= 0.003
    assert found[SUPPORTED] >= 0.78
    assert changed[MODES] > 0.05, "unchanged ground differs between maps"
    assert found[MODES] > 0.9
    own_year, _, told, by_months, beside = np.mean(tally.in_july, 0)
    assert own_year < 0.5 < 0.75 < told, "what happened within a year is its event's, not the year's"
    assert by_months >= 0.78
    assert beside < 0.05


def overpass(moment: datetime, bands: tuple[str, ...] = CLASS_NAMES) -> PlannedOverpass:
    stamp = f"{moment:%Y%m%dT%H%M%S}"
    image = SceneImage(image_id=f"{stamp}_{stamp}_T51TYL", version_us=1, crs="EPSG:32651", bands=bands, footprint={})
    return PlannedOverpass(stamp, (image,))


def test_an_event_is_compared_by_the_months_around_it_and_not_before_half_a_year_is_watched() -> None:
    daily = [overpass(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=n)) for n in range(4 * 365)]
    after, before = datetime(2022, 5, 8, tzinfo=UTC), datetime(2022, 5, 13, tzinfo=UTC)
    found = sides(after, before, daily)
    assert found is not None
    ends = [side[n].overpass_id[:8] for side in found for n in (0, -1)]
    assert ends == ["20210509", "20220508", "20220513", "20230512"], "what lies between is neither"

    def until(days: int) -> list[PlannedOverpass]:
        return [o for o in daily if o.overpass_id <= f"{before + timedelta(days=days):%Y%m%dT%H%M%S}"]

    assert sides(after, before, until(179)) is None
    half = sides(after, before, until(180))
    assert half is not None
    assert half.after[-1].overpass_id[:8] == "20221109"
    unseen = sides(None, before, daily)
    assert unseen is not None
    assert [unseen.before[n].overpass_id[:8] for n in (0, -1)] == ["20210513", "20220512"]
    assert sides(after, before, [o for o in daily if o.overpass_id >= "20220513"]) is None, "nothing before it"
    labels_only = overpass(datetime(2022, 7, 1, 1, tzinfo=UTC), bands=("label",))
    assert sides(after, before, sorted([*daily, labels_only], key=lambda o: o.overpass_id)) is None


def test_ground_of_an_event_is_what_moved_in_it_or_next_to_it_and_nothing_else() -> None:
    frame = Frame("EPSG:32651", 700_000, 5_000_000, 90, 60)
    patch = np.zeros((60, 90), bool)
    patch[20:30, 5:15] = True
    part = around(patch, frame)
    assert part == Frame("EPSG:32651", 700_000, 4_999_900, 25, 30), "a hundred metres, but not beyond the frame"
    assert place_in(frame, part) == (slice(10, 40), slice(0, 25))
    cells = patch[place_in(frame, part)]
    moved = np.zeros_like(cells)
    moved[12:22, 10:16] = True  # 60 pixels, 50 of them in the patch
    moved[0:8, 17:25] = True  # 64 that do not meet it
    moved[10:12, 5:7] = True  # 4 that do, too few
    found = supported(moved, cells)
    assert found.sum() == 60
    assert found[12:22, 10:16].all()
