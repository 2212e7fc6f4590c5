"""Looking after a deployment: dead letters, and what is missing."""

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Annotated

import typer

from local.commands.common import Day, Embedded, app, opened, say

if TYPE_CHECKING:
    from local.upkeep.dead_letters import Selection

Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Recorded since (UTC); default: all."),
]
Topic = Annotated[str, typer.Option(help="Only those of one topic, for instance measurements.")]
Reason = Annotated[str, typer.Option(help="Only those whose reason has these words.")]
dead_letters = typer.Typer(no_args_is_help=True, help="Messages that failed for good: look at them, bring them back.")
app.add_typer(dead_letters, name="dead-letters")


@dead_letters.command("list")
def list_dead_letters(warehouse: Embedded = None, since: Since = None, topic: Topic = "", reason: Reason = "") -> None:
    """List dead letters that were not replayed."""
    with opened(warehouse) as at:
        from local.upkeep.dead_letters import select  # noqa: PLC0415

        letters = select(at.warehouse, _selection(since, topic, reason))
    for letter in letters:
        say(f"{letter['recorded_at']:%Y-%m-%d %H:%M:%S}  {letter['topic']}  {letter['function']}: {letter['reason']}")
    say(f"{len(letters)} dead letters")


@dead_letters.command("replay")
def replay_dead_letters(
    warehouse: Embedded = None,
    since: Since = None,
    topic: Topic = "",
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be replayed.")] = False,
) -> None:
    """Publish dead letters on their topics again."""
    with opened(warehouse) as at:
        from local.upkeep.dead_letters import replay, select  # noqa: PLC0415

        letters = select(at.warehouse, _selection(since, topic, reason))
        if dry_run:
            say(f"{len(letters)} dead letters would be replayed")
            return
        count = replay(at.warehouse, letters)
        at.settle()
        say(f"{count} of {len(letters)} dead letters replayed")


def _selection(since: datetime | None, topic: str, reason: str) -> "Selection":
    from local.upkeep.dead_letters import Selection  # noqa: PLC0415
    from shared.settings import DYNAMIC_WORLD_START  # noqa: PLC0415

    moment = since or datetime.combine(DYNAMIC_WORLD_START, time.min)
    return Selection(moment.replace(tzinfo=UTC), topic, reason)


@app.command()
def doctor(
    warehouse: Embedded = None,
    aoi: Annotated[list[str] | None, typer.Option(help="AOI id; may be given several times. Default: all.")] = None,
    since: Day = None,
    re_enqueue: Annotated[bool, typer.Option("--re-enqueue", help="Ask again for what can be mended.")] = False,
) -> None:
    """Compare what Earth Engine lists with what the warehouse has; say which overpasses are missing and why."""
    count = 0
    with opened(warehouse) as at:
        from local.upkeep.doctor import State, ask_again, examine, mendable  # noqa: PLC0415

        for found in examine(at.warehouse, aoi or [], since.date() if since else None):
            counts = ", ".join(f"{count} {state}" for state, count in sorted(found.counts().items()))
            say(f"{found.ref.aoi_id} v{found.ref.aoi_version}: {counts or 'no overpass'}")
            for finding in found.findings:
                if finding.state is not State.MEASURED:
                    say(f"  {finding.overpass_id}  {finding.state}{': ' if finding.why else ''}{finding.why}")
            if not found.cloud_known:
                say(f"  {at.warehouse.settings.pass_collection} cannot be read: passes without an image are not listed")
            count += len(mendable(found, at.warehouse.settings))
            if re_enqueue:
                say(f"  {ask_again(at.warehouse, found)} overpasses asked for again")
        if re_enqueue:
            at.settle()
    if count and not re_enqueue:
        say(f"{count} can be mended: add --re-enqueue")


@app.command()
def erase(
    aoi: Annotated[list[str], typer.Option(help="AOI id; may be given several times.")],
    warehouse: Embedded = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget areas: delete all rows about them. The newest cannot be deleted at once: run it again when it says so."""
    if not yes:
        typer.confirm(f"Delete everything about {', '.join(aoi)}? This cannot be undone.", abort=True)
    with opened(warehouse) as at:
        from local.upkeep.erasure import erase as erase_rows  # noqa: PLC0415

        erasure = erase_rows(at.warehouse, aoi)
    for table, count in erasure.found.items():
        say(f"  {table}: {count - erasure.left.get(table, 0)} of {count} rows deleted")
    if erasure.again_at is None:
        say("nothing is left")
    else:
        say(f"run it again after {erasure.again_at:%Y-%m-%d %H:%M} UTC: the newest rows cannot be deleted before")
