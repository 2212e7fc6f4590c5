"""Queries and appends against BigQuery. Parameters only; table names come from validated settings."""

import os
import random
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from google.api_core.exceptions import BadRequest, GoogleAPICallError, RetryError
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY, DEFAULT_RETRY

from shared.errors import InvalidRowsError, LandcoverError, NeverError, RetryLaterError
from shared.settings import Settings
from shared.warehouse.files import sql

_TIMEOUT_SECONDS = 60.0
_RETRY = DEFAULT_RETRY.with_timeout(_TIMEOUT_SECONDS)
# What BigQuery answers, as a bad request, to a statement whose table another one changes at the same moment, after it
# ran it three times more by itself; and to one too many in the queue for the table.
_CONCURRENT = ("Could not serialize access to table", "due to concurrent update", "Too many DML statements outstanding")
_TURN_ATTEMPTS = 7
_TURN_SECONDS = 0.2
# The longest that a query may take, so that a handler ends before the platform's 540 s.
_QUERY_SECONDS = 300.0
_JOB_RETRY = DEFAULT_JOB_RETRY.with_timeout(_QUERY_SECONDS)
_ROWS_PER_INSERT = 500
_INSERT_ATTEMPTS = 4
# Row errors that say "not now" rather than "never": the row itself was fine.
_TRANSIENT_REASONS = {"stopped", "timeout", "backendError", "internalError", "rateLimitExceeded"}

# For some minutes after a column was added.
_COLUMN_NOT_KNOWN = "no such field"

_TYPES = {bool: "BOOL", int: "INT64", float: "FLOAT64", str: "STRING", datetime: "TIMESTAMP", date: "DATE"}


class _ConcurrentUpdateError(RetryLaterError):
    """Another statement changed the same table at the same moment."""


class Warehouse:
    """One dataset. Rows are dictionaries keyed by column."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client = _client(settings.project)

    def table(self, name: str) -> str:
        """Full id of a table or view."""
        return f"{self.settings.project}.{self.settings.dataset}.{name}"

    def query(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run ``queries/NAME.sql``; parameters are scalars or lists of scalars; tables travel as JSON text."""
        text = sql("queries", name, dataset=f"{self.settings.project}.{self.settings.dataset}")
        return self.run(text, parameters)

    def run(self, text: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run SQL text with named parameters. Raises NeverError for bad SQL, RetryLaterError otherwise.

        A statement that met another one on its table did nothing, and is run again.
        """
        for attempt in range(1, _TURN_ATTEMPTS):
            try:
                return self._run(text, parameters)
            except _ConcurrentUpdateError:
                # at random, or those that met would meet again
                time.sleep(random.uniform(0, _TURN_SECONDS * 2**attempt))  # noqa: S311
        return self._run(text, parameters)

    def _run(self, text: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        config = bigquery.QueryJobConfig(
            query_parameters=[parameter(k, v) for k, v in parameters.items()],
            maximum_bytes_billed=self.settings.max_bytes_billed,
        )
        try:
            found = self.client.query_and_wait(
                text,
                job_config=config,
                api_timeout=_TIMEOUT_SECONDS,
                wait_timeout=_QUERY_SECONDS,
                retry=_RETRY,
                job_retry=_JOB_RETRY,
            )
            # by name: a row's own items() copies every value deeply
            names = [field.name for field in found.schema]
            return [{name: row[name] for name in names} for row in found]
        except BadRequest as error:
            if any(words in error.message for words in _CONCURRENT):
                raise _ConcurrentUpdateError(f"BigQuery: {error.message}") from error
            raise NeverError(f"BigQuery refused the query: {error.message}") from error
        except (GoogleAPICallError, RetryError, OSError) as error:
            raise RetryLaterError(f"BigQuery: {error}") from error

    def append(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Stream rows into a table, retrying only rows that failed for a passing reason.

        Every row is sent before anything is raised, so that one bad row takes no other along. Raises InvalidRowsError
        naming the rows that BigQuery will never take, RetryLaterError when some did not arrive. Rows may arrive twice;
        views deduplicate by business key.
        """
        failures = [
            failure
            for start in range(0, len(rows), _ROWS_PER_INSERT)
            if (failure := self._append(table, rows[start : start + _ROWS_PER_INSERT])) is not None
        ]
        # what may still arrive comes first: the message is tried again, and then what cannot arrive is told
        for failure in sorted(failures, key=lambda failure: isinstance(failure, NeverError)):
            raise failure

    def _append(self, table: str, rows: Sequence[Mapping[str, Any]]) -> LandcoverError | None:
        """Stream one request's rows; returns what is to be raised for those that were not taken."""
        pending = list(rows)
        refused: list[Mapping[str, Any]] = []
        for _ in range(_INSERT_ATTEMPTS):
            try:
                errors = self.client.insert_rows_json(
                    self.table(table), pending, retry=_RETRY, timeout=_TIMEOUT_SECONDS, skip_invalid_rows=True
                )
            except BadRequest as error:
                return InvalidRowsError(f"BigQuery refused rows for {table}: {error.message}")
            except (GoogleAPICallError, RetryError, OSError) as error:
                return RetryLaterError(f"BigQuery insert into {table}: {error}")
            refused += [e for e in errors if not _is_passing(e)]
            pending = [pending[e["index"]] for e in errors if _is_passing(e)]
            if not pending:
                break
        if pending:
            return RetryLaterError(f"BigQuery insert into {table}: {len(pending)} rows still failing: {errors[0]}")
        if refused:
            return InvalidRowsError(
                f"BigQuery refused {len(refused)} of {len(rows)} rows for {table}; row {refused[0]['index']}: "
                f"{refused[0]['errors']}"
            )
        return None


def _is_passing(row_error: Mapping[str, Any]) -> bool:
    """Whether a row may be taken later: the row itself was fine, or has a column that streaming does not know yet."""
    return all(
        fault.get("reason") in _TRANSIENT_REASONS or str(fault.get("message", "")).startswith(_COLUMN_NOT_KNOWN)
        for fault in row_error["errors"]
    )


@lru_cache(maxsize=4)
def _client(project: str) -> bigquery.Client:
    if os.environ.get("BIGQUERY_EMULATOR_HOST"):
        return bigquery.Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    return bigquery.Client(project=project)


def parameter(name: str, value: Any) -> Any:
    """A named query parameter with the type of its value; an empty list is one of strings."""
    if isinstance(value, list):
        return bigquery.ArrayQueryParameter(name, _TYPES[type(value[0])] if value else "STRING", value)
    return bigquery.ScalarQueryParameter(name, _TYPES[type(value)], value)
