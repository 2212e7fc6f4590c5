"""What Terraform makes: well formed, least-privilege, and the same as what the code defines and uses."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.stack import FUNCTIONS
from shared.messages import Tick
from shared.messaging import messaging
from shared.schedules import schedules
from shared.settings import Settings
from shared.warehouse.sqlfiles import definitions, schema, sql
from tests.deployment.terraform import Configuration, Deployed
from tests.deployment.uses import SQL, Uses, tables_of, uses

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, dict[str, Any]] = json.loads((ROOT / "terraform" / "services.json").read_text(encoding="utf-8"))
PROJECT = "some-landcover-project"
SECRETS = {"webhook_secrets": "landcover-webhook-secrets", "event_secrets": "landcover-event-secrets"}
# Left unset in the cloud: the real service.
LOCAL_ONLY = {"earth_engine_url"}
SUMMARIES = {query.name for query in schedules().scheduled_queries}
PUSH = f"serviceAccount:landcover-push@{PROJECT}.iam.gserviceaccount.com"


def account(name: str) -> str:
    return f"serviceAccount:landcover-{name}@{PROJECT}.iam.gserviceaccount.com"


def test_the_files_are_formatted() -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on this machine")
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", "-no-color"],
        cwd=ROOT / "terraform",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def test_the_configuration_is_valid(configuration: Configuration) -> None:
    done = configuration.run("validate", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def test_terraforms_own_tests_pass(
    terraform_test: tuple["subprocess.CompletedProcess[str]", dict[str, Deployed]],
) -> None:
    done = terraform_test[0]
    failed = [line for line in done.stdout.splitlines() if '"@level":"error"' in line]
    assert done.returncode == 0, failed


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_given_what_its_code_uses_and_nothing_else(name: str) -> None:
    service = SERVICES[name]
    needed: Uses = uses(service["function"])
    assert set(service["settings"]) | set(service["secrets"]) | LOCAL_ONLY == needed.settings | LOCAL_ONLY
    assert set(service["secrets"]) == needed.settings & SECRETS.keys()
    assert set(service["publishes"]) == needed.publishes
    assert set(service["reads"]) == needed.reads
    assert set(service["appends"]) == needed.appends
    assert service["earth_engine"] == needed.earth_engine


def test_every_function_has_a_service_and_every_push_subscription_one_of_its_own() -> None:
    assert {service["function"] for service in SERVICES.values()} == set(FUNCTIONS)
    pushed = {subscription.name: subscription.function for subscription in messaging().subscriptions}
    assert {name: s["function"] for name, s in SERVICES.items() if name != "register-aoi"} == pushed


def test_services_run_the_right_file_with_the_right_variables(deployed: Deployed) -> None:
    functions = deployed.of("google_cloudfunctions2_function")
    assert functions.keys() == {f"service[{name}]" for name in SERVICES}
    for name, service in SERVICES.items():
        made = functions[f"service[{name}]"]
        (build,), (config,) = made["build_config"], made["service_config"]
        assert (build["entry_point"], build["runtime"]) == (service["function"], "python313")
        assert build["environment_variables"] == {"GOOGLE_FUNCTION_SOURCE": f"{service['function']}.py"}
        assert made["event_trigger"] == [], "an event trigger would deliver everything twice"
        assert f"serviceAccount:{config['service_account_email']}" == account(name)
        given = {key.removeprefix("LANDCOVER_").lower() for key in config["environment_variables"]}
        assert given <= set(service["settings"])
        always = {"project", "dataset", "push_audience", "push_service_account", "max_bytes_billed", "event_url"}
        always |= {"messaging_prefix"}
        assert given == always & set(service["settings"]), "the rest has its default"
        secret = {entry["key"] for entry in config["secret_environment_variables"]}
        assert secret == {f"LANDCOVER_{name.upper()}" for name in service["secrets"]}
        values = {
            key.removeprefix("LANDCOVER_").lower(): value for key, value in config["environment_variables"].items()
        }
        values |= dict.fromkeys(service["secrets"], "whsec_bmV3IHNlY3JldCBvZiB0d2VudHktZm91cg==")
        assert Settings(**values).project == PROJECT


def test_timeouts_fit_the_acknowledgement_deadlines(deployed: Deployed) -> None:
    for subscription in messaging().subscriptions:
        (config,) = deployed.of("google_cloudfunctions2_function")[f"service[{subscription.name}]"]["service_config"]
        assert config["timeout_seconds"] <= subscription.ack_deadline_seconds <= 600


def test_every_subscription_has_its_policies_and_proves_who_pushes(deployed: Deployed) -> None:
    topics = {
        key.removeprefix("topic[").removesuffix("]"): t["id"] for key, t in deployed.of("google_pubsub_topic").items()
    }
    assert topics.keys() == set(messaging().topics) | {"unrecorded"}
    made = deployed.of("google_pubsub_subscription")
    assert made.keys() == {f"push[{subscription.name}]" for subscription in messaging().subscriptions}
    for subscription in messaging().subscriptions:
        found = made[f"push[{subscription.name}]"]
        assert found["name"] == f"landcover-{subscription.name}"
        assert found["topic"] == topics[subscription.topic]
        assert found["filter"] == " AND ".join(f'attributes.{k} = "{v}"' for k, v in subscription.filter.items())
        assert found["ack_deadline_seconds"] == subscription.ack_deadline_seconds
        (dead,) = found["dead_letter_policy"]
        grave = "unrecorded" if subscription.topic == "dead-letters" else "dead-letters"
        assert dead == {"dead_letter_topic": topics[grave], "max_delivery_attempts": subscription.max_delivery_attempts}
        (retry,) = found["retry_policy"]
        assert retry["minimum_backoff"] == f"{subscription.minimum_backoff_seconds}s"
        assert retry["maximum_backoff"] == f"{subscription.maximum_backoff_seconds}s"
        (push,) = found["push_config"]
        function = deployed.of("google_cloudfunctions2_function")[f"service[{subscription.name}]"]
        (config,) = function["service_config"]
        topic = f"projects%2F{PROJECT}%2Ftopics%2Flandcover-{subscription.topic}"
        assert push["push_endpoint"] == f"{config['uri']}?__GCP_CloudEventsMode=CUSTOM_PUBSUB_{topic}"
        (token,) = push["oidc_token"]
        assert f"serviceAccount:{token['service_account_email']}" == PUSH
        assert token["service_account_email"] == config["environment_variables"]["LANDCOVER_PUSH_SERVICE_ACCOUNT"]
        assert token["audience"] == config["environment_variables"]["LANDCOVER_PUSH_AUDIENCE"]


def roles(deployed: Deployed) -> dict[str, str]:
    """The roles that this deployment defines for itself: their names by what they are for."""
    return {kind: role["name"] for kind, role in deployed.of("google_project_iam_custom_role").items()}


def grants(deployed: Deployed) -> set[tuple[str, str, str]]:
    """Every (member, role, what it is on) that Terraform grants."""
    topics = {topic["name"]: key for key, topic in deployed.of("google_pubsub_topic").items()}
    services = {f["name"]: f["name"] for f in deployed.of("google_cloudfunctions2_function").values()}
    secrets = {secret["id"]: secret["secret_id"] for secret in deployed.of("google_secret_manager_secret").values()}
    places = {
        "google_project_iam_member": lambda v: "project",
        "google_bigquery_dataset_access": lambda v: "dataset",
        "google_bigquery_table_iam_binding": lambda v: f"table {v['table_id']}",
        "google_pubsub_topic_iam_member": lambda v: f"topic {topics[v['topic']]}",
        "google_pubsub_subscription_iam_member": lambda v: f"subscription {v['subscription']}",
        "google_cloud_run_v2_service_iam_member": lambda v: f"service {services[v['name']]}",
        "google_secret_manager_secret_iam_member": lambda v: f"secret {secrets[v['secret_id']]}",
        "google_service_account_iam_member": lambda v: f"account {v['service_account_id'].rsplit('/', 1)[-1]}",
        "google_storage_bucket_iam_member": lambda v: "bucket",
        "google_artifact_registry_repository_iam_member": lambda v: "repository",
    }
    found = set()
    for kind, resources in deployed.resources.items():
        if kind not in places:
            assert "_iam_" not in kind or kind == "google_project_iam_custom_role", kind
            continue
        for values in resources.values():
            if kind.endswith("_iam_binding"):
                assert values["role"] in roles(deployed).values(), "a binding of Google's roles takes them from others"
            by_email = f"serviceAccount:{values.get('user_by_email')}"
            for member in values.get("members") or [values.get("member", by_email)]:
                found.add((member, values["role"], places[kind](values)))
    return found


def expected_grants(deployed: Deployed) -> set[tuple[str, str, str]]:
    """What the code's own use of topics, tables, secrets and Earth Engine implies, and the platform's own needs."""
    reader, appender = roles(deployed)["reader"], roles(deployed)["appender"]
    agent = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
    transfer_agent = "serviceAccount:service-1@gcp-sa-bigquerydatatransfer.iam.gserviceaccount.com"
    wanted = {("allUsers", "roles/run.invoker", "service landcover-register-aoi")}
    for name, service in SERVICES.items():
        needed, member = uses(service["function"]), account(name)
        wanted |= {(member, "roles/pubsub.publisher", f"topic topic[{topic}]") for topic in needed.publishes}
        wanted |= {(member, reader, f"table {table}") for table in needed.reads}
        wanted |= {(member, appender, f"table {table}") for table in needed.appends}
        if needed.reads:
            wanted.add((member, "roles/bigquery.jobUser", "project"))
        if needed.earth_engine:
            wanted.add((member, "roles/earthengine.viewer", "project"))
            wanted.add((member, "roles/serviceusage.serviceUsageConsumer", "project"))
        for secret in needed.settings & SECRETS.keys():
            wanted.add((member, "roles/secretmanager.secretAccessor", f"secret {SECRETS[secret]}"))
    for subscription in messaging().subscriptions:
        wanted.add((PUSH, "roles/run.invoker", f"service landcover-{subscription.name}"))
        wanted.add((agent, "roles/pubsub.subscriber", f"subscription landcover-{subscription.name}"))
    wanted |= {(agent, "roles/pubsub.publisher", f"topic {topic}") for topic in ("topic[dead-letters]", "unrecorded")}
    wanted.add((agent, "roles/iam.serviceAccountTokenCreator", f"account {PUSH.removeprefix('serviceAccount:')}"))
    summaries = account("summaries")
    named = {table for name in SUMMARIES for table in tables_of(SQL / "scheduled" / f"{name}.sql")}
    wanted |= {(summaries, reader, f"table {table}") for table in named | SUMMARIES}
    wanted |= {(summaries, appender, f"table {table}") for table in SUMMARIES}
    wanted.add((summaries, "roles/bigquery.jobUser", "project"))
    wanted.add((summaries, "roles/bigquery.metadataViewer", "dataset"))
    summaries_account = f"account {summaries.removeprefix('serviceAccount:')}"
    wanted.add((transfer_agent, "roles/iam.serviceAccountTokenCreator", summaries_account))
    build = account("build")
    wanted.add((build, "roles/logging.logWriter", "project"))
    wanted.add((build, "roles/storage.objectViewer", "bucket"))
    wanted.add((build, "roles/storage.objectViewer", "project"))
    wanted.add((build, "roles/artifactregistry.writer", "repository"))
    return wanted


def test_every_right_is_needed_and_every_need_is_granted(deployed: Deployed) -> None:
    granted, wanted = grants(deployed), expected_grants(deployed)
    assert granted - wanted == set(), "granted, but nothing uses it"
    assert wanted - granted == set(), "used, but not granted"


def test_nobody_unknown_may_call_anything_but_the_webhook_and_no_role_is_primitive(deployed: Deployed) -> None:
    open_to_all = {place for member, _, place in grants(deployed) if member in {"allUsers", "allAuthenticatedUsers"}}
    assert open_to_all == {"service landcover-register-aoi"}
    assert not {role for _, role, _ in grants(deployed)} & {"roles/owner", "roles/editor", "roles/viewer"}
    assert "google_service_account_key" not in deployed.resources
    for key, function in deployed.of("google_cloudfunctions2_function").items():
        (config,) = function["service_config"]
        allowed = "ALLOW_ALL" if key == "service[register-aoi]" else "ALLOW_INTERNAL_ONLY"
        assert config["ingress_settings"] == allowed
    own = {kind: set(role["permissions"]) for kind, role in deployed.of("google_project_iam_custom_role").items()}
    assert own == {
        "reader": {"bigquery.tables.get", "bigquery.tables.getData"},
        "appender": {"bigquery.tables.get", "bigquery.tables.updateData"},
    }


def test_the_build_reads_the_copy_of_the_archive_that_the_platform_makes(deployed: Deployed) -> None:
    """In a bucket whose name ends in the project's number, which is why the right is the project's."""
    (condition,) = deployed.of("google_project_iam_member")["build_sources"]["condition"]
    assert condition["expression"] == 'resource.name.startsWith("projects/_/buckets/gcf-v2-sources-")'


def test_an_old_secret_is_disabled_and_not_destroyed(deployed: Deployed) -> None:
    versions = deployed.of("google_secret_manager_secret_version").values()
    assert {version["deletion_policy"] for version in versions} == {"DISABLE"}


def test_one_call_sets_the_rights_of_a_table(deployed: Deployed) -> None:
    """BigQuery takes five changes of a table's metadata in ten seconds, and eleven services use one table."""
    bindings = deployed.of("google_bigquery_table_iam_binding").values()
    calls = [(binding["table_id"], binding["role"]) for binding in bindings]
    assert len(set(calls)) == len(calls)
    assert max(len(binding["members"]) for binding in bindings) > 5
    assert "google_bigquery_table_iam_member" not in deployed.resources


def test_names_of_roles_are_new_with_each_deployment(deployed: Deployed) -> None:
    """A deleted role's name stays taken for 37 days."""
    (suffix,) = (made["hex"] for made in deployed.of("random_id").values())
    for role in deployed.of("google_project_iam_custom_role").values():
        assert role["role_id"].endswith(f"_{suffix}")


def test_tables_and_views_are_those_of_the_code(deployed: Deployed) -> None:
    made = {values["table_id"]: values for values in deployed.of("google_bigquery_table").values()}
    assert made.keys() == set(definitions()["tables"]) | set(definitions()["views"])
    for name, definition in definitions()["tables"].items():
        table = made[name]
        assert json.loads(table["schema"]) == schema(name)
        assert table["clustering"] == definition["clustering"]
        assert table["deletion_protection"] is True
        partitions = [(p["type"], p["field"]) for p in table["time_partitioning"]]
        partitions += [("RANGE", p["field"]) for p in table["range_partitioning"]]
        kept_ms = [int(p["expiration_ms"]) for p in table["time_partitioning"] if p["expiration_ms"]]
        assert kept_ms == [days * 86_400_000 for days in [definition.get("expiration_days")] if days]
        wanted = (definition["partition_type"], definition["partition_field"])
        assert partitions == ([wanted] if definition["partition_field"] else [])
    floor = Settings.model_fields["coverage_floor"].default
    for name in definitions()["views"]:
        (view,) = made[name]["view"]
        assert view["query"] == sql("views", name, dataset=f"{PROJECT}.landcover", coverage_floor=floor)
        assert view["use_legacy_sql"] is False


def test_views_come_after_the_views_they_read(deployed: Deployed) -> None:
    """Two layers are enough as long as no view reads a view that reads a view of another layer's kind."""
    views = set(definitions()["views"])
    made = deployed.of("google_bigquery_table")
    base = {values["table_id"] for key, values in made.items() if key.startswith("base_view")}
    for name in views:
        named = set(re.findall(r"\$\{dataset\}\.(\w+)", (SQL / "views" / f"{name}.sql").read_text(encoding="utf-8")))
        assert named & views <= base
        assert (name in base) == (not named & views)


def test_scheduled_queries_are_those_of_the_code(deployed: Deployed) -> None:
    made = deployed.of("google_bigquery_data_transfer_config")
    assert made.keys() == {f"summary[{name}]" for name in SUMMARIES}
    floor = Settings.model_fields["coverage_floor"].default
    for query in schedules().scheduled_queries:
        found = made[f"summary[{query.name}]"]
        text = sql("scheduled", query.name, dataset=f"{PROJECT}.landcover", coverage_floor=floor)
        assert found["params"] == {"query": text}
        assert found["schedule"] == query.schedule
        assert f"serviceAccount:{found['service_account_name']}" == account("summaries")
        assert not re.search(r":[0-5]0$|:00$", query.schedule), "at full hours a query may run twice"


def test_scheduler_jobs_publish_the_ticks_of_the_code(deployed: Deployed) -> None:
    made = deployed.of("google_cloud_scheduler_job")
    assert made.keys() == {f"tick[{scheduled.name}]" for scheduled in schedules().ticks}
    for scheduled in schedules().ticks:
        job = made[f"tick[{scheduled.name}]"]
        (target,) = job["pubsub_target"]
        assert Tick.model_validate_json(base64.b64decode(target["data"])) == scheduled.tick
        assert (job["schedule"], job["time_zone"]) == (scheduled.cron, "Etc/UTC")
        assert target["attributes"] == {"job": scheduled.tick.job}
        takers = [s for s in messaging().subscriptions if s.topic == "ticks" and s.filter == target["attributes"]]
        assert len(takers) == 1
    minutes = [scheduled.cron.split()[:2] for scheduled in schedules().ticks]
    assert len({tuple(m) for m in minutes}) == len(minutes), "staggered"


def test_log_counters_count_fields_and_messages_that_the_code_writes(deployed: Deployed) -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for folder in ("functions", "shared") for path in (ROOT / folder).rglob("*.py")
    )
    counters = deployed.of("google_logging_metric")
    for counter in counters.values():
        for field in re.findall(r"jsonPayload\.(\w+)", counter["filter"]):
            assert re.search(rf'"{field}"|\b{field}=', code), f"nothing logs a field {field}"
        for message in re.findall(r'jsonPayload\.message="([^"]+)"', counter["filter"]):
            assert f'"{message}"' in code, f"nothing logs {message!r}"
    known = {"logging_googleapis_com:user_" + values["name"].replace("/", "_") for values in counters.values()}
    policies = deployed.of("google_monitoring_alert_policy").values()
    queries = [p["conditions"][0]["condition_prometheus_query_language"][0]["query"] for p in policies]
    charts = json.dumps([json.loads(d["dashboard_json"]) for d in deployed.of("google_monitoring_dashboard").values()])
    used = set(re.findall(r"logging_googleapis_com:user_\w+", " ".join([*queries, charts])))
    assert used == known


def test_alerts_can_be_made_before_anything_was_counted_and_name_what_they_count(deployed: Deployed) -> None:
    resources = {
        "logging_googleapis_com:user_" + values["name"].replace("/", "_"): re.findall(
            r'resource\.type="(\w+)"', values["filter"]
        )
        for values in deployed.of("google_logging_metric").values()
    }
    assert {len(kinds) for kinds in resources.values()} == {1}, "PromQL has to name one kind of resource"
    for policy in deployed.of("google_monitoring_alert_policy").values():
        (condition,) = policy["conditions"][0]["condition_prometheus_query_language"]
        assert condition["disable_metric_validation"] is True
        for metric, rest in re.findall(r"(logging_googleapis_com:user_\w+)(\{[^}]*\})?", condition["query"]):
            assert rest == f'{{monitored_resource="{resources[metric][0]}"}}'
        assert "absent" not in condition["query"] or condition["duration"] != "0s", "it would fire before the first"


def test_the_dashboard_has_no_position_that_the_api_leaves_out(deployed: Deployed) -> None:
    (dashboard,) = deployed.of("google_monitoring_dashboard").values()
    tiles = json.loads(dashboard["dashboard_json"])["mosaicLayout"]["tiles"]
    places = [(tile.get("xPos"), tile.get("yPos")) for tile in tiles]
    assert len(set(places)) == len(places)
    assert 0 not in {position for place in places for position in place}


@pytest.mark.parametrize(
    "alert",
    [
        "dead_letters",
        "unrecorded",
        "silence",
        "undiscovered",
        "errors",
        "backlog",
        "earth_engine_limits",
        "tick_failures",
        "query_failures",
        "deployment_refusals",
        "late_finds",
        "refused_callers",
        "earth_engine_time",
    ],
)
def test_operators_are_told(deployed: Deployed, alert: str) -> None:
    policy = deployed.of("google_monitoring_alert_policy")[f"alert[{alert}]"]
    (channel,) = deployed.of("google_monitoring_notification_channel").values()
    assert policy["notification_channels"] == [channel["id"]]
    assert policy["documentation"][0]["content"]


def test_settings_that_may_be_set_are_those_that_exist() -> None:
    text = (ROOT / "terraform" / "variables.tf").read_text(encoding="utf-8")
    block = text[text.index('variable "settings"') :]
    allowed = dict(re.findall(r"^    (\w+) += optional\((\w+)\)$", block[: block.index("validation")], re.M))
    own = {"project", "dataset", "push_audience", "push_service_account", *SECRETS, "max_bytes_billed", "event_url"}
    own |= {"clients", "messaging_prefix"}
    reachable = {setting for service in SERVICES.values() for setting in service["settings"]} | {"coverage_floor"}
    assert allowed.keys() == reachable - own
    assert allowed.keys() <= Settings.model_fields.keys()
    for name, kind in allowed.items():
        assert kind == ("number" if Settings.model_fields[name].annotation in {int, float} else "string"), name
