"""What waits for what: an API that was enabled, an agent that was made, a right that was granted."""

import re
from functools import cache

import pytest

from tests.deployment.terraform import Configuration

# Before any API: what Terraform makes by itself, and the enabling.
BEFORE = {
    "data.archive_file.source",
    "google_project_service.used",
    "random_bytes.signing",
    "random_id.roles",
    "terraform_data.earth_engine_limit",
    "time_sleep.apis",
}

# What clients' readers may do; nothing that runs waits for it.
CLIENTS = {
    "google_bigquery_dataset_access.client_view",
    "google_bigquery_dataset_access.own_view",
    "google_bigquery_dataset_iam_member.client_reader",
}


class Graph:
    """Which address needs which, from ``terraform graph``."""

    def __init__(self, dot: str) -> None:
        self.nodes = set(re.findall(r'^\s*"([^"]+)" \[', dot, re.M))
        self._edges: dict[str, set[str]] = {node: set() for node in self.nodes}
        for later, earlier in re.findall(r'"([^"]+)" -> "([^"]+)"', dot):
            self._edges[later].add(earlier)
        self.needs = cache(self._needs)

    def _needs(self, node: str) -> frozenset[str]:
        return frozenset(self._edges[node]).union(*(self.needs(earlier) for earlier in self._edges[node]))


def grants_of(graph: Graph) -> set[str]:
    """Every address that grants something to somebody."""
    return {node for node in graph.nodes if re.search(r"_iam_|_dataset_access\.", node) and "custom_role" not in node}


@pytest.fixture(scope="module")
def graph(configuration: Configuration) -> Graph:
    done = configuration.run("graph", "-no-color")
    assert done.returncode == 0, done.stderr
    return Graph(done.stdout)


def test_every_address_waits_for_its_api(graph: Graph) -> None:
    assert {node for node in graph.nodes if "time_sleep.apis" not in graph.needs(node)} == BEFORE
    assert "google_project_service.used" in graph.needs("time_sleep.apis")


def test_no_grant_is_made_before_its_member_can_be_granted_anything(graph: Graph) -> None:
    assert {"google_service_account.account", "google_project_service_identity.agent"} <= graph.needs(
        "time_sleep.identities"
    )
    grants = grants_of(graph)
    callers = {f"google_cloud_run_v2_service_iam_member.{name}" for name in ("hint", "webhook")} | CLIENTS
    assert len(grants) > 15
    assert {node for node in grants if "time_sleep.identities" not in graph.needs(node)} <= callers


def test_builds_and_first_runs_come_after_the_rights_they_use(graph: Graph) -> None:
    """Pub/Sub's agent forwards, and callers call, what does not exist before; all else is granted first."""
    afterwards = {
        "google_cloud_run_v2_service_iam_member.hint",
        "google_cloud_run_v2_service_iam_member.push",
        "google_cloud_run_v2_service_iam_member.webhook",
        "google_pubsub_subscription_iam_member.forwarder",
        "google_pubsub_topic_iam_member.dead_letters",
        "google_kms_crypto_key_iam_member.user",
        *CLIENTS,
    }
    grants = grants_of(graph)
    for node in ("google_cloudfunctions2_function.service", "google_bigquery_data_transfer_config.summary"):
        assert "time_sleep.rights" in graph.needs(node)
        assert grants - graph.needs(node) <= afterwards


def test_nothing_is_encrypted_before_its_agent_may_use_the_key(graph: Graph) -> None:
    assert "google_kms_crypto_key_iam_member.user" in graph.needs("time_sleep.encryption")
    for node in ("google_bigquery_dataset.landcover", "google_pubsub_topic.topic", "google_storage_bucket.source"):
        assert "time_sleep.encryption" in graph.needs(node)


def test_no_tick_comes_before_somebody_takes_it_and_no_push_before_it_is_let_in(graph: Graph) -> None:
    assert "google_pubsub_subscription.push" in graph.needs("google_cloud_scheduler_job.tick")
    assert "google_cloud_run_v2_service_iam_member.push" in graph.needs("google_pubsub_subscription.push")
    assert "google_pubsub_topic_iam_member.dead_letters" in graph.needs("google_pubsub_subscription.push")
