"""The demo: a whole synthetic year through every function, meeting every awkward case on the way."""

from datetime import date
from pathlib import Path

from rich.console import Console

from local.earth_engine.passes import PASSES_FILE
from local.runs.outputs import monthly_table
from local.runs.steps import (
    Say,
    composite_and_summarise,
    day_after,
    find_changes,
    record_passes,
    register_and_backfill,
    settle,
    write_outputs,
)
from local.runs.workspace import claim_for_demo, remember
from local.sample.year import AOI_ID, LATE_DAY, REPROCESSED, YEAR, sample_aoi, write_aoi, write_year
from local.stack import Stack
from shared.messages.bodies import Acquisition

_REGISTERED_ON = date(YEAR, 11, 20)
_YEAR_END = date(YEAR, 12, 31)


def run_demo(out: Path, say: Say, console: Console) -> None:
    """Write a year of scenes, let them arrive as they would, and leave tables and a report in ``out``."""
    claim_for_demo(out)
    scenes, pending = out / "scenes", out / "scenes-to-come"
    for folder in (scenes, pending):
        folder.mkdir(exist_ok=True)
        for path in folder.rglob("*.tif"):
            path.unlink()
    remember(out, scenes)
    say("Writing a synthetic year of Dynamic World scenes")
    written = write_year(pending)
    (pending / PASSES_FILE).rename(scenes / PASSES_FILE)
    write_aoi(out / "aoi.geojson")
    late = [s for s in written if s.acquired == LATE_DAY or s.path.parent.name == REPROCESSED]
    early = [s for s in written if s.acquired <= _REGISTERED_ON and s not in late]
    for scene in early:
        scene.path.rename(scenes / scene.path.name)
    say(f"  {len(written)} images of {len({s.acquired for s in written})} overpasses")
    with Stack(scenes, out, backfill_start=date(YEAR, 1, 1)) as stack:
        say(f"Registering the AOI on {_REGISTERED_ON}: backfill measures the {len(early)} images that exist by then")
        register_and_backfill(stack, {"type": "FeatureCollection", "features": [sample_aoi()]}, say)
        composite_and_summarise(stack, day_after(_REGISTERED_ON), say)
        rest = [s for s in written if s not in early and s not in late]
        say(f"The rest of the year arrives: discover finds {len(rest)} new images and dispatch asks for measurements")
        for scene in rest:
            scene.path.rename(scenes / scene.path.name)
        stack.tick("discover", run_date=_YEAR_END)
        settle(stack, say)
        say(f"Late and reprocessed: {len(late)} images are announced on the topic by hand")
        for scene in late:
            scene.path.replace(scenes / scene.path.name)
            message = Acquisition(image_id=scene.image_id)
            stack.bus.publish("acquisitions", message.model_dump_json(exclude_none=True).encode(), {})
        settle(stack, say)
        say("Composites of the months and the year that changed, then the scheduled SQL")
        composite_and_summarise(stack, day_after(_YEAR_END), say)
        say("Ground that left its usual class, where two years before it say what is usual")
        find_changes(stack, _YEAR_END, say)
        say("The passes that left no image, and how fresh the numbers are")
        record_passes(stack, _YEAR_END, say)
        report = write_outputs(stack, [AOI_ID], date(YEAR, 1, 1), _YEAR_END, out, say)
        console.print(monthly_table(stack.warehouse, AOI_ID, YEAR, console.width))
        delivered = ", ".join(f"{name} {count}" for name, count in stack.bus.delivered.items())
        requests = stack.earth_engine.app.requests["value:compute"]
        say(f"Messages handled: {delivered}; Earth Engine compute requests: {requests}")
    (pending / REPROCESSED).rmdir()
    pending.rmdir()
    say(f"Open {report}")
