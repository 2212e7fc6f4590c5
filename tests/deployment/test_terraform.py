"""The configuration is well formed, and its services are those that the code defines and uses."""

import re
import shutil
import subprocess

import pytest

from local.stack import FUNCTIONS
from shared.messages.subscriptions import messaging
from shared.settings import Settings
from shared.webhooks import outgoing
from tests.deployment.names import OPEN, PROJECT, PUSH, SECRETS, SERVICES, account
from tests.deployment.terraform import ROOT, Configuration, Deployed
from tests.deployment.uses import Uses, uses

# Left unset in the cloud: the real service.
LOCAL_ONLY = {"earth_engine_url"}


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
    assert {name: s["function"] for name, s in SERVICES.items() if name not in OPEN} == pushed


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
        values |= {"hint_credentials": f"copernicus:{'c' * 64}"} if name == "hint" else {}
        assert Settings(**values).project == PROJECT


def test_timeouts_fit_the_acknowledgement_deadlines(deployed: Deployed) -> None:
    for subscription in messaging().subscriptions:
        (config,) = deployed.of("google_cloudfunctions2_function")[f"service[{subscription.name}]"]["service_config"]
        assert config["timeout_seconds"] <= subscription.ack_deadline_seconds <= 600


def test_who_waits_for_strangers_waits_less_than_the_platform_and_alone() -> None:
    """A sender that is slow, or a receiver, has an answer on record, and holds up no registration but its own."""
    webhook, teller = SERVICES["register-aoi"], SERVICES["deliver-event"]
    assert Settings.model_fields["max_body_seconds"].default * 2 <= webhook["timeout_seconds"]
    assert teller["timeout_seconds"] >= 2 * outgoing._DEADLINE_SECONDS
    assert webhook["max_instances"] * webhook["concurrency"] >= 8


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


def test_settings_that_may_be_set_are_those_that_exist() -> None:
    text = (ROOT / "terraform" / "variables.tf").read_text(encoding="utf-8")
    block = text[text.index('variable "settings"') :]
    allowed = dict(re.findall(r"^    (\w+) += optional\((\w+)\)$", block[: block.index("validation")], re.M))
    own = {"project", "dataset", "push_audience", "push_service_account", *SECRETS, "max_bytes_billed", "event_url"}
    own |= {"clients", "messaging_prefix"}
    reachable = {setting for service in SERVICES.values() for setting in service["settings"]} | {
        "coverage_floor",
        "network_in_summaries",
    }
    assert allowed.keys() == reachable - own
    assert allowed.keys() <= Settings.model_fields.keys()
    for name, kind in allowed.items():
        assert kind == ("number" if Settings.model_fields[name].annotation in {int, float} else "string"), name
