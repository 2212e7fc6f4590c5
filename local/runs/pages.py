"""What ``landcover serve`` shows a browser on this machine: the areas, and each one's reports, made when asked for."""

import tempfile
from html import escape
from pathlib import Path
from urllib.parse import quote

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from local.report.making import render_history, render_report
from shared.errors import UserInputError
from shared.warehouse.client import Warehouse

_PAGES = Map(
    [
        Rule("/", endpoint="areas"),
        Rule("/report/<aoi_id>/<int:year>", endpoint="report"),
        Rule("/report/<aoi_id>", endpoint="report"),
    ]
)
_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Areas</title>
<style>:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
main {{ max-width: 60rem; margin: auto; padding: 1rem }}
th, td {{ text-align: left; padding: .3rem 1rem .3rem 0; vertical-align: top }}</style></head>
<body><main><h1>Areas</h1>
{body}
</main></body></html>
"""


class Pages:
    """A WSGI application over one warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def __call__(self, environ: dict[str, object], start_response: object) -> object:
        return self._answer(Request(environ))(environ, start_response)  # type: ignore[arg-type]

    def _answer(self, request: Request) -> Response:
        try:
            endpoint, found = _PAGES.bind_to_environ(request.environ).match()
            page = self._report(**found) if endpoint == "report" else _areas(self._warehouse)
        except HTTPException as error:
            return Response(str(error), status=error.code, content_type="text/plain; charset=utf-8")
        return Response(page, content_type="text/html; charset=utf-8")

    def _report(self, aoi_id: str, year: int | None = None) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.html"
            try:
                if year is None:
                    render_history(self._warehouse, aoi_id, path)
                else:
                    render_report(self._warehouse, aoi_id, year, path)
            except UserInputError as error:
                raise NotFound(str(error)) from None
            return path.read_text(encoding="utf-8")


def _areas(warehouse: Warehouse) -> str:
    rows = warehouse.query("freshness")
    years: dict[str, list[int]] = {}
    for row in warehouse.query("years_summarised", aoi_ids=[]):
        years.setdefault(row["aoi_id"], []).append(row["year"])
    if not rows:
        return _FRAME.format(body="<p>No area is registered yet.</p>")
    lines = [_line(row["aoi_id"], row["last_usable_at"], row["latest_passes"], years) for row in rows]
    head = "<tr><th>area</th><th>last usable view</th><th>latest passes</th><th>reports</th></tr>"
    return _FRAME.format(body=f"<table>{head}{''.join(lines)}</table>")


def _line(aoi_id: str, last: object, passes: str | None, years: dict[str, list[int]]) -> str:
    links = " ".join(f'<a href="/report/{quote(aoi_id)}/{year}">{year}</a>' for year in years.get(aoi_id, []))
    links += f' <a href="/report/{quote(aoi_id)}">all years</a>' if links else ""
    seen = f"{last:%Y-%m-%d}" if last else "none yet"
    cells = (escape(aoi_id), seen, escape(passes or "none known"), links or "after the next summary")
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
