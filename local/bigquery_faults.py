"""A proxy in front of the embedded warehouse that fails some requests as the real service or the network might."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import urllib3
from werkzeug.wrappers import Request, Response

from local.faults import Faults, cut_connection
from local.pooled_server import PooledServer

KINDS = ("unavailable", "rows", "cut after taking", "truncated")
_NOT_FORWARDED = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}


class FaultyBigQuery:
    """Forwards each request to ``upstream``, failing those of queries and inserts that the plan names.

    ``unavailable`` answers 503 and forwards nothing; ``rows`` passes every other row of an insert on and reports the
    rest as failed for a passing reason; ``cut after taking`` forwards and then drops the connection.
    """

    def __init__(self, upstream: str, faults: Faults) -> None:
        self._upstream = upstream.rstrip("/")
        self._faults = faults
        self._pool = urllib3.PoolManager(maxsize=8, retries=False)
        self._server = PooledServer(self).start()

    @property
    def url(self) -> str:
        return self._server.url

    def stop(self) -> None:
        self._server.stop()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        works = request.method == "POST" and request.path.rsplit("/", 1)[-1] in {"insertAll", "queries"}
        fault = self._faults.draw() if works else None
        return self._answer(request, fault)(environ, start_response)

    def _answer(self, request: Request, fault: str | None) -> Response:
        if fault == "unavailable" or (fault == "rows" and not request.path.endswith("/insertAll")):
            error = {"code": 503, "message": "Service unavailable", "errors": [{"reason": "backendError"}]}
            return Response(json.dumps({"error": error}), status=503, content_type="application/json")
        if fault == "rows":
            return self._partly(request)
        response = self._forward(request, request.get_data())
        if fault == "cut after taking":
            cut_connection(request.environ)
        elif fault == "truncated":
            body = response.get_data()
            response.set_data(body[: len(body) // 2])
            response.headers["Content-Length"] = str(len(body))
        return response

    def _partly(self, request: Request) -> Response:
        body = json.loads(request.get_data())
        rows = body["rows"]
        taken = [row for index, row in enumerate(rows) if index % 2]
        if taken:
            self._forward(request, json.dumps({**body, "rows": taken}).encode())
        failed = [
            {"index": index, "errors": [{"reason": "backendError", "location": "", "message": "try again"}]}
            for index in range(0, len(rows), 2)
        ]
        answer = {"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": failed}
        return Response(json.dumps(answer), content_type="application/json")

    def _forward(self, request: Request, body: bytes) -> Response:
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _NOT_FORWARDED}
        answer = self._pool.request(
            request.method, f"{self._upstream}{request.path}{query}", body=body, headers=headers
        )
        return Response(answer.data, status=answer.status, content_type=answer.headers.get("Content-Type"))
