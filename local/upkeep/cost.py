"""What registering areas would cost: by the images that Earth Engine lists, or by usual overpasses where it is out of
reach.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from google.auth.exceptions import DefaultCredentialsError

from local.earth_engine.server import EarthEngineServer
from local.probe.computing import SIDES_M
from local.runs import inputs
from shared.aois.feature import RegisteredAoi
from shared.cost.estimates import Estimate, estimate, usual_estimate
from shared.cost.work import OBSERVED_BANDS, Rate, Workload
from shared.cost.workload import history_work
from shared.earth_engine.client import connect
from shared.earth_engine.expressions import TILE_SCALES
from shared.earth_engine.listing import list_images, list_scenes
from shared.errors import CollectionMissingError, LandcoverError, UserInputError
from shared.geometry.cutting import PIXEL_AREA_M2
from shared.imagery.images import SceneImage
from shared.imagery.scenes import Scene
from shared.measurement.backfilling import Window
from shared.settings import Settings

# Smaller areas take most of their EECU-seconds for the request, larger ones for the pixels.
_TELLING_SIDE_M = 5_000.0


def read_areas(path: Path, start: date | None, settings: Settings) -> list[RegisteredAoi]:
    """The areas of a file as the webhook would register them, in calls of as many as one may have.

    ``start`` is the first day of those that name none. Raises UserInputError.
    """
    features = inputs.read_aois(path)["features"]
    if start is not None:
        settings = settings.model_copy(update={"backfill_start": start})
    aois: dict[str, RegisteredAoi] = {}
    for first in range(0, max(1, len(features)), settings.max_features):
        call = {"type": "FeatureCollection", "features": features[first : first + settings.max_features]}
        for aoi in inputs.registered(path, call, settings):
            if aoi.aoi_id in aois:
                raise UserInputError(f"{path}: {aoi.aoi_id} is the id of two areas")
            aois[aoi.aoi_id] = aoi
    return list(aois.values())


def cost(aois: list[RegisteredAoi], settings: Settings, rate: Rate, say: Callable[[str], None]) -> Estimate:
    """What the areas cost, by listed images where Earth Engine answers."""
    now = datetime.now(UTC)
    try:
        connect(settings, "cost")
        work = listed_history(aois, now, settings)
    except (LandcoverError, DefaultCredentialsError) as error:
        say(f"Earth Engine cannot be asked, so overpasses are those that are usual: {error}")
        return usual_estimate(aois, now.date(), settings, rate)
    return estimate(aois, work, settings, rate, f"images that {settings.collection} lists today")


def listed_history(aois: list[RegisteredAoi], now: datetime, settings: Settings) -> tuple[Workload, Workload]:
    """The work of the areas' history by the images and scenes that Earth Engine lists. Raises as it answers."""

    def listing(window: Window) -> list[SceneImage]:
        return list_images(settings, *window)

    def scenes(window: Window) -> list[Scene]:
        try:
            return list_scenes(settings, *window)
        except CollectionMissingError:
            return []  # a folder of Dynamic World images alone; nothing is there to classify

    return history_work(aois, listing, scenes, now, settings)


@contextmanager
def served(scenes: Path, settings: Settings) -> Iterator[Settings]:
    """The settings to reach a local Earth Engine on a folder of scenes."""
    inputs.check_scenes(scenes)
    server = EarthEngineServer({settings.collection: scenes}, {settings.pass_collection: scenes}).start()
    try:
        yield settings.model_copy(update={"earth_engine_url": server.url})
    finally:
        server.stop()


def measured_rate(path: Path) -> Rate:
    """EECU-hours for pixels as ``landcover probe --write`` measured them. Raises UserInputError where it did not."""
    try:
        probed = json.loads(path.read_text(encoding="utf-8"))
        embedded, eecu_seconds = probed["embedded"], probed["eecu_seconds"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserInputError(f"{path}: not a file of landcover probe --write ({type(error).__name__})") from None
    if embedded:
        raise UserInputError(f"{path}: was measured on the embedded stack, which computes on this machine")
    rates = [
        eecu_seconds[name] / 3600 / (side_m**2 / PIXEL_AREA_M2 * OBSERVED_BANDS) * 1e9
        for size, side_m in SIDES_M.items()
        if side_m >= _TELLING_SIDE_M
        and (name := f"earth-engine/areas {size}, tileScale {TILE_SCALES[0]}") in eecu_seconds
    ]
    if not rates:
        raise UserInputError(f"{path}: has no EECU-seconds of earth-engine/areas")
    return Rate(min(rates), max(rates), f"{path.name}, measured {probed.get('probed_at', 'at an unknown time')}")


def lines(found: Estimate, aois: list[RegisteredAoi]) -> Iterator[str]:
    """An estimate in words."""
    document = found.document()
    first = min(aoi.backfill_start for aoi in aois)
    yield f"{found.aoi_count:,} areas, {found.area_m2 / 1e6:,.2f} km²"
    yield f"history since {first}: {_amounts(document['history'])}"
    yield f"a month: {_amounts(document['month'])}"
    for setting, of_the_network in document["classify"].items():
        yield f"  LANDCOVER_CLASSIFY={setting}: {_of_the_network(of_the_network)}"
    for what, text in document["assumptions"].items():
        yield f"  {what.replace('_', ' ')}: {_range(text) if isinstance(text, list) else text}"


def _amounts(amounts: dict[str, Any]) -> str:
    parts = [
        f"{_range(amounts['overpasses'])} overpasses",
        f"{_range(amounts['pairs_of_years'])} pairs of years",
        f"{_range(amounts['classifications'])} passes for the network",
        f"{_range(amounts['years_of_patches'])} times the patches of a year",
    ]
    if "earth_engine_requests" in amounts:
        parts.append(f"{_range(amounts['earth_engine_requests'])} Earth Engine requests")
    parts += [
        f"{_range(amounts['pixel_requests'])} requests for pixels",
        f"{_range(amounts['eecu_hours'])} EECU-hours",
        f"{_range(amounts['rows'])} rows",
        f"{_range(amounts['bytes'])} bytes",
        f"{_range(amounts['dollars'])} dollars",
        f"and {_range(amounts['earth_engine_dollars'])} dollars of Earth Engine where it is commercial",
    ]
    return ", ".join(parts)


def _of_the_network(amounts: dict[str, Any]) -> str:
    return (
        f"{_range(amounts['classifications'])} passes, {_range(amounts['pixel_requests'])} requests for pixels, "
        f"{_range(amounts['seconds'])} seconds of an instance with {amounts['memory_gib']:g} GiB, "
        f"{_range(amounts['eecu_hours'])} EECU-hours, {_range(amounts['dollars'])} dollars"
    )


def _range(values: list[float]) -> str:
    low, high = (f"{value:,}" for value in values)
    return low if low == high else f"{low} to {high}"
