"""Areas as people keep them: GeoJSON, Shapefile, GeoPackage and KML in any CRS, as GeoJSON features in lon/lat."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from shared.errors import UserInputError

# What each kind of file begins with: GDAL opens a file by its content, and some contents name other files and servers.
_BEGINNINGS = {".shp": b"\x00\x00\x27\x0a", ".gpkg": b"SQLite format 3\x00", ".kml": b"<"}
_DRIVERS = {".shp": "ESRI Shapefile", ".gpkg": "GPKG", ".kml": "KML"}
_MOST_BYTES = 268_435_456
_CONVERT = "convert it with: ogr2ogr -f GeoJSON -t_srs EPSG:4326 areas.geojson FILE"
_LONGITUDE_LATITUDE = CRS.from_epsg(4326)
_MOST_SLUG_CHARACTERS = 60


def read_features(path: Path) -> list[dict[str, Any]]:
    """The areas of a file as GeoJSON features in lon/lat, each with an id; ``Name`` and ``NAME`` become ``name``.

    A feature without an id is called by its name, or else numbered. Raises UserInputError.
    """
    if path.is_dir():
        raise UserInputError(f"{path}: expected a file with areas (GeoJSON, .shp, .gpkg or .kml), found a folder")
    if not path.is_file():
        raise UserInputError(f"{path}: no such file")
    if path.stat().st_size > _MOST_BYTES:
        raise UserInputError(f"{path}: {path.stat().st_size / 1e6:.0f} MB of areas, the limit is 268 MB")
    features = _of_gdal(path) if path.suffix.lower() in _DRIVERS else _of_geojson(path)
    taken = {str(known) for known in map(_id_of, features) if known is not None}
    return [_identified(feature, number, taken) for number, feature in enumerate(features, 1)]


def _of_geojson(path: Path) -> list[dict[str, Any]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise UserInputError(f"{path}: not GeoJSON, and not named .shp, .gpkg or .kml; {_CONVERT}") from None
    kind = document.get("type") if isinstance(document, dict) else None
    match kind:
        case "FeatureCollection":
            features = document.get("features")
        case "Feature":
            features = [document]
        case "Polygon" | "MultiPolygon":
            features = [{"type": "Feature", "properties": {}, "geometry": document}]
        case _:
            raise UserInputError(f"{path}: not GeoJSON (expected a Feature or FeatureCollection, found {kind!r})")
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise UserInputError(f"{path}: not GeoJSON (expected a list of features)")
    named = document.get("crs")
    if named is None:
        for feature in features:
            _check_degrees(path, feature.get("geometry"))
        return features
    try:
        crs = CRS.from_user_input(named["properties"]["name"])
    except (ProjError, KeyError, TypeError):
        raise UserInputError(f"{path}: its 'crs' is not one that PROJ knows; {_CONVERT}") from None
    return [{**f, "geometry": _in_degrees(path, _shape_of(path, f.get("geometry")), crs)} for f in features]


def _check_degrees(path: Path, geometry: Any) -> None:
    """One sentence for what makes every vertex wrong: metres for degrees, or latitude before longitude."""
    position = geometry.get("coordinates") if isinstance(geometry, dict) else None
    while isinstance(position, list) and position and isinstance(position[0], list):
        position = position[0]
    if not (isinstance(position, list) and len(position) >= 2 and all(isinstance(v, int | float) for v in position)):
        return
    x, y = position[:2]
    if 90 < abs(y) <= 180 and abs(x) <= 90:
        raise UserInputError(f"{path}: [{x}, {y}] has a latitude beyond ±90; write longitude first, then latitude")
    if max(abs(x), abs(y)) > 180:
        raise UserInputError(
            f"{path}: [{x}, {y}] looks like metres, expected longitude ±180 and latitude ±90; "
            "ogr2ogr -f GeoJSON -s_srs EPSG:… -t_srs EPSG:4326 areas.geojson FILE"
        )


def _of_gdal(path: Path) -> list[dict[str, Any]]:
    import pyogrio.raw  # noqa: PLC0415 — takes a tenth of a second, and most areas are GeoJSON
    from pyogrio.errors import DataLayerError, DataSourceError  # noqa: PLC0415

    suffix = path.suffix.lower()
    with path.open("rb") as file:
        beginning = file.read(1_048_576)
    if not beginning.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_BEGINNINGS[suffix].lstrip()) or (
        suffix == ".kml" and b"<kml" not in beginning
    ):
        raise UserInputError(f"{path}: named {suffix} but no {_DRIVERS[suffix]}; {_CONVERT}")
    # a KML document that hides what another driver would take for its own
    if suffix == ".kml" and b"OGRVRT" in path.read_bytes():
        raise UserInputError(f"{path}: named .kml but no KML")
    features: list[dict[str, Any]] = []
    try:
        for layer, geometry_type in pyogrio.list_layers(path):
            if geometry_type is None:
                continue
            meta, _, wkb, values = pyogrio.raw.read(path, layer=layer, force_2d=True)
            columns = dict(zip(meta["fields"], values, strict=True))
            for row, shaped in enumerate(shapely.from_wkb(wkb)):
                if shaped is None or shaped.geom_type not in {"Polygon", "MultiPolygon"}:
                    continue
                if meta["crs"] is None:
                    raise UserInputError(f"{path}: says no CRS (is the .prj file missing?); {_CONVERT}")
                named = {n: str(c[row]) for n, c in columns.items() if _kept(n) and c[row] not in (None, "")}
                geometry = _in_degrees(path, shaped, CRS.from_user_input(meta["crs"]))
                features.append({"type": "Feature", "properties": named, "geometry": geometry})
    except (DataSourceError, DataLayerError, ProjError, shapely.errors.GEOSException) as error:
        raise UserInputError(f"{path}: cannot be read as {_DRIVERS[suffix]} ({str(error)[:120]}); {_CONVERT}") from None
    if not features:
        raise UserInputError(f"{path}: holds no polygon; areas are polygons")
    return features


def _kept(column: str) -> bool:
    return column.lower() in {"name", "aoi_id"}


def _shape_of(path: Path, geometry: Any) -> BaseGeometry:
    try:
        return shape(geometry)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, shapely.errors.ShapelyError):
        raise UserInputError(f"{path}: a geometry cannot be read; expected a Polygon or MultiPolygon") from None


def _in_degrees(path: Path, geometry: BaseGeometry, crs: CRS) -> dict[str, Any]:
    """GeoJSON geometry in lon/lat with seven digits (a centimetre)."""
    to_degrees = Transformer.from_crs(crs, _LONGITUDE_LATITUDE, always_xy=True)

    def moved(positions: Any) -> Any:
        x, y = to_degrees.transform(positions[:, 0], positions[:, 1])
        return shapely.get_coordinates(shapely.points(x, y)).round(7)

    placed = shapely.transform(shapely.force_2d(geometry), moved)
    if not all(abs(value) <= 180 for value in placed.bounds):
        raise UserInputError(f"{path}: coordinates lie outside of its CRS {crs.name}; is the CRS right?")
    return dict(json.loads(json.dumps(mapping(placed))))


def _id_of(feature: dict[str, Any]) -> Any:
    properties = feature.get("properties")
    named = isinstance(properties, dict) and "aoi_id" in properties
    return properties["aoi_id"] if isinstance(properties, dict) and named else feature.get("id")


def _identified(feature: dict[str, Any], number: int, taken: set[str]) -> dict[str, Any]:
    properties = feature.get("properties")
    if isinstance(properties, dict) and "name" not in properties:
        name = next((value for key, value in properties.items() if key.lower() == "name" and value), None)
        if name is not None:
            feature = {**feature, "properties": {**properties, "name": name}}
    if _id_of(feature) is not None:
        return feature
    properties = feature.get("properties")
    wanted = slug(str(properties.get("name") or "")) if isinstance(properties, dict) else ""
    aoi_id = wanted if wanted and wanted not in taken else f"aoi-{number}"
    taken.add(aoi_id)
    return {**feature, "id": aoi_id}


def slug(text: str) -> str:
    """A text as an AOI id may be: letters, digits and hyphens in ASCII; empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:_MOST_SLUG_CHARACTERS].strip("-")
