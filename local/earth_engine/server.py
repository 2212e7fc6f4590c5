"""The REST surface of Earth Engine over local scenes, as a WSGI application."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from local.earth_engine import encoding, graph, limits, registry
from local.earth_engine.algorithms.collections import serve_collection, serve_passes
from local.earth_engine.errors import EngineError
from local.earth_engine.faults import break_answer
from local.earth_engine.meter import Meter, metered
from local.servers.faults import Faults
from local.servers.pooled_server import PooledServer

_ROUTE = re.compile(
    r"^/v1(?:alpha|beta)?/projects/(?P<project>[^/]+)/(?P<method>algorithms|value:compute|image:computePixels)$"
)
_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
}


class EarthEngineApp:
    """Answers the client library: discovery, algorithms, value:compute and image:computePixels.

    Counts the requests of each kind and the bytes of computations, and keeps the modelled seconds of each by its
    workload tag, so that tests and benchmarks can say what a piece of work took. With ``faults``, computations fail as
    planned; ``refuse_first`` so many requests as a project that is not set up yet.
    """

    def __init__(self) -> None:
        self.requests: dict[str, int] = {}
        self.bytes_received = 0
        self.bytes_sent = 0
        self.clock: list[tuple[str, float]] = []
        self.faults: Faults | None = None
        self.refuse_first = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = self._answer(request)
        except EngineError as error:
            response = _error(error.message, error.status)
        except HTTPException as error:
            response = _error(str(error.description), error.code or 400)
        except json.JSONDecodeError as error:
            response = _error(f"Invalid JSON payload received. {error}", 400)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == "/$discovery/rest":
            return _json(registry.discovery_document())
        route = _ROUTE.match(request.path)
        if route is None:
            raise EngineError(f"Method not found: {request.path}", 404)
        self._refuse_a_new_project(route["project"])
        with self._lock:
            self.requests[route["method"]] = self.requests.get(route["method"], 0) + 1
        if route["method"] == "algorithms":
            return _json(registry.algorithms_document())
        if (request.content_length or 0) > limits.MOST_PAYLOAD_BYTES:
            raise EngineError(f"Request payload size exceeds the limit: {limits.MOST_PAYLOAD_BYTES} bytes.")
        with self._one_of_few():
            fault = self.faults.draw() if self.faults else None
            if fault is not None:
                return break_answer(fault, request.environ, lambda: self._computed(route["method"], request))
            response = self._computed(route["method"], request)
        with self._lock:
            self.bytes_received += request.content_length or 0
            self.bytes_sent += response.calculate_content_length() or 0
        return response

    def _refuse_a_new_project(self, project: str) -> None:
        with self._lock:
            if self.refuse_first:
                self.refuse_first -= 1
                text = limits.REFUSALS[self.refuse_first % len(limits.REFUSALS)]
                raise EngineError(text.format(project=project), 403)

    @contextmanager
    def _one_of_few(self) -> Iterator[None]:
        with self._lock:
            if self._at_once >= limits.MOST_REQUESTS_AT_ONCE:
                raise EngineError(limits.TOO_MANY_REQUESTS, 429)
            self._at_once += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def _computed(self, method: str, request: Request) -> Response:
        body = json.loads(request.get_data())
        used = Meter()
        try:
            with metered(used):
                value = graph.evaluate(body["expression"])
                if method == "value:compute":
                    return _json({"result": encoding.encode(value)})
                content, content_type = encoding.pixels(value, body)
                return Response(content, content_type=content_type)
        finally:
            with self._lock:
                self.clock.append((body.get("workloadTag", ""), used.seconds))
            time.sleep(used.seconds * limits.SECONDS_SCALE)


def _json(document: Any) -> Response:
    return Response(json.dumps(document), content_type="application/json; charset=UTF-8")


def _error(message: str, status: int) -> Response:
    body = {"error": {"code": status, "message": message, "status": _STATUS_NAMES.get(status, "INTERNAL")}}
    return Response(json.dumps(body), status=status, content_type="application/json; charset=UTF-8")


class EarthEngineServer:
    """The application on a loopback port, on its own threads."""

    def __init__(self, scenes: dict[str, Path], passes: dict[str, Path] | None = None) -> None:
        for collection, folder in scenes.items():
            serve_collection(collection, folder)
        for collection, folder in (passes or {}).items():
            serve_passes(collection, folder)
        self.app = EarthEngineApp()
        # more than may compute at once, so that those over the limit are refused and do not wait
        self._server = PooledServer(self.app, threads=2 * limits.MOST_REQUESTS_AT_ONCE)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> "EarthEngineServer":
        self._server.start()
        return self

    def stop(self) -> None:
        self._server.stop()
