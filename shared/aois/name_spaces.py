"""Whose an area is: the id of a client's area begins with the client's name and a dot, everywhere in the deployment.

So two clients' ``field-1`` never meet, and no table or message needs another column. What a client sends and is given
has its own ids, as in a deployment of its own; only the operator sees whole ones.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from shared.clients import Client
from shared.messages.bodies import Event
from shared.settings import Settings

T = TypeVar("T")


def name_space(client: str | None) -> str:
    """What ids of a client's areas begin with; nothing for the operator, who has all."""
    return "" if client is None else f"{client}."


def own_id(aoi_id: str, client: str | None) -> str:
    """An id as its client wrote it."""
    return aoi_id.removeprefix(name_space(client))


def client_of(aoi_id: str, clients: dict[str, Client]) -> str | None:
    """The client that has an area; None is the operator."""
    name, dot, _ = aoi_id.partition(".")
    return name if dot and name in clients else None


def idempotency_key(webhook_id: str, client: str | None) -> str:
    """By what a repeated call is known. No header has a line feed: nobody's id is another's key."""
    return webhook_id if client is None else f"{client}\n{webhook_id}"


def told_to(event: Event, client: str | None) -> Event:
    """An event by the ids of whom it is sent to."""
    data = event.data.model_copy(update={"aoi_id": own_id(event.data.aoi_id, client)})
    return event.model_copy(update={"data": data})


def by_client(items: Iterable[T], aoi_id: Callable[[T], str], settings: Settings) -> list[list[T]]:
    """The items of each client together, in their order; all in one list where there are no clients."""
    groups: dict[str | None, list[T]] = defaultdict(list)
    for item in items:
        groups[client_of(aoi_id(item), settings.clients)].append(item)
    return list(groups.values())


def workload_tag(function: str, aoi_ids: Iterable[str], settings: Settings) -> str:
    """What Earth Engine counts a request under: the function, and the client where all areas are one's."""
    clients = {client_of(aoi_id, settings.clients) for aoi_id in aoi_ids}
    client = clients.pop() if len(clients) == 1 else None
    return function if client is None else f"{function}-{client}"
