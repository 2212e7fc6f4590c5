"""Which patches are news, and what is said of them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from shared.change.discoveries import FEWEST_QUIET_YEARS, discoveries, p_value
from shared.messages.bodies import ChangedPatch

_LIMIT, _RATE = "limit", "false discovery rate"


def confirmed_news(alarms: Sequence[dict[str, Any]]) -> list[ChangedPatch]:
    """What is told of the rows of ``recent_alarms.sql``: those that no event told of, where the false discovery rate is
    controlled only those that pass, together with those told before.
    """
    judged = [row for row in alarms if row["quiet_count"] >= FEWEST_QUIET_YEARS]
    p_values = [p_value(row["as_large_count"], row["quiet_count"]) for row in judged]
    asked = max(len(judged), *(row["asked_count"] for row in judged)) if judged else 0
    passed = {
        (row["aoi_id"], row["patch_id"]) for row, told in zip(judged, discoveries(p_values, asked), strict=True) if told
    }
    news = []
    for row in alarms:
        few = row["quiet_count"] < FEWEST_QUIET_YEARS
        if not row["told"] and (few or (row["aoi_id"], row["patch_id"]) in passed):
            about = {name: row[name] for name in ChangedPatch.model_fields if name in row}
            about |= {"outline": json.loads(row["outline"]), "controlled_by": _LIMIT if few else _RATE}
            news.append(ChangedPatch.model_validate(about))
    return news


def withdrawn_news(denied: Iterable[dict[str, Any]]) -> list[ChangedPatch]:
    """What is told of the rows of ``denied_alarms.sql``: what was told of each when it was confirmed, and since when
    the ground was seen as it was; no moment where other images deny that anything happened.
    """
    return [
        ChangedPatch.model_validate_json(row["body"]).model_copy(update={"withdrawn_at": row["withdrawn_at"]})
        for row in denied
    ]
