"""Every right is needed, every need is granted, and nobody else may do anything."""

from shared.messages.subscriptions import messaging
from tests.deployment.names import OPEN, PUSH, SECRETS, SERVICES, SUMMARIES, account
from tests.deployment.terraform import Deployed
from tests.deployment.uses import SQL, tables_of, uses


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
    wanted = {("allUsers", "roles/run.invoker", f"service landcover-{name}") for name in OPEN}
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


def test_nobody_unknown_may_call_anything_but_webhook_and_hints_and_no_role_is_primitive(deployed: Deployed) -> None:
    open_to_all = {place for member, _, place in grants(deployed) if member in {"allUsers", "allAuthenticatedUsers"}}
    assert open_to_all == {f"service landcover-{name}" for name in OPEN}
    assert not {role for _, role, _ in grants(deployed)} & {"roles/owner", "roles/editor", "roles/viewer"}
    assert "google_service_account_key" not in deployed.resources
    for key, function in deployed.of("google_cloudfunctions2_function").items():
        (config,) = function["service_config"]
        allowed = "ALLOW_ALL" if key in {f"service[{name}]" for name in OPEN} else "ALLOW_INTERNAL_ONLY"
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
