"""Checks of Earth Engine fail where they should, and say what failed."""

from collections.abc import Callable
from pathlib import Path

import ee
import numpy as np
import pytest
from werkzeug.wrappers import Request, Response

from local.earth_engine import limits, registry
from local.earth_engine.errors import EngineError
from local.earth_engine.server import EarthEngineApp
from local.probe import computing
from local.probe.asking import ask, eecu_of_text
from local.probe.checks import CHECKS
from local.probe.deployment import Deployment
from local.probe.model import Finding, Outcome
from local.probe.report import suggested
from local.probe.runner import chosen, probe
from tests.l1c import clear_l1c, write_l1c
from tests.probe.scenes import DAYS, ORIGIN, SCENE_SHAPE, image

COMPUTED = EarthEngineApp._computed
PROFILE = " EECU·s PeakMem Count  Description\n  0.250     47k    44  (plumbing)\n  1.500    124k    14  Sum\n  -  59k 12  Loading\n"


def test_a_project_that_is_refused_stops_at_the_first_check(
    deployment: Deployment, again: Callable[[str], dict[str, Finding]]
) -> None:
    assert deployment.stack is not None
    deployment.stack.earth_engine.app.refuse_first = 1
    try:
        assert (
            "Earth Engine API has not been used in project local-project" in again("earth-engine/permitted")[""].found
        )
        deployment.stack.earth_engine.app.refuse_first = 1
        skipped = again("earth-engine/layers")[""]
    finally:
        deployment.stack.earth_engine.app.refuse_first = 0
    assert (skipped.outcome, skipped.found) == (Outcome.SKIPPED, "needs earth-engine/permitted")


def test_a_limit_below_the_budget_fails_and_names_the_setting(
    deployment: Deployment, again: Callable[[str], dict[str, Finding]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(limits, "MOST_AGGREGATIONS", 20)
    found = again("earth-engine/layers")
    assert [finding.outcome for finding in found.values()] == [Outcome.PASS, Outcome.FAIL]
    assert "10 were answered" in found["50 layers"].found
    measures = {name: value for finding in found.values() for name, value in finding.measures.items()}
    assert suggested(measures, deployment.settings) == {"layer_budget": "10"}
    slow = {"pixel_budget": 600.0, "label_pixel_budget": 100.0}
    assert suggested(slow, deployment.settings) == {"pixel_budget": "5000000"}


def test_areas_that_disagree_and_memory_that_does_not_do_fail(
    again: Callable[[str], dict[str, Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computing, "SIDES_M", {"1 ha": 100.0, "1 km²": 1000.0})
    monkeypatch.setattr(limits, "MOST_TILE_BYTES", 2**20)
    found = again("earth-engine/areas")
    assert found["1 ha, tileScale 4"].outcome is Outcome.PASS
    assert found["1 km², tileScale 4"].outcome is Outcome.NOTE
    assert found["1 km², tileScale 4"].found.endswith("tileScale 16: measured")
    monkeypatch.setattr(limits, "MOST_TILE_BYTES", 2**17)
    assert again("earth-engine/areas")["1 km², tileScale 4"].outcome is Outcome.FAIL
    monkeypatch.setattr(limits, "MOST_TILE_BYTES", 2**26)
    monkeypatch.setattr(limits, "WEIGHT_OFFSET", -40.0)
    found = again("earth-engine/areas")
    assert found["1 ha, tileScale 4"].outcome is Outcome.FAIL
    assert "registered are" in found["1 ha, tileScale 4"].found


def test_labels_that_differ_from_the_published_fail(
    deployment: Deployment, again: Callable[[str], dict[str, Finding]], tmp_path: Path
) -> None:
    """With DN of another scale, with some of another scene, and where nobody sees enough."""
    assert deployment.stack is not None
    folder, bands = deployment.stack._scenes, clear_l1c(*SCENE_SHAPE)
    other = {name: values.copy() for name, values in bands.items()}
    for name, values in clear_l1c(*SCENE_SHAPE, seed=1).items():
        other[name][: len(values) // 2] = values[: len(values) // 2]
    clear = np.zeros(SCENE_SHAPE)

    def found(written: dict[str, np.ndarray], probability: np.ndarray = clear) -> Finding:
        write_l1c(folder, image(DAYS[0]), written, origin=ORIGIN, cloud_percent=5.0, probability=probability)
        return again("earth-engine/network")[""]

    try:
        dark = found({name: values // 100 for name, values in bands.items()})
        assert dark.outcome is Outcome.FAIL
        assert "% of 36,036 labels agree" in dark.found
        assert found(other).outcome is Outcome.NOTE
        clouded = {**bands, "B10": np.full_like(bands["B10"], 200)}
        assert "too little is seen here" in found(clouded).found
    finally:
        found(bands)
    (folder / "sentinel2").rename(folder / "elsewhere")
    try:
        assert "no scene of COPERNICUS/S2_HARMONIZED" in again("earth-engine/network")[""].found
    finally:
        (folder / "elsewhere").rename(folder / "sentinel2")


def test_other_words_for_an_error_fail(
    again: Callable[[str], dict[str, Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def reworded(self: EarthEngineApp, method: str, request: Request) -> Response:
        if b'"none"' in request.get_data():
            raise EngineError("Nothing by this name.", 404)
        return COMPUTED(self, method, request)

    monkeypatch.setattr(EarthEngineApp, "_computed", reworded)
    found = again("earth-engine/errors")
    assert found["missing band"].outcome is Outcome.FAIL
    assert found["missing band"].found.endswith("(status 404, taken for RetryLaterError); expected NeverError")
    assert found["missing collection"].outcome is Outcome.PASS


def test_eecu_is_read_where_the_service_tells(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_profile(self: EarthEngineApp, method: str, request: Request) -> Response:
        response = COMPUTED(self, method, request)
        if request.headers.get("X-Earth-Engine-Computation-Profiling"):
            response.headers["X-Earth-Engine-Computation-Profile"] = "profile-1"
        return response

    monkeypatch.setattr(EarthEngineApp, "_computed", with_profile)
    assert [r.finding.outcome for r in probe(deployment, chosen(CHECKS, "earth-engine/permitted"))] == [Outcome.PASS]
    assert ask(ee.Number(2), profiled=True).eecu_seconds is None, "an engine without profiles fails nothing"
    asked = []
    monkeypatch.setitem(registry._IMPLEMENTATIONS, "Profile.getProfiles", lambda ids, **_: asked.append(ids) or PROFILE)
    assert ask(ee.Number(2), profiled=True).eecu_seconds == 1.75
    assert asked == [["profile-1"]]
    assert ask(ee.Number(2)).eecu_seconds is None


def test_a_profile_without_numbers_tells_nothing() -> None:
    assert eecu_of_text(PROFILE) == 1.75
    assert eecu_of_text("EECU·s PeakMem Count  Description\n  -  1k  1  Loading\n") is None
    assert eecu_of_text("") is None
