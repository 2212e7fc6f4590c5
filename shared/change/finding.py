"""The patches of one area and year as a row of ``changes``: in hectares and degrees, with outlines and moments."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from math import ceil
from typing import Any

import numpy as np
from shapely import Polygon, orient_polygons, transform
from shapely.geometry import shape

from shared.aois.aoi import Aoi
from shared.aois.geometry import ellipsoidal_area_m2, to_geojson
from shared.change.connected import squares
from shared.change.leaving import NONE, Patch, State, follow, smallest_patch_ha, usual_class
from shared.change.pixels import LabelPixels
from shared.change.supporting import MOST_COMPARED, Sides, around, sides, supported
from shared.change.watching import PIXEL_AREA_HA, PIXEL_M, Frame, Watch, inside, outline_in, place_in
from shared.classes import CLASS_NAMES
from shared.geometry.utm import to_lon_lat
from shared.imagery.names import sensing_time
from shared.version import __version__

# Of the sides of an event and the pixels around it, which of them moved by the least Δ (rows, columns).
Moved = Callable[[Sides, Frame], np.ndarray]

# A ten-thousandth of a pixel.
_DECIMALS = 8
_NOT_COMPARED = dict.fromkeys(("compared_from", "compared_until", "supported_area_m2"))


def change_row(
    aoi: Aoi,
    year: int,
    watched: Watch,
    frame: Frame,
    pixels: LabelPixels,
    former: Sequence[dict[str, Any]],
    processed_at: datetime,
    moved: Moved,
) -> dict[str, Any]:
    """The row of an area and year that was watched. ``former`` are the patches of its last row, whose ids live on;
    ``moved`` gives, of the sides of an event and the pixels around it, which of them moved by the least Δ.
    """
    in_area = inside(frame, outline_in(frame.crs, aoi.outline))
    usual = np.where(in_area, usual_class(pixels.votes, pixels.seen), np.uint8(NONE))
    limit_ha = smallest_patch_ha(aoi.area_m2)
    moments = [sensing_time(overpass.overpass_id) for overpass in watched.views]
    found = follow(usual, pixels.before, pixels.labels, moments, watched.until, ceil(limit_ha / PIXEL_AREA_HA))
    compared = sorted(
        (patch for patch in found.patches if patch.state is State.CONFIRMED), key=lambda p: -np.count_nonzero(p.cells)
    )[:MOST_COMPARED]
    described = []
    for patch in found.patches:
        about = _described(patch, watched, frame, pixels)
        by_sides = _compared(patch, about, watched, frame, in_area, moved) if patch in compared else _NOT_COMPARED
        described.append(about | by_sides)
    watched_share = np.count_nonzero(usual != NONE) / max(1, int(np.count_nonzero(in_area)))
    return {
        **unwatched_row(aoi, year, watched, processed_at),
        "watched_area_m2": watched_share * aoi.area_m2,
        "largest_area_m2": found.largest * PIXEL_AREA_HA * 10_000,
        "patches": _named(described, former, f"{aoi.aoi_id}|{aoi.aoi_version}|{year}"),
    }


def unwatched_row(aoi: Aoi, year: int, watched: Watch, processed_at: datetime) -> dict[str, Any]:
    """The row of a year that cannot be watched: too little is known of the time before, or the area is too large."""
    return {
        "aoi_id": aoi.aoi_id,
        "aoi_version": aoi.aoi_version,
        "year": year,
        "aoi_area_m2": aoi.area_m2,
        "limit_area_m2": smallest_patch_ha(aoi.area_m2) * 10_000,
        "watched_area_m2": None,
        "largest_area_m2": None,
        "baseline_overpass_count": len(watched.baseline),
        "overpass_count": len(watched.views),
        "patches": [],
        "code_version": __version__,
        "processed_at": processed_at.isoformat(),
    }


def _described(patch: Patch, watched: Watch, frame: Frame, pixels: LabelPixels) -> dict[str, Any]:
    outline = _lon_lat(patch.cells, frame)
    area_m2 = ellipsoidal_area_m2(outline)
    centre = outline.centroid
    first = np.argwhere(patch.cells)[0]
    return {
        "corner": f"{frame.crs}|{frame.west_m + PIXEL_M * first[1]}|{frame.north_m - PIXEL_M * first[0]}",
        "state": patch.state.value,
        "from_class_id": patch.from_class,
        "from_class_name": CLASS_NAMES[patch.from_class],
        "to_class_id": patch.to_class,
        "to_class_name": CLASS_NAMES[patch.to_class],
        "area_m2": area_m2,
        "still_area_m2": area_m2 * np.count_nonzero(patch.still) / np.count_nonzero(patch.cells),
        "happened_after": _last_usual(patch, watched, pixels),
        "happened_before": _moment(watched, patch.first_other),
        "confirmed_at": _moment(watched, patch.confirmed),
        "withdrawn_at": _moment(watched, patch.withdrawn),
        "longitude": round(centre.x, _DECIMALS),
        "latitude": round(centre.y, _DECIMALS),
        "outline": json.dumps(to_geojson(outline)),
    }


def _compared(
    patch: Patch, about: dict[str, Any], watched: Watch, frame: Frame, in_area: np.ndarray, moved: Moved
) -> dict[str, Any]:
    """What the months before and after a patch say of it and the ground around it, inside the area."""
    moments = (about["happened_after"], about["happened_before"])
    after, before = (moment and datetime.fromisoformat(moment) for moment in moments)
    compared = sides(after, before, [*watched.baseline, *watched.views])
    if compared is None:
        return _NOT_COMPARED
    part = around(patch.cells, frame)
    place = place_in(frame, part)
    pixel_m2 = about["area_m2"] / np.count_nonzero(patch.cells)
    changed = supported(moved(compared, part), patch.cells[place]) & in_area[place]
    return {
        "compared_from": sensing_time(compared.before[0].overpass_id).isoformat(),
        "compared_until": sensing_time(compared.after[-1].overpass_id).isoformat(),
        "supported_area_m2": np.count_nonzero(changed) * pixel_m2,
    }


def _moment(watched: Watch, view: int | None) -> str | None:
    return None if view is None else sensing_time(watched.views[view].overpass_id).isoformat()


def _last_usual(patch: Patch, watched: Watch, pixels: LabelPixels) -> str | None:
    """When the patch was last seen as usual: in the year, or else the median of its pixels' last views before."""
    if patch.last_usual >= 0:
        return _moment(watched, patch.last_usual)
    seen = np.sort(pixels.before_view[patch.cells & (pixels.before == patch.from_class)])
    return sensing_time(watched.baseline[seen[(seen.size - 1) // 2]].overpass_id).isoformat() if seen.size else None


def _lon_lat(cells: np.ndarray, frame: Frame) -> Polygon:
    """The outline of cells in degrees, its corners only."""
    in_pixels = squares(cells).simplify(0)
    corner = np.array([frame.west_m, frame.north_m])
    in_metres = transform(in_pixels, lambda xy: corner + xy * [PIXEL_M, -PIXEL_M])
    in_degrees = transform(in_metres, lambda xy: np.round(to_lon_lat(frame.crs, xy), _DECIMALS))
    oriented: Polygon = orient_polygons(in_degrees)
    return oriented


def _named(patches: list[dict[str, Any]], former: Sequence[dict[str, Any]], scope: str) -> list[dict[str, Any]]:
    """Patches with ids: that of the known patch on whose ground most of it lies, or one of its own corner."""
    shapes = [shape(json.loads(patch["outline"])) for patch in patches]
    known = [shape(json.loads(patch["outline"])) for patch in former]
    overlaps = sorted(
        ((one.intersection(other).area, n, m) for n, one in enumerate(shapes) for m, other in enumerate(known)),
        key=lambda overlap: (-overlap[0], overlap[1:]),
    )
    ids: dict[int, str] = {}
    for area, number, match in overlaps:
        if area > 0 and number not in ids and former[match]["patch_id"] not in ids.values():
            ids[number] = former[match]["patch_id"]
    named = []
    for number, patch in enumerate(patches):
        corner = patch.pop("corner")
        own = hashlib.sha256(f"{scope}|{corner}|{patch['from_class_id']}".encode()).hexdigest()[:32]
        named.append({"patch_id": ids.get(number, f"patch_{own}"), **patch})
    return named
