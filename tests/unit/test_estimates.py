"""What is estimated without listing: usual overpasses, EECU-hours, dollars."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from shapely import box
from shapely.geometry import MultiPolygon, mapping
from shapely.geometry.base import BaseGeometry
from typer.testing import CliRunner

from local.cli import app
from local.upkeep.cost import measured_rate
from shared.aois.feature import RegisteredAoi
from shared.aois.geometry import ellipsoidal_area_m2
from shared.cost.estimates import usual_estimate
from shared.cost.orbits import usual_overpasses
from shared.cost.prices import MEMORY_GIB
from shared.cost.usual import a_month_of_the_network
from shared.cost.work import GUESS, Rate, Work, eecu_hours
from shared.errors import UserInputError
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = Settings(project="local-project")
CLASSIFY = ("off", "gaps", "always")
YEAR = (date(2021, 1, 1), date(2022, 1, 1))


def aoi(geometry: Any, aoi_id: str = "a", start: date = YEAR[0]) -> RegisteredAoi:
    text = json.dumps(mapping(geometry))
    return RegisteredAoi(aoi_id, None, [], text, "", ellipsoidal_area_m2(geometry), geometry.bounds, start)


@dataclass(frozen=True)
class Place:
    """A square, and how many passes of Sentinel-2 it has in ten days of two satellites, by the mission's revisit maps."""

    outline: BaseGeometry
    passes: tuple[int, int]


@pytest.mark.parametrize(
    "place",
    [
        Place(box(20, 0, 20.01, 0.01), (2, 4)),
        Place(box(20, 45, 20.01, 45.01), (2, 4)),
        Place(box(20, 60, 20.01, 60.01), (4, 6)),
    ],
    ids=["equator", "45°", "60°"],
)
def test_usual_overpasses_are_between_a_fifth_and_all_of_the_passes(place: Place) -> None:
    fewest, most = usual_overpasses(aoi(place.outline), *YEAR)
    assert 0.2 * 36.5 * place.passes[0] - 1 <= fewest
    assert 36.5 * place.passes[1] - 1 <= most <= 36.5 * (place.passes[1] + 2) + 1


def test_a_year_of_one_satellite_has_half_the_overpasses() -> None:
    place = aoi(box(20, 45, 20.01, 45.01))
    one, two = usual_overpasses(place, date(2016, 1, 1), date(2017, 1, 1)), usual_overpasses(place, *YEAR)
    assert [2 * count for count in one] == pytest.approx(two, abs=3)
    before, after = date(2017, 1, 1), date(2018, 1, 1)
    assert one[1] < usual_overpasses(place, before, after)[1] < two[1]


def test_an_area_across_180_degrees_is_as_wide_as_it_is() -> None:
    across = MultiPolygon([box(179.9, 10, 180, 10.2), box(-180, 10, -179.9, 10.2)])
    assert usual_overpasses(aoi(across), *YEAR) == usual_overpasses(aoi(box(20, 10, 20.2, 10.2)), *YEAR)


def test_eecu_hours_are_those_of_the_pixels_and_bands() -> None:
    """By hand: 10⁸ pixels in ten bands, and 2·10⁸ of labels."""
    work = Work(pixels=100_000_000, label_pixels=200_000_000)
    assert eecu_hours((work, work), Rate(0.1, 0.5, "")) == pytest.approx((0.12, 0.6))


def test_an_estimate_is_a_range_that_grows_with_the_areas() -> None:
    few, many = (
        usual_estimate(
            [aoi(box(20 + n, 45, 20.01 + n, 45.01), f"a{n}") for n in range(count)], YEAR[1], SETTINGS
        ).document()
        for count in (1, 10)
    )
    for span in ("history", "month"):
        for what, (low, high) in few[span].items():
            assert low <= high, what
        for what in ("overpasses", "rows", "bytes"):
            assert many[span][what] == [10 * value for value in few[span][what]]
    assert many["history"]["dollars"][1] > few["history"]["dollars"][1]
    assert few["month"]["dollars"][0] > 1, "a deployment costs something with any area"


def test_the_network_and_patches_are_counted_by_the_settings() -> None:
    """By hand: 3 km × 3 km at the equator are 334 × 334 pixels, one tile of 378 × 378 with its margins; two satellites'
    143 orbits of ten days lie 280 km apart there, so that at most two see it, 12.2 passes in a month.
    """
    place = aoi(box(20, 0, 20.03, 0.03))
    month = {each: a_month_of_the_network([place], SETTINGS.model_copy(update={"classify": each})) for each in CLASSIFY}
    assert [work.overpasses for work in month["off"]] == [0, 0]
    assert [work.overpasses for work in month["gaps"]] == [0, 10], "a fifth of the passes is clear enough at least"
    assert [work.overpasses for work in month["always"]] == [0, 13]
    _, most = month["gaps"]
    assert (most.fetches, most.network_pixels) == (10 * 2, 10 * 2 * 378**2)
    found = usual_estimate([place], date(2024, 7, 1), SETTINGS.model_copy(update={"classify": "off"})).document()
    assert found["classify"]["gaps"]["pixel_requests"] == [0, 20]
    assert found["classify"]["gaps"]["memory_gib"] == 2
    assert found["classify"]["always"]["seconds"][1] > found["classify"]["gaps"]["seconds"][1] > 20
    assert found["month"]["classifications"] == [0, 0] == found["history"]["classifications"]
    assert found["history"]["years_of_patches"] == [4, 4]
    # 244 views and their baseline are 533 bytes a pixel: windows of 307 × 307 in 48 MiB
    assert found["history"]["pixel_requests"] == [4, 4 * 4], "2021 to 2024, each in one window, or in four"
    watched = SETTINGS.model_copy(update={"max_watched_km2": 1.0})
    assert usual_estimate([place], date(2024, 7, 1), watched).document()["month"]["years_of_patches"] == [0, 0]


def test_measured_eecu_seconds_replace_the_guess(tmp_path: Path) -> None:
    """By hand: 400 km² are 4·10⁶ pixels of ten bands; 14.4 EECU-s are 0.004 h, so 0.1 h for 10⁹."""
    path = tmp_path / "probe.json"
    seconds = {"earth-engine/areas 400 km², tileScale 4": 14.4, "earth-engine/areas 1 ha, tileScale 4": 9.0}
    path.write_text(json.dumps({"embedded": False, "probed_at": "2026-01-01", "eecu_seconds": seconds}))
    assert measured_rate(path)[:2] == pytest.approx((0.1, 0.1))
    path.write_text(json.dumps({"embedded": True, "eecu_seconds": seconds}))
    with pytest.raises(UserInputError, match="on the embedded stack"):
        measured_rate(path)
    path.write_text(json.dumps({"embedded": False, "eecu_seconds": {}}))
    with pytest.raises(UserInputError, match="no EECU-seconds"):
        measured_rate(path)
    path.write_text("[]")
    with pytest.raises(UserInputError, match="not a file of landcover probe"):
        measured_rate(path)


def test_without_a_project_the_command_says_what_is_usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANDCOVER_PROJECT", raising=False)
    path = tmp_path / "areas.geojson"
    squares = [mapping(box(20 + n / 100, 45, 20.005 + n / 100, 45.005)) for n in range(2)]
    features = [{"type": "Feature", "properties": {}, "geometry": square} for square in squares]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    done = CliRunner().invoke(app, ["cost", str(path), "--start", "2024-01-01"])
    assert done.exit_code == 0, done.output
    assert "2 areas, 0.44 km²" in done.output
    assert "history since 2024-01-01" in done.output
    assert GUESS.source in done.output


def test_the_memory_that_is_priced_is_that_of_the_services() -> None:
    services = json.loads((ROOT / "terraform" / "services.json").read_text(encoding="utf-8"))
    sizes = {"512Mi": 0.5, "1Gi": 1.0, "2Gi": 2.0}
    assert {name: sizes[services[name]["memory"]] for name in MEMORY_GIB} == MEMORY_GIB
