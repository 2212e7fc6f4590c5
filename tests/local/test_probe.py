"""The probe on the embedded stack: everything holds there, it leaves nothing behind, and each check can fail."""

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ee
import numpy as np
import pytest
import rasterio
from google.cloud import bigquery
from google.pubsub_v1.types import PushConfig
from requests import Session
from shapely import box
from typer.testing import CliRunner
from werkzeug.wrappers import Request, Response

from benchmarks.simulation import Seconds, measured_seconds
from local.cli import app
from local.earth_engine import limits, registry
from local.earth_engine.errors import EngineError
from local.earth_engine.server import EarthEngineApp
from local.pooled_server import PooledServer
from local.probe import computing, google, pubsub, secrets
from local.probe.asking import ask, eecu_of_text
from local.probe.checks import CHECKS
from local.probe.deployment import Deployment, point_of
from local.probe.model import Finding, Outcome, Result
from local.probe.report import document, lines, suggested, write_measures
from local.probe.runner import chosen, probe
from local.probe.statements import statements
from local.stack import forget_clients
from local.subscriptions import subscription_of
from local.workspace import remember
from shared.errors import UserInputError
from shared.messaging import messaging
from tests.scenes import write_passes, write_scene
from tests.stacks import quiet, rows, start_stack

AT = (125.666, 45.104)
COMPUTED = EarthEngineApp._computed
DAYS = (3, 8, 13, 18, 23)
PROFILE = " EECU·s PeakMem Count  Description\n  0.250     47k    44  (plumbing)\n  1.500    124k    14  Sum\n  -  59k 12  Loading\n"


def image(day: int, second: str = "T023105") -> str:
    return f"202107{day:02d}T023111_202107{day:02d}{second}_T51TYL"


def write_scenes(folder: Path) -> list[str]:
    """Six images of five overpasses, one of them cut in two; and the list of passes that names them all."""
    names = [*(image(day) for day in DAYS), image(DAYS[-1], "T023300")]
    for name in names:
        write_scene(folder, name, crs="EPSG:32651", origin=(709_000.0, 5_000_000.0), shape=(200, 200))
    clouds = {name: 5.0 + number for number, name in enumerate(names)}
    clouds["20210705T023111_20210705T023105_T51TYL"] = 20.0
    write_passes(folder, clouds, box(125.658, 45.096, 125.682, 45.113))
    return names


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("probe")
    (folder / "scenes").mkdir()
    write_scenes(folder / "scenes")
    with start_stack(folder) as stack:
        yield Deployment(stack.warehouse, stack, stack.webhook_url, AT)


@pytest.fixture(scope="module")
def results(deployment: Deployment) -> list[Result]:
    return list(probe(deployment, CHECKS))


@pytest.fixture
def again(deployment: Deployment) -> Callable[[str], dict[str, Finding]]:
    """Makes the checks of one name again on the same stack, with nothing remembered; findings by part."""

    def made(name: str) -> dict[str, Finding]:
        fresh = Deployment(deployment.warehouse, deployment.stack, deployment.webhook_url, AT)
        found = probe(fresh, chosen(CHECKS, name))
        return {result.finding.part: result.finding for result in found if result.check.name == name}

    return made


def of(results: list[Result], name: str) -> dict[str, Finding]:
    return {result.finding.part: result.finding for result in results if result.check.name == name}


def test_everything_holds_on_the_embedded_stack(results: list[Result]) -> None:
    assert {result.check.name for result in results} == {check.name for check in CHECKS}
    assert [line for result in results if result.finding.outcome is Outcome.FAIL for line in lines(result)] == []
    skipped = {result.check.name for result in results if result.finding.outcome is Outcome.SKIPPED}
    assert skipped == {"secrets/events", "pubsub/push-identity"}


def test_limits_of_the_engine_are_found_where_they_are(results: list[Result]) -> None:
    layers = of(results, "earth-engine/layers")
    assert [(part, finding.outcome) for part, finding in layers.items()] == [
        ("10 layers", Outcome.PASS),
        ("50 layers", Outcome.PASS),
        ("200 layers", Outcome.NOTE),
    ]
    assert "50 were answered" in layers["200 layers"].found
    assert "Too many concurrent aggregations" in layers["200 layers"].found
    assert "status 429, taken for TooManyAggregationsError" in layers["200 layers"].found
    areas = of(results, "earth-engine/areas")
    assert "160.0 MiB > 80.0 MiB" in areas["400 km², tileScale 1"].found
    assert areas["400 km², tileScale 1"].outcome is Outcome.NOTE
    assert len(areas) == 9, "four sizes at two tile scales, and the budget"


def test_what_is_found_is_what_is_there(deployment: Deployment, results: list[Result]) -> None:
    assert "6 images of 5 overpasses at 125.666, 45.104" in of(results, "earth-engine/images")[""].found
    # the stand-in knows no filter on the stored property, and the client says "at least" as "not less than"
    by_time = of(results, "earth-engine/ingestion-time")[""].found
    assert by_time == "of 6 images 3 are to be found: 3 by the computed property, 6 by the stored one"
    footprints = of(results, "earth-engine/footprints")
    assert image(DAYS[-1])[:15] in footprints["split tile"].found
    assert "of 4.0 km², Sentinel-2 Polygon of 3.6 km²" in footprints["full tile"].found
    assert "6 of 6 ids" in of(results, "earth-engine/ids")[""].found
    assert "1 of 7 clear scenes have no image" in of(results, "earth-engine/ids")[""].found
    assert "8% of 50.1 km² seen; masks are equal" in of(results, "earth-engine/masks")[""].found
    assert "2021: 5 overpasses" in of(results, "earth-engine/composites")["year"].found
    assert "2015-06-27 shows" in of(results, "bigquery/oldest-row")[""].found
    count = len(list(statements(deployment.settings)))
    assert f"{count} statements hold; bytes are not told here" in of(results, "bigquery/dry-run")[""].found
    through = {"discover", "plan-composites", "record-passes", "alert-changes", "dispatch", "measure"}
    assert of(results, "pubsub/round-trip").keys() == {*through, "measure-backfill", "backfill", "composite"}


def test_it_leaves_nothing_behind(deployment: Deployment, results: list[Result]) -> None:
    stack = deployment.stack
    assert stack is not None
    quiet(stack)
    tables = {table.table_id for table in stack.warehouse.client.list_tables(stack.settings.dataset)}
    assert not [name for name in tables if name.startswith("probe")]
    for name in ("aoi_events", "acquisitions", "observations", "composites", "touches", "dead_letters", "deliveries"):
        assert rows(stack, name) == []


def test_no_secret_is_shown(deployment: Deployment, results: list[Result]) -> None:
    assert deployment.stack is not None
    text = json.dumps(document(deployment, results))
    assert deployment.stack.webhook_secret.removeprefix("whsec_")[:12] not in text


def test_a_project_that_is_refused_stops_at_the_first_check(
    deployment: Deployment, again: Callable[[str], dict[str, Finding]]
) -> None:
    assert deployment.stack is not None
    deployment.stack.earth_engine.app.refuse_first = 1
    try:
        assert (
            "Earth Engine API has not been used in project local-project" in again("earth-engine/permitted")[""].found
        )
        deployment.stack.earth_engine.app.refuse_first = 1
        skipped = again("earth-engine/layers")[""]
    finally:
        deployment.stack.earth_engine.app.refuse_first = 0
    assert (skipped.outcome, skipped.found) == (Outcome.SKIPPED, "needs earth-engine/permitted")


def test_a_limit_below_the_budget_fails_and_names_the_setting(
    deployment: Deployment, again: Callable[[str], dict[str, Finding]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(limits, "MOST_AGGREGATIONS", 20)
    found = again("earth-engine/layers")
    assert [finding.outcome for finding in found.values()] == [Outcome.PASS, Outcome.FAIL]
    assert "10 were answered" in found["50 layers"].found
    measures = {name: value for finding in found.values() for name, value in finding.measures.items()}
    assert suggested(measures, deployment.settings) == {"layer_budget": "10"}
    slow = {"pixel_budget": 600.0, "label_pixel_budget": 100.0}
    assert suggested(slow, deployment.settings) == {"pixel_budget": "5000000"}


def test_areas_that_disagree_and_memory_that_does_not_do_fail(
    again: Callable[[str], dict[str, Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computing, "SIDES_M", {"1 ha": 100.0, "1 km²": 1000.0})
    monkeypatch.setattr(limits, "MOST_TILE_BYTES", 2**20)
    found = again("earth-engine/areas")
    assert found["1 ha, tileScale 4"].outcome is Outcome.PASS
    assert found["1 km², tileScale 4"].outcome is Outcome.NOTE
    assert found["1 km², tileScale 4"].found.endswith("tileScale 16: measured")
    monkeypatch.setattr(limits, "MOST_TILE_BYTES", 2**17)
    assert again("earth-engine/areas")["1 km², tileScale 4"].outcome is Outcome.FAIL
    monkeypatch.setattr(limits, "MOST_TILE_BYTES", 2**26)
    monkeypatch.setattr(limits, "WEIGHT_OFFSET", -40.0)
    found = again("earth-engine/areas")
    assert found["1 ha, tileScale 4"].outcome is Outcome.FAIL
    assert "registered are" in found["1 ha, tileScale 4"].found


def test_other_words_for_an_error_fail(
    again: Callable[[str], dict[str, Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def reworded(self: EarthEngineApp, method: str, request: Request) -> Response:
        if b'"none"' in request.get_data():
            raise EngineError("Nothing by this name.", 404)
        return COMPUTED(self, method, request)

    monkeypatch.setattr(EarthEngineApp, "_computed", reworded)
    found = again("earth-engine/errors")
    assert found["missing band"].outcome is Outcome.FAIL
    assert found["missing band"].found.endswith("(status 404, taken for RetryLaterError); expected NeverError")
    assert found["missing collection"].outcome is Outcome.PASS


def test_eecu_is_read_where_the_service_tells(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_profile(self: EarthEngineApp, method: str, request: Request) -> Response:
        response = COMPUTED(self, method, request)
        if request.headers.get("X-Earth-Engine-Computation-Profiling"):
            response.headers["X-Earth-Engine-Computation-Profile"] = "profile-1"
        return response

    monkeypatch.setattr(EarthEngineApp, "_computed", with_profile)
    assert [r.finding.outcome for r in probe(deployment, chosen(CHECKS, "earth-engine/permitted"))] == [Outcome.PASS]
    assert ask(ee.Number(2), profiled=True).eecu_seconds is None, "an engine without profiles fails nothing"
    asked = []
    monkeypatch.setitem(registry._IMPLEMENTATIONS, "Profile.getProfiles", lambda ids, **_: asked.append(ids) or PROFILE)
    assert ask(ee.Number(2), profiled=True).eecu_seconds == 1.75
    assert asked == [["profile-1"]]
    assert ask(ee.Number(2)).eecu_seconds is None


def test_a_profile_without_numbers_tells_nothing() -> None:
    assert eecu_of_text(PROFILE) == 1.75
    assert eecu_of_text("EECU·s PeakMem Count  Description\n  -  1k  1  Loading\n") is None
    assert eecu_of_text("") is None


def test_masks_that_differ_and_missing_images_fail(tmp_path: Path) -> None:
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    write_scenes(scenes)
    for path in scenes.glob("*.tif"):
        with rasterio.open(path, "r+") as dataset:
            water = dataset.read(1)
            water[:50] = -1
            dataset.write(water, 1)
    with start_stack(tmp_path) as stack:
        deployment = Deployment(stack.warehouse, stack, None, AT)
        masks = of(list(probe(deployment, chosen(CHECKS, "earth-engine/masks"))), "earth-engine/masks")[""]
        assert masks.outcome is Outcome.FAIL
        # fifty rows of two hundred pixels: too few for the sums to tell
        assert masks.found == "8% of 50.1 km² seen; masks differ in 10000.0 band pixels; sums agree"
        elsewhere = Deployment(stack.warehouse, stack, None, (31.0, 30.8))
        found = list(probe(elsewhere, chosen(CHECKS, "earth-engine/images")))[-1].finding
        assert found.found == "no image at 31.000, 30.800: name a place that has some (--at)"
        (scenes / "passes.geojson").unlink()
        deployment = Deployment(stack.warehouse, stack, None, AT)
        nameless = of(list(probe(deployment, chosen(CHECKS, "earth-engine/ids"))), "earth-engine/ids")[""]
        assert nameless.outcome is Outcome.SKIPPED


def test_a_warehouse_that_lost_something_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with start_stack(tmp_path) as stack:
        deployment = Deployment(stack.warehouse, stack, stack.webhook_url, AT)
        monkeypatch.setattr(pubsub, "_PATIENCE_SECONDS", 3.0)
        stack.warehouse.client.delete_table(stack.warehouse.table("aois"))
        found = list(probe(deployment, chosen(CHECKS, "bigquery")))
        assert of(found, "bigquery/tables")[""].found == "aois is missing"
        assert of(found, "bigquery/dry-run")[""].outcome is Outcome.SKIPPED
        broken = of(list(probe(deployment, [c for c in CHECKS if c.name == "bigquery/dry-run"])), "bigquery/dry-run")
        assert {"query aois_by_id", "view report_monthly"} <= {
            n for n, f in broken.items() if f.outcome is Outcome.FAIL
        }
        assert "query earliest_touch" not in broken
        trips = of(list(probe(deployment, chosen(CHECKS, "pubsub/round-trip"))), "pubsub/round-trip")
        assert trips["discover"].outcome is Outcome.PASS
        assert trips["measure"].outcome is Outcome.FAIL
        assert "measure: dead letter: BigQuery refused the query" in trips["measure"].found


def test_an_unwilling_table_fails_and_is_deleted(
    deployment: Deployment, again: Callable[[str], dict[str, Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partitioned by day, the table refuses the oldest row: what this check is there to see."""

    def by_day(table_id: str, name: str) -> bigquery.Table:
        table = defined_table(table_id, name)
        table.range_partitioning = None
        table.time_partitioning = bigquery.TimePartitioning(type_="MONTH", field="acquired_date")
        return table

    from local.probe import bigquery as checked  # noqa: PLC0415

    defined_table = checked.defined_table
    monkeypatch.setattr(checked, "defined_table", by_day)
    found = again("bigquery/oldest-row")[""]
    assert found.outcome is Outcome.FAIL
    assert "You can only stream to date range within 1825 days" in found.found
    tables = deployment.warehouse.client.list_tables(deployment.settings.dataset)
    assert not [table for table in tables if table.table_id.startswith("probe")]


def test_subscriptions_that_were_changed_by_hand_fail() -> None:
    (measure,) = (s for s in messaging().subscriptions if s.name == "measure")
    made = subscription_of(measure, "p", "https://f.example")
    assert list(pubsub._differences(measure, made, "")) == []
    made.filter = ""
    made.dead_letter_policy.max_delivery_attempts = 5
    made.push_config = PushConfig()
    assert list(pubsub._differences(measure, made, "")) == [
        "measure: filter is '', expected 'attributes.lane = \"live\"'",
        "measure: attempts is 5, expected 100",
        "measure does not push",
    ]


def test_push_identity_is_looked_at(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against subscriptions as Terraform makes them, and a function that lets in the world, or does not."""
    answers = {"measure": 204}
    pushed: list[Any] = []

    def function(environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        name = request.path.strip("/")
        pushed.append(request.get_json())
        return Response(status=answers.get(name, 403))(environ, start_response)

    server = PooledServer(function).start()
    token = PushConfig.OidcToken(service_account_email="push@p.iam.gserviceaccount.com", audience="https://a.example")

    class Subscriber:
        def get_subscription(self, subscription: str, timeout: float) -> Any:
            name = subscription.rsplit("/", 1)[-1]
            (defined,) = (s for s in messaging().subscriptions if s.name == name)
            made = subscription_of(defined, "p", server.url)
            made.push_config.oidc_token = token if name != "composite" else PushConfig.OidcToken()
            return made

    monkeypatch.setattr(pubsub, "_subscriber", Subscriber)
    try:
        found = {f.part: f for f in pubsub.push_identity(Deployment(deployment.warehouse, None, None, AT))}
    finally:
        server.stop()
    assert found["token"].found == "no account or audience: composite"
    assert {part: finding.outcome for part, finding in found.items()} == {
        "token": Outcome.FAIL,
        **dict.fromkeys(("discover", "plan-composites", "record-passes", "alert-changes"), Outcome.PASS),
        **dict.fromkeys(("dispatch", "backfill", "composite"), Outcome.PASS),
        **dict.fromkeys(("measure", "measure-backfill"), Outcome.FAIL),
    }
    assert all(base64.b64decode(envelope["message"]["data"]) for envelope in pushed)


def test_google_is_asked_for_secrets_and_log_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Any]] = []

    def services(environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        asked.append((request.path, request.get_json(silent=True)))
        if request.path.endswith("/landcover-event-secrets/versions/latest:access"):
            return Response("{}", 404)(environ, start_response)
        if request.path.endswith(":access"):
            body: Any = {"payload": {"data": base64.b64encode(b"whsec_short whsec_short").decode()}}
        else:
            body = {"entries": [{"jsonPayload": {"message": "done", "message_id": "7", "function": "measure"}}]}
        return Response(json.dumps(body), content_type="application/json")(environ, start_response)

    server = PooledServer(services).start()
    monkeypatch.setattr(google, "_SECRET_MANAGER", server.url)
    monkeypatch.setattr(google, "_LOGGING", server.url)
    monkeypatch.setattr(google, "session", Session)
    try:
        assert google.secret("p", "landcover-event-secrets") is None
        assert google.secret("p", "landcover-webhook-secrets") == "whsec_short whsec_short"
        lines_found = google.log_lines("p", pubsub.datetime.now(pubsub.UTC), ["7", "8"])
    finally:
        server.stop()
    assert [line["message_id"] for line in lines_found] == ["7"]
    assert asked[-1][0] == "/v2/entries:list"
    assert asked[-1][1]["filter"].endswith('AND jsonPayload.message_id=("7" OR "8")')
    assert asked[1][0] == "/v1/projects/p/secrets/landcover-webhook-secrets/versions/latest:access"


@pytest.mark.parametrize(
    ("secret", "fault"),
    [
        ("whsec_" + base64.b64encode(bytes(32)).decode(), None),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "has 23 bytes, expected 24 to 64"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "has 65 bytes, expected 24 to 64"),
        ("whsec_###", "is not base64 behind whsec_"),
        (base64.b64encode(bytes(32)).decode(), "does not begin with whsec_"),
    ],
)
def test_the_form_of_secrets(secret: str, fault: str | None) -> None:
    assert secrets.fault_of(secret) == fault


def test_a_webhook_with_other_secrets_fails(deployment: Deployment) -> None:
    other = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    signed = secrets._called(str(deployment.webhook_url), "{}", secrets._signed(other, "{}"), 422, "secret 1")
    assert (signed.outcome, signed.found) == (Outcome.FAIL, "answered 401, expected 422")
    assert secrets._looked_at("", "x").found == "none is there: x"
    assert secrets._looked_at(f"{other} {other}", "x").found == "one is there twice"


def test_the_command_prints_lines_or_json_and_leaves_measures(deployment: Deployment, tmp_path: Path) -> None:
    assert deployment.stack is not None
    out, measures = tmp_path / "out", tmp_path / "probe.json"
    out.mkdir()
    scenes = tmp_path / "scenes"
    shutil.copytree(deployment.stack._scenes, scenes)
    remember(out, scenes)
    command = ["probe", "--warehouse", str(out), "--at", "125.666,45.104"]
    said = CliRunner().invoke(app, [*command, "--only", "earth-engine/errors", "--write", str(measures)])
    assert said.exit_code == 0, said.output
    assert "Available bands: [water, trees" in said.output, "brackets are text, no markup"
    assert said.output.splitlines()[-1] == "6 pass"
    assert json.loads(measures.read_text())["embedded"] is True
    said = CliRunner().invoke(
        app, ["probe", "--warehouse", str(out), "--at", "0,0", "--only", "earth-engine/i", "--json"]
    )
    assert said.exit_code == 1
    found = json.loads(said.output)
    assert [r["check"] for r in found["results"] if r["outcome"] == "fail"] == [
        "earth-engine/images",
        "earth-engine/ingestion-time",
        "earth-engine/ids",
    ]
    assert found["results"][1]["remedy"].startswith("Look at LANDCOVER_COLLECTION")


def test_nobody_logged_in_is_one_plain_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDCOVER_PROJECT", "some-project")
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    forget_clients()
    try:
        failed = CliRunner().invoke(app, ["probe"])
    finally:
        monkeypatch.undo()
        forget_clients()
    assert isinstance(failed.exception, UserInputError)
    assert "gcloud auth application-default login" in str(failed.exception)


def test_measures_have_the_names_of_the_simulation(
    deployment: Deployment, results: list[Result], tmp_path: Path
) -> None:
    write_measures(deployment, results, tmp_path / "probe.json")
    found = json.loads((tmp_path / "probe.json").read_text())
    assert found["seconds"].keys() == {"query", "listing", "computing", "computing_pairs", "appending"}
    assert found["settings"] == {}, "a stand-in's seconds ask for no setting"
    assert found["measures"]["layers_answered"] == 50
    with pytest.raises(ValueError, match="expected a deployment"):
        measured_seconds(tmp_path / "probe.json")
    write_measures(Deployment(deployment.warehouse), results, tmp_path / "probe.json")
    assert measured_seconds(tmp_path / "probe.json") == Seconds()._replace(**found["seconds"])
    assert np.isfinite(list(found["measures"].values())).all()


def test_a_place_is_longitude_and_latitude(deployment: Deployment) -> None:
    assert point_of("31.0,30.8") == (31.0, 30.8)
    for text in ("31", "east,north", "200,0", "0,85"):
        with pytest.raises(UserInputError, match="expected"):
            point_of(text)
    assert Deployment(deployment.warehouse).point == (31.0, 30.8), "nothing is registered"


def test_the_page_and_the_checks_agree() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "probe.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `[a-z-]+/[a-z-]+` \|.*$", page, re.MULTILINE)
    assert described == [f"| `{c.name}` | {c.asks} | {c.means} | {c.remedy} |" for c in CHECKS]
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    names = [check.name for check in CHECKS]
    assert all(names.index(check.needs) < names.index(check.name) for check in CHECKS if check.needs)
