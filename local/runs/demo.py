"""The demo: three synthetic years through every function, meeting every awkward case on the way, a clearing found."""

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
from local.sample.landscape import CLEARED_HA, CLEARED_ON, POND_HA, POND_ON
from local.sample.passes import LATE_DAY, PUBLISHED_LATE_DAY, SKIPPED_DAY, stamp
from local.sample.place import AOI_ID, sample_aoi, write_aoi
from local.sample.reflectance import write_scenes
from local.sample.years import PUBLISHED_YEAR, REPROCESSED, YEARS, Scene, write_years
from local.stack import Stack
from shared.messages.bodies import Acquisition

_REGISTERED_ON = date(YEARS[-1], 11, 20)
_FIRST_DAY, _LAST_DAY = date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31)


def run_demo(out: Path, say: Say, console: Console) -> None:
    """Write years of scenes, let them arrive as they would, and leave tables, patches and reports in ``out``."""
    claim_for_demo(out)
    scenes, pending = out / "scenes", out / "scenes-to-come"
    for folder in (scenes, pending):
        folder.mkdir(exist_ok=True)
        for path in folder.rglob("*.tif"):
            path.unlink()
    remember(out, scenes)
    say(f"Writing the synthetic years {YEARS[0]} to {YEARS[-1]} of Dynamic World scenes")
    written = write_years(pending)
    (pending / PASSES_FILE).rename(scenes / PASSES_FILE)
    write_aoi(out / "aoi.geojson")
    write_scenes(scenes)
    late = [s for s in written if s.acquired in {LATE_DAY, PUBLISHED_LATE_DAY} or s.path.parent.name == REPROCESSED]
    early = [s for s in written if s.acquired <= _REGISTERED_ON and s not in late]
    rest = [s for s in written if s not in early and s not in late]
    _arrive(early, scenes)
    say(f"  {len(written)} images of {len({s.acquired for s in written})} overpasses")
    say(f"  planted: {CLEARED_HA} ha of forest cleared on {CLEARED_ON}, a pond of {POND_HA} ha dug on {POND_ON}")
    with Stack(scenes, out, backfill_start=_FIRST_DAY) as stack:
        say(f"Registering the AOI on {_REGISTERED_ON}: backfill measures the {len(early)} images that exist by then")
        register_and_backfill(stack, {"type": "FeatureCollection", "features": [sample_aoi()]}, say)
        say(f"Time goes on: discover finds {len(rest)} new images and dispatch asks for measurements")
        _arrive(rest, scenes)
        stack.tick("discover", run_date=_LAST_DAY)
        settle(stack, say)
        say("Passes without an image, but with a Sentinel-2 scene: the network is asked")
        stack.tick("record-passes", run_date=PUBLISHED_LATE_DAY)
        settle(stack, say)
        _say_who_classified(stack, say)
        say(f"Late and reprocessed: {len(late)} images are announced on the topic by hand")
        _arrive(late, scenes)
        for scene in late:
            message = Acquisition(image_id=scene.image_id)
            stack.bus.publish("acquisitions", message.model_dump_json(exclude_none=True).encode(), {})
        settle(stack, say)
        _say_who_classified(stack, say)
        say("Composites of the months and years, then the scheduled SQL")
        composite_and_summarise(stack, day_after(_LAST_DAY), say)
        say("Ground that left its usual class, where two years before it say what is usual")
        find_changes(stack, _LAST_DAY, say)
        say("The passes that left no image, and how fresh the numbers are")
        record_passes(stack, _LAST_DAY, say)
        report = write_outputs(stack, [AOI_ID], _FIRST_DAY, _LAST_DAY, out, say)
        console.print(monthly_table(stack.warehouse, AOI_ID, PUBLISHED_YEAR))
        delivered = ", ".join(f"{name} {count}" for name, count in stack.bus.delivered.items())
        requests = stack.earth_engine.app.requests["value:compute"]
        say(f"Messages handled: {delivered}; Earth Engine compute requests: {requests}")
    (pending / REPROCESSED).rmdir()
    pending.rmdir()
    say(f"Open {report}")


def _arrive(images: list[Scene], scenes: Path) -> None:
    for scene in images:
        scene.path.replace(scenes / scene.path.name)


def _say_who_classified(stack: Stack, say: Say) -> None:
    """Whose observation of the two passes counts: of the one that Dynamic World skipped, and the one it has late."""
    rows = {row["overpass_id"]: row for row in stack.warehouse.query("export_observations")}
    for day, of in ((SKIPPED_DAY, "skipped by Dynamic World"), (PUBLISHED_LATE_DAY, "published late")):
        row = rows[stamp(day)]
        whose = "classified by the network" if row["source"] == "network" else "as in Dynamic World's image"
        say(f"  pass of {day}, {of}: {whose}, {row['coverage']:.0%} of the AOI seen")
