"""The emulator on a folder, behind its front; the scheduled queries, run on it."""

import asyncio
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from local.bigquery.front import BigQueryFront
from local.bigquery.translations import remember_texts
from local.servers.faults import Faults
from local.servers.pooled_server import LOOPBACK_NAMES
from shared.errors import UserInputError
from shared.messages.schedules import schedules
from shared.warehouse.client import Warehouse
from shared.warehouse.files import sql

if TYPE_CHECKING:
    from local.bigquery.dry_run import Refusal

_START_SECONDS = 60.0
# A client fetches a result right after its job.
_MOST_JOBS = 500
_signature_checked = threading.Event()


class EmbeddedBigQuery:
    """A BigQuery REST endpoint on a loopback port, its data in a DuckDB file under ``folder``.

    ``faults`` fail queries and inserts as planned.
    """

    def __init__(self, folder: Path, project: str, faults: Faults | None = None) -> None:
        self._folder = folder
        self._faults = faults
        self._unfinished = folder.with_name(f"{folder.name}.unfinished")
        self._begin(folder)
        _quiet()
        from bqemulator import server as emulator  # noqa: PLC0415 — slow; only the embedded stack pays
        from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository  # noqa: PLC0415
        from bqemulator.config import LogLevel, PersistenceMode  # noqa: PLC0415
        from bqemulator.versioning.snapshots import SnapshotManager  # noqa: PLC0415
        from duckdb_extensions import import_extension  # noqa: PLC0415

        import_extension("spatial")
        # It copies the whole table at each insert, for time travel that nobody does here: n rows would cost n² copies.
        SnapshotManager.capture = lambda *_, **__: None
        # Of each job a row, for later sessions that could not read its result; results are in memory only.
        DuckDBCatalogRepository._write_job = lambda catalog, _: _forget_jobs(catalog, _MOST_JOBS)
        remember_texts()
        emulator.create_app = _application  # type: ignore[assignment]
        self._server = emulator.EmulatorServer(
            _settings_by_code(
                persistence_mode=PersistenceMode.PERSISTENT,
                data_dir=folder,
                rest_host="127.0.0.1",
                grpc_host="127.0.0.1",
                rest_port=0,
                grpc_port=0,
                default_project_id=project,
                log_level=LogLevel.CRITICAL,
                enable_format_extensions=False,
                query_cache_ttl_seconds=0,
                upload_staging_dir=folder / "uploads",
            )
        )
        self._start_engine = self._server._engine.start
        self._server._engine.start = self._start_locked  # type: ignore[method-assign]
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="bigquery", daemon=True)

    def _begin(self, folder: Path) -> None:
        """Mark a warehouse that is being made; one whose making was cut short is made anew, since nothing is in it."""
        if self._unfinished.exists():
            shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            self._unfinished.parent.mkdir(parents=True, exist_ok=True)
            self._unfinished.touch()
            folder.mkdir()

    def made(self) -> None:
        """Call once the tables are there."""
        self._unfinished.unlink(missing_ok=True)

    @property
    def url(self) -> str:
        return self._front.url

    def settle(self) -> None:
        """Have every streamed row shown, as if one had waited for it."""
        self._front.settle()

    def start(self) -> "EmbeddedBigQuery":
        """Raises UserInputError when the folder is in use by another process."""
        self._thread.start()
        if not self._ready.wait(_START_SECONDS) or self._failure is not None:
            if "lock on file" in str(self._failure):
                raise UserInputError(f"{self._folder}: another process has this warehouse open; wait for it or stop it")
            raise UserInputError(f"the embedded warehouse did not start: {self._failure or 'timed out'}")
        self._front = BigQueryFront(str(self._server.rest_url), self._folder, self._check, self._faults).start()
        return self

    def stop(self) -> None:
        self._front.stop()
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(timeout=20)
        _forget_jobs(self._server._context.catalog, 0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def _check(self, text: str, parameters: list[dict[str, Any]], project: str) -> "Refusal | None":
        from local.bigquery.dry_run import check  # noqa: PLC0415 — as slow as the emulator

        checked = check(text, parameters, project, self._server._context)
        return asyncio.run_coroutine_threadsafe(checked, self._loop).result(timeout=_START_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._server.start())
        except BaseException as error:
            self._failure = error
            self._ready.set()
            return
        self._ready.set()
        self._loop.run_forever()

    async def _start_locked(self) -> None:
        """Before any port is open: whoever reaches one may run any SQL, which otherwise reads and writes files as the
        user who started it.
        """
        with _signature_checked_once():
            await self._start_engine()
        connection = self._server._engine._connection
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


def _forget_jobs(catalog: Any, keep: int) -> None:
    """All but the newest, with their results: the emulator keeps every one in memory."""
    from bqemulator.jobs.executor import JOB_RESULTS, JOB_SCHEMAS  # noqa: PLC0415

    jobs = catalog._cache._jobs
    for key in list(jobs)[: max(0, len(jobs) - keep)]:
        del jobs[key]
        JOB_RESULTS.pop(key[1], None)
        JOB_SCHEMAS.pop(key[1], None)


@contextmanager
def _signature_checked_once() -> Iterator[None]:
    """DuckDB looks for its signature through all of the spatial extension (a third of a second, three quarters of what
    a stack takes to start) each time that it loads it. The first time in a process is enough.
    """
    import duckdb  # noqa: PLC0415 — as slow as the emulator

    connect = duckdb.connect
    if _signature_checked.is_set():
        duckdb.connect = partial(connect, config={"allow_unsigned_extensions": "true"})
    try:
        yield
    finally:
        duckdb.connect = connect
    _signature_checked.set()


def _settings_by_code(**values: Any) -> Any:
    """The emulator's settings, whatever ``BQEMU_*`` and ``.bqemu.toml`` say: hosts, folders, an administration."""
    from bqemulator.config import Settings as EmulatorSettings  # noqa: PLC0415

    class SettingsByCode(EmulatorSettings):
        @classmethod
        def settings_customise_sources(cls, _: Any, init_settings: Any, **__: Any) -> Any:
            return (init_settings,)

    return SettingsByCode(**values)


def _application(context: Any) -> Any:
    """The emulator's own application, for those who name this machine as host."""
    from bqemulator.api.app import create_app  # noqa: PLC0415
    from starlette.middleware.trustedhost import TrustedHostMiddleware  # noqa: PLC0415

    application = create_app(context)
    application.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK_NAMES))
    return application


def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("bqemulator").setLevel(logging.CRITICAL)


def run_scheduled(warehouse: Warehouse, run_time: datetime) -> None:
    """Run every scheduled query once, exactly as the service would, with ``@run_time``."""
    for query in schedules().scheduled_queries:
        run_script(warehouse, query.name, run_time)


def run_script(warehouse: Warehouse, name: str, run_time: datetime) -> None:
    """Run one scheduled query."""
    settings = warehouse.settings
    text = sql(
        "scheduled",
        name,
        dataset=f"{settings.project}.{settings.dataset}",
        coverage_floor=settings.coverage_floor,
        network_in_summaries=settings.network_in_summaries,
    )
    # The emulator passes no parameter into scripts. As a variable it leaves the statements' text the same at each run.
    given = f"DECLARE run_time_parameter TIMESTAMP DEFAULT TIMESTAMP '{run_time.isoformat()}';\n"
    warehouse.run(given + text.replace("@run_time", "run_time_parameter"), {})
