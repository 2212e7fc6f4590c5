"""The roots that people begin with, planned against the real provider's schema; and what a deployed one does next."""

import json
from typing import Any

import pytest

from tests.deployment.names import PROJECT
from tests.deployment.terraform import Configuration, Example

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ACME_SECRET = "whsec_YWNtZSBhY21lIGFjbWUgYWNtZSBhY21lIGFjbWUgYWM="
GLOBEX_SECRET = "whsec_Z2xvYmV4IGdsb2JleCBnbG9iZXggZ2xvYmV4IGdsb2I="
KEY = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key"
MODULE = "module.landcover."


@pytest.fixture(scope="module")
def minimal(configuration: Configuration) -> Example:
    example = Example(configuration, "minimal", project=PROJECT, alert_email="operators@example.com")
    example.apply()
    return example


@pytest.fixture(scope="module")
def unchanged(minimal: Example) -> dict[str, Any]:
    """The plan right after an apply."""
    return minimal.plan()


@pytest.fixture(scope="module")
def production(configuration: Configuration) -> dict[str, Any]:
    example = Example(
        configuration,
        "production",
        project=PROJECT,
        alert_email="operators@example.com",
        alert_webhook_url="https://pager.example.com/alerts",
        billing_account="01AB23-456CDE-7F8901",
        clients='{ acme = { readers = ["group:readers@acme.example.com"] }, globex = { scopes = ["register"] } }',
        event_url="https://hooks.example.com/landcover",
        event_secrets=SECRET,
        kms_key=KEY,
        webhook_callers='["group:senders@example.com"]',
        webhook_secrets=f"{SECRET} acme:{ACME_SECRET} globex:{GLOBEX_SECRET}",
    )
    return example.plan()


def planned(plan: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The values of all resources of a kind that a plan knows."""
    changes = [change for change in plan["resource_changes"] if change["type"] == kind]
    return [change["change"]["after"] for change in changes if change["change"]["after"]]


def resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    """Every resource of a state, of the modules below too."""
    below = [resource for child in module.get("child_modules", []) for resource in resources(child)]
    return [*module.get("resources", []), *below]


def actions(plan: dict[str, Any]) -> dict[str, list[str]]:
    """What a plan does with each address that it touches."""
    changes = {c["address"].removeprefix(MODULE): c["change"]["actions"] for c in plan["resource_changes"]}
    return {address: done for address, done in changes.items() if done != ["no-op"]}


def test_a_second_plan_finds_nothing_to_do(unchanged: dict[str, Any]) -> None:
    assert actions(unchanged) == {}


def test_what_is_made_anew_gets_its_grants_again_and_secrets_rotate_without_a_hole(minimal: Example) -> None:
    replaced = [
        'google_cloudfunctions2_function.service["measure"]',
        'google_bigquery_table.base_view["aois"]',
        'google_secret_manager_secret_version.signing["webhook_secrets"]',
    ]
    found = actions(minimal.plan(*[f"-replace={MODULE}{address}" for address in replaced]))
    again = {address for address, done in found.items() if "create" in done}
    assert again == {
        *replaced,
        'terraform_data.made["aois"]',
        'google_bigquery_table_iam_binding.readers["aois"]',
        'google_cloud_run_v2_service_iam_member.push["measure"]',
    }
    assert found[replaced[-1]] == ["create", "delete"], "the new version comes before the old one goes"


def test_the_provider_is_the_roots_and_bills_the_project(unchanged: dict[str, Any], production: dict[str, Any]) -> None:
    """Whoever applies, a service account too: calls are billed to the project, not to Google's shared client."""
    for plan in (unchanged, production):
        providers = plan["configuration"]["provider_config"]
        used = {name: value for name, value in providers.items() if name.startswith("google")}
        assert used.keys() == {"google", "google-beta"}
        for provider in used.values():
            assert "module_address" not in provider
            assert provider["expressions"]["user_project_override"] == {"constant_value": True}
            assert provider["expressions"]["billing_project"] == {"references": ["var.project"]}


def test_a_first_plan_asks_no_api_that_is_not_enabled_yet(production: dict[str, Any]) -> None:
    data = {change["type"] for change in production["resource_changes"] if change["mode"] == "data"}
    assert data == {
        "google_bigquery_default_service_account",
        "google_project",
        "google_storage_project_service_account",
    }, "read when applying"
    read = [r["type"] for r in resources(production["prior_state"]["values"]["root_module"]) if r["mode"] == "data"]
    assert set(read) == {"archive_file"}, "read when planning"


def test_secrets_that_are_given_are_in_no_plan(production: dict[str, Any]) -> None:
    assert not [secret for secret in (SECRET, ACME_SECRET, GLOBEX_SECRET) if secret in json.dumps(production)]
    versions = planned(production, "google_secret_manager_secret_version")
    assert len(versions) == 2
    for version in versions:
        assert (version["secret_data"], version["secret_data_wo_version"]) == (None, 1)
    assert planned(production, "random_bytes") == []


def test_everything_lies_in_one_region_under_the_operators_key(production: dict[str, Any]) -> None:
    region = "europe-west1"
    encrypted = [
        *(topic["kms_key_name"] for topic in planned(production, "google_pubsub_topic")),
        *(f["kms_key_name"] for f in planned(production, "google_cloudfunctions2_function")),
        *(r["kms_key_name"] for r in planned(production, "google_artifact_registry_repository")),
        *(b["encryption"][0]["default_kms_key_name"] for b in planned(production, "google_storage_bucket")),
        *(
            d["default_encryption_configuration"][0]["kms_key_name"]
            for d in planned(production, "google_bigquery_dataset")
        ),
    ]
    assert len(planned(production, "google_bigquery_dataset")) == 3, "clients' too"
    assert set(encrypted) == {KEY}
    for topic in planned(production, "google_pubsub_topic"):
        assert topic["message_storage_policy"][0]["allowed_persistence_regions"] == [region]
    for secret in planned(production, "google_secret_manager_secret"):
        (replica,) = secret["replication"][0]["user_managed"][0]["replicas"]
        assert replica["location"] == region
        assert replica["customer_managed_encryption"] == [{"kms_key_name": KEY}]
    users = {change["index"] for change in production["resource_changes"] if change["name"] == "user"}
    assert users == {"artifactregistry", "bigquery", "cloudfunctions", "pubsub", "run", "secretmanager", "storage"}


def test_only_the_callers_named_may_call_and_ceilings_and_budget_are_set(production: dict[str, Any]) -> None:
    invokers = {grant["member"] for grant in planned(production, "google_cloud_run_v2_service_iam_member")}
    assert invokers == {"group:senders@example.com", f"serviceAccount:lc-prod-push@{PROJECT}.iam.gserviceaccount.com"}
    (quota,) = planned(production, "google_cloud_quotas_quota_preference")
    assert quota["quota_config"][0]["preferred_value"] == str(1024 * 1024), "one TiB in MiB"
    assert quota["ignore_safety_checks"] == "QUOTA_DECREASE_PERCENTAGE_TOO_HIGH", "a cut from 200 TiB is refused else"
    (budget,) = planned(production, "google_billing_budget")
    assert budget["amount"][0]["specified_amount"][0]["units"] == "200"
    channels = {channel["type"] for channel in planned(production, "google_monitoring_notification_channel")}
    assert channels == {"email", "webhook_tokenauth"}
