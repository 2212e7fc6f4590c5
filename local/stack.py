"""The embedded stack: every part of the pipeline in one process, the functions unchanged.

Earth Engine, BigQuery and Pub/Sub are local servers that the real clients talk to; the functions start through
functions-framework from the same tree that is deployed.
"""

import base64
import logging
import os
import secrets
import sys
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import functions_framework
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Response

from local.bigquery.definition import create_warehouse
from local.bigquery.embedded import EmbeddedBigQuery, run_scheduled
from local.earth_engine.passes import knows_passes
from local.earth_engine.server import EarthEngineServer
from local.pubsub.bus import Bus
from local.pubsub.emulator import GooglePubSub
from local.servers.faults import Faults
from local.servers.pooled_server import PooledServer
from shared.logs import JsonFormatter
from shared.messages import publishing
from shared.messages.bodies import Tick
from shared.settings import Settings, load_settings
from shared.warehouse import client as warehouse_client
from shared.warehouse.client import Warehouse

FUNCTIONS = (
    "register_aoi",
    "hint",
    "discover",
    "dispatch",
    "measure",
    "classify",
    "backfill",
    "plan_composites",
    "composite",
    "plan_transitions",
    "transition",
    "plan_changes",
    "find_changes",
    "record_passes",
    "alert_changes",
    "deliver_event",
    "record_dead_letter",
)
PROJECT = "local-project"
_FUNCTIONS_FOLDER = Path(__file__).resolve().parent.parent / "functions"


class Stack:
    """Starts on entering, stops on leaving.

    ``scenes`` is the folder that plays Dynamic World, ``folder`` keeps the warehouse and the log; ``settings`` are
    further settings of the functions by name. ``warehouse_faults`` fail queries and inserts as planned.
    """

    def __init__(
        self,
        scenes: Path,
        folder: Path,
        backfill_start: date,
        webhook_port: int = 0,
        settings: dict[str, str] | None = None,
        google_pubsub: bool = False,
        warehouse_faults: Faults | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._scenes = scenes
        self._backfill_start = backfill_start
        self._webhook_port = webhook_port
        self._more_settings = settings or {}
        self.webhook_secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        self.hint_credentials = f"local:{secrets.token_urlsafe(32)}"
        self.earth_engine = EarthEngineServer(
            {Settings.model_fields["collection"].default: scenes},
            {Settings.model_fields["pass_collection"].default: scenes},
        )
        self.bigquery = EmbeddedBigQuery(folder / "warehouse", PROJECT, warehouse_faults)
        prefix = self._more_settings.get("messaging_prefix", "")
        self.bus: Bus | GooglePubSub = (
            GooglePubSub(PROJECT) if google_pubsub else Bus(PROJECT, self._push, folder / "messages.sqlite", prefix)
        )
        self._environment_before: dict[str, str | None] = {}

    def __enter__(self) -> "Stack":
        self._log_to_file()
        self.earth_engine.start()
        self.bigquery.start()
        self._set_environment()
        self.settings = load_settings()
        self.warehouse: Warehouse = create_warehouse(self.settings)
        self.bigquery.made()
        apps = {f"/{name}": _function_app(name) for name in FUNCTIONS}
        functions = DispatcherMiddleware(Response("no such function", status=404), apps)
        self._functions = Client(functions, Response)
        self.bus.start()
        self._webhook = PooledServer(apps["/register_aoi"], self._webhook_port).start()
        self._hints = PooledServer(apps["/hint"]).start()
        if isinstance(self.bus, GooglePubSub):
            self._pushes = PooledServer(_noticed(functions, self.bus)).start()
            self.bus.subscribe(self._pushes.url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._webhook.stop()
        self._hints.stop()
        self.bus.stop()
        if isinstance(self.bus, GooglePubSub):
            self._pushes.stop()
        self.earth_engine.stop()
        self.bigquery.stop()
        self._restore_environment()

    @property
    def webhook_url(self) -> str:
        return self._webhook.url

    @property
    def hint_url(self) -> str:
        return self._hints.url

    def addresses(self) -> dict[str, str]:
        """Where each part listens, and what a client needs to use it."""
        return {
            "webhook": self.webhook_url,
            "hint": self.hint_url,
            "earth_engine": self.earth_engine.url,
            "bigquery": self.bigquery.url,
            "pubsub": self.bus.address,
            "project": PROJECT,
            "dataset": self.settings.dataset,
            "webhook_secret": self.webhook_secret,
            "hint_credentials": self.hint_credentials,
        }

    @property
    def client_environment(self) -> dict[str, str]:
        """The variables by which a client on this machine reads the warehouse and Earth Engine, and publishes."""
        return {
            "LANDCOVER_PROJECT": PROJECT,
            "LANDCOVER_EARTH_ENGINE_URL": self.earth_engine.url,
            "BIGQUERY_EMULATOR_HOST": self.bigquery.url,
            "PUBSUB_EMULATOR_HOST": self.bus.address,
        }

    @property
    def log_path(self) -> Path:
        """The log of all functions, one JSON object a line."""
        return self._folder / "functions.log"

    @property
    def knows_passes(self) -> bool:
        """Whether the scenes folder says when the satellites passed without leaving an image."""
        return knows_passes(self._scenes)

    def tick(self, job: str, scope: str = "full", run_date: date | None = None) -> None:
        """What Cloud Scheduler does: publish one tick."""
        self.publish_tick(Tick.model_validate({"job": job, "scope": scope, "run_date": run_date}))

    def publish_tick(self, tick: Tick) -> None:
        """Publish one tick, with the attribute by which subscriptions choose."""
        self.bus.publish("ticks", tick.model_dump_json(exclude_none=True).encode(), {"job": tick.job})

    def summarise(self, run_time: datetime | None = None) -> None:
        """Run the scheduled queries, on all that was streamed so far."""
        self.bigquery.settle()
        run_scheduled(self.warehouse, run_time or datetime.now(UTC))

    def _push(self, function: str, body: dict[str, Any]) -> int:
        """One push delivery, through the function's whole WSGI application."""
        return self._functions.open(EnvironBuilder(path=f"/{function}/", method="POST", json=body)).status_code

    def _set_environment(self) -> None:
        wanted = {
            **self.client_environment,
            "LANDCOVER_WEBHOOK_SECRETS": self.webhook_secret,
            "LANDCOVER_HINT_CREDENTIALS": self.hint_credentials,
            "LANDCOVER_BACKFILL_START": self._backfill_start.isoformat(),
            # one laptop sees all tiles of an overpass at once, and nobody there waits for an hour
            "LANDCOVER_DISCOVER_SETTLE_MINUTES": "0",
            # nor is anybody billed for what is computed there
            "LANDCOVER_MAX_HISTORY_EECU_HOURS": "1e9",
            **{f"LANDCOVER_{name.upper()}": value for name, value in self._more_settings.items()},
        }
        self._environment_before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        forget_clients()

    def _restore_environment(self) -> None:
        for name, value in self._environment_before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        forget_clients()

    def _log_to_file(self) -> None:
        handler = logging.FileHandler(self.log_path, mode="w", encoding="utf-8")
        handler.setFormatter(JsonFormatter())
        logger = logging.getLogger("landcover")
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logging.getLogger("werkzeug").setLevel(logging.ERROR)


def forget_clients() -> None:
    """Drop what a process keeps of its environment, so that the next stack's addresses are used."""
    load_settings.cache_clear()
    publishing.publisher.cache_clear()
    warehouse_client._client.cache_clear()


def _noticed(functions: Any, bus: GooglePubSub) -> Any:
    """The functions' application, telling the bus of every push."""

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        with bus.noticing(environ["PATH_INFO"].strip("/")):
            return functions(environ, start_response)

    return application


# kept: an application holds nothing of a stack, whose addresses its function finds in the environment
@cache
def _function_app(name: str) -> Any:
    # it adds the folder to the path each time; whatever is looked for and not there is looked for in each of them
    path = list(sys.path)
    app = functions_framework.create_app(name, str(_FUNCTIONS_FOLDER / f"{name}.py"))
    sys.path[:] = path
    app.logger.handlers[:] = []
    app.logger.addHandler(logging.NullHandler())
    app.logger.propagate = False
    return app
