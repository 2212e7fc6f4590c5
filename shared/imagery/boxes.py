"""Boxes around what an image covers, without the weight of a geometry library."""

from typing import Any


def bounding_boxes(footprint: dict[str, Any]) -> list[tuple[float, float, float, float]]:
    """(west, south, east, north) in degrees around a GeoJSON footprint; two boxes where it crosses ±180°."""
    longitudes: list[float] = []
    latitudes: list[float] = []

    def collect(node: Any) -> None:
        if node and isinstance(node[0], int | float):
            longitudes.append(node[0])
            latitudes.append(node[1])
        else:
            for item in node:
                collect(item)

    collect(footprint["coordinates"])
    west, east, south, north = min(longitudes), max(longitudes), min(latitudes), max(latitudes)
    if west >= -180 and east <= 180 and east - west <= 180:
        return [(west, south, east, north)]
    wrapped = [(x + 360) % 360 for x in longitudes]  # 0..360: no jump at ±180°
    return [(min(wrapped), south, 180.0, north), (-180.0, south, max(wrapped) - 360, north)]
