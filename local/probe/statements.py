"""Every query with values of the types that its callers pass, so that it can be checked without being run."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from shared.messages.schedules import schedules
from shared.settings import Settings
from shared.warehouse.files import definitions, query_names, sql

_DAY = date(2021, 1, 1)
_MOMENT = datetime(2021, 1, 1, tzinfo=UTC)
_IDS = {"aoi_ids": ["a"]}
_REF = {"aoi_id": "a", "aoi_version": 1}
_YEAR = {"year": 2021}
_BOX = {"west_deg": 0.0, "south_deg": 0.0, "east_deg": 1.0, "north_deg": 1.0}
_FOOTPRINT = '{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}'


def _erased_by(name: str) -> dict[str, Any]:
    """What a query that erases takes: rows that were streamed have to be older than a moment."""
    return {**_IDS, "before": _MOMENT} if "@before" in sql("queries", name, dataset="") else _IDS


PARAMETERS: dict[str, dict[str, Any]] = {
    "aoi_cells": {},
    "aois_by_id": _IDS,
    "aois_to_examine": _IDS,
    "aois_touching": {"footprint": _FOOTPRINT, **_BOX},
    "dead_letters": {"since": _MOMENT, "topic": "", "reason": ""},
    "dead_letters_brief": {},
    "denied_alarms": {},
    "earliest_touch": {"since": _DAY},
    **{name: _erased_by(name) for name in query_names() if name.startswith("erase_")},
    "events_of_webhook": {"webhook_id": "msg"},
    "export_annual": {},
    "export_monthly": {},
    "export_observations": {},
    "export_patches": {},
    "export_transitions": {},
    "first_aoi": {},
    "former_patches": _IDS,
    "freshness": {},
    "histories_asked": _IDS,
    "histories_wanted": {"webhook_id": "msg"},
    "known_accuracies": _REF,
    "measured_images": {**_IDS, "first_day": _DAY, "last_day": _DAY},
    "new_acquisitions": {"boxes": "[]", "since": _DAY},
    "new_passes": {"scenes": "[]", "day": _DAY},
    "note_histories": {"rows": "[]", "asked_at": _MOMENT},
    "observed_overpasses": {**_REF, "since": _DAY},
    "open_register": {"recorded_at": _MOMENT, "code_version": "0"},
    "recent_alarms": {"since": _MOMENT},
    "record_aoi_events": {
        "rows": "[]",
        "webhook_id": "msg",
        "body_sha256": "0",
        "event_type": "aoi.registered",
        "event_time": _MOMENT,
        "recorded_at": _MOMENT,
        "code_version": "0",
    },
    "register_totals": {**_IDS, "name_space": ""},
    "report_annual": {"aoi_id": "a", **_YEAR},
    "report_baseline": {"aoi_id": "a", **_YEAR},
    "report_changes": {"aoi_id": "a"},
    "report_estimates": {"aoi_id": "a", **_YEAR},
    "report_fates": {**_REF, **_YEAR, "coverage_floor": 0.2},
    "report_flows": {"aoi_id": "a"},
    "report_history": {"aoi_id": "a"},
    "report_index": {**_IDS, **_YEAR},
    "report_index_annual": {**_IDS, **_YEAR},
    "report_index_changes": {**_IDS, **_YEAR},
    "report_views": {**_REF, **_YEAR, "coverage_floor": 0.2},
    "report_watched": _REF,
    "report_year": {"aoi_id": "a", **_YEAR},
    "rows_of_aois": _IDS,
    "stale_changes": {"since": _DAY, "after_aoi": "", "most_m2": 1e8, **_IDS, "most": 1},
    "stale_transitions": {"baseline_year": 2020, "after_aoi": "", **_IDS, "most": 1},
    "unseen_passes": {"day": _DAY, "unpublished_before": _MOMENT},
    "years_summarised": _IDS,
    "stale_composites": {"period": "", "since": _DAY, "after_aoi": "", **_IDS, "most": 1},
}


class Statement(NamedTuple):
    """One view, query or scheduled script as it is sent. ``metered`` ones are refused when they would read too much."""

    name: str
    text: str
    parameters: dict[str, Any]
    metered: bool


def statements(settings: Settings) -> Iterator[Statement]:
    """All that BigQuery is ever asked to run for a deployment."""
    dataset = f"{settings.project}.{settings.dataset}"
    for name in definitions()["views"]:
        yield Statement(f"view {name}", f"SELECT * FROM `{dataset}.{name}`", {}, metered=False)  # noqa: S608
    for name, parameters in PARAMETERS.items():
        yield Statement(f"query {name}", sql("queries", name, dataset=dataset), parameters, metered=True)
    for query in schedules().scheduled_queries:
        text = sql(
            "scheduled",
            query.name,
            dataset=dataset,
            coverage_floor=settings.coverage_floor,
            network_in_summaries=settings.network_in_summaries,
        )
        yield Statement(f"script {query.name}", text, {"run_time": _MOMENT}, metered=False)
