"""Names that the tests of the deployment share: the services, and what Terraform calls things in its own tests."""

import json
from typing import Any

from shared.messages.schedules import schedules
from tests.deployment.terraform import ROOT

SERVICES: dict[str, dict[str, Any]] = json.loads((ROOT / "terraform" / "services.json").read_text(encoding="utf-8"))
# Called by others than Pub/Sub.
OPEN = {"register-aoi", "hint"}
PROJECT = "some-landcover-project"
SECRETS = {
    "webhook_secrets": "landcover-webhook-secrets",
    "event_secrets": "landcover-event-secrets",
    "hint_credentials": "landcover-hint-credentials",
}
SUMMARIES = {query.name for query in schedules().scheduled_queries}
PUSH = f"serviceAccount:landcover-push@{PROJECT}.iam.gserviceaccount.com"


def account(name: str) -> str:
    """The member of a service's account."""
    return f"serviceAccount:landcover-{name}@{PROJECT}.iam.gserviceaccount.com"
