"""Looking at dead letters and publishing them again."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shared.messages.publishing import publish_raw
from shared.messages.receiving import REPLAY_OF
from shared.messages.subscriptions import messaging
from shared.warehouse.client import Warehouse

# Pub/Sub's own marks on a message that came through the dead-letter topic; the original had none of them.
_MARKS = ("CloudPubSubDeadLetter", "googclient_")


class Selection(NamedTuple):
    """Which dead letters: recorded since a moment, of a topic (all when empty), with a text in the reason."""

    since: datetime
    topic: str = ""
    reason: str = ""


def select(warehouse: Warehouse, selection: Selection) -> list[dict[str, Any]]:
    """Dead letters that were not replayed yet, oldest first."""
    return warehouse.query("dead_letters", **selection._asdict())


def replay(warehouse: Warehouse, letters: list[dict[str, Any]]) -> int:
    """Publish dead letters on their topics again and note that; returns how many could be.

    Publish first, then note: a crash between the two repeats work, never loses it. What fails again after that is the
    same letter again, and open: it was recorded after it was replayed. A letter whose topic is not known
    stays where it is.
    """
    now = datetime.now(UTC).isoformat()
    replayed = [letter for letter in letters if letter["topic"] in messaging().topics and letter["body"]]
    for letter in replayed:
        given = json.loads(letter["attributes"] or "{}")
        attributes = {k: v for k, v in given.items() if not k.startswith(_MARKS)}
        attributes.setdefault(REPLAY_OF, letter["message_id"])
        publish_raw(warehouse.settings, letter["topic"], [(letter["body"].encode(), attributes)])
    warehouse.append(
        "dead_letter_replays", [{"dead_letter_id": letter["dead_letter_id"], "replayed_at": now} for letter in replayed]
    )
    return len(replayed)
