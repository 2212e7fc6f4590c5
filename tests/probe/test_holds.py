"""Everything holds on the embedded stack, what is found is what is there, and nothing is left behind."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.simulation import Seconds, measured_seconds
from local.probe.checks import CHECKS
from local.probe.deployment import Deployment
from local.probe.model import Outcome, Result
from local.probe.report import document, lines, write_measures
from local.probe.runner import probe
from local.probe.statements import statements
from tests.probe.scenes import DAYS, image, of
from tests.stacks import quiet, rows


@pytest.fixture(scope="module")
def results(deployment: Deployment) -> list[Result]:
    return list(probe(deployment, CHECKS))


def test_everything_holds_on_the_embedded_stack(results: list[Result]) -> None:
    assert {result.check.name for result in results} == {check.name for check in CHECKS}
    assert [line for result in results if result.finding.outcome is Outcome.FAIL for line in lines(result)] == []
    skipped = {result.check.name for result in results if result.finding.outcome is Outcome.SKIPPED}
    assert skipped == {"secrets/events", "pubsub/push-identity"}


def test_limits_of_the_engine_are_found_where_they_are(results: list[Result]) -> None:
    layers = of(results, "earth-engine/layers")
    assert [(part, finding.outcome) for part, finding in layers.items()] == [
        ("10 layers", Outcome.PASS),
        ("50 layers", Outcome.PASS),
        ("200 layers", Outcome.NOTE),
    ]
    assert "50 were answered" in layers["200 layers"].found
    assert "Too many concurrent aggregations" in layers["200 layers"].found
    assert "status 429, taken for TooManyAggregationsError" in layers["200 layers"].found
    areas = of(results, "earth-engine/areas")
    assert "160.0 MiB > 80.0 MiB" in areas["400 km², tileScale 1"].found
    assert areas["400 km², tileScale 1"].outcome is Outcome.NOTE
    assert len(areas) == 9, "four sizes at two tile scales, and the budget"


def test_what_is_found_is_what_is_there(deployment: Deployment, results: list[Result]) -> None:
    assert "6 images of 5 overpasses at 125.666, 45.104" in of(results, "earth-engine/images")[""].found
    # the stand-in knows no filter on the stored property, and the client says "at least" as "not less than"
    by_time = of(results, "earth-engine/ingestion-time")[""].found
    assert by_time == "of 6 images 3 are to be found: 3 by the computed property, 6 by the stored one"
    footprints = of(results, "earth-engine/footprints")
    assert image(DAYS[-1])[:15] in footprints["split tile"].found
    assert "of 4.0 km², Sentinel-2 Polygon of 3.6 km²" in footprints["full tile"].found
    assert "6 of 6 ids" in of(results, "earth-engine/ids")[""].found
    assert "1 of 7 clear scenes have no image" in of(results, "earth-engine/ids")[""].found
    assert "8% of 50.1 km² seen; masks are equal" in of(results, "earth-engine/masks")[""].found
    assert "2021: 5 overpasses" in of(results, "earth-engine/composites")["year"].found
    compared = of(results, "earth-engine/transitions")[""]
    assert compared.outcome is Outcome.PASS
    assert "halves of 2021: 2 and 3 overpasses, 50 km², 8% seen in both" in compared.found
    # the place lies 89 pixels south of the scene's edge and 51 east: the tile around it ends west and north with the scene
    network = of(results, "earth-engine/network")[""].found
    assert f"{image(DAYS[0])}: 100.0% of 36,036 labels agree" in network
    assert "probabilities differ by 0.000 on average" in network
    assert "0 pixels are hidden by our mask alone, 0 by theirs" in network
    assert "2015-06-27 shows" in of(results, "bigquery/oldest-row")[""].found
    count = len(list(statements(deployment.settings)))
    assert f"{count} statements hold; bytes are not told here" in of(results, "bigquery/dry-run")[""].found
    through = {"discover", "plan-composites", "record-passes", "plan-changes", "alert-changes", "dispatch", "measure"}
    through |= {"plan-transitions", "transition"}
    assert of(results, "pubsub/round-trip").keys() == {
        *through,
        "measure-backfill",
        "backfill",
        "composite",
        "find-changes",
    }


def test_it_leaves_nothing_behind(deployment: Deployment, results: list[Result]) -> None:
    stack = deployment.stack
    assert stack is not None
    quiet(stack)
    tables = {table.table_id for table in stack.warehouse.client.list_tables(stack.settings.dataset)}
    assert not [name for name in tables if name.startswith("probe")]
    for name in ("aoi_events", "acquisitions", "observations", "composites", "touches", "dead_letters", "deliveries"):
        assert rows(stack, name) == []


def test_no_secret_is_shown(deployment: Deployment, results: list[Result]) -> None:
    assert deployment.stack is not None
    text = json.dumps(document(deployment, results))
    assert deployment.stack.webhook_secret.removeprefix("whsec_")[:12] not in text
    assert deployment.stack.hint_credentials.partition(":")[2][:12] not in text


def test_measures_have_the_names_of_the_simulation(
    deployment: Deployment, results: list[Result], tmp_path: Path
) -> None:
    write_measures(deployment, results, tmp_path / "probe.json")
    found = json.loads((tmp_path / "probe.json").read_text())
    assert found["seconds"].keys() == {"query", "listing", "computing", "computing_pairs", "appending"}
    assert found["settings"] == {}, "a stand-in's seconds ask for no setting"
    assert found["measures"]["layers_answered"] == 50
    with pytest.raises(ValueError, match="expected a deployment"):
        measured_seconds(tmp_path / "probe.json")
    write_measures(Deployment(deployment.warehouse), results, tmp_path / "probe.json")
    assert measured_seconds(tmp_path / "probe.json") == Seconds()._replace(**found["seconds"])
    assert np.isfinite(list(found["measures"].values())).all()
