"""What interpreters get: the points, without any map class, in the forms that their tools read."""

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from local.accuracy.design import Design, Point, write_design

KEYS = ("sample_id", "aoi_id", "aoi_version", "period", "point_id", "lon", "lat", "stratum", "weight_m2")
ANSWERS = {"classes": ("reference_class",), "change": ("reference_class_from", "reference_class_to", "changed_on")}
REMARKS = ("interpreter", "remark")
_KML = "http://www.opengis.net/kml/2.2"


def write_sample(design: Design, folder: Path) -> None:
    """Write ``sample.json``, to be kept, and the points as CSV, GeoJSON, KML and for Collect Earth Online."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [keys_of(design, point) for point in design.points]
    write_design(design, folder / "sample.json")
    answers = (*ANSWERS[design.strata_kind], *REMARKS)
    _csv(folder / "points.csv", (*KEYS, *answers), [row | dict.fromkeys(answers, "") for row in rows])
    # the fields that its upload asks for: openforis/collect-earth-online, "Specify your own plot centers"
    plots = [
        {
            "LON": r["lon"],
            "LAT": r["lat"],
            "PLOTID": r["point_id"],
            "STRATUM": r["stratum"],
            "WEIGHT_M2": r["weight_m2"],
        }
        for r in rows
    ]
    _csv(folder / "collect_earth_online.csv", tuple(plots[0]), plots)
    features = [
        {
            "type": "Feature",
            "id": row["point_id"],
            "properties": row,
            "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
        }
        for row in rows
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, indent=1)
    (folder / "points.geojson").write_text(text + "\n", encoding="utf-8")
    _kml(folder / "points.kml", design, rows)


def keys_of(design: Design, point: Point) -> dict[str, Any]:
    """What names a point, where it lies and what it stands for."""
    weight = next(s.weight_m2 for s in design.strata if s.code == point.stratum)
    values = (
        design.sample_id, design.aoi_id, design.aoi_version, design.period, point.point_id, point.lon, point.lat,
        point.stratum, round(weight, 3),
    )  # fmt: skip
    return dict(zip(KEYS, values, strict=True))


def _csv(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _kml(path: Path, design: Design, rows: list[dict[str, Any]]) -> None:
    ET.register_namespace("", _KML)
    root = ET.Element(f"{{{_KML}}}kml")
    document = ET.SubElement(root, f"{{{_KML}}}Document")
    ET.SubElement(document, f"{{{_KML}}}name").text = f"{design.sample_id} {design.aoi_id} {design.period}"
    for row in rows:
        placemark = ET.SubElement(document, f"{{{_KML}}}Placemark")
        ET.SubElement(placemark, f"{{{_KML}}}name").text = str(row["point_id"])
        data = ET.SubElement(placemark, f"{{{_KML}}}ExtendedData")
        for name in ("stratum", "weight_m2"):
            value = ET.SubElement(ET.SubElement(data, f"{{{_KML}}}Data", name=name), f"{{{_KML}}}value")
            value.text = str(row[name])
        point = ET.SubElement(placemark, f"{{{_KML}}}Point")
        ET.SubElement(point, f"{{{_KML}}}coordinates").text = f"{row['lon']},{row['lat']}"
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
