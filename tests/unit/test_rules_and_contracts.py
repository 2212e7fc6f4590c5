"""Contracts that several pieces meet at: errors, messages, schemas, SQL files, messaging, settings, documentation."""

import ast
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError
from shapely import box
from shapely.geometry import mapping

from local.bigquery import limits as warehouse_limits
from local.earth_engine import limits as engine_limits
from local.runs.outputs import COLUMNS
from local.stack import FUNCTIONS
from shared.aois.aoi import Aoi
from shared.classes import CLASSES
from shared.earth_engine.client import as_our_error
from shared.errors import (
    CollectionMissingError,
    DeploymentError,
    InvalidMessageError,
    NeverError,
    RetryLaterError,
    SettingsError,
    TileMemoryError,
    TooBigError,
    TooManyAggregationsError,
)
from shared.imagery.images import MOST_CLOUD_PERCENT
from shared.measurement.areas import Areas, disagreement, total
from shared.measurement.rows import composite_row, observation_row, provenance
from shared.messages.bodies import Acquisition, AoiRegistration, CompositeRequest, MeasurementRequest, Tick, Topic
from shared.messages.receiving import parse
from shared.messages.schedules import schedules
from shared.messages.subscriptions import messaging
from shared.settings import Settings, load_settings
from shared.warehouse.files import definitions, schema, sql

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Too many concurrent aggregations.", TooManyAggregationsError),
        ("Too Many Requests: Request was rejected because the request rate or concurrency limit was exceeded.", RetryLaterError),
        ("Quota exceeded for quota metric 'Earth Engine requests'", DeploymentError),
        ("Quota exceeded: Too many concurrent aggregations.", TooManyAggregationsError),
        ("An internal error has occurred (request: abc)", RetryLaterError),
        ("Some words nobody has seen yet", RetryLaterError),
        ("Computation timed out.", TooBigError),
        ("User memory limit exceeded.", TileMemoryError),
        ("Output of image computation is too large (20 bands for 851,968 pixels = 126.8 MiB > 80.0 MiB).", TileMemoryError),
        ("Earth Engine memory capacity exceeded.", TooBigError),
        ("computation timed out.", TooBigError),
        ("Deadline exceeded.", TooBigError),
        ("Computed value is too large.", TooBigError),
        ("Image.reduceRegion: Too many pixels in the region. Found 2, but maxPixels allows only 1.", TooBigError),
        ("Request payload size exceeds the limit: 10485760 bytes.", TooBigError),
        ("Collection query aborted after accumulating over 5000 elements.", TooBigError),
        ("Image.load: Image asset 'X' not found (does not exist or caller does not have access).", RetryLaterError),
        ("ImageCollection.load: ImageCollection asset 'X' not found (does not exist or caller does not have access).", CollectionMissingError),
        ("Permission 'earthengine.computations.create' denied on resource 'projects/x'", DeploymentError),
        ("Caller does not have required permission to use project x. Propagation may take a few minutes.", DeploymentError),
        ("Earth Engine API has not been used in project 1 before or it is disabled.", DeploymentError),
        ("Project 'projects/x' is not registered to use Earth Engine.", DeploymentError),
        ("Image.select: Band pattern 'label' did not match any bands. Available bands: [b1]", NeverError),
        ("Unrecognized argument (x) to function: Image.add", NeverError),
    ],
)  # fmt: skip
def test_earth_engine_errors_are_told_apart_by_text(text: str, kind: type[Exception]) -> None:
    assert type(as_our_error(Exception(text))) is kind


def test_a_timeout_without_words_is_retried() -> None:
    assert isinstance(as_our_error(TimeoutError()), RetryLaterError)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (Tick, {"job": "discover", "scope": "frequent"}),
        (Acquisition, {"image_id": "20210103T023111_20210103T023107_T51TYL"}),
        (AoiRegistration, {"aois": [{"aoi_id": "a", "aoi_version": 1, "backfill_start": "2020-01-01"}]}),
        (MeasurementRequest, {"overpass_ids": ["20210103T023111"], "aois": [{"aoi_id": "a", "aoi_version": 1}]}),
        (
            CompositeRequest,
            {"composites": [{"aoi_id": "a", "aoi_version": 1, "period": "year", "period_start": "2020-01-01"}]},
        ),
    ],
)
def test_messages_of_tomorrow_and_of_yesterday_are_read(model: Any, body: dict[str, Any]) -> None:
    """Two versions run while a deployment rolls out, and messages wait for up to a month. These are the fields that each
    message had in its first version: what came later has defaults, what comes next is ignored.
    """
    today = parse(model, json.dumps(body).encode())
    assert parse(model, json.dumps({**body, "surprise": 1, "more": {"nested": []}}).encode()) == today
    wrong = {key: {"neither": "text nor list"} for key in body}
    with pytest.raises(InvalidMessageError, match=next(iter(body))):
        parse(model, json.dumps(wrong).encode())
    for broken in (b"", b"{", b"[]", b"null", b"\xff"):
        with pytest.raises(InvalidMessageError):
            parse(model, broken)


def areas(probabilities: bool = True) -> Areas:
    values = {c.class_id: float(c.class_id) for c in CLASSES}
    return Areas(40.0, 36.0, values, dict(values) if probabilities else None)


def bigquery_as_json_schema(fields: list[dict[str, Any]]) -> dict[str, Any]:
    """A JSON schema with the names, types and modes of a BigQuery schema, unknown fields refused."""
    types: dict[str, Any] = {
        "STRING": {"type": "string"},
        "INTEGER": {"type": "integer"},
        "FLOAT": {"type": "number"},
        "TIMESTAMP": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"},
        "DATE": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    }
    properties = {}
    for field in fields:
        item = bigquery_as_json_schema(field["fields"]) if field["type"] == "RECORD" else types[field["type"]]
        if field["mode"] == "REPEATED":
            item = {"type": "array", "items": item}
        elif field["mode"] == "NULLABLE":
            item = {"anyOf": [item, {"type": "null"}]}
        properties[field["name"]] = item
    required = [f["name"] for f in fields if f["mode"] == "REQUIRED"]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


@pytest.mark.parametrize("probabilities", [True, False])
def test_rows_fit_their_schemas(probabilities: bool) -> None:
    origin = provenance([], datetime(2021, 1, 4, tzinfo=UTC))
    aoi = Aoi("a", 1, 50.0, {})
    observation = observation_row(aoi, "20210103T023111", areas(probabilities), origin)
    jsonschema.validate(observation, bigquery_as_json_schema(schema("observations")))
    assert [c["class_id"] for c in observation["classes"]] == list(range(9))
    composite = composite_row(aoi, "month", date(2021, 1, 1), areas(probabilities), origin, 4)
    jsonschema.validate(composite, bigquery_as_json_schema(schema("composites")))
    assert (observation["acquired_month"], composite["period_month"]) == (202101, 202101)
    # 40 m² were measured of 50 registered: shares stay, areas are those of the registered AOI
    assert (observation["aoi_area_m2"], observation["measured_aoi_area_m2"], observation["coverage"]) == (50, 40, 0.9)
    assert [c["label_area_m2"] for c in observation["classes"]] == [1.25 * n for n in range(9)]


HECTARE = dict(mapping(box(10, 50, 10.0014, 50.0009)))


def test_areas_that_do_not_agree_are_told_by_what_is_wrong() -> None:
    aoi = Aoi("a", 1, 10_000.0, HECTARE)
    sound = Areas(
        10_020.0, 5_000.0, {**dict.fromkeys(range(9), 0.0), 1: 5_000.0}, {**dict.fromkeys(range(9), 0.0), 1: 4_990.0}
    )
    assert disagreement(sound, aoi) is None
    assert disagreement(sound._replace(probability_m2=None), aoi) is None
    nothing = dict.fromkeys(range(9), 0.0)
    assert "classes add up to 0.0" in str(disagreement(sound._replace(label_m2=nothing), aoi))
    assert "probabilities add up to 0.0" in str(disagreement(sound._replace(probability_m2=nothing), aoi))
    assert "measures 9000.0 m²" in str(disagreement(sound._replace(aoi_m2=9_000.0), aoi))
    assert "were seen of" in str(
        disagreement(sound._replace(valid_m2=11_000.0, label_m2={**nothing, 1: 11_000.0}), aoi)
    )


def test_an_edge_weighs_more_in_a_small_area() -> None:
    """A sliver of a metre by 500 m: 8 bits take 2 % of it, which is no reason to doubt the rest."""
    sliver = Aoi("a", 1, 500.0, dict(mapping(box(10, 50, 10.007, 50.000009))))
    assert disagreement(Areas(490.0, 0.0, dict.fromkeys(range(9), 0.0), None), sliver) is None


def test_pieces_add_up_and_coverage_stays_within_one() -> None:
    both = total([areas(), areas()])
    assert (both.aoi_m2, both.valid_m2, both.label_m2[8]) == (80, 72, 16)
    assert total([areas(), areas(probabilities=False)]).probability_m2 is None
    assert Areas(1.0, 1.0 + 1e-12, {}, None).coverage == 1
    assert Areas(0.0, 0.0, {}, None).coverage == 0


def test_every_table_has_a_schema_and_every_column_a_description() -> None:
    folder = ROOT / "shared/warehouse/schemas"
    assert {path.stem for path in folder.glob("*.json")} == set(definitions()["tables"])
    for table, definition in definitions()["tables"].items():
        fields = {field["name"]: field for field in schema(table)}
        assert all(field["description"] for field in fields.values())
        assert set(definition["clustering"]) <= fields.keys()
        kinds = {None: {None}, "RANGE": {"INTEGER"}, "MONTH": {"DATE"}, "DAY": {"DATE", "TIMESTAMP"}}
        field = definition["partition_field"]
        assert (fields[field]["type"] if field else None) in kinds[definition["partition_type"]]


def test_sql_files_are_all_known_and_take_only_known_placeholders() -> None:
    folder = ROOT / "shared/warehouse/sql"
    assert {p.stem for p in (folder / "views").glob("*.sql")} == set(definitions()["views"])
    assert {p.stem for p in (folder / "scheduled").glob("*.sql")} == {q.name for q in schedules().scheduled_queries}
    given = {
        "dataset": "p.d",
        "coverage_floor": 0.2,
        "network_in_summaries": "fill",
        "client": "acme",
        "view": "report_monthly",
    }
    for path in folder.rglob("*.sql"):
        text = sql(path.parent.name, path.stem, **given)  # type: ignore[arg-type]
        assert "${" not in text
        assert text.startswith("-- "), f"{path.name} says what it is for"


def test_scheduled_sql_asks_the_run_time_and_never_the_clock() -> None:
    for name in (query.name for query in schedules().scheduled_queries):
        text = sql("scheduled", name, dataset="p.d", coverage_floor=0.2, network_in_summaries="fill")
        assert "@run_time" in text
        assert not re.search(r"\bCURRENT_(DATE|TIMESTAMP|DATETIME)\b|@run_date", text)


def test_every_subscription_ends_in_a_function_that_exists_and_every_topic_is_used() -> None:
    defined = messaging()
    assert set(defined.topics) == {str(topic) for topic in Topic}
    functions = {path.stem for path in (ROOT / "functions").glob("*.py")} - {"__init__"}
    assert {s.function for s in defined.subscriptions} | {"register_aoi", "hint"} == functions == set(FUNCTIONS)
    assert {s.topic for s in defined.subscriptions} == set(defined.topics)
    for subscription in defined.subscriptions:
        assert subscription.ack_deadline_seconds <= 600, "the longest that Pub/Sub allows"
        assert subscription.max_delivery_attempts >= 5, "the fewest that Pub/Sub allows"
        assert subscription.minimum_backoff_seconds < subscription.maximum_backoff_seconds <= 600


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_functions_are_short_entry_points(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert path.stem in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert len(path.read_text(encoding="utf-8").splitlines()) < 130


def test_sql_names_and_colours_are_those_of_the_classes() -> None:
    """SQL cannot import them, so it repeats them."""
    names = re.findall(
        r"SELECT (\d)(?: AS class_id)?, '(\w+)'",
        sql("scheduled", "monthly_summary", dataset="d", coverage_floor=0, network_in_summaries="fill"),
    )
    assert [(int(value), name) for value, name in names] == [(c.class_id, c.name) for c in CLASSES]
    for view in ("report_monthly", "report_annual", "report_change", "report_areas"):
        colours = re.findall(r"WHEN (\d) THEN '#(\w{6})'", sql("views", view, dataset="d"))
        assert [(int(value), colour) for value, colour in colours] == [(c.class_id, c.colour) for c in CLASSES]


def _words(rule: str, text: str) -> list[str]:
    found = re.search(rule, text, re.DOTALL if "?" in rule else 0)
    assert found, f"{rule} is not there"
    return found[0].split()


def test_rules_that_sql_repeats_are_the_same_everywhere() -> None:
    freshness = sql("views", "report_freshness", dataset="d", coverage_floor=0, network_in_summaries="fill")
    assert f"least_cloud_percent > {MOST_CLOUD_PERCENT:g} THEN 'too cloudy'" in freshness
    assert f"passes.least_cloud_percent > {MOST_CLOUD_PERCENT:g} OR" in sql("queries", "unseen_passes", dataset="d")
    fates = sql("queries", "report_fates", dataset="d").replace("@coverage_floor", "0")
    for rule in (r"coverage >= 0 AND .* AS usable", r"CASE\s+WHEN attempts.*?END AS fate"):
        assert _words(rule, freshness) == _words(rule, fates)
    monthly, annual = (sql("views", name, dataset="d") for name in ("report_monthly", "report_annual"))
    assert _words(r"CASE\s+WHEN summary.observation_count.*?END AS quality", monthly) == _words(
        r"CASE\s+WHEN summary.observation_count.*?END AS quality", annual
    )
    lookbacks = {
        name: re.findall(
            r"SELECT MIN\(backfill_start\) .*|^      DATE_SUB.*",
            sql("scheduled", name, dataset="d", coverage_floor=0, network_in_summaries="fill"),
            re.M,
        )
        for name in ("monthly_summary", "annual_summary")
    }
    assert lookbacks["monthly_summary"] == lookbacks["annual_summary"] != []


@pytest.mark.parametrize(
    ("name", "value"), [("DATASET", "a;drop"), ("PROJECT", ""), ("COVERAGE_FLOOR", "2"), ("PIXEL_BUDGET", "0")]
)
def test_bad_settings_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("LANDCOVER_PROJECT", "some-project")
    monkeypatch.setenv(f"LANDCOVER_{name}", value)
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match=f"LANDCOVER_{name}"):
        load_settings()
    load_settings.cache_clear()


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "whsec_bmV3IHNlY3JldCBvZiB0d2VudHktZm91cg=="
    settings = Settings(project="some-project", webhook_secrets=f"{secret} {secret}")  # type: ignore[arg-type]
    assert "bmV3" not in repr(settings)
    for wrong in ({"project": "!", "webhook_secrets": secret}, {"project": "p-1", "event_secrets": secret[:20]}):
        with pytest.raises(ValidationError) as caught:
            Settings(**wrong)  # type: ignore[arg-type]
        assert "bmV3" not in str(caught.value)


@pytest.mark.parametrize(
    ("secrets", "fault"),
    [
        ("whsec_", "found 0"),
        ("whsec_***", "base64"),
        ("whsec_QQ==", "found 1"),
        ("whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnc=", "found 23"),
        ("whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eQ", "base64"),
        ("bmV3IHNlY3JldCBvZiB0d2VudHktZm91cg==", "begins with whsec_"),
        ("whsec_é", "base64"),
        ("whsec_bmV3IHNlY3JldCBvZiB0d2VudHktZm91cg== whsec_", "secret 2"),
    ],
)
def test_secrets_that_cannot_sign_are_refused_when_a_function_starts(secrets: str, fault: str) -> None:
    for name in ("webhook_secrets", "event_secrets"):
        with pytest.raises(ValidationError, match=fault):
            Settings(project="some-project", **{name: secrets})  # type: ignore[arg-type]


def test_the_readme_documents_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(LANDCOVER_[A-Z0-9_]+)` \| ([^|]*?) \|", README, re.M))
    expected = {f"LANDCOVER_{name.upper()}" for name in Settings.model_fields}
    assert rows.keys() == expected
    for name, field in Settings.model_fields.items():
        text = rows[f"LANDCOVER_{name.upper()}"].replace(",", "").strip("`")
        if field.is_required():
            assert text == "required"
        elif field.default is None or name.endswith(("_secrets", "_credentials")):
            assert text == "unset"
        else:
            assert text == str(field.default).removesuffix(".0")


def test_the_readme_explains_every_column() -> None:
    explained = set(re.findall(r"`([a-z0-9_]+)`", README))
    for columns in COLUMNS.values():
        assert set(columns) <= explained


def test_the_readme_names_every_command() -> None:
    for command in ("demo", "run", "serve", "register", "report"):
        assert f"landcover {command}" in README
    for target in ("make install", "make demo", "make test"):
        assert target in README


def test_every_limit_of_a_stand_in_is_documented_with_its_source() -> None:
    documented = set(re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "docs" / "real-services.md").read_text(encoding="utf-8")))
    enforced = {name for module in (engine_limits, warehouse_limits) for name in vars(module) if name.isupper()}
    assert documented == enforced
