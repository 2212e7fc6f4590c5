"""AOI pieces as a FeatureCollection that costs little to send.

The client would take every corner of every polygon for a value of its own, hash it and refer to it: a millisecond an
AOI. Here each geometry is one literal, still sent once however many layers it is measured on.
"""

from collections.abc import Sequence
from typing import Any

import ee

from shared.measurement.pieces import Piece


class Regions(ee.FeatureCollection):
    """One feature for each piece: its geometry, edges straight in lon/lat, and its key."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        super().__init__([])
        self._keys = [piece.key for piece in pieces]
        # kept, since the encoder knows objects by their address
        self._geometries = [_Geometry(piece.part.geometry) for piece in pieces]

    def encode_cloud_value(self, encoder: Any) -> dict[str, Any]:
        features = [
            _invocation(
                "Feature",
                geometry={"valueReference": encoder(geometry)},
                metadata={"constantValue": {"key": key}},
            )
            for key, geometry in zip(self._keys, self._geometries, strict=True)
        ]
        return _invocation("Collection", features={"arrayValue": {"values": features}})


class _Geometry(ee.encodable.Encodable):
    def __init__(self, geometry: dict[str, Any]) -> None:
        self._geometry = geometry

    def encode_cloud_value(self, encoder: Any) -> dict[str, Any]:
        return _invocation(
            f"GeometryConstructors.{self._geometry['type']}",
            coordinates={"constantValue": self._geometry["coordinates"]},
            geodesic={"constantValue": False},
        )


def _invocation(function: str, **arguments: dict[str, Any]) -> dict[str, Any]:
    return {"functionInvocationValue": {"functionName": function, "arguments": arguments}}
