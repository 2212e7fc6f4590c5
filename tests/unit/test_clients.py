"""Clients: what a setting of them may say, whose a secret and an area is, and what Earth Engine counts them under."""

import base64
import json
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from functions.deliver_event import _deliver
from shared.aois.name_spaces import by_client, client_of, idempotency_key, own_id, told_to, workload_tag
from shared.clients import Client, OwnedSecret, Scope, owned_secrets, secrets_of
from shared.errors import DeploymentError
from shared.settings import Settings
from tests.news import patch_event


def secret_of(letter: str) -> str:
    """A signing secret of 24 equal bytes."""
    return "whsec_" + base64.b64encode(letter.encode() * 24).decode()


A, B, C = map(secret_of, "abc")


def settings(clients: Any, **more: str) -> Settings:
    return Settings.model_validate({"project": "some-project", "clients": json.dumps(clients), **more})


def test_a_client_may_do_everything_within_the_deployments_ceilings_unless_told_otherwise() -> None:
    assert settings({"acme": {}}).clients == {"acme": Client()}
    assert Client().scopes == {Scope.REGISTER, Scope.DELETE}
    assert (Client().max_registered_aois, Client().max_registered_km2, Client().event_url) == (None, None, None)
    assert settings({}).clients == Settings(project="some-project").clients == {}


@pytest.mark.parametrize(
    ("clients", "fault"),
    [
        ({"acme.eu": {}}, "pattern"),
        ({"Acme": {}}, "pattern"),
        ({"acme-": {}}, "pattern"),
        ({"acme_eu": {}}, "pattern"),
        ({"": {}}, "pattern"),
        ({"acme\n": {}}, "pattern"),
        ({"a" * 26: {}}, "pattern"),
        ({"acme": {"scope": ["register"]}}, "Extra inputs"),
        ({"acme": {"scopes": []}}, "at least 1 item"),
        ({"acme": {"scopes": ["erase"]}}, "'register' or 'delete'"),
        ({"acme": {"max_registered_aois": 0}}, "greater than 0"),
        ({"acme": {"max_registered_km2": -1}}, "greater than 0"),
        ({"acme": {"event_url": "http://hooks.example.com"}}, "pattern"),
        ({f"c{n}": {} for n in range(101)}, "at most 100"),
        ([], "valid dictionary"),
    ],
)
def test_what_is_wrong_with_clients_is_said_when_a_function_starts(clients: Any, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        settings(clients)


def test_secrets_are_their_clients_and_the_rest_the_operators() -> None:
    text = SecretStr(f"acme:{A} {B}  acme:{C}")
    assert owned_secrets(text) == [OwnedSecret("acme", A), OwnedSecret(None, B), OwnedSecret("acme", C)]
    assert (secrets_of("acme", text), secrets_of(None, text), secrets_of("globex", text)) == ([A, C], [B], [])


@pytest.mark.parametrize("name", ["webhook_secrets", "event_secrets"])
@pytest.mark.parametrize(
    ("secrets", "fault"),
    [
        (f"acme:{A} nobody:{B}", "secret 2 is of a client that CLIENTS does not have"),
        (f"acme:{A} globex:{A}", "secret 2 is another's as well"),
        (f"{A} acme:{A}", "secret 2 is another's as well"),
        ("acme:whsec_QQ==", "secret 1: expected a secret of 24"),
        (f"acme:globex:{A}", "secret 1: expected a secret that begins with whsec_"),
        (f"{A}:acme", "secret 1: expected the name of a client"),
    ],
)
def test_a_secret_of_nobody_or_of_two_is_refused_and_not_shown(name: str, secrets: str, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault) as caught:
        settings({"acme": {}, "globex": {}}, **{name: secrets})
    assert A.removeprefix("whsec_")[:8] not in str(caught.value)


def test_two_secrets_of_one_key_are_the_same_secret() -> None:
    """Base64 has spare bits at the end: 25 bytes leave four of them."""
    one, other = ("whsec_" + base64.b64encode(b"a" * 25).decode()[:-3] + end for end in ("Q==", "R=="))
    with pytest.raises(ValidationError, match="another's as well"):
        settings({"acme": {}, "globex": {}}, webhook_secrets=f"acme:{one} globex:{other}")


def test_no_event_is_sent_unsigned_nor_by_anothers_secret() -> None:
    """A function that was given the address and not the secret: it waits for the operator, and tells nobody else."""
    told = settings({"acme": {"event_url": "https://hooks.example.com/acme"}})
    event = patch_event("acme.field")
    with pytest.raises(DeploymentError, match="events of acme"):
        _deliver(event, told)
    assert told_to(event, "acme").data.aoi_id == "field"
    assert told_to(event, None) == event


def test_who_is_told_has_a_secret() -> None:
    told = {"acme": {"event_url": "https://hooks.example.com/acme"}}
    with pytest.raises(ValidationError, match="none of acme"):
        settings(told, event_secrets=A)
    with pytest.raises(ValidationError, match="none of the operator's"):
        settings(told, event_url="https://hooks.example.com", event_secrets=f"acme:{A}")
    assert settings(told, event_secrets=f"acme:{A}").event_url is None
    assert settings(told).clients, "functions that send no events know no secrets"


@pytest.mark.parametrize(
    ("aoi_id", "client"),
    [
        ("acme.field", "acme"),
        ("acme.eu.field", "acme"),
        ("acme", None),
        ("acme-eu.field", "acme-eu"),
        ("acmes.field", None),
        ("field.acme", None),
        (".field", None),
    ],
)
def test_an_area_is_its_clients_by_what_stands_before_the_first_dot(aoi_id: str, client: str | None) -> None:
    assert client_of(aoi_id, settings({"acme": {}, "acme-eu": {}}).clients) == client


def test_a_clients_ids_come_back_as_they_were_sent() -> None:
    assert own_id("acme.acme.field", "acme") == "acme.field"
    assert own_id("acme.field", None) == "acme.field"


def test_keys_of_repetition_never_meet() -> None:
    keys = {idempotency_key("x", None), idempotency_key("x", "acme"), idempotency_key("acme.x", None)}
    assert len(keys | {idempotency_key("acme x", None), idempotency_key("x", "globex")}) == 5


def test_areas_of_one_client_stay_together_and_without_clients_nothing_is_parted() -> None:
    ids = ["a.1", "b.1", "a.2", "c"]
    assert by_client(ids, str, settings({"a": {}, "b": {}})) == [["a.1", "a.2"], ["b.1"], ["c"]]
    assert by_client(ids, str, settings({})) == [ids]
    assert by_client([], str, settings({})) == []


def test_earth_engines_tags_name_the_client_where_there_is_one_and_only_one() -> None:
    both = settings({"acme": {}, "globex": {}})
    assert workload_tag("measure", ["acme.1", "acme.2"], both) == "measure-acme"
    assert workload_tag("measure", ["acme.1", "globex.1"], both) == "measure"
    assert workload_tag("measure", ["acme.1", "field"], both) == "measure"
    assert workload_tag("measure", ["acme.1"], settings({})) == "measure"
