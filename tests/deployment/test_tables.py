"""Tables, views and schedules are those of the code."""

import base64
import json
import re

from shared.messages.bodies import Tick
from shared.messages.schedules import schedules
from shared.messages.subscriptions import messaging
from shared.settings import Settings
from shared.warehouse.files import definitions, schema, sql
from tests.deployment.names import PROJECT, SUMMARIES, account
from tests.deployment.terraform import Deployed
from tests.deployment.uses import SQL


def test_tables_and_views_are_those_of_the_code(deployed: Deployed) -> None:
    made = {values["table_id"]: values for values in deployed.of("google_bigquery_table").values()}
    assert made.keys() == set(definitions()["tables"]) | set(definitions()["views"])
    for name, definition in definitions()["tables"].items():
        table = made[name]
        assert json.loads(table["schema"]) == schema(name)
        assert table["clustering"] == definition["clustering"]
        assert table["deletion_protection"] is True
        partitions = [(p["type"], p["field"]) for p in table["time_partitioning"]]
        partitions += [("RANGE", p["field"]) for p in table["range_partitioning"]]
        kept_ms = [int(p["expiration_ms"]) for p in table["time_partitioning"] if p["expiration_ms"]]
        assert kept_ms == [days * 86_400_000 for days in [definition.get("expiration_days")] if days]
        wanted = (definition["partition_type"], definition["partition_field"])
        assert partitions == ([wanted] if definition["partition_field"] else [])
    floor = Settings.model_fields["coverage_floor"].default
    for name in definitions()["views"]:
        (view,) = made[name]["view"]
        assert view["query"] == sql(
            "views", name, dataset=f"{PROJECT}.landcover", coverage_floor=floor, network_in_summaries="fill"
        )
        assert view["use_legacy_sql"] is False


def test_views_come_after_the_views_they_read(deployed: Deployed) -> None:
    """Two layers are enough as long as no view reads a view that reads a view of another layer's kind."""
    views = set(definitions()["views"])
    made = deployed.of("google_bigquery_table")
    base = {values["table_id"] for key, values in made.items() if key.startswith("base_view")}
    for name in views:
        named = set(re.findall(r"\$\{dataset\}\.(\w+)", (SQL / "views" / f"{name}.sql").read_text(encoding="utf-8")))
        assert named & views <= base
        assert (name in base) == (not named & views)


def test_scheduled_queries_are_those_of_the_code(deployed: Deployed) -> None:
    made = deployed.of("google_bigquery_data_transfer_config")
    assert made.keys() == {f"summary[{name}]" for name in SUMMARIES}
    floor = Settings.model_fields["coverage_floor"].default
    for query in schedules().scheduled_queries:
        found = made[f"summary[{query.name}]"]
        text = sql(
            "scheduled", query.name, dataset=f"{PROJECT}.landcover", coverage_floor=floor, network_in_summaries="fill"
        )
        assert found["params"] == {"query": text}
        assert found["schedule"] == query.schedule
        assert f"serviceAccount:{found['service_account_name']}" == account("summaries")
        assert not re.search(r":[0-5]0$|:00$", query.schedule), "at full hours a query may run twice"


def test_scheduler_jobs_publish_the_ticks_of_the_code(deployed: Deployed) -> None:
    made = deployed.of("google_cloud_scheduler_job")
    assert made.keys() == {f"tick[{scheduled.name}]" for scheduled in schedules().ticks}
    for scheduled in schedules().ticks:
        job = made[f"tick[{scheduled.name}]"]
        (target,) = job["pubsub_target"]
        assert Tick.model_validate_json(base64.b64decode(target["data"])) == scheduled.tick
        assert (job["schedule"], job["time_zone"]) == (scheduled.cron, "Etc/UTC")
        assert target["attributes"] == {"job": scheduled.tick.job}
        takers = [s for s in messaging().subscriptions if s.topic == "ticks" and s.filter == target["attributes"]]
        assert len(takers) == 1
    minutes = [scheduled.cron.split()[:2] for scheduled in schedules().ticks]
    assert len({tuple(m) for m in minutes}) == len(minutes), "staggered"
