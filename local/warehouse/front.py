"""The endpoint that BigQuery clients see: before the emulator, and refusing what the service refuses.

A failed statement is an error; an empty list parameter is NULL; streamed rows are checked one by one, refused when
their date partition is too old or too new, and show after a while; a column that was added is unknown to streaming for
a while; two statements that change one table at the same moment conflict; a dry run checks and runs nothing. With
faults, requests fail as planned.
"""

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from werkzeug.wrappers import Request, Response

from local.faults import Faults, cut_connection
from local.pooled_server import PooledServer
from local.warehouse.limits import (
    MOST_REQUEST_BYTES,
    MOST_ROWS_PER_INSERT,
    NEWEST_STREAMED_DAYS,
    OLDEST_STREAMED_DAYS,
    RERUNS_OF_A_STATEMENT,
    SCHEMA_KNOWN_AFTER_SECONDS,
)
from local.warehouse.streaming import StreamingBuffer

if TYPE_CHECKING:
    from local.warehouse.dry_run import Refusal

FAULTS = ("unavailable", "rows", "cut after taking", "truncated")
_NOT_FORWARDED = {"connection", "content-length", "transfer-encoding", "accept-encoding"}
_INSERT = re.compile(r"^(?P<table>/bigquery/v2/projects/[^/]+/datasets/[^/]+/tables/[^/]+)/insertAll$")
_TABLE = re.compile(r"^/bigquery/v2/projects/[^/]+/datasets/[^/]+/tables/[^/]+$")
_CHANGED = re.compile(r"^\s*(?:MERGE(?:\s+INTO)?|UPDATE|DELETE(?:\s+FROM)?)\s+`(?P<table>[^`]+)`", re.MULTILINE)
_PROJECT = re.compile(r"^/bigquery/v2/projects/([^/]+)/")
# Checks a statement or script with its parameters, of a project; None when it holds.
Check = Callable[[str, list[dict[str, Any]], str], "Refusal | None"]


class BigQueryFront:
    """A WSGI application on a loopback port; ``folder`` keeps the rows that do not show yet."""

    def __init__(self, upstream: str, folder: Path, check: Check, faults: Faults | None = None) -> None:
        self._upstream = upstream.rstrip("/")
        self._check = check
        self._faults = faults or Faults()
        self._pool = urllib3.PoolManager(maxsize=16, retries=False)
        self._schemas: dict[str, dict[str, Any]] = {}
        self._new_fields: dict[str, dict[str, float]] = {}
        self._changing: set[str] = set()
        self._changed = threading.Condition()
        self._buffer = StreamingBuffer(folder / "streamed.sqlite", self._insert_upstream)
        self._server = PooledServer(self)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> "BigQueryFront":
        self._buffer.start()
        self._server.start()
        return self

    def settle(self) -> None:
        """Wait until every row that was taken shows. For those who look on, never for what runs on the stack."""
        self._buffer.settle()

    def stop(self) -> None:
        self._server.stop()
        self._buffer.stop()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        works = request.method == "POST" and request.path.rsplit("/", 1)[-1] in {"insertAll", "queries"}
        fault = self._faults.draw() if works else None
        return self._answer(request, fault)(environ, start_response)

    def _answer(self, request: Request, fault: str | None) -> Response:
        insert = _INSERT.match(request.path)
        if fault == "unavailable" or (fault == "rows" and not insert):
            return _error(503, "backendError", "Service unavailable")
        if (request.content_length or 0) > MOST_REQUEST_BYTES:
            return _error(413, "invalid", f"Request payload size exceeds the limit: {MOST_REQUEST_BYTES} bytes.")
        if insert and request.method == "POST":
            response = self._stream(insert["table"], request, fault)
        else:
            response = self._forwarded(request)
        if fault == "cut after taking":
            cut_connection(request.environ)
        elif fault == "truncated":
            body = response.get_data()
            response.set_data(body[: len(body) // 2])
            response.headers["Content-Length"] = str(len(body))
        return response

    def _forwarded(self, request: Request) -> Response:
        body = request.get_data()
        last = request.path.rsplit("/", 1)[-1]
        if request.method == "POST" and last in {"queries", "jobs"}:
            body = _as_the_emulator_takes_it(body)
            document = json.loads(body)
            if document.get("configuration", document).get("dryRun"):
                return self._dry_run(request.path, document)
            with self._turn(_changed_tables(body)) as conflict:
                return conflict or self._passed_on(request, body)
        return self._passed_on(request, body)

    @contextmanager
    def _turn(self, tables: set[str]) -> Iterator[Response | None]:
        """One statement at a time changes a table; one that meets another too often is refused."""
        times_met = 0
        with self._changed:
            while (met := tables & self._changing) and times_met <= RERUNS_OF_A_STATEMENT:
                times_met += 1
                self._changed.wait()
            if not met:
                self._changing |= tables
        if met:
            reason = f"Could not serialize access to table {min(met)} due to concurrent update"
            yield _error(400, "invalidQuery", reason)
            return
        try:
            yield None
        finally:
            with self._changed:
                self._changing -= tables
                self._changed.notify_all()

    def _passed_on(self, request: Request, body: bytes) -> Response:
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in {*_NOT_FORWARDED, "host"}}
        answer = self._pool.request(
            request.method, f"{self._upstream}{request.path}{query}", body=body, headers=headers
        )
        if _TABLE.match(request.path) and request.method in {"PATCH", "PUT"}:
            self._note_new_fields(request.path, answer.data)
        failure = _failure_of_query(answer.data) if "/queries" in request.path and answer.status == 200 else None
        if failure is not None:
            return _error(400, "invalidQuery", failure)
        return Response(answer.data, status=answer.status, content_type=answer.headers.get("Content-Type"))

    def _dry_run(self, path: str, document: dict[str, Any]) -> Response:
        """The answer to a statement that is only checked. How much the service would read is not known, so not said."""
        configuration = document.get("configuration", document)
        query = configuration.get("query", {}) if "configuration" in document else document
        project = _PROJECT.match(path)[1]  # type: ignore[index]
        refusal = self._check(query.get("query", ""), query.get("queryParameters", []), project)
        if refusal is not None:
            return _error(*refusal)
        reference = {
            "projectId": project,
            "jobId": uuid.uuid4().hex,
            "location": "US",
            **document.get("jobReference", {}),
        }
        answer: dict[str, Any] = {"jobReference": reference}
        if "configuration" in document:
            answer |= {
                "kind": "bigquery#job",
                "configuration": configuration,
                "status": {"state": "DONE"},
                "statistics": {"creationTime": str(round(time.time() * 1000)), "query": {}},
            }
        else:
            answer |= {"kind": "bigquery#queryResponse", "jobComplete": True, "rows": [], "totalRows": "0"}
        return Response(json.dumps(answer), content_type="application/json")

    def _stream(self, table: str, request: Request, fault: str | None) -> Response:
        """insertAll, row by row: what is refused is said, the rest shows after a while."""
        body = json.loads(request.get_data())
        rows = body.get("rows", [])
        if len(rows) > MOST_ROWS_PER_INSERT:
            return _error(400, "invalid", f"Too many rows present in the request, limit: {MOST_ROWS_PER_INSERT}")
        definition = self._definition(table)
        if definition is None:
            return _error(404, "notFound", f"Not found: Table {table}")
        errors = []
        taken = []
        for index, row in enumerate(rows):
            reason = self._refusal(table, definition, row["json"])
            if fault == "rows" and index % 2 == 0:
                errors.append(_row_error(index, "backendError", "try again"))
            elif reason is not None:
                errors.append(_row_error(index, "invalid", reason))
            else:
                taken.append((index, row))
        if any(e["errors"][0]["reason"] == "invalid" for e in errors) and not body.get("skipInvalidRows"):
            # one bad row stops the others of its request, unless the client says otherwise
            errors += [_row_error(index, "stopped", "") for index, _ in taken]
            taken = []
        if taken:
            self._buffer.add(f"{table}/insertAll", {**body, "rows": [row for _, row in taken]})
        answer: dict[str, Any] = {"kind": "bigquery#tableDataInsertAllResponse"}
        if errors:
            answer["insertErrors"] = sorted(errors, key=lambda e: e["index"])
        return Response(json.dumps(answer), content_type="application/json")

    def _refusal(self, table: str, definition: dict[str, Any], row: dict[str, Any]) -> str | None:
        fields = {field["name"]: field for field in definition["schema"]["fields"]}
        fresh = self._new_fields.get(table, {})
        for name in row:
            if name not in fields or fresh.get(name, 0) > time.monotonic():
                return f"no such field: {name}."
        for name, field in fields.items():
            if field.get("mode") == "REQUIRED" and row.get(name) is None:
                return f"Missing required field: {name}."
        return _partition_refusal(definition, row)

    def _definition(self, table: str) -> dict[str, Any] | None:
        if table not in self._schemas:
            answer = self._pool.request("GET", f"{self._upstream}{table}")
            if answer.status != 200:
                return None
            self._schemas[table] = json.loads(answer.data)
        return self._schemas[table]

    def _note_new_fields(self, table: str, answer: bytes) -> None:
        before = self._schemas.pop(table, None)
        known = {field["name"] for field in before["schema"]["fields"]} if before else set()
        now = {field["name"] for field in json.loads(answer).get("schema", {}).get("fields", [])}
        if known:
            until = time.monotonic() + SCHEMA_KNOWN_AFTER_SECONDS
            self._new_fields.setdefault(table, {}).update(dict.fromkeys(now - known, until))

    def _insert_upstream(self, path: str, body: dict[str, Any]) -> None:
        answer = self._pool.request("POST", f"{self._upstream}{path}", body=json.dumps(body).encode())
        found = json.loads(answer.data)
        if answer.status != 200 or found.get("insertErrors"):
            raise RuntimeError(f"the emulator did not take rows for {path}: {answer.data[:500]!r}")


def _partition_refusal(definition: dict[str, Any], row: dict[str, Any]) -> str | None:
    """Streaming into a date partition that is too old or too new; other partitions take anything."""
    field = (definition.get("timePartitioning") or {}).get("field")
    value = row.get(field) if field else None
    if not isinstance(value, str):
        return None
    away = (date.fromisoformat(value[:10]) - datetime.now(UTC).date()).days
    if -OLDEST_STREAMED_DAYS <= away <= NEWEST_STREAMED_DAYS:
        return None
    return (
        f"You can only stream to date range within {OLDEST_STREAMED_DAYS} days in the past and {NEWEST_STREAMED_DAYS} "
        f"days in the future relative to the current date; found {value}."
    )


def _changed_tables(body: bytes) -> set[str]:
    """The tables whose rows a statement changes; one that only inserts conflicts with nothing."""
    document = json.loads(body)
    text = document.get("configuration", {}).get("query", document).get("query", "")
    return {match["table"] for match in _CHANGED.finditer(text)}


def _as_the_emulator_takes_it(body: bytes) -> bytes:
    """A query whose empty lists are NULL, as in the service: it drops the empty ``arrayValues`` of a parameter
    (googleapis/python-bigquery#2325, #2360).
    """
    document = json.loads(body)
    query = document.get("configuration", {}).get("query", document)
    # DuckDB reads any geometry, and has no word for this
    query["query"] = query.get("query", "").replace(", make_valid => TRUE", "")
    kept = []
    for parameter in query.get("queryParameters", []):
        kind = parameter.get("parameterType", {})
        if kind.get("type") == "ARRAY" and not parameter.get("parameterValue", {}).get("arrayValues"):
            # the emulator knows no NULL array as a parameter, but takes it in the text
            null = f"CAST(NULL AS ARRAY<{kind['arrayType']['type']}>)"
            query["query"] = re.sub(rf"@{re.escape(parameter['name'])}\b", null, query["query"])
        else:
            kept.append(parameter)
    if "queryParameters" in query:
        query["queryParameters"] = kept
    return json.dumps(document).encode()


def _failure_of_query(answer: bytes) -> str | None:
    """What went wrong by the answer to a query, which the emulator gives the status 200 all the same."""
    errors = json.loads(answer).get("errors")
    return str(errors[0].get("message", errors[0])) if errors else None


def _row_error(index: int, reason: str, message: str) -> dict[str, Any]:
    return {"index": index, "errors": [{"reason": reason, "location": "", "message": message}]}


def _error(status: int, reason: str, message: str) -> Response:
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return Response(json.dumps({"error": error}), status=status, content_type="application/json")
