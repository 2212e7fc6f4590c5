"""Rasters and areas as people have them: what is taken, what is asked, and what is never deleted."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer
from shapely import box
from shapely.geometry import shape
from typer.testing import CliRunner

from local import cli
from local.runs.area_files import read_features
from local.runs.image_dates import date_in, read_dates
from local.runs.inputs import registered
from local.runs.label_schemes import read_scheme
from local.runs.meeting import check_meeting
from local.runs.own_scenes import AskedError, Prepared, Wishes, prepare
from local.runs.workspace import begin_anew, claim, claim_for_demo, remember
from shared.classes import CLASS_NAMES
from shared.errors import UserInputError
from shared.imagery.names import parse_scene_name
from shared.settings import Settings

CRS = "EPSG:32651"
WEST, NORTH = 709_000, 5_000_000
INSIDE = box(WEST + 200, NORTH - 600, WEST + 600, NORTH - 200)  # 40 by 40 pixels, in metres of the UTM grid


def raster(path: Path, bands: dict[str, np.ndarray], nodata: float | None = 255) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    first = next(iter(bands.values()))
    with rasterio.open(
        path, "w", driver="GTiff", height=first.shape[0], width=first.shape[1], count=len(bands), dtype="uint8",
        crs=CRS, transform=Affine(10, 0, WEST, 0, -10, NORTH), nodata=nodata,
    ) as dataset:  # fmt: skip
        for index, (name, values) in enumerate(bands.items(), 1):
            dataset.write(values.astype("uint8"), index)
            if name:
                dataset.set_band_description(index, name)
    return path


def halves(left: int, right: int) -> np.ndarray:
    """80 by 80 pixels, the middle of INSIDE at the border between the two."""
    values = np.full((80, 80), left)
    values[:, 40:] = right
    return values


def areas_file(path: Path, geometries: list[shapely.Polygon], names: list[str], driver: str, crs: str = CRS) -> Path:
    pyogrio.raw.write(
        path, shapely.to_wkb(np.array(geometries)), [np.array(names, dtype=object)], np.array(["Name"]), crs=crs,
        geometry_type="Polygon", driver=driver,
    )  # fmt: skip
    return path


def in_degrees(geometry: shapely.Polygon) -> shapely.Polygon:
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    return shapely.transform(geometry, lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1])))


def prepared(folder: Path, **wishes: object) -> tuple[list[Prepared], list[str]]:
    said: list[str] = []
    return prepare(folder, folder.parent / "classes", Wishes(**wishes), said.append), said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DW_2021_July_farm", (date(2021, 7, 15), False)),
        ("july-2021", (date(2021, 7, 15), False)),
        ("2021/07", (date(2021, 7, 15), False)),
        ("2021/s2_20210703_x", (date(2021, 7, 3), True)),
        ("export 2021-07-03", (date(2021, 7, 3), True)),
        ("western_ghats_bare_2018", None),
        ("farm", None),
        ("tile_120210703999", None),
        ("2021_marsh", None),
        ("x_20210231", None),
    ],
)
def test_dates_in_names(name: str, expected: tuple[date, bool] | None) -> None:
    assert date_in(name) == expected


def test_dates_of_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "dates.csv"
    path.write_text("file,date\nfarm.tif,2021-07-03\n", encoding="utf-8")
    assert read_dates(path) == {"farm.tif": date(2021, 7, 3)}
    path.write_text("farm.tif,2021-07-03\nb.tif,July\n", encoding="utf-8")
    with pytest.raises(UserInputError, match="row 2"):
        read_dates(path)


def test_folders_in_folders_and_strays(tmp_path: Path) -> None:
    scenes = tmp_path / "scenes"
    raster(scenes / "2021" / "july.TIF", {"": halves(0, 1)})
    raster(scenes / "2021" / "DW_2021-08-04.tif", {"": halves(0, 4)})
    raster(scenes / "copy of scene.tif", {"": halves(0, 1)})
    raster(scenes / "height_20210804.tif", {"": halves(120, 130)})
    (scenes / "cut_20210805.tif").write_bytes(b"II*\x00 nothing of the kind")
    images, said = prepared(scenes)
    days = {parse_scene_name(image.image_id).sensing_stamp[:8] for image in images}
    assert days == {"20210715", "20210804"}
    assert len(images) == 2
    skipped = "\n".join(line for line in said if "skipped" in line)
    assert all(name in skipped for name in ("copy of scene.tif", "height_20210804.tif", "cut_20210805.tif"))
    assert any("taken as 2021-07-15" in line for line in said)
    assert "  labels read as: water 50%, trees 25%, crops 25%" in said
    assert prepared(scenes)[0] == images  # the same names another time


def test_a_band_of_a_derived_export(tmp_path: Path) -> None:
    mask = halves(0, 1)
    names = ("class_mask", "full_classification", "built_probability", "bare_probability")
    export = raster(tmp_path / "s" / "ghats_2018.tif", dict(zip(names, (mask, halves(6, 7), mask, mask), strict=True)))
    with pytest.raises(UserInputError, match=r"no date.*--date.*--dates"):
        prepared(export.parent)
    images, _ = prepared(export.parent, day=date(2018, 7, 1))
    with rasterio.open(images[0].path) as written:
        assert written.descriptions == ("label",)
        assert (written.read(1) == halves(6, 7)).all()
    images, _ = prepared(export.parent, day=date(2018, 7, 1), band="class_mask")
    with rasterio.open(images[0].path) as written:
        assert (written.read(1) == mask).all()
    raster(export, dict(zip(names, (mask, halves(6, 7), mask, mask), strict=True)), nodata=None)
    images, said = prepared(export.parent, day=date(2018, 7, 1))
    assert (
        "  labels read as: built 50%, bare 50%" in said
    )  # the fourth band is no transparency, though GDAL takes it so
    with rasterio.open(images[0].path) as written:
        assert (written.read(1) == halves(6, 7)).all()
    with pytest.raises(UserInputError, match="full_classification"):
        prepared(export.parent, day=date(2018, 7, 1), band="nosuch")


def test_the_coding_of_labels_is_asked_about(tmp_path: Path) -> None:
    tile = raster(tmp_path / "e" / "dw_111.84_-8.12-20190713.tif", {"": halves(1, 0)}, nodata=None)
    with pytest.raises(AskedError, match="--labels expert"):
        prepared(tile.parent)
    images, said = prepared(tile.parent, labels="expert")
    assert "  labels read as: water 100%" in said
    with rasterio.open(images[0].path) as written:
        assert (written.read(1) == halves(0, 255)).all()
    shifted = raster(tmp_path / "f" / "a_20210703.tif", {"": halves(1, 9)})
    with pytest.raises(AskedError, match="1 water and 9 snow"):
        prepared(shifted.parent)
    own = raster(tmp_path / "g" / "a_20210703.tif", {"": halves(10, 20)})
    with pytest.raises(UserInputError, match="0 to 8"):
        prepared(own.parent)
    assert "  labels read as: trees 50%, crops 50%" in prepared(own.parent, labels="10=trees,20=4")[1]
    with pytest.raises(UserInputError, match="no class"):
        read_scheme("1=forest")


def test_labels_one_higher_than_the_probabilities_are_asked_about(tmp_path: Path) -> None:
    bands = {name: np.where(halves(1, 4) == n, 200, 5) for n, name in enumerate(CLASS_NAMES)}
    path = raster(tmp_path / "s" / "a_20210703.tif", {**bands, "label": halves(1, 4) + 1})
    with pytest.raises(AskedError, match="shifted"):
        prepared(path.parent)
    raster(path, {**bands, "label": halves(1, 4)})
    assert len(prepared(path.parent)[0]) == 1


def test_no_nodata_is_warned_of(tmp_path: Path) -> None:
    path = raster(tmp_path / "s" / "a_20210703.tif", {"": halves(0, 1)}, nodata=None)
    assert any("no nodata" in line for line in prepared(path.parent)[1])
    raster(path, {"": halves(0, 1)})
    assert not any("no nodata" in line for line in prepared(path.parent)[1])


@pytest.mark.parametrize(
    ("ending", "driver"), [("shp", "ESRI Shapefile"), ("gpkg", "GPKG"), ("kml", "KML"), ("geojson", "GeoJSON")]
)
def test_areas_of_any_kind_and_crs(tmp_path: Path, ending: str, driver: str) -> None:
    """GDAL writes them in metres, or in degrees where the format has nothing else; pyproj says where they lie."""
    metres = ending in {"shp", "gpkg"}
    geometry, crs = (INSIDE, CRS) if metres else (in_degrees(INSIDE), "EPSG:4326")
    path = areas_file(tmp_path / f"a.{ending}", [geometry], ["North block"], driver, crs)
    (feature,) = read_features(path)
    assert (feature["id"], feature["properties"]["name"]) == ("north-block", "North block")
    assert shapely.hausdorff_distance(shape(feature["geometry"]), in_degrees(INSIDE)) < 2e-7


def test_geojson_in_metres_with_its_crs(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    feature = {"type": "Feature", "properties": {"NAME": "x"}, "geometry": json.loads(shapely.to_geojson(INSIDE))}
    collection = {"type": "FeatureCollection", "features": [feature]}
    path.write_text(json.dumps(collection), encoding="utf-8")
    with pytest.raises(UserInputError, match=r"metres.*ogr2ogr"):
        read_features(path)
    path.write_text(json.dumps({**collection, "crs": {"type": "name", "properties": {"name": CRS}}}), encoding="utf-8")
    (found,) = read_features(path)
    assert shapely.hausdorff_distance(shape(found["geometry"]), in_degrees(INSIDE)) < 2e-7


def test_areas_that_name_other_sources_are_not_opened(tmp_path: Path) -> None:
    real = areas_file(tmp_path / "real.gpkg", [INSIDE], ["a"], "GPKG")
    vrt = f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{real}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    for text, name in ((vrt, "a.kml"), (vrt, "a.gpkg"), (f"<kml/>{vrt}", "b.kml"), ("a,b\n1,2\n", "a.shp")):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UserInputError, match="no "):
            read_features(path)
    (tmp_path / "a.csv").write_text("wkt\nPOLYGON((0 0,1 0,1 1,0 0))\n", encoding="utf-8")
    with pytest.raises(UserInputError, match=r"not GeoJSON.*ogr2ogr"):
        read_features(tmp_path / "a.csv")


def refusal(*features: dict[str, object]) -> str:
    collection = {"type": "FeatureCollection", "features": list(features)}
    with pytest.raises(UserInputError) as refused:
        registered(Path("a.geojson"), collection, Settings(project="local-project"))
    return str(refused.value)


def test_refusals_of_areas_say_what_to_do() -> None:
    square = json.loads(shapely.to_geojson(in_degrees(INSIDE)))
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    north, same = ({"type": "Feature", "id": i, "properties": {}, "geometry": square} for i in ("North block", "a"))
    assert "'north-block' would do" in refusal(north)
    twice = refusal(same, same)
    assert "the same AOI id as /features/0" in twice
    assert "/data" not in twice
    assert "Fix geometries" in refusal({**same, "geometry": bow_tie})
    far = {"type": "Polygon", "coordinates": [[[200, n] for n in range(9)]]}
    assert refusal({**same, "geometry": far}).count("expected") == 1


def test_areas_that_miss_the_scenes(tmp_path: Path) -> None:
    scene = raster(tmp_path / "a.tif", {"": halves(0, 1)})
    inside = in_degrees(INSIDE)

    def aois(*geometries: shapely.Polygon) -> list[object]:
        features = [
            {"type": "Feature", "id": f"a{n}", "properties": {}, "geometry": json.loads(shapely.to_geojson(geometry))}
            for n, geometry in enumerate(geometries)
        ]
        collection = {"type": "FeatureCollection", "features": features}
        return list(registered(Path("a"), collection, Settings(project="local-project")))

    def moved(longitude: float, latitude: float) -> shapely.Polygon:
        return shapely.transform(inside, lambda xy: xy + np.array([longitude, latitude]))

    said: list[str] = []
    with pytest.raises(UserInputError, match=r"111 km from the nearest scene.*same place"):
        check_meeting(aois(moved(0, 1)), [scene], said.append)  # type: ignore[arg-type]
    check_meeting(aois(inside, moved(0, -1)), [scene], said.append)  # type: ignore[arg-type]
    assert [line.split()[0] for line in said] == ["a1"]
    tiny = shapely.affinity.scale(inside, 0.01, 0.01)
    check_meeting(aois(tiny), [scene], said.append)  # type: ignore[arg-type]
    assert "fewer than a hundred pixels" in said[-1]


def test_swapped_coordinates_are_asked_about(tmp_path: Path) -> None:
    scene = tmp_path / "a.tif"
    with rasterio.open(
        scene, "w", driver="GTiff", height=10, width=10, count=1, dtype="uint8", crs="EPSG:4326",
        transform=Affine(0.01, 0, 75.1, 0, -0.01, 12.9),
    ) as dataset:  # fmt: skip
        dataset.write(np.ones((10, 10), dtype="uint8"), 1)
    swapped = json.loads(shapely.to_geojson(box(12.82, 75.12, 12.84, 75.14)))
    collection = {"type": "FeatureCollection", "features": [{"type": "Feature", "id": "a", "geometry": swapped}]}
    aois = registered(Path("a"), collection, Settings(project="local-project"))
    with pytest.raises(UserInputError, match=r"are longitude and latitude swapped\?"):
        check_meeting(aois, [scene], print)


def test_a_folder_of_somebody_else_is_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine", encoding="utf-8")
    with pytest.raises(UserInputError, match=r"report\.html.*--overwrite"):
        claim(tmp_path)
    assert not claim(tmp_path, overwrite=True)
    thesis = tmp_path / "warehouse" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("mine", encoding="utf-8")
    ours = tmp_path / "warehouse" / "bqemulator.duckdb"
    ours.write_bytes(b"")
    remember(tmp_path, tmp_path / "images")
    assert claim(tmp_path)
    assert not claim(tmp_path, overwrite=True)
    assert ours.exists(), "what is refused later has removed nothing"
    begin_anew(tmp_path)
    assert not ours.exists()
    assert thesis.read_text(encoding="utf-8") == "mine"
    with pytest.raises(UserInputError, match="another --out"):
        claim_for_demo(tmp_path)


def test_two_runs_into_one_folder(tmp_path: Path) -> None:
    """An Earth Engine export with areas in UTM; then another area and a folder by year, beside a foreign file."""
    out = tmp_path / "out"
    raster(tmp_path / "one" / "DW_2021_July_farm.tif", {"": halves(1, 4)})
    raster(tmp_path / "two" / "2021" / "08.tif", {"": halves(4, 4)})
    first = areas_file(tmp_path / "a.gpkg", [INSIDE], ["Farm"], "GPKG")
    second = areas_file(tmp_path / "b.shp", [shapely.affinity.translate(INSIDE, 100, 0)], ["Wood"], "ESRI Shapefile")
    run = CliRunner().invoke(
        cli.app, ["run", "--aois", str(first), "--scenes", str(tmp_path / "one"), "--out", str(out)]
    )
    assert run.exit_code == 0, run.output
    report = (out / "report.html").read_bytes()
    thesis = out / "warehouse" / "thesis.txt"
    thesis.write_text("mine", encoding="utf-8")
    arguments = ["run", "--aois", str(second), "--scenes", str(tmp_path / "two"), "--out", str(out)]
    run = CliRunner().invoke(cli.app, arguments)
    assert run.exit_code == 0, run.output
    assert thesis.read_text(encoding="utf-8") == "mine"
    assert (out / "report.html").read_bytes() == report
    assert (out / "report-wood-2021.html").is_file()
    rows = [line.split(",") for line in (out / "observations.csv").read_text(encoding="utf-8").splitlines()[1:]]
    area = {(row[0], row[2][:8], row[5]): float(row[6]) for row in rows}
    assert {key[:2] for key in area} == {(aoi, day) for aoi in ("farm", "wood") for day in ("20210715", "20210815")}
    # half of 400 m by 400 m is trees; UTM metres and the ellipsoid's differ by less than a thousandth here
    assert area["farm", "20210715", "trees"] == pytest.approx(80_000, rel=2e-3)
    assert area["farm", "20210815", "crops"] == pytest.approx(160_000, rel=2e-3)
    assert area["wood", "20210815", "crops"] == pytest.approx(160_000, rel=2e-3)
