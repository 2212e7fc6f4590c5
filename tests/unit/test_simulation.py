"""The deployed limits hold up: the simulation reads them, so a change of theirs that does not fails here."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scale import composite_share_of_day, hours_of_patches, shares_of_month
from benchmarks.simulation import SERVICES, SETTLE_SECONDS, Pipeline, Seconds, measured_seconds

AOIS = 100_000
RETENTION_HOURS = 31 * 24


def test_rows_come_half_an_hour_after_an_overpass_has_settled_at_a_hundred_thousand_areas() -> None:
    pipeline = Pipeline(AOIS)
    outcome = pipeline.run(days=1)
    assert sum(rows for _, rows in outcome.latencies) > AOIS / 10
    assert SETTLE_SECONDS < outcome.percentile(0.95) < SETTLE_SECONDS + 30 * 60
    assert not outcome.dead
    assert outcome.earth_engine_refused == 0
    assert max(pipeline.utilisation().values()) < 0.5
    assert composite_share_of_day(AOIS) < 0.5


def test_what_fetches_pixels_keeps_up_at_a_hundred_thousand_areas() -> None:
    assert max(shares_of_month(AOIS).values()) < 0.8
    assert hours_of_patches(AOIS) < RETENTION_HOURS


def test_a_backfill_leaves_live_traffic_alone_and_ends_before_its_messages_expire() -> None:
    alone, beside = Pipeline(AOIS), Pipeline(AOIS)
    before = alone.run(days=1).percentile(0.95)
    outcome = beside.run(days=1, new_aois=AOIS)
    assert outcome.percentile(0.95) < 1.05 * before
    assert outcome.backfill_done_at is not None
    assert outcome.backfill_done_at < RETENTION_HOURS * 3600
    assert not outcome.dead
    assert outcome.earth_engine_most <= 36


def test_after_days_without_discovery_nothing_is_given_up() -> None:
    pipeline = Pipeline(AOIS)
    outcome = pipeline.run(days=1, missed_days=3)
    assert not outcome.dead
    assert max(queue.most_attempts for queue in pipeline.queues.values()) < 10


def test_a_service_too_small_is_seen() -> None:
    """The model can fail: one instance of measure and a slow Earth Engine leave rows late."""
    slow = Seconds(computing=60, computing_pairs=120)
    outcome = Pipeline(AOIS, seconds=slow, instances={"measure": 1}).run(days=1)
    assert outcome.percentile(0.95) > SETTLE_SECONDS + 60 * 60


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = (Pipeline(1_000, seed=3).run(days=1).latencies for _ in range(2))
    assert first == second != Pipeline(1_000, seed=4).run(days=1).latencies


@pytest.mark.parametrize("name", ["dispatch", "measure", "measure-backfill", "backfill", "discover"])
def test_instances_are_those_that_are_deployed(name: str) -> None:
    assert Pipeline(1).services[name].instances.capacity == SERVICES[name]["max_instances"]


def probed(path: Path, **changes: Any) -> Path:
    document = {"embedded": False, "seconds": {"computing": 9.0, "computing_pairs": 40.0}, "settings": {}}
    path.write_text(json.dumps(document | changes))
    return path


def test_seconds_can_come_from_a_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = probed(tmp_path / "probe.json")
    assert measured_seconds(path) == Seconds(computing=9.0, computing_pairs=40.0), "the rest stays assumed"
    assert Pipeline(1).seconds == Seconds()
    monkeypatch.setenv("LANDCOVER_PROBED", str(path))
    assert Pipeline(1).seconds == measured_seconds(path)
    assert Pipeline(1, seconds=Seconds(query=1.0)).seconds == Seconds(query=1.0)


@pytest.mark.parametrize(
    ("changes", "words"), [({"embedded": True}, "embedded stack"), ({"seconds": {"x": 1}}, "unknown seconds x")]
)
def test_a_file_that_tells_nothing_about_the_services_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        measured_seconds(probed(tmp_path / "probe.json", **changes))
