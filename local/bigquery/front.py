"""The endpoint that BigQuery clients see: before the emulator, and refusing what the service refuses.

A failed statement is an error; an empty list parameter is NULL; streamed rows are checked one by one, refused when
their date partition is too old or too new, and show after a while; a column that was added is unknown to streaming for
a while; two statements that change one table at the same moment conflict; a dry run checks and runs nothing. With
faults, requests fail as planned.
"""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from werkzeug.wrappers import Request, Response

from local.bigquery.insert_all import InsertAll
from local.bigquery.limits import MOST_REQUEST_BYTES
from local.bigquery.streaming import StreamingBuffer
from local.bigquery.turns import Turns, changed_tables
from local.servers.faults import Faults, cut_connection
from local.servers.pooled_server import PooledServer

if TYPE_CHECKING:
    from local.bigquery.dry_run import Refusal

FAULTS = ("unavailable", "rows", "cut after taking", "truncated")
_NOT_FORWARDED = {"connection", "content-length", "transfer-encoding", "accept-encoding"}
_INSERT = re.compile(r"^(?P<table>/bigquery/v2/projects/[^/]+/datasets/[^/]+/tables/[^/]+)/insertAll$")
_TABLE = re.compile(r"^/bigquery/v2/projects/[^/]+/datasets/[^/]+/tables/[^/]+$")
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
        self._turns = Turns()
        self._buffer = StreamingBuffer(folder / "streamed.sqlite", self._insert_upstream)
        self._inserts = InsertAll(self._described, self._buffer.add)
        self._server = PooledServer(self)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> "BigQueryFront":
        self._buffer.start()
        self._server.start()
        return self

    def settle(self) -> None:
        """Have every row that was taken shown. For those who look on, never for what runs on the stack."""
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
            with self._turns.turn(changed_tables(body)) as refused:
                if refused is not None:
                    reason = f"Could not serialize access to table {refused} due to concurrent update"
                    return _error(400, "invalidQuery", reason)
                return self._passed_on(request, body)
        return self._passed_on(request, body)

    def _passed_on(self, request: Request, body: bytes) -> Response:
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in {*_NOT_FORWARDED, "host"}}
        answer = self._pool.request(
            request.method, f"{self._upstream}{request.path}{query}", body=body, headers=headers
        )
        if _TABLE.match(request.path) and request.method in {"PATCH", "PUT"}:
            self._inserts.table_changed(request.path, answer.data)
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
        def failing(index: int) -> bool:
            return fault == "rows" and index % 2 == 0

        try:
            answer = self._inserts.answer(table, json.loads(request.get_data()), failing)
        except ValueError as error:
            return _error(400, "invalid", str(error))
        if answer is None:
            return _error(404, "notFound", f"Not found: Table {table}")
        return Response(json.dumps(answer), content_type="application/json")

    def _described(self, table: str) -> dict[str, Any] | None:
        answer = self._pool.request("GET", f"{self._upstream}{table}")
        return json.loads(answer.data) if answer.status == 200 else None

    def _insert_upstream(self, path: str, body: dict[str, Any]) -> None:
        answer = self._pool.request("POST", f"{self._upstream}{path}", body=json.dumps(body).encode())
        found = json.loads(answer.data)
        if answer.status != 200 or found.get("insertErrors"):
            raise RuntimeError(f"the emulator did not take rows for {path}: {answer.data[:500]!r}")


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


def _error(status: int, reason: str, message: str) -> Response:
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return Response(json.dumps({"error": error}), status=status, content_type="application/json")
