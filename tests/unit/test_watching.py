"""Which overpasses and pixels are asked for, and what is told of what is found."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from scipy.stats import false_discovery_control
from shapely import box
from shapely.geometry import mapping

from local.earth_engine import limits
from shared.aois.aoi import Aoi
from shared.change.discoveries import discoveries, p_value
from shared.change.pixels import LabelPixels, assembled
from shared.change.planning import change_requests
from shared.change.telling import confirmed_news, withdrawn_news
from shared.change.watching import Frame, Watch, fits, frame_box, frame_of, inside, outline_in, watch, windows
from shared.imagery.images import SceneImage
from shared.measurement.overpasses import PlannedOverpass
from shared.settings import Settings
from tests.news import PATCH

OUTLINE = box(125.66, 45.10, 125.70, 45.13)
AOI = Aoi("a", 1, 1.05e7, dict(mapping(OUTLINE)))


def overpass(moment: datetime, crs: str = "EPSG:32651") -> PlannedOverpass:
    stamp = f"{moment:%Y%m%dT%H%M%S}"
    image = SceneImage(image_id=f"{stamp}_{stamp}_T51TYL", version_us=1, crs=crs, bands=("label",), footprint={})
    return PlannedOverpass(stamp, (image,))


def every(days: int, first: datetime, last: datetime) -> list[PlannedOverpass]:
    return [overpass(first + timedelta(days=n)) for n in range(0, (last - first).days, days)]


YEARS = every(5, datetime(2019, 1, 3, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))


def test_a_year_has_two_before_it_and_240_days_after() -> None:
    watched = watch(2022, YEARS)
    assert (watched.baseline[0].overpass_id[:8], watched.baseline[-1].overpass_id[:8]) == ("20200103", "20211228")
    assert (watched.views[0].overpass_id[:4], watched.views[-1].overpass_id[:6]) == ("2022", "202308")
    assert watched.until == datetime(2023, 1, 1, tzinfo=UTC)
    assert watched.complete
    assert not watch(2020, YEARS).complete, "one year before it"
    assert not watch(2019, YEARS).complete


def test_windows_cover_the_frame_once_and_fit_one_answer() -> None:
    watched = watch(2022, YEARS)
    frame = frame_of(AOI, watched.baseline)
    outline_m = outline_in(frame.crs, OUTLINE)
    assert frame_box(frame).contains(outline_m)
    assert frame.width * frame.height * 100 < 1.2 * outline_m.area
    for most_reads, divisor in ((10**9, 1), (10**7, 1), (10**9, 16)):
        parts = list(windows(frame, outline_m, watched, most_reads, divisor))
        assert sum(p.width * p.height for p in parts) == frame.width * frame.height
        for part in parts:
            values = (
                part.width * part.height * (5 * (8 + limits.MASK_BYTES) + len(watched.views) * (1 + limits.MASK_BYTES))
            )
            assert values <= limits.MOST_PIXEL_BYTES / divisor
            assert part.width * part.height * (len(watched.baseline) + len(watched.views)) <= most_reads
    assert inside(frame, outline_m).sum() * 100 == pytest.approx(outline_m.area, rel=1e-3)
    assert fits(frame, 10)
    assert not fits(frame, 4)


def test_the_frame_lies_in_a_zone_that_has_images() -> None:
    other = [overpass(datetime(2022, 1, 1, tzinfo=UTC), "EPSG:32652")]
    assert frame_of(AOI, YEARS[:1]).crs == "EPSG:32651"
    assert frame_of(AOI, other).crs == "EPSG:32652"
    assert frame_of(AOI, [overpass(datetime(2022, 1, 1, tzinfo=UTC), "EPSG:4326")]).crs == "EPSG:32651"


def test_windows_are_put_together_where_they_belong() -> None:
    frame = Frame("EPSG:32651", 700_000, 5_000_000, 70, 50)
    everything = np.random.default_rng(0).integers(0, 9, (7, 50, 70))
    watched = Watch(datetime(2023, 1, 1, tzinfo=UTC), YEARS[:100], YEARS[100:103], complete=True)
    parts = []
    for part in windows(frame, frame_box(frame), watched, 103 * 40 * 40):
        top, left = (frame.north_m - part.north_m) // 10, (part.west_m - frame.west_m) // 10
        cut = everything[:, top : top + part.height, left : left + part.width]
        parts.append((part, LabelPixels(cut[:3], cut[3], cut[3], cut[3], cut[4:])))
    assert len(parts) == 4
    whole = assembled(frame, 3, parts)
    assert (whole.votes == everything[:3]).all()
    assert (whole.labels == everything[4:]).all()


def test_messages_hold_neighbours_of_one_year() -> None:
    rows = [{"aoi_id": f"a{n}", "aoi_version": 1, "year": 2020 + n % 2, "cell": n % 3} for n in range(150)]
    requests = list(change_requests(rows, Settings(project="some-project")))
    assert sorted((r.aoi_id, r.year) for m in requests for r in m.changes) == sorted(
        (r["aoi_id"], r["year"]) for r in rows
    )
    cells = {row["aoi_id"]: row["cell"] for row in rows}
    for request in requests:
        assert len({(cells[ref.aoi_id], ref.year) for ref in request.changes}) == 1
        assert len(request.changes) <= 20


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    random = np.random.default_rng(2)
    for _ in range(20):
        p = np.concatenate([random.uniform(0, 0.002, 12), random.uniform(0, 1, 8)])
        wanted = false_discovery_control(np.concatenate([p, np.ones(280)]))[:20] <= 0.1
        assert discoveries(list(p), 300) == wanted.tolist()
    assert p_value(0, 999) == 0.001
    with pytest.raises(ValueError, match="2 areas have a patch of 1"):
        discoveries([0.1, 0.1], 1)


def test_of_a_fleet_at_most_one_in_ten_told_is_false_and_nearly_all_changes_are_told() -> None:
    """2,000 areas, 5 % of them changed; the largest patch of a quiet year falls tenfold for each 0.6 ha more."""
    random = np.random.default_rng(4)
    false = []
    for _ in range(20):
        quiet = random.exponential(0.26, 3_000)
        changed = np.arange(2_000) < 100
        largest = np.where(changed, random.uniform(2, 4, 2_000), random.exponential(0.26, 2_000))
        p = [p_value(int((quiet >= value).sum()), quiet.size) for value in largest]
        told = np.array(discoveries(p, 2_000))
        false.append((told & ~changed).sum() / told.sum())
        assert (told & changed).sum() >= 95
    assert np.mean(false) < 0.1


def alarm(number: int, **changes: Any) -> dict[str, Any]:
    row = {**PATCH, "aoi_id": "a", "aoi_label": None, "patch_id": f"p{number}", "withdrawn_at": None, "told": False}
    return row | {"outline": '{"type": "Polygon"}', "quiet_count": 0, "as_large_count": 0, "asked_count": 200} | changes


def test_until_the_past_is_long_enough_the_limit_alone_decides_and_the_event_says_so() -> None:
    little = [alarm(1), alarm(2, told=True), alarm(3, quiet_count=999, as_large_count=900)]
    assert [(news.patch_id, news.controlled_by) for news in confirmed_news(little)] == [
        ("p1", "limit"),
        ("p3", "limit"),
    ]
    much = {"quiet_count": 5_000}
    rows = [alarm(1, **much), alarm(2, told=True, **much), alarm(3, as_large_count=900, **much)]
    assert [(news.patch_id, news.controlled_by) for news in confirmed_news(rows)] == [("p1", "false discovery rate")]
    assert confirmed_news([]) == []


def test_what_is_withdrawn_is_told_as_it_was_told_of() -> None:
    (confirmed,) = confirmed_news([alarm(1)])
    moment = datetime(2023, 9, 1, tzinfo=UTC)
    (withdrawn,) = withdrawn_news([{"body": confirmed.model_dump_json(), "withdrawn_at": moment}])
    assert withdrawn == confirmed.model_copy(update={"withdrawn_at": moment})
