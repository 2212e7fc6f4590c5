"""Clients by Terraform: off by default, and each reads, sends and is told its own and nothing else."""

import json

from shared.clients import secrets_of
from shared.settings import Settings
from shared.warehouse.files import definitions, report_columns, sql
from tests.deployment.names import PROJECT
from tests.deployment.terraform import Deployed

DATASETS = {"acme": "landcover_acme", "globex-eu": "landcover_globex_eu", "initech": "landcover_initech"}
READERS = {"acme": "group:readers@acme.example.com", "initech": "group:initech@example.com"}


def settings_of(deployed: Deployed, service: str) -> Settings:
    """The settings of a service as its function reads them, secrets included."""
    (config,) = deployed.of("google_cloudfunctions2_function")[f"service[{service}]"]["service_config"]
    secrets = {
        f"landcover-{kind.removeprefix('signing[').removesuffix(']').replace('_', '-')}": version["secret_data"]
        for kind, version in deployed.of("google_secret_manager_secret_version").items()
    }
    values = {**config["environment_variables"]}
    values |= {entry["key"]: secrets[entry["secret"]] for entry in config["secret_environment_variables"]}
    return Settings.model_validate({name.removeprefix("LANDCOVER_").lower(): value for name, value in values.items()})


def test_without_clients_there_is_nothing_of_them(deployed: Deployed) -> None:
    assert len(deployed.of("google_bigquery_dataset")) == 1
    assert [access["view"] for access in deployed.of("google_bigquery_dataset_access").values()] == [[]]
    assert "LANDCOVER_CLIENTS" not in json.dumps(deployed.resources)
    assert deployed.outputs["client_datasets"] == {}


def test_the_functions_are_told_of_each_client_and_have_its_secrets(shared_by_clients: Deployed) -> None:
    settings = settings_of(shared_by_clients, "register-aoi")
    assert {name: client.model_dump(exclude_defaults=True) for name, client in settings.clients.items()} == {
        "acme": {"event_url": "https://hooks.acme.example.com/landcover"},
        "globex-eu": {"scopes": {"register"}, "max_registered_aois": 500},
        "initech": {"max_registered_km2": 20000.5},
    }
    counts = [len(secrets_of(name, settings.webhook_secrets)) for name in (None, "acme", "globex-eu", "initech")]
    assert counts == [1, 1, 2, 1]
    teller = settings_of(shared_by_clients, "deliver-event")
    assert (teller.event_url, len(secrets_of("acme", teller.event_secrets))) == (None, 1)
    for service in ("dispatch", "measure", "measure-backfill", "backfill", "plan-composites", "composite"):
        assert settings_of(shared_by_clients, service).clients == settings.clients, "for Earth Engine's tags"


def test_each_client_has_the_report_views_of_its_own_areas(shared_by_clients: Deployed) -> None:
    made = {
        (values["dataset_id"], values["table_id"]): values["view"][0]["query"]
        for key, values in shared_by_clients.of("google_bigquery_table").items()
        if key.startswith("client_view")
    }
    assert made == {
        (dataset, view): sql("clients", "report", dataset=f"{PROJECT}.landcover", view=view, client=client)
        for client, dataset in DATASETS.items()
        for view in report_columns()
    }
    datasets = {values["dataset_id"] for values in shared_by_clients.of("google_bigquery_dataset").values()}
    assert datasets == {"landcover", *DATASETS.values()}


def test_views_are_authorised_to_read_and_their_readers_are_not(shared_by_clients: Deployed) -> None:
    """The views of clients, and those between them and the tables; readers have their client's dataset alone."""
    accesses = shared_by_clients.of("google_bigquery_dataset_access").values()
    assert {access["dataset_id"] for access in accesses} == {"landcover"}
    views = [(view["dataset_id"], view["table_id"]) for access in accesses for view in access["view"]]
    assert len(set(views)) == len(views)
    assert set(views) == {(dataset, view) for dataset in DATASETS.values() for view in report_columns()} | {
        ("landcover", view) for view in definitions()["views"]
    }
    people = {access["user_by_email"] for access in accesses if not access["view"]}
    assert people == {f"landcover-summaries@{PROJECT}.iam.gserviceaccount.com"}
    grants = shared_by_clients.of("google_bigquery_dataset_iam_member").values()
    assert {(grant["member"], grant["role"], grant["dataset_id"]) for grant in grants} == {
        (reader, "roles/bigquery.dataViewer", DATASETS[client]) for client, reader in READERS.items()
    }
    everything = json.dumps(shared_by_clients.resources)
    for reader in READERS.values():
        granted = [
            values
            for kind, made in shared_by_clients.resources.items()
            for values in made.values()
            if "_iam_" in kind and reader in json.dumps(values)
        ]
        assert len(granted) == 1, everything
