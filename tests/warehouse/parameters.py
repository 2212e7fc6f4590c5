"""Values for the parameters of queries, drawn from the rows of a generated warehouse."""

import json
import random
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from local.probe.statements import PARAMETERS
from shared.warehouse.client import parameter
from shared.warehouse.files import schema, sql
from tests.warehouse.generated import RUN_TIMES, SIDES, WORDS, Rows, record
from tests.warehouse.reference import Typed


def _kind(value: Any) -> str:
    """The type that the client sends a value with."""
    sent = parameter("value", value)
    return f"ARRAY<{sent.array_type}>" if isinstance(value, list) else str(sent.type_)


# Of each query, the types of its parameters, as of the values that the probe passes.
QUERIES = {query: {name: _kind(value) for name, value in given.items()} for query, given in PARAMETERS.items()}
_TARGET = re.compile(r"^(?:INSERT INTO|MERGE) `(?P<table>\w+)`", re.MULTILINE)


def parameters(query: str, types: Mapping[str, str], rows: Rows, number: int) -> dict[str, Typed]:
    """Parameters of one call of a query, by name with their types; lists are empty in call number 0."""
    rng = random.Random(f"{query} {number}")
    values = _JOINT[query](rng, rows) if query in _JOINT else {}
    if {"aoi_id", "aoi_version"} & types.keys():
        row = rng.choice(rows["observations"])
        values = {"aoi_id": row["aoi_id"], "aoi_version": row["aoi_version"]} | values
    for name, kind in types.items():
        if kind.startswith("ARRAY") and number == 0:
            values[name] = []
        elif name not in values:
            values[name] = _value(rng, query, name, kind, rows)
    return {name: (kind, values[name]) for name, kind in types.items()}


def _value(rng: random.Random, query: str, name: str, kind: str, rows: Rows) -> Any:
    match name, kind:
        case "rows", _:
            return json.dumps(_items(rng, query, rows), default=str)
        case "year" | "baseline_year", _:
            return rng.choice([2020, 2021])
        case "most", _:
            return rng.choice([3, 1000])
        case "period" | "topic" | "reason" | "after_aoi", _ if rng.random() < 0.5:
            return ""
        case "after_aoi", _:
            return rng.choice(_column(rows, "aoi_id"))
        case "name_space", _:
            return rng.choice(_column(rows, "aoi_id"))[: rng.randint(0, 2)]
        case "last_day", _:
            return date(2021, rng.randint(1, 12), 28)
        case "coverage_floor", _:
            return 0.2
        case "most_m2", _:
            return rng.choice([1e7, 1e9])
        case _, "DATE":
            return date(rng.randint(2018, 2020), rng.randint(1, 3), rng.randint(1, 28))
        case _, "TIMESTAMP":
            return datetime.combine(date(rng.randint(2018, 2020), 2, 5), time(3, 4, 5, 678901), UTC)
        case _, "ARRAY<STRING>":
            known = _column(rows, name.removesuffix("s"))
            return [*rng.sample(known, min(3, len(known))), "unknown"]
        case _:
            return rng.choice(_column(rows, name) or WORDS)


def _column(rows: Rows, name: str) -> list[Any]:
    """What a column has in any table, each value once."""
    found = {row[name] for table in rows.values() for row in table if row.get(name) is not None}
    return sorted(found)


def _items(rng: random.Random, query: str, rows: Rows) -> list[dict[str, Any]]:
    """Rows that a query is to record, some about what is known already."""
    match = _TARGET.search(sql("queries", query, dataset="").replace("`.", "`"))
    assert match, f"{query} has rows as a parameter, and no table that they are for"
    known = [row for row in rows[match["table"]] if row.get("aoi_id")]
    items = {}
    for row in [*rng.sample(known, 3), {}]:
        given = {name: row[name] for name in rng.sample(sorted(row), len(row) * 2 // 3)} | {
            "aoi_id": row.get("aoi_id", "never seen")
        }
        items[given["aoi_id"]] = record(rng, schema(match["table"]), given)
    return list(items.values())


def _box(rng: random.Random) -> dict[str, float]:
    west, south = rng.uniform(9, 12.5), rng.uniform(-2.5, 1)
    return dict(zip(SIDES, (west, south, west + rng.uniform(0.1, 2), south + rng.uniform(0.1, 2)), strict=True))


def _touching(rng: random.Random, _: Rows) -> dict[str, Any]:
    east, north = rng.uniform(10.5, 13), rng.uniform(-0.5, 1)
    return {"footprint": "", "west_deg": 9.0, "south_deg": -2.0, "east_deg": east, "north_deg": north}


def _acquisitions(rng: random.Random, rows: Rows) -> dict[str, Any]:
    """Images as listed: logged with the same ingestion time, logged with another, measured, or new."""
    logged = [(row["image_id"], row["version_us"]) for row in rng.sample(rows["acquisitions"], 40)]
    measured = [
        (image_id, version)
        for row in rng.sample(rows["observations"], 40)
        for image_id, version in zip(row["image_ids"], row["image_versions"], strict=True)
    ]
    listed = [
        *logged,
        *((image_id, version + rng.choice([-1, 1, 10**14])) for image_id, version in logged[:20]),
        *measured,
        *((f"new-{n}", int(RUN_TIMES[0].timestamp() * 1e6) - n * 10**13) for n in range(10)),
    ]
    boxes = [{"image_id": image_id, "version_us": version, **_box(rng)} for image_id, version in dict(listed).items()]
    # one across the antimeridian comes as two
    boxes += [{**box, **_box(rng)} for box in boxes[:5]]
    return {"boxes": json.dumps(boxes), "since": rng.choice([date(2018, 1, 1), date(2021, 1, 1)])}


def _scenes(rng: random.Random, rows: Rows) -> dict[str, Any]:
    """Scenes of one day: of overpasses that are recorded with as many, with more, or not at all."""
    known = rng.choice(rows["passes"])
    clouds = [known["least_cloud_percent"], rng.uniform(0, 100)]
    scenes = [
        {
            "scene_id": f"scene-{n}",
            "overpass_id": rng.choice([known["overpass_id"], f"{known['acquired_date']:%Y%m%d}T235959"]),
            "cloud_percent": rng.choice(clouds),
            "footprint": "",
            **_box(rng),
        }
        for n in range(12)
    ]
    return {"scenes": json.dumps(scenes), "day": known["acquired_date"]}


# Parameters that mean something only together.
def _unseen(rng: random.Random, rows: Rows) -> dict[str, Any]:
    """The day of a pass of which there is no observation."""
    observed = {(row["aoi_id"], row["aoi_version"], row["overpass_id"]) for row in rows["observations"]}
    current = {(row["aoi_id"], row["aoi_version"]) for row in rows["aoi_events"]}
    unseen = [
        row
        for row in rows["passes"]
        if (row["aoi_id"], row["aoi_version"], row["overpass_id"]) not in observed
        and (row["aoi_id"], row["aoi_version"]) in current
    ]
    before = rng.choice([datetime(2015, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)])
    return {"day": rng.choice(unseen or rows["passes"])["acquired_date"], "unpublished_before": before}


def _estimated(rng: random.Random, rows: Rows) -> dict[str, Any]:
    """An area and a year that a sample of classes tells of."""
    row = rng.choice([row for row in rows["area_estimates"] if row["quantity"] == "class"])
    return {"aoi_id": row["aoi_id"], "year": row["year"]}


def _compared(rng: random.Random, rows: Rows) -> dict[str, Any]:
    """A year of an area as it is registered now, with a month that is seen whole in it and in an earlier one."""
    newest: dict[str, int] = {}
    for row in rows["aoi_events"]:
        newest[row["aoi_id"]] = max(row["aoi_version"], newest.get(row["aoi_id"], 0))
    whole: dict[str, set[tuple[int, int]]] = {}
    for row in rows["composites"]:
        if row["period"] == "month" and newest.get(row["aoi_id"]) == row["aoi_version"] and row["coverage"] > 0.95:
            whole.setdefault(row["aoi_id"], set()).add((row["period_start"].year, row["period_start"].month))
    there = sorted(
        {
            (aoi_id, year)
            for aoi_id, months in whole.items()
            for year, month in months
            if any((earlier, month) in months for earlier in range(year - 4, year))
        }
    )
    aoi_id, year = rng.choice(there) if there else ("nothing to compare", 2021)
    return {"aoi_id": aoi_id, "year": year}


_JOINT = {
    "report_baseline": _compared,
    "report_estimates": _estimated,
    "unseen_passes": _unseen,
    "aois_touching": _touching,
    "new_acquisitions": _acquisitions,
    "new_passes": _scenes,
}
