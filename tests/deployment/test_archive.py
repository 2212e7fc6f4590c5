"""The archive that Terraform uploads, unpacked in an empty folder with only the deployed dependencies, works."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from shapely import box
from shapely.geometry import mapping

from local.servers.ports import free_port
from local.stack import Stack
from tests.deployment.names import SERVICES
from tests.deployment.terraform import Deployed
from tests.news import patch_event
from tests.notices import basic, confirmation
from tests.scenes import write_passes, write_scene
from tests.stacks import event, feature, quiet, rows, signed_post, start_stack

IMAGE = "20210703T023111_20210703T023105_T51TYL"
SQUARE = dict(mapping(box(125.661, 45.1, 125.672, 45.108)))
_START_SECONDS = 120.0
AOI = {"aoi_id": "a", "aoi_version": 1}
# What each service is sent, in an order in which each finds what it needs.
EVENTS: dict[str, dict[str, Any]] = {
    "backfill": {"aois": [{**AOI, "backfill_start": "2021-07-01"}]},
    "measure": {"overpass_ids": [IMAGE[:15]], "aois": [AOI]},
    "measure-backfill": {"overpass_ids": [IMAGE[:15]], "aois": [AOI]},
    "dispatch": {"image_id": IMAGE},
    "discover": {"job": "discover", "run_date": "2021-07-10"},
    "plan-composites": {"job": "composite", "run_date": "2021-08-02"},
    "composite": {"composites": [{**AOI, "period": "month", "period_start": "2021-07-01"}]},
    "plan-transitions": {"job": "transition", "run_date": "2021-08-02"},
    "transition": {
        "transitions": [{**AOI, "year": 2021, "compared_with": "previous", "from_year": 2020, "to_year": 2021}]
    },
    "record-passes": {"job": "record-passes", "day": "2021-07-03"},
    "plan-changes": {"job": "find-changes", "run_date": "2021-08-02"},
    "find-changes": {"changes": [{**AOI, "year": 2021}]},
    "alert-changes": {"job": "alert-changes", "run_date": "2021-07-10"},
    "deliver-event": patch_event().model_dump(mode="json"),
    "record-dead-letter": {"anything": "at all"},
}


class Unpacked:
    """The unpacked archive with a virtual environment beside it that holds ``requirements.txt`` and nothing more."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self.source = folder / "source"
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(self.source)
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=120)
        self.binaries = folder / "venv" / "bin"
        # as new as the platform's: before 23.3, pip takes a pinned package with extras for an unpinned one
        for wanted in (["--upgrade", "pip>=23.3"], ["--require-hashes", "--requirement", "requirements.txt"]):
            install = [str(self.binaries / "python"), "-m", "pip", "install", "--quiet", *wanted]
            subprocess.run(install, cwd=self.source, check=True, timeout=600)

    @contextmanager
    def serving(self, function: str, environment: dict[str, str]) -> Iterator[str]:
        """One entry point under functions-framework, as the platform starts it; yields its address."""
        port = free_port()
        command = [str(self.binaries / "functions-framework"), "--source", f"{function}.py", "--target", function]
        kept = {k: v for k, v in os.environ.items() if not k.startswith("LANDCOVER_") and k != "PYTHONPATH"}
        process = subprocess.Popen(
            [*command, "--port", str(port), "--host", "127.0.0.1"],
            cwd=self.source,
            env={**kept, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.fixture(scope="module")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    return Unpacked(archive, tmp_path_factory.mktemp("archive"))


def wait_for(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    port = int(url.rsplit(":", 1)[1])
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)) != 0:
            assert time.monotonic() < deadline, f"{url} does not start"
            time.sleep(0.2)


def token_of(environment: dict[str, str]) -> str:
    """The identity token of a push, as Cloud Run may hand it on: checked, and without its signature."""
    now = int(time.time())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": environment["LANDCOVER_PUSH_AUDIENCE"],
        "email": environment["LANDCOVER_PUSH_SERVICE_ACCOUNT"],
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({"alg": "RS256"}, claims)]
    return ".".join([*parts, "SIGNATURE_REMOVED_BY_GOOGLE"])


def push(url: str, service: str, body: dict[str, Any] | None, token: str = "") -> requests.Response:
    """One push as Pub/Sub sends it to an endpoint with ``__GCP_CloudEventsMode``."""
    attributes = {"job": "x", "CloudPubSubDeadLetterSourceSubscription": "landcover-dispatch"}
    message: dict[str, Any] = {"messageId": f"sample-{service}", "attributes": attributes}
    if body is not None:
        message["data"] = base64.b64encode(json.dumps(body).encode()).decode()
    headers = {
        "ce-id": "1",
        "ce-source": "//pubsub.googleapis.com/projects/some-landcover-project/topics/sample",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "content-type": "application/json",
        **({"authorization": f"Bearer {token}"} if token else {}),
    }
    envelope = {
        "message": message,
        "subscription": f"projects/some-landcover-project/subscriptions/landcover-{service}",
    }
    return requests.post(url, json=envelope, headers=headers, timeout=60)


def environment_of(deployed: Deployed, service: str, stack: Stack) -> dict[str, str]:
    """Terraform's variables, turned to the embedded stack, as Cloud Run sets them; events are sent nowhere."""
    (config,) = deployed.of("google_cloudfunctions2_function")[f"service[{service}]"]["service_config"]
    variables: dict[str, str] = {
        **config["environment_variables"],
        "K_SERVICE": f"landcover-{service}",
        "LANDCOVER_PROJECT": stack.settings.project,
        "LANDCOVER_EARTH_ENGINE_URL": stack.earth_engine.url,
        "BIGQUERY_EMULATOR_HOST": stack.bigquery.url,
        "PUBSUB_EMULATOR_HOST": stack.bus.address,
    }
    for secret in config["secret_environment_variables"]:
        hints = secret["key"] == "LANDCOVER_HINT_CREDENTIALS"
        variables[secret["key"]] = stack.hint_credentials if hints else stack.webhook_secret
    variables.pop("LANDCOVER_EVENT_URL", None)
    return variables


def test_the_archive_holds_the_code_and_nothing_else(unpacked: Unpacked) -> None:
    files = {str(path.relative_to(unpacked.source)) for path in unpacked.source.rglob("*") if path.is_file()}
    assert {f"{service['function']}.py" for service in SERVICES.values()} <= files
    assert {"requirements.txt", "shared/messages/subscriptions.json", "shared/settings.py"} <= files
    assert {path.split("/")[0] for path in files if "/" in path} == {"shared"}
    assert {"shared/network/dynamic_world.onnx.b64", "shared/network/LICENSE", "shared/network/NOTICE"} <= files
    assert not [path for path in files if path.endswith((".pyc", ".onnx"))]


def test_what_is_installed_is_complete_and_whole_by_version_and_hash(unpacked: Unpacked) -> None:
    """pip has checked each hash; the platform looks for functions-framework by name before it adds its own."""
    text = (unpacked.source / "requirements.txt").read_text(encoding="utf-8")
    assert re.search(r"^functions-framework==", text, re.M)
    subprocess.run([str(unpacked.binaries / "pip"), "check"], check=True, timeout=120)


def test_every_entry_point_starts_refuses_strangers_and_answers_its_event(
    unpacked: Unpacked, deployed: Deployed, tmp_path: Path
) -> None:
    with start_stack(tmp_path, messaging_prefix="landcover-") as stack, ExitStack() as running:
        environments = {name: environment_of(deployed, name, stack) for name in SERVICES}
        urls = {
            name: running.enter_context(unpacked.serving(service["function"], environments[name]))
            for name, service in SERVICES.items()
        }
        for url in urls.values():
            wait_for(url)

        for name, url in urls.items():
            assert push(url, name, EVENTS.get(name, {})).status_code == 401, name
        assert rows(stack, "dead_letters") == []

        write_scene(tmp_path / "scenes", IMAGE, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200))
        write_passes(tmp_path / "scenes", {IMAGE: 20.0})
        body = event("aoi.registered", feature("a", SQUARE))
        answer = signed_post(urls["register-aoi"], stack.webhook_secret, body)
        assert (answer.status_code, answer.json()["aois"][0]["aoi_version"]) == (202, 1)
        hinted = requests.post(
            urls["hint"], data=confirmation(), headers={"Authorization": basic(stack.hint_credentials)}, timeout=60
        )
        assert (hinted.status_code, hinted.json()) == (202, {"product_ids": []})
        for name, sent in EVENTS.items():
            response = push(urls[name], name, sent, token_of(environments[name]))
            assert response.status_code == 200, (name, response.text)
            quiet(stack)
        assert {row["overpass_id"] for row in rows(stack, "observations_current")} == {IMAGE[:15]}
        assert {row["period"] for row in rows(stack, "composites_current")} == {"month", "year"}
        assert [row["overpass_id"] for row in rows(stack, "passes_current")] == [IMAGE[:15]]
        assert [row["function"] for row in rows(stack, "dead_letters")] == ["dispatch"]

        without_data = push(urls["measure"], "measure", None, token_of(environments["measure"]))
        assert without_data.status_code == 200, without_data.text
        assert {row["function"] for row in rows(stack, "dead_letters")} == {"dispatch", "measure"}
