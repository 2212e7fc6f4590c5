"""Every function dies once after each of its side effects, is tried again, and all ends as if nothing had happened."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from shapely import box
from shapely.geometry import mapping

from local.stack import FUNCTIONS, Stack
from local.upkeep import dead_letters
from local.upkeep.dead_letters import Selection
from shared.aois import recording
from shared.measurement import unseen
from shared.messages import publishing
from shared.warehouse.client import Warehouse
from tests.l1c import random_l1c, write_l1c
from tests.notices import basic, data_space
from tests.receiver import Receiver, receiving
from tests.scenes import write_scene
from tests.stacks import event, feature, quiet, rows, signed_post, start_stack

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
SECRET = "whsec_bmV3IHNlY3JldCBmb3IgdGVzdHMgMDEyMzQ1Njc4OQ=="
SQUARES = {"a": box(125.661, 45.114, 125.664, 45.116), "b": box(125.666, 45.114, 125.669, 45.116)}
EVER = datetime(2015, 1, 1, tzinfo=UTC)
WATER, TREES = 0, 1
# Views enough to know what is usual, and three of the four that confirm a change.
FOREST = [f"{year}{month}03" for year in (2021, 2022) for month in ("01", "03", "05", "07", "09")]
FLOODED = ["20230403", "20230503", "20230703"]


class DeathError(Exception):
    """Stands for an instance that is gone: nothing after this point happens."""


class Deaths:
    """Kills each function once after each kind of side effect of each message; ``played`` says which there were."""

    def __init__(self) -> None:
        self._here = threading.local()
        self._done: set[tuple[str, str, str]] = set()
        self.played: set[tuple[str, str]] = set()

    @contextmanager
    def handling(self, function: str, message_id: str) -> Iterator[None]:
        self._here.work = (function, message_id)
        try:
            yield
        finally:
            del self._here.work

    def after(self, effect: str, particular: str = "") -> None:
        """Call after a side effect."""
        called = "hint" if effect == "topic acquisitions" else "register_aoi"
        function, message_id = getattr(self._here, "work", (called, ""))
        self.played.add((function, effect))
        if (key := (function, message_id, effect + particular)) not in self._done:
            self._done.add(key)
            raise DeathError(f"{function} after {effect}")


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deaths]:
    """Inserts, statements, publications and posts become the points at which functions die."""
    deaths = Deaths()
    push, append, query, publish = Stack._push, Warehouse.append, Warehouse.query, publishing.publish_raw

    def dying_push(self: Stack, function: str, body: dict[str, Any]) -> int:
        with deaths.handling(function, body["message"]["messageId"]):
            return push(self, function, body)

    def dying_append(self: Warehouse, table: str, given: Any) -> None:
        if table == "deliveries":
            deaths.after("POST")
        append(self, table, given)
        if given:
            deaths.after(table)

    def dying_query(self: Warehouse, name: str, **parameters: Any) -> Any:
        found = query(self, name, **parameters)
        if name in {"open_register", "record_aoi_events", "note_histories"}:
            deaths.after(name, parameters.get("rows", ""))
        return found

    def dying_publish(settings: Any, topic: str, messages: Any) -> int:
        count = publish(settings, topic, messages)
        if count:
            deaths.after(f"topic {topic}")
        return count

    with monkeypatch.context() as patched:
        patched.setattr(Stack, "_push", dying_push)
        patched.setattr(Warehouse, "append", dying_append)
        patched.setattr(Warehouse, "query", dying_query)
        patched.setattr(publishing, "publish_raw", dying_publish)
        patched.setattr(dead_letters, "publish_raw", dying_publish)
        yield deaths


def scene(folder: Path, name: str, label: int) -> None:
    labels = np.full((200, 200), label)
    path = write_scene(folder, name, crs="EPSG:32651", origin=(709_000, 5_000_000), labels=labels)
    os.utime(path, (1_700_000_000, 1_700_000_000))  # its version, the same in both runs


def send_until_taken(stack: Stack, body: str, webhook_id: str) -> Any:
    """What a sender does."""
    for _ in range(10):
        answer = signed_post(stack.webhook_url, stack.webhook_secret, body, webhook_id)
        if answer.status_code == 202:
            return answer.json()
    raise AssertionError(answer.text)


def send_until_published(stack: Stack, notice: bytes) -> None:
    """What a sender of hints does."""
    headers = {"Authorization": basic(stack.hint_credentials)}
    for _ in range(4):
        answer = requests.post(stack.hint_url, data=notice, headers=headers, timeout=30)
        if answer.status_code == 202:
            return
    raise AssertionError(answer.text)


def play(stack: Stack, scenes: Path, receiver: Receiver, deaths: Deaths | None) -> dict[str, Any]:
    """A history, news, composites, passes, a change, dead letters and their replay; what is left in the end."""
    for day in FOREST + FLOODED:
        scene(scenes, f"{day}T023111_{day}T023105_T51TYL", TREES if day in FOREST else WATER)
    features = [feature(aoi_id, dict(mapping(square))) for aoi_id, square in SQUARES.items()]
    body = event("aoi.registered", {"type": "FeatureCollection", "features": features}, "2026-01-01T00:00:00Z")
    answer = send_until_taken(stack, body, "both")
    quiet(stack)
    stack.summarise()
    # as if that had been long ago: from here on summaries look only at what was touched
    for table, change in (("touches", "touched_date = '2020-01-01'"), ("aoi_events", "recorded_at = '2020-01-01'")):
        stack.warehouse.run(f"UPDATE `{stack.warehouse.table(table)}` SET {change} WHERE TRUE", {})
    scene(scenes, "20230708T023109_20230708T023105_T51TYL", WATER)
    skipped = "20230713T023111_20230713T023105_T51TYL"
    written = write_l1c(
        scenes, skipped, random_l1c(198, 198), origin=(709_000, 5_000_000), probability=np.zeros((198, 198))
    )
    for path in written.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    # sensed just now, so that it is news; the scene never comes
    send_until_published(
        stack, data_space(f"S2A_MSIL1C_{datetime.now(UTC):%Y%m%dT%H%M%S}_N0511_R046_T51TYL_20260101T000000")
    )
    quiet(stack)
    stack.tick("discover", run_date=date(2023, 7, 10))
    quiet(stack)
    stack.tick("composite", run_date=date(2020, 1, 2))
    quiet(stack)
    stack.summarise()
    stack.tick("transition", run_date=date(2020, 1, 2))
    stack.tick("record-passes", run_date=date(2023, 7, 14))
    stack.tick("find-changes", run_date=date(2023, 8, 1))
    quiet(stack)
    stack.tick("alert-changes", run_date=date(2023, 8, 1))
    stack.bus.publish("measurements", b"not a request", {"lane": "live"})
    given_up = {"CloudPubSubDeadLetterSourceSubscription": "measure-backfill", "lane": "backfill"}
    stack.bus.publish("dead-letters", b"not a request either", given_up)
    quiet(stack)
    before = dead_letters.select(stack.warehouse, Selection(EVER))
    for _ in range(4):
        try:
            if deaths is None:
                dead_letters.replay(stack.warehouse, before)
            else:
                with deaths.handling("replay", ""):
                    dead_letters.replay(stack.warehouse, before)
            break
        except DeathError:
            continue
    quiet(stack)
    return {"answer": answer, "letters before": letters(before), **left(stack, receiver)}


def letters(found: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return sorted((letter["function"], letter["topic"], letter["body"]) for letter in found)


KEYS: dict[str, str] = {
    "aois": "aoi_id, aoi_version, geometry_sha256",
    "histories": "aoi_id, aoi_version, backfill_start",
    "acquisitions": "image_id, version_us",
    "observations_current": "aoi_id, aoi_version, overpass_id, image_ids, valid_area_m2, coverage",
    "composites_current": "aoi_id, aoi_version, period, period_start, valid_area_m2, overpass_count",
    "monthly_summary": "aoi_id, aoi_version, month, class_id, observation_count, mean_share, composite_share",
    "annual_summary": "aoi_id, aoi_version, year, class_id, observation_count, mean_share, composite_share",
    "passes_current": "aoi_id, overpass_id, scene_count, least_cloud_percent",
    "changes_current": "aoi_id, aoi_version, year, watched_area_m2, largest_area_m2",
    "transitions_current": "aoi_id, aoi_version, from_year, to_year, seen_in_both_m2, cells",
    "report_patches": "aoi_id, aoi_version, year, patch_id, state, area_ha",
    "change_alerts": "event_id",
}


def left(stack: Stack, receiver: Receiver) -> dict[str, Any]:
    """What readers see of each table, and what receivers know of events: by its keys, repetitions counted once."""
    found: dict[str, Any] = {}
    for table, columns in KEYS.items():
        names = columns.split(", ")
        found[table] = sorted({tuple(_written(row[name]) for name in names) for row in rows(stack, table)})
    for table in ("observations_current", "composites_current", "monthly_summary", "annual_summary", "passes_current"):
        assert len(rows(stack, table)) == len(found[table]), f"{table}: something is there twice"
    found["aoi_events"] = sorted((r["webhook_id"], r["aoi_id"], r["aoi_version"]) for r in rows(stack, "aoi_events"))
    found["told"] = sorted({headers["webhook-id"] for headers, _ in receiver.calls})
    found["delivered"] = sorted({r["event_id"] for r in rows(stack, "deliveries") if r["outcome"] == "delivered"})
    found["letters"] = letters(dead_letters.select(stack.warehouse, Selection(EVER)))
    return found


def _written(value: Any) -> str:
    """A value as text; of a float what does not hang on the order in which its terms were added."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def documented() -> set[tuple[str, str]]:
    """Function and effect of each row of the document's table."""
    text = DOCUMENT.read_text(encoding="utf-8").partition("## Where a function may die")[2]
    return {
        (function, effect)
        for function, effects in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.MULTILINE)
        for effect in re.findall(r"`([^`]+)`", effects)
    }


def test_a_death_after_any_side_effect_changes_nothing_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_BYTES_PER_STATEMENT", 1)
    monkeypatch.setattr(unseen, "_MOST_ATTEMPTS", 3)
    settings = {"event_secrets": SECRET, "discover_window_days": "60"}
    ends = []
    for name in ("undisturbed", "disturbed"):
        folder = tmp_path / name
        folder.mkdir()
        with receiving(folder, monkeypatch) as receiver:
            url = {"event_url": receiver.url}
            if name == "undisturbed":
                with start_stack(folder, **settings, **url) as stack:
                    ends.append(play(stack, folder / "scenes", receiver, None))
            else:
                with dying(monkeypatch) as deaths, start_stack(folder, **settings, **url) as stack:
                    ends.append(play(stack, folder / "scenes", receiver, deaths))
    expected, found = ends
    assert len(expected["letters"]) == 2
    assert expected["letters"] == expected["letters before"]
    assert len(expected["change_alerts"]) == 2
    assert expected["told"] == expected["delivered"]
    assert len(expected["told"]) == 2 + 2 + 2, (
        "changes of two areas, and their observations of 8 July 2023, and of 13 July"
    )
    assert any(row[-1] != "None" for row in expected["monthly_summary"])
    for part, value in expected.items():
        assert found[part] == value, part
    assert {function for function, _ in deaths.played} == {*FUNCTIONS, "replay"}
    assert deaths.played == documented()
