"""Running the pipeline on the embedded stack: register, backfill, discover, composite, summarise, write outputs."""

import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from standardwebhooks import Webhook

from local.outputs import write_csv
from local.pooled_server import LOOPBACK_NAMES
from local.report.charts import report_png
from local.report.choices import Language, ReportForm
from local.report.data import read_report
from local.report.exports import report_csv, report_json
from local.report.html import write_report
from local.report.maps import year_maps
from local.stack import Stack
from shared.aois import current_aois
from shared.errors import NeverError, UserInputError
from shared.messages import AoiRef
from shared.signing import secret_fault
from shared.warehouse.client import Warehouse

Say = Callable[[str], None]
_LONGEST_WAIT_SECONDS = 24 * 3600.0
_POST_TIMEOUT_SECONDS = 60.0
_MOST_REPORTS = 24
_SHOWN_FAULTS = 5


def post_registration(collection: dict[str, Any], url: str, secret: str) -> list[dict[str, Any]]:
    """Sign and post AOIs to a registration webhook; returns what it answered for each.

    Raises UserInputError when the webhook cannot be reached or refuses, with its reasons. Body and signature go to this
    address alone: over HTTPS, or to this machine, and to nowhere that it redirects to.
    """
    _check_address(url)
    if fault := secret_fault(secret):
        raise UserInputError(f"the signing secret cannot sign: {fault}")
    body = json.dumps({"type": "aoi.registered", "timestamp": datetime.now(UTC).isoformat(), "data": collection})
    webhook_id = f"msg_{uuid.uuid4().hex}"
    now = datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, body),
    }
    try:
        response = requests.post(
            url, data=body.encode(), headers=headers, timeout=_POST_TIMEOUT_SECONDS, allow_redirects=False
        )
        if response.is_redirect:
            raise UserInputError(f"{url}: redirects to {response.headers['location']}, which is not followed")
        answer = response.json()
        if response.status_code == requests.codes.accepted:
            return list(answer["aois"])
        faults = answer.get("errors", [])[:_SHOWN_FAULTS]
        reasons = "; ".join(f"{fault['pointer']}: {fault['detail']}" for fault in faults) or answer.get("detail")
        raise UserInputError(f"{url}: {answer.get('title')} ({response.status_code}): {reasons}")
    except requests.JSONDecodeError:
        raise UserInputError(f"{url}: answered {response.status_code} and no JSON; is it the webhook?") from None
    except requests.RequestException as error:
        raise UserInputError(f"{url}: cannot be reached ({type(error).__name__})") from None
    except (AttributeError, KeyError, TypeError):
        raise UserInputError(f"{url}: answered {response.status_code} and not like the webhook") from None


def _check_address(url: str) -> None:
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    except ValueError:
        scheme, host = "", None
    if host is None or not (scheme == "https" or (scheme == "http" and host in {*LOOPBACK_NAMES, "::1"})):
        raise UserInputError(f"{url}: expected an https:// address, or http:// on this machine")


def settle(stack: Stack, say: Say) -> None:
    """Wait until every message is handled, saying now and then how far it is. Raises NeverError for dead letters."""
    shown = [time.monotonic()]

    def watch() -> None:
        if time.monotonic() - shown[0] > 5:
            shown[0] = time.monotonic()
            say(f"  messages to go: {stack.bus.unfinished}")

    stack.bus.wait_idle(_LONGEST_WAIT_SECONDS, watch)
    stack.bigquery.settle()
    dead = stack.warehouse.query("dead_letters_brief")
    if dead:
        raise NeverError(
            f"{len(dead)} messages failed for good; the first in {dead[0]['function']}: {dead[0]['reason']}"
        )


def register_and_backfill(stack: Stack, collection: dict[str, Any], say: Say) -> list[dict[str, Any]]:
    """Register AOIs at the stack's own webhook and measure their history."""
    answers = post_registration(collection, stack.webhook_url, stack.webhook_secret)
    for answer in answers:
        say(f"  {answer['aoi_id']} version {answer['aoi_version']}: {answer['area_m2'] / 1e6:.3f} km²")
    settle(stack, say)
    return answers


def composite_and_summarise(stack: Stack, run_time: datetime, say: Say) -> None:
    """Recompute stale composites, then run the scheduled SQL as of a moment."""
    stack.tick("composite")
    settle(stack, say)
    stack.summarise(run_time)


def record_passes(stack: Stack, last: date, say: Say) -> None:
    """Record the passes up to a day where the scenes folder knows them, and say how fresh each AOI is."""
    if stack.knows_passes:
        stack.tick("record-passes", run_date=last)
        settle(stack, say)
    for row in stack.warehouse.query("freshness"):
        seen = f"last usable view {row['last_usable_at']:%Y-%m-%d}" if row["last_usable_at"] else "no usable view"
        say(f"  {row['aoi_id']}: {seen}; latest passes: {row['latest_passes'] or 'none known'}")


def write_outputs(stack: Stack, aoi_ids: Iterable[str], first: date, last: date, out: Path, say: Say) -> Path:
    """CSV files and reports; returns the path of ``report.html``, which shows the first AOI's last year."""
    write_csv(stack.warehouse, out)
    main_report = out / "report.html"
    pairs = [(aoi_id, year) for aoi_id in aoi_ids for year in range(last.year, first.year - 1, -1)]
    for number, (aoi_id, year) in enumerate(pairs[:_MOST_REPORTS]):
        path = main_report if number == 0 else out / f"report-{aoi_id}-{year}.html"
        render_report(stack.warehouse, aoi_id, year, path)
    if len(pairs) > _MOST_REPORTS:
        say(f"  {_MOST_REPORTS} of {len(pairs)} reports written; `landcover report` makes the others")
    return main_report


def render_report(
    warehouse: Warehouse,
    aoi_id: str,
    year: int,
    path: Path,
    language: Language = Language.EN,
    form: ReportForm = ReportForm.HTML,
) -> None:
    """One report. Only HTML needs Earth Engine, real or local, for its maps."""
    data = read_report(warehouse, aoi_id, year)
    match form:
        case ReportForm.CSV:
            path.write_text(report_csv(data), encoding="utf-8")
        case ReportForm.JSON:
            path.write_text(report_json(data, language), encoding="utf-8")
        case ReportForm.PNG:
            path.write_bytes(report_png(data, language, [data.year_sentence(language)]))
        case ReportForm.HTML:
            version = data.monthly[0]["aoi_version"]
            aoi = current_aois([AoiRef(aoi_id=aoi_id, aoi_version=version)], warehouse)[0]
            write_report(data, year_maps(aoi, year, warehouse.settings), path, language)


def fresh_folder(out: Path) -> None:
    """Make the output folder; an earlier run's warehouse in it goes, since a run starts from nothing."""
    if out.exists() and not out.is_dir():
        raise UserInputError(f"{out}: expected a folder for the outputs, found a file")
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out / "warehouse", ignore_errors=True)
    for left in out.glob("messages.sqlite*"):
        left.unlink()


def day_after(day: date) -> datetime:
    """Midnight UTC at the end of a day: the run time of summaries that include it."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
