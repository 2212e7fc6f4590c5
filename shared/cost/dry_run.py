"""What registering would cost and whether it would be refused, without registering."""

from datetime import UTC, datetime
from typing import Any

from shared.aois.name_spaces import own_id
from shared.aois.registration import RegistrationEvent
from shared.cost.ceilings import refuse_costly_history, refuse_over_ceiling
from shared.cost.estimates import usual_estimate
from shared.errors import OverCeilingError
from shared.warehouse.client import Warehouse


def tried(event: RegistrationEvent, client: str | None, warehouse: Warehouse) -> dict[str, Any]:
    """The answer to a client's or the operator's registration that is only tried: nothing is recorded or published, and
    Earth Engine is not asked.
    """
    settings = warehouse.settings
    refusal = None
    try:
        refuse_over_ceiling(event, client, warehouse)
        refuse_costly_history(event, warehouse)
    except OverCeilingError as error:
        refusal = str(error)
    found = usual_estimate(event.registered, datetime.now(UTC).date(), settings)
    aois = [
        {"aoi_id": own_id(aoi.aoi_id, client), "area_m2": aoi.area_m2, "status": "not registered"}
        for aoi in event.registered
    ]
    return {"dry_run": True, "would_be_refused": refusal, "aois": aois, "cost": found.document()}
