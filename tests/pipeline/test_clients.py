"""Several clients in one deployment: none learns of, overwrites, deletes, sees or uses up what is another's."""

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import requests
from shapely import box
from shapely.geometry import mapping
from standardwebhooks import Webhook

from local.stack import Stack
from shared.settings import load_settings
from shared.warehouse.files import report_columns, sql
from tests.receiver import Receiver, receiving
from tests.scenes import write_scene
from tests.stacks import announce, event, feature, rows, settle, signed_post, start_stack


def secret_of(word: str) -> str:
    """A signing secret of 24 bytes that are not random."""
    return "whsec_" + base64.b64encode((word * 24)[:24].encode()).decode()


OPERATOR, ACME, ACME_OLD, GLOBEX, INITECH, TOLD, TOLD_ACME = map(
    secret_of, ("operator", "acme", "acme-old", "globex", "initech", "told", "told-acme")
)
FIRST, SECOND = "20210703T023111_20210703T023105_T51TYL", "20210708T023109_20210708T023105_T51TYL"
HERE = dict(mapping(box(125.661, 45.105, 125.668, 45.108)))
BESIDE = dict(mapping(box(125.661, 45.109, 125.668, 45.113)))
# Views that compare years: one year has nothing to be compared with.
COMPARING = {"report_change", "report_patches", "report_transitions"}
FAR = dict(mapping(box(10, 50, 10.01, 50.01)))


class World(NamedTuple):
    """A stack whose clients have registered, been told and been summarised, and what they got."""

    stack: Stack
    receiver: Receiver
    registered: dict[str, list[Any]]


def call(stack: Stack, secret: str, kind: str, data: Any, webhook_id: str) -> requests.Response:
    return signed_post(stack.webhook_url, secret, event(f"aoi.{kind}", data), webhook_id)


def register(stack: Stack, secret: str, webhook_id: str, *features: dict[str, Any]) -> requests.Response:
    data = {"type": "FeatureCollection", "features": list(features)}
    return call(stack, secret, "registered", data, webhook_id)


def delete(stack: Stack, secret: str, webhook_id: str, *aoi_ids: str) -> requests.Response:
    return call(stack, secret, "deleted", {"aoi_ids": list(aoi_ids)}, webhook_id)


def estimated(aoi_id: str) -> dict[str, Any]:
    """A row that a reference sample of an area leaves."""
    sums = dict.fromkeys(("mapped_area_m2", "area_m2", "standard_error_m2"), 1.0)
    key = {"sample_id": "sample-1", "aoi_id": aoi_id, "aoi_version": 1, "strata": "classes", "year": 2021}
    made = {"code_version": "0", "estimated_at": "2022-01-01T00:00:00Z"}
    return {**key, **sums, **made, "quantity": "class", "class_id": 1, "class_name": "trees", "points": 50}


def current(stack: Stack) -> set[str]:
    return {row["aoi_id"] for row in rows(stack, "aois")}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("clients")
    with pytest.MonkeyPatch.context() as patch, receiving(folder, patch) as receiver:
        clients = {
            "acme": {"event_url": f"{receiver.url}/acme"},
            "globex": {},
            "initech": {"scopes": ["register"], "max_registered_aois": 2, "max_registered_km2": 3},
        }
        with start_stack(
            folder,
            clients=json.dumps(clients),
            webhook_secrets=f"{OPERATOR} acme:{ACME} acme:{ACME_OLD} globex:{GLOBEX} initech:{INITECH}",
            event_url=f"{receiver.url}/operator",
            event_secrets=f"{TOLD} acme:{TOLD_ACME}",
        ) as stack:
            for image_id in (FIRST, SECOND):
                write_scene(
                    folder / "scenes", image_id, crs="EPSG:32651", origin=(709_000, 5_000_000), shape=(200, 200)
                )
                if image_id == FIRST:
                    answers = {
                        "acme": register(stack, ACME, "1", feature("field-1", HERE, name="Acme's")),
                        "globex": register(stack, GLOBEX, "1", feature("field-1", BESIDE, name="Globex's")),
                        "operator": register(stack, OPERATOR, "1", feature("field-1", BESIDE)),
                    }
                    settle(stack)
            announce(stack, SECOND)
            stack.tick("composite")
            settle(stack)
            stack.warehouse.append("area_estimates", [estimated(f"{name}field-1") for name in ("acme.", "globex.", "")])
            stack.summarise()
            yield World(stack, receiver, {name: answer.json()["aois"] for name, answer in answers.items()})


def test_the_same_id_of_two_clients_is_two_areas(world: World) -> None:
    """T1. Under the same webhook-id as well; each is answered its own id, and no version tells of another's."""
    for answers in world.registered.values():
        ((aoi_id, version),) = ((answer["aoi_id"], answer["aoi_version"]) for answer in answers)
        assert (aoi_id, version) == ("field-1", 1)
    found = {row["aoi_id"]: (row["aoi_version"], row["label"]) for row in rows(world.stack, "aois")}
    assert {aoi_id: found[aoi_id] for aoi_id in found if aoi_id.endswith("field-1")} == {
        "acme.field-1": (1, "Acme's"),
        "globex.field-1": (1, "Globex's"),
        "field-1": (1, None),
    }


def test_a_client_calls_with_each_of_its_secrets_and_reaches_its_own_areas_only(world: World) -> None:
    """T1: an id that looks like another's is one's own."""
    assert register(world.stack, ACME_OLD, "2", feature("field-2", HERE)).status_code == 202
    assert register(world.stack, GLOBEX, "2", feature("acme.field-2", BESIDE)).json()["aois"][0]["aoi_version"] == 1
    assert {"acme.field-2", "globex.acme.field-2"} <= current(world.stack)


def test_deleting_an_id_of_another_is_answered_as_one_that_never_was(world: World) -> None:
    """T2 and T3."""
    register(world.stack, ACME, "3", feature("field-3", HERE))
    answers = []
    for number, aoi_id in enumerate(("field-3", "acme.field-3", "never-was")):
        answer = delete(world.stack, GLOBEX, f"4 {number}", aoi_id)
        assert answer.status_code == 202
        answers.append(answer.text.replace(aoi_id, "X"))
    assert set(answers) == {'{"aois": [{"aoi_id": "X", "aoi_version": null, "status": "deleted"}]}'}
    assert "acme.field-3" in current(world.stack)
    assert delete(world.stack, ACME, "5", "field-3").json()["aois"] == [
        {"aoi_id": "field-3", "aoi_version": 1, "status": "deleted"}
    ]
    assert "acme.field-3" not in current(world.stack)


def test_a_secret_may_do_what_its_client_is_let_do(world: World) -> None:
    """T2: who may register only cannot delete what it registered."""
    assert register(world.stack, INITECH, "6", feature("plot", BESIDE)).status_code == 202
    refused = delete(world.stack, INITECH, "7", "plot")
    assert (refused.status_code, refused.json()["detail"]) == (403, "this secret may not send aoi.deleted")
    assert "initech.plot" in current(world.stack)


def test_a_webhook_id_is_known_by_whose_it_is(world: World) -> None:
    """T3: the id that another used with another body is no conflict, and one's own is."""
    for secret, expected in ((ACME, 202), (GLOBEX, 202), (OPERATOR, 202), (ACME, 409)):
        body = feature("8", HERE, name=f"{secret} {expected}")
        answer = register(world.stack, secret, "8", body)
        assert answer.status_code == expected, answer.text


def test_ids_have_room_for_the_name_of_their_client(world: World) -> None:
    assert register(world.stack, ACME, "9", feature("x" * 123, FAR)).status_code == 202
    refused = register(world.stack, ACME, "10", feature("x" * 124, FAR))
    assert refused.status_code == 422
    assert "at most 123 characters" in refused.json()["errors"][0]["detail"]


def test_each_client_is_told_of_its_own_areas_by_its_own_ids(world: World) -> None:
    """T4. At its own address and signed with its own secret; the others' news goes to the operator, by whole ids."""
    told: dict[str, set[str]] = {}
    for path, (headers, body) in zip(world.receiver.paths, world.receiver.calls, strict=True):
        place = path.rsplit("/", 1)[-1]
        Webhook({"acme": TOLD_ACME, "operator": TOLD}[place]).verify(body, headers)
        told.setdefault(place, set()).add(json.loads(body)["data"]["aoi_id"])
    assert told == {"acme": {"field-1"}, "operator": {"field-1", "globex.field-1"}}
    assert {row["aoi_id"] for row in rows(world.stack, "deliveries")} == {"acme.field-1", "globex.field-1", "field-1"}


@pytest.mark.parametrize("view", report_columns())
def test_a_clients_views_show_its_own_areas_by_its_own_ids(world: World, view: str) -> None:
    """T4: what the views in each client's dataset say, on the same warehouse."""
    dataset = f"{world.stack.settings.project}.{world.stack.settings.dataset}"
    whole = rows(world.stack, view)
    assert whole or view in COMPARING, "one year has nothing to be compared with"
    seen = []
    for client in ("acme", "globex"):
        text = sql("clients", "report", dataset=dataset, view=view, client=client)
        found = world.stack.warehouse.run(text, {})
        assert {row["aoi_label"] for row in found if row["aoi_id"] == "field-1"} <= {f"{client.title()}'s"}
        seen += [{**row, "aoi_id": f"{client}.{row['aoi_id']}"} for row in found]
    own = [row for row in whole if row["aoi_id"].startswith(("acme.", "globex."))]
    assert {row["aoi_id"].split(".")[0] for row in own} == {"acme", "globex"} or view in COMPARING
    assert sorted(map(repr, seen)) == sorted(map(repr, own))


def test_a_client_has_ceilings_of_its_own_below_the_deployments(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """T5. What all have together is told to the operator only."""
    settle(world.stack)
    before = dict(world.stack.bus.delivered)
    many = register(world.stack, INITECH, "11", *(feature(f"plot-{n}", FAR) for n in range(3)))
    assert (many.status_code, "the limit is 2" in many.json()["detail"]) == (403, True)
    large = register(world.stack, INITECH, "12", feature("plot", dict(mapping(box(10, 50, 10.1, 50.1)))))
    assert (large.status_code, "the limit is 3 km²" in large.json()["detail"]) == (403, True)
    total = len(current(world.stack))
    monkeypatch.setenv("LANDCOVER_MAX_REGISTERED_AOIS", str(total))
    load_settings.cache_clear()
    told = {
        secret: register(world.stack, secret, "13", feature("one-more", FAR)).json()["detail"]
        for secret in (GLOBEX, OPERATOR)
    }
    monkeypatch.undo()
    load_settings.cache_clear()
    assert told[GLOBEX] == "no more can be registered in this deployment"
    assert told[OPERATOR] == f"{total + 1} AOIs would be registered, the limit is {total}"
    assert dict(world.stack.bus.delivered) == before, "what is refused costs nothing"


def test_earth_engine_counts_what_each_client_takes(world: World) -> None:
    """T5: one image over areas of three is measured in three requests, each under the tag of its client."""
    tags = {tag for tag, _ in world.stack.earth_engine.app.clock}
    for function in ("backfill", "measure", "composite"):
        assert {f"{function}-acme", f"{function}-globex", function} <= tags
    news = [row for row in rows(world.stack, "observations") if row["overpass_id"] == SECOND[:15]]
    assert {row["aoi_id"] for row in news} >= {"acme.field-1", "globex.field-1", "field-1"}
