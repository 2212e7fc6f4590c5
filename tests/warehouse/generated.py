"""Random warehouses: rows of every table but the summaries, as a few years of the pipeline could have left them.

Each row has every column of its schema: what means something is given, the rest is drawn by its type.
"""

import json
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from shared.classes import CLASSES
from shared.warehouse.files import definitions, schema

Row = dict[str, Any]
Rows = dict[str, list[Row]]

# Two runs of the scheduled queries a week apart: what the first wrote, the second finds.
RUN_TIMES = (datetime(2022, 3, 10, 7, tzinfo=UTC), datetime(2022, 3, 17, 7, tzinfo=UTC))
SUMMARIES = ("monthly_summary", "annual_summary")
# Seen in every year, so that change has years to compare; other months are mostly empty.
_MONTHS = (2, 7)
_YEARS = range(2019, 2023)
WORDS = ("", "a", "B", "ä", "it's", "50 %", "month", "two words", "x" * 40)


class Load(NamedTuple):
    """Rows that arrived before a run of the scheduled queries, and its time."""

    run_time: datetime
    rows: Rows


def loads(seed: int) -> list[Load]:
    """One warehouse: what arrived before the first run, and what between it and the second."""
    return _Maker(random.Random(seed)).loads


class _Area(NamedTuple):
    """One version of an AOI, and what its ground is like."""

    aoi_id: str
    aoi_version: int
    area_m2: float
    box: tuple[float, float, float, float]
    shares: list[float]
    changed_from: date


class _Maker:
    """One generator decides everything, in one order."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        # of its own, so that a column more or less changes nothing else
        self._filler = random.Random(rng.random())
        self._serial = 0
        self.loads = [
            Load(at, {name: [] for name in definitions()["tables"] if name not in SUMMARIES}) for at in RUN_TIMES
        ]
        for aoi_id in ("a", "B", "b-1", "c", "Z-9"):
            for area in self._registered(aoi_id):
                self._observe(area)
                self._change(area)
                self._become(area)
                self._estimate(area)
        # measured, though no registration of it is known
        self._observe(self._area("stray", 1))
        for table, rows in self.loads[0].rows.items():
            if not rows:
                for _ in range(5):
                    self._add(table, 0, {})

    def _add(self, table: str, load: int, given: Row, times: int = 1) -> None:
        self._serial += 1
        assert given.keys() <= {field["name"] for field in schema(table)}, f"{table} has not all of {list(given)}"
        self.loads[load].rows[table] += [record(self._filler, schema(table), given)] * times

    def _arrival(self, after: datetime) -> tuple[int, datetime]:
        """A load, and a moment that belongs to it: a little or long after another one, never twice the same."""
        load = int(self._rng.random() < 0.12)
        earliest = max(after, RUN_TIMES[load - 1]) if load else min(after, RUN_TIMES[0] - timedelta(hours=1))
        most = (RUN_TIMES[load] - earliest) / timedelta(seconds=1)
        late = self._rng.random() < 0.3
        found = earliest + timedelta(seconds=self._rng.randrange(int(most if late else min(most, 30 * 86400))))
        return load, found.replace(microsecond=self._serial)

    def _registered(self, aoi_id: str) -> list[_Area]:
        """Versions of an AOI: new geometries, the same again, deletions and returns, recorded in any order."""
        rng = self._rng
        areas: list[_Area] = []
        happened_at = datetime(rng.randint(2018, 2020), rng.randint(1, 12), rng.randint(1, 28), 5, tzinfo=UTC)
        for event in ["new", *rng.choices(["new", "same", "delete"], [3, 4, 2], k=rng.randint(0, 3))]:
            happened_at += timedelta(days=rng.choice([0, 0, 1, 20]))
            if event == "new":
                areas.append(self._area(aoi_id, len(areas) + 1))
            area = rng.choice(areas) if event == "same" else areas[-1]
            load, recorded_at = self._arrival(happened_at)
            given = {
                "webhook_id": f"msg_{self._serial % 40:03d}",
                "event_type": "aoi.deleted" if event == "delete" else "aoi.registered",
                "event_time": happened_at,
                "recorded_at": recorded_at,
                "aoi_id": aoi_id,
                "aoi_version": area.aoi_version,
                "turn": rng.choice([None, self._serial]),
                **dict.fromkeys(("geometry", "geometry_sha256", "area_m2", *SIDES, "backfill_start")),
                "cells": [],
            }
            if event != "delete":
                given |= _ground(area)
                given["backfill_start"] = date(rng.randint(2019, 2021), rng.randint(1, 12), rng.randint(1, 28))
            self._add("aoi_events", load, given)
        return areas

    def _area(self, aoi_id: str, version: int) -> _Area:
        rng = self._rng
        west, south = rng.uniform(9, 12), rng.uniform(-2, 1)
        weights = [rng.gammavariate(0.7, 1) for _ in CLASSES]
        return _Area(
            aoi_id,
            version,
            rng.uniform(1e4, 1e8),
            (west, south, west + rng.uniform(0.01, 1.2), south + rng.uniform(0.01, 0.4)),
            [weight / sum(weights) for weight in weights],
            date(rng.randint(2021, 2022), rng.randint(1, 3), 1),
        )

    def _observe(self, area: _Area) -> None:
        """Passes, observations and composites of an area: late, repeated, superseded, masked, or none in a month."""
        rng = self._rng
        months = {(year, month) for year in _YEARS for month in _MONTHS}
        months |= {(rng.choice(_YEARS), rng.randint(3, 12)) for _ in range(3)}
        for year, month in sorted(months):
            if rng.random() < 0.1 or date(year, month, 1) > RUN_TIMES[0].date():
                continue
            days = {
                rng.randint(1, 9) if (year, month) == (2022, 3) else rng.randint(1, 28)
                for _ in range(rng.randint(1, 3))
            }
            for day in sorted(days):
                self._pass_over(area, datetime(year, month, day, 2, rng.randrange(60), 11, tzinfo=UTC))
            if rng.random() < 0.95:
                self._composite(area, "month", date(year, month, 1))
        for year in _YEARS:
            if rng.random() < 0.8:
                self._composite(area, "year", date(year, 1, 1))

    def _pass_over(self, area: _Area, acquired_at: datetime) -> None:
        rng = self._rng
        overpass_id = f"{acquired_at:%Y%m%dT%H%M%S}"
        day = acquired_at.date()
        when = {"overpass_id": overpass_id, "acquired_date": day, "acquired_month": day.year * 100 + day.month}
        ref = {"aoi_id": area.aoi_id, "aoi_version": area.aoi_version}
        for _ in range(rng.choice([0, 1, 1, 2])):
            load, recorded_at = self._arrival(acquired_at)
            cloud = rng.choice([None, 35.0, rng.uniform(0, 100), rng.uniform(0, 100)])
            given = {"scene_count": rng.randint(1, 3), "least_cloud_percent": cloud, "recorded_at": recorded_at}
            self._add("passes", load, {**ref, **when, "acquired_at": acquired_at, **given})
        if rng.random() < 0.1:
            self._fail(ref, overpass_id, acquired_at)
        images = [f"{overpass_id}_{overpass_id}_T{n}" for n in range(rng.randint(1, 3))]
        for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
            load, processed_at = self._arrival(acquired_at)
            used = images[: rng.randint(1, len(images))]
            versions = [int(processed_at.timestamp() * 1e6) - rng.randrange(10**11) for _ in used]
            given = {"image_ids": used, "image_versions": versions, "listed_image_count": rng.choice([len(used), 3])}
            given |= {"acquired_at": acquired_at, "processed_at": processed_at, **self._measured(area, day)}
            given["source"] = self._filler.choice([None, *["dynamic_world"] * 4, "network"])
            self._add("observations", load, {**ref, **when, **given}, times=rng.choice([1, 1, 1, 2]))
            self._touch(load, day.replace(day=1), "month", processed_at)
            if rng.random() < 0.7:
                self._add("acquisitions", load, {**when, "image_id": used[0], "version_us": versions[0]})

    def _composite(self, area: _Area, period: str, start: date) -> None:
        rng = self._rng
        for _ in range(rng.choice([1, 1, 1, 2])):
            load, processed_at = self._arrival(datetime(start.year, start.month, 28, tzinfo=UTC))
            given = {"aoi_id": area.aoi_id, "aoi_version": area.aoi_version, "period": period, "period_start": start}
            given |= {"period_month": start.year * 100 + start.month, "processed_at": processed_at}
            given |= self._settled(self._measured(area, start), period)
            self._add("composites", load, given, times=rng.choice([1, 1, 2]))
            self._touch(load, start, period, processed_at)
        if period == "month" and start >= area.changed_from:
            for class_id in rng.sample(range(len(CLASSES)), 3):
                given = {"aoi_id": area.aoi_id, "aoi_version": area.aoi_version, "month": start, "class_id": class_id}
                given |= {"patch_id": None, "state": None, "body": None}
                self._add("change_alerts", 0, given)

    def _change(self, area: _Area) -> None:
        """Patches of some years: larger or smaller than limits, found again, told of or not."""
        rng = random.Random(f"{area.aoi_id} {area.aoi_version} {area.area_m2}")
        ref = {"aoi_id": area.aoi_id, "aoi_version": area.aoi_version}
        fields = next(field["fields"] for field in schema("changes") if field["name"] == "patches")
        for year in range(2017, 2023):
            for found in range(rng.choice([0, 1, 1, 2])):
                patches = []
                for number in range(rng.choice([0, 0, 1, 3])):
                    state = rng.choice(["provisional", "confirmed", "confirmed", "withdrawn"])
                    after = datetime(year, rng.randint(1, 12), rng.randint(1, 28), tzinfo=UTC)
                    about = {"patch_id": f"patch_{year}_{number}", "state": state, "area_m2": rng.uniform(1e4, 6e4)}
                    about |= {"confirmed_at": None if state == "provisional" else after}
                    patches.append(record(rng, fields, about))
                    if state != "provisional" and rng.random() < 0.5:
                        told = {"patch_id": about["patch_id"], "state": rng.choice(["confirmed", "withdrawn"])}
                        self._add("change_alerts", found, {**ref, **told, "body": "{}"})
                given = {
                    "year": year,
                    "aoi_area_m2": area.area_m2,
                    "limit_area_m2": 2e4,
                    "watched_area_m2": rng.choice([None, 0.0, area.area_m2 / 2, area.area_m2 / 3]),
                    "largest_area_m2": rng.uniform(0, 5e4),
                    "patches": patches,
                    "processed_at": RUN_TIMES[found] - timedelta(days=rng.randint(0, 900), seconds=rng.random()),
                }
                self._add("changes", found, {**ref, **given})

    def _become(self, area: _Area) -> None:
        """What became what between years, some pairs again with another year before: quiet pairs and loud ones."""
        rng = random.Random(f"{area.area_m2} {area.aoi_version} {area.aoi_id}")
        ref = {"aoi_id": area.aoi_id, "aoi_version": area.aoi_version, "aoi_area_m2": area.area_m2}
        (fields,) = (field["fields"] for field in schema("transitions") if field["name"] == "cells")
        pairs = [("previous", 2019, 2020), ("previous", 2020, 2021), ("previous", 2021, 2022), ("previous", 2020, 2022)]
        for compared_with, from_year, to_year in [*pairs, ("baseline", 2020, 2022), ("baseline", 2019, 2021)]:
            for found in range(rng.choice([0, 1, 1, 2])):
                noise, labels_only = rng.choice([1e-4, 1e-3, 1e-2]), rng.random() < 0.1
                cells = []
                for pair in rng.sample(range(len(CLASSES) ** 2), 12):
                    old, new = divmod(pair, len(CLASSES))
                    supported = sorted((rng.uniform(0, noise) * area.area_m2 for _ in range(4)), reverse=True)
                    about = {"from_class_id": old, "from_class_name": CLASSES[old].name}
                    about |= {"to_class_id": new, "to_class_name": CLASSES[new].name}
                    about |= {"mapped_area_m2": rng.uniform(0, 0.05) * area.area_m2}
                    for name, area_m2 in zip((15, 20, 25, 30), supported, strict=True):
                        about[f"supported_{name}_area_m2"] = None if labels_only else area_m2
                    cells.append(record(rng, fields, about))
                given = {
                    "year": to_year,
                    "compared_with": compared_with,
                    "from_year": from_year,
                    "to_year": to_year,
                    "seen_in_both_m2": area.area_m2 * rng.choice([0.0, 0.3, 0.8, 0.9, 1.0]),
                    "cells": cells,
                    "processed_at": RUN_TIMES[found] - timedelta(days=rng.randint(0, 900), seconds=rng.random()),
                }
                self._add("transitions", found, {**ref, **given}, times=rng.choice([1, 1, 2]))
                if rng.random() < 0.3:
                    sampled = {"strata": "change", "quantity": "transition", "from_year": from_year, "year": to_year}
                    sampled |= {"aoi_id": area.aoi_id, "aoi_version": area.aoi_version}
                    sampled |= {"estimated_at": given["processed_at"]}
                    for cell in cells[:5]:
                        classes = {"from_class_id": cell["from_class_id"], "class_id": cell["to_class_id"]}
                        self._add("area_estimates", found, {**sampled, **classes}, times=rng.choice([1, 2]))

    def _measured(self, area: _Area, day: date) -> Row:
        """Class areas: those of the ground with noise, a tenth of it another class since the change."""
        rng = self._rng
        coverage = rng.choice([0.0, 0.2, rng.uniform(0, 0.2), *(rng.uniform(low, 1) for low in [0.4] * 3 + [0.95] * 6)])
        shares = list(area.shares)
        if day >= area.changed_from:
            most = shares.index(max(shares))
            shares[most] -= 0.1
            shares[most - 1] += 0.1
        valid_area_m2 = coverage * area.area_m2
        labels_only = rng.random() < 0.1
        classes = schema("observations")
        fields = next(field["fields"] for field in classes if field["name"] == "classes")
        return {
            "coverage": coverage,
            "valid_area_m2": valid_area_m2,
            "aoi_area_m2": area.area_m2,
            "classes": [
                record(self._filler, fields, {
                    "class_id": land_cover.class_id,
                    "class_name": land_cover.name,
                    "label_area_m2": valid_area_m2 * share * rng.uniform(0.98, 1.02),
                    "probability_area_m2": None if labels_only else valid_area_m2 * share * rng.uniform(0.95, 1.02),
                })
                for land_cover, share in zip(CLASSES, shares, strict=True)
            ],
        }  # fmt: skip

    def _settled(self, measured: Row, period: str) -> Row:
        """The same composite with ties and gaps settled; one in six was computed before there was any."""
        rng = self._filler
        known, month = rng.random() < 0.85, period == "month"
        gaps_m2 = measured["aoi_area_m2"] - measured["valid_area_m2"]
        filled_m2 = rng.choice([0.0, 1.0, rng.random()]) * gaps_m2 if month else 0.0
        for found in measured["classes"]:
            area_m2 = found["label_area_m2"] + filled_m2 / len(CLASSES)
            found["settled_area_m2"] = area_m2 * rng.uniform(0.98, 1.02) if known else None
            found["mean_area_m2"] = area_m2 * rng.uniform(0.95, 1.02) if known and month else None
        return {**measured, "filled_area_m2": filled_m2 if known else None}

    def _estimate(self, area: _Area) -> None:
        """Estimates of a class from samples, some repeated later, some appended twice."""
        key = {"aoi_id": area.aoi_id, "aoi_version": area.aoi_version, "strata": "classes", "from_year": None}
        for year in _YEARS:
            for _ in range(self._rng.randint(0, 2)):
                load, at = self._arrival(datetime(year, 1, 2, tzinfo=UTC))
                for class_id in self._rng.sample(range(len(CLASSES)), 3):
                    row = {"quantity": "class", "class_id": class_id, "class_name": CLASSES[class_id].name}
                    row |= {"from_class_id": None, "year": year, "estimated_at": at}
                    self._add("area_estimates", load, {**key, **row}, times=self._rng.choice([1, 1, 2]))

    def _touch(self, load: int, month: date, period: str, at: datetime) -> None:
        if self._rng.random() < 0.9:
            self._add("touches", load, {"month": month, "period": period, "touched_date": at.date()})

    def _fail(self, ref: Row, overpass_id: str, acquired_at: datetime) -> None:
        rng = self._rng
        load, recorded_at = self._arrival(acquired_at)
        overpasses = [overpass_id, rng.choice(["20210231T101010", overpass_id])]
        given = {"dead_letter_id": f"letter-{self._serial}", "recorded_at": recorded_at, "aois": [ref]}
        self._add(
            "dead_letters", load, {**given, "overpass_ids": overpasses, "topic": rng.choice(["measurements", "a"])}
        )
        if rng.random() < 0.4:
            self._add("dead_letter_replays", load, {"dead_letter_id": given["dead_letter_id"]})


SIDES = ("west_deg", "south_deg", "east_deg", "north_deg")


def _ground(area: _Area) -> Row:
    west, south, east, north = area.box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "geometry": json.dumps({"type": "Polygon", "coordinates": [ring]}),
        "geometry_sha256": f"digest of {area.aoi_id} {area.aoi_version}",
        "area_m2": area.area_m2,
        **dict(zip(SIDES, area.box, strict=True)),
        "cells": [int(south // 1 + 90) * 360 + int(west // 1) + 180],
    }


def record(rng: random.Random, fields: list[dict[str, Any]], given: Row) -> Row:
    """A row with a value for each field: the given one, or one drawn by its type and mode."""
    return {field["name"]: given[field["name"]] if field["name"] in given else _drawn(rng, field) for field in fields}


def _drawn(rng: random.Random, field: dict[str, Any]) -> Any:
    if field["mode"] == "REPEATED":
        return [_drawn(rng, {**field, "mode": "REQUIRED"}) for _ in range(rng.randrange(3))]
    if field["mode"] == "NULLABLE" and rng.random() < 0.2:
        return None
    moment = datetime(2018, 1, 1, tzinfo=UTC) + timedelta(microseconds=rng.randrange(4 * 365 * 86400 * 10**6))
    return {
        "STRING": lambda: rng.choice(WORDS),
        "INTEGER": lambda: rng.randrange(-3, 100),
        "FLOAT": lambda: rng.uniform(-1, 100),
        "BOOLEAN": lambda: rng.random() < 0.5,
        "DATE": moment.date,
        "TIMESTAMP": lambda: moment,
        "RECORD": lambda: record(rng, field["fields"], {}),
    }[field["type"]]()
