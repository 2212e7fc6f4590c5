"""Which areas and years one message asks the patches of: neighbours of one client, a year of each."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from shared.aois.name_spaces import by_client
from shared.messages.bodies import ChangeRef, ChangeRequest
from shared.settings import Settings

# One listing of images serves them; what an invocation does not get to goes on as a message of its own.
CHANGES_PER_MESSAGE = 20


def change_requests(stale: Iterable[dict[str, Any]], settings: Settings) -> Iterator[ChangeRequest]:
    """Messages for the rows of ``stale_changes.sql``: those of one cell, year and client together."""

    def place(row: dict[str, Any]) -> tuple[int, int]:
        return row["cell"], row["year"]

    for of_one_client in by_client(stale, lambda row: str(row["aoi_id"]), settings):
        ordered = sorted(of_one_client, key=lambda row: (*place(row), row["aoi_id"]))
        for _, near in groupby(ordered, key=place):
            refs = [ChangeRef.model_validate({name: row[name] for name in ChangeRef.model_fields}) for row in near]
            for start in range(0, len(refs), CHANGES_PER_MESSAGE):
                yield ChangeRequest(changes=refs[start : start + CHANGES_PER_MESSAGE])
