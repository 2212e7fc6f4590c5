"""RFC 7946 rules: what is refused, with its pointer, and what the rest becomes."""

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from shapely import box, segmentize, transform
from shapely.geometry import mapping, shape

from shared.aois.geometry import Fault, crs_faults, ellipsoidal_area_m2, geometry_faults, normalise, to_geojson

SQUARE = [[125.0, 45.0], [125.1, 45.0], [125.1, 45.1], [125.0, 45.1], [125.0, 45.0]]


def faults(geometry: Any) -> list[Fault]:
    return geometry_faults(geometry, "", 10_000, 360)


def polygon(*rings: list[Any]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


@pytest.mark.parametrize(
    ("geometry", "pointer"),
    [
        (None, ""),
        ([], ""),
        ({"type": "Point", "coordinates": [0, 0]}, "/type"),
        ({"type": "GeometryCollection", "geometries": []}, "/type"),
        ({"type": "Polygon"}, "/coordinates"),
        (polygon(), "/coordinates"),
        ({"type": "MultiPolygon", "coordinates": []}, "/coordinates"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, "/coordinates/0"),
        (polygon([]), "/coordinates/0"),
        (polygon(SQUARE[:3]), "/coordinates/0"),
        (polygon([*SQUARE[:4], [125.0, 45.01]]), "/coordinates/0"),
        (polygon([*SQUARE[:2], [125.1], *SQUARE[3:]]), "/coordinates/0/2"),
        (polygon([*SQUARE[:2], [125.1, "45"], *SQUARE[3:]]), "/coordinates/0/2"),
        (polygon([*SQUARE[:2], [125.1, True], *SQUARE[3:]]), "/coordinates/0/2"),
        (polygon([*SQUARE[:2], [125.1, float("inf")], *SQUARE[3:]]), "/coordinates/0/2"),
        (polygon([*SQUARE[:2], [181, 45.1], *SQUARE[3:]]), "/coordinates/0/2"),
        (polygon([*SQUARE[:2], [125, -91], *SQUARE[3:]]), "/coordinates/0/2"),
        (polygon(SQUARE, "ring"), "/coordinates/1"),
        (polygon([[0, 0], [2, 1], [2, 0], [0, 1], [0, 0]]), "/coordinates"),
        (polygon([[0, 0], [1, 1], [2, 2], [0, 0]]), "/coordinates"),
        (polygon(SQUARE, [[1, 1], [2, 1], [2, 2], [1, 1]]), "/coordinates"),
        ({"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE]]}, "/coordinates"),
        ({**polygon(SQUARE), "crs": {"type": "name", "properties": {"name": "EPSG:32633"}}}, "/crs"),
    ],
)
def test_bad_geometries_are_refused_where_they_are_bad(geometry: Any, pointer: str) -> None:
    assert [fault.pointer for fault in faults(geometry)] == [pointer]


def test_every_fault_is_listed() -> None:
    found = faults(polygon([[200, 0], [0, 100], ["x", 0], [0, 0], [200, 0]], [[0, 0]]))
    assert [f.pointer for f in found] == [f"/coordinates/0/{i}" for i in (0, 1, 2, 4)] + ["/coordinates/1"]


def test_too_many_vertices() -> None:
    (fault,) = geometry_faults(polygon(SQUARE), "", 4, 20)
    assert "5 positions, the limit is 4" in fault.detail


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "EPSG:4326"])
def test_wgs84_by_another_name_is_wgs84(name: str) -> None:
    assert list(crs_faults({"crs": {"type": "name", "properties": {"name": name}}}, "")) == []


@pytest.mark.parametrize(
    "crs", [{}, "EPSG:3857", {"properties": {"name": "EPSG:3857"}}, {"properties": {"name": 4326}}, []]
)
def test_any_other_crs_is_refused(crs: Any) -> None:
    assert [fault.pointer for fault in crs_faults({"crs": crs}, "/data")] == ["/data/crs"]


def test_winding_is_normalised_and_z_is_dropped() -> None:
    clockwise = polygon(
        [[*p, 99.0] for p in reversed(SQUARE)],
        [[125.02, 45.02, 1], [125.04, 45.02, 1], [125.04, 45.04, 1], [125.02, 45.02, 1]],
    )
    normal = normalise(clockwise)
    assert not normal.has_z
    assert normal.exterior.is_ccw
    assert not normal.interiors[0].is_ccw
    assert to_geojson(normal)["coordinates"][0][0] == list(normal.exterior.coords[0])


def test_normalising_twice_changes_nothing() -> None:
    once = to_geojson(normalise(polygon(list(reversed(SQUARE)))))
    assert to_geojson(normalise(once)) == once


def test_a_crossing_of_the_antimeridian_is_cut() -> None:
    crossing = polygon([[179.5, -17], [-179.5, -17], [-179.5, -16], [179.5, -16], [179.5, -17]])
    assert faults(crossing) == []
    cut = normalise(crossing)
    assert cut.geom_type == "MultiPolygon"
    assert cut.bounds == (-180, -17, 180, -16)
    assert ellipsoidal_area_m2(cut) == pytest.approx(ellipsoidal_area_m2(box(10, -17, 11, -16)), rel=1e-9)


def test_crossings_are_cut_as_the_antimeridian_package_documents(shared_data: Path) -> None:
    compared = 0
    for source in sorted((shared_data / "d_aoi_geojson/antimeridian/input").glob("*.json")):
        document = json.loads(source.read_text(encoding="utf-8"))
        expected_path = shared_data / "d_aoi_geojson/antimeridian/output_flat" / source.name
        if document.get("type") not in {"Polygon", "MultiPolygon"} or not expected_path.exists() or faults(document):
            continue
        expected = shape(json.loads(expected_path.read_text(encoding="utf-8")))
        if expected.bounds[1] == -90 or expected.bounds[3] == 90:
            continue  # around a pole the package reads the winding, which we normalise; no Sentinel-2 scene is there
        found = normalise(document)
        assert found.symmetric_difference(expected).area == pytest.approx(0, abs=1e-9), source.name
        compared += 1
    assert compared >= 3


def authalic_area_m2(geometry: Any) -> float:
    """The area by another way: an equal-area projection (EPSG:6933) of densely cut edges."""
    project = Transformer.from_crs("EPSG:4326", CRS.from_epsg(6933), always_xy=True)

    def onto(xy: Any) -> Any:
        return np.column_stack(project.transform(xy[:, 0], xy[:, 1]))

    return float(transform(segmentize(geometry, 0.001), onto).area)


@given(st.floats(-179, 177), st.floats(-80, 78), st.floats(0.001, 1.5), st.floats(0.001, 1.5))
def test_areas_are_those_on_the_ellipsoid(lon: float, lat: float, width: float, height: float) -> None:
    geometry = box(lon, lat, lon + width, lat + height)
    assert ellipsoidal_area_m2(geometry) == pytest.approx(authalic_area_m2(geometry), rel=1e-5)


def test_area_of_a_real_aoi_agrees_with_earth_engine(shared_data: Path) -> None:
    """Al Khor: Earth Engine's own pixelArea sum over the same planar rectangle is 116,213,995.466 m²."""
    document = json.loads((shared_data / "c_area_tables/alkhor_2021_2026/region.geojson").read_text(encoding="utf-8"))
    feature = document["features"][0] if document["type"] == "FeatureCollection" else document
    geometry = feature.get("geometry", feature)
    assert ellipsoidal_area_m2(normalise(geometry)) == pytest.approx(116_213_995.466, rel=1e-5)


def test_third_party_geometries_are_judged_without_a_crash(shared_data: Path) -> None:
    judged = {"refused": 0, "accepted": 0}
    for path in sorted((shared_data / "d_aoi_geojson").rglob("*.*json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            continue
        for geometry in geometries_of(document):
            found = geometry_faults(geometry, "", 200_000, 360)
            judged["refused" if found else "accepted"] += 1
            if not found and isinstance(geometry, dict):
                with contextlib.suppress(ValueError):
                    assert normalise(geometry).is_valid
    assert judged["refused"] > 50
    assert judged["accepted"] > 50


def geometries_of(document: Any) -> list[Any]:
    if not isinstance(document, dict):
        return []
    if document.get("type") == "FeatureCollection":
        features = document.get("features")
        return [f.get("geometry") for f in features if isinstance(f, dict)] if isinstance(features, list) else []
    return [document.get("geometry")] if document.get("type") == "Feature" else [document]


def test_to_geojson_round_trips() -> None:
    geometry = normalise(polygon(SQUARE))
    assert shape(to_geojson(geometry)).equals(geometry)
    assert json.loads(json.dumps(to_geojson(geometry))) == json.loads(json.dumps(mapping(geometry)))
