"""Whatever is posted, the answer is 2xx or a 4xx with problem+json, soon; what is refused leaves no row."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from shapely import segmentize, transform
from shapely.geometry import shape

from local.stack import Stack
from shared.aois.registration import InvalidRegistrationError, parse_event
from shared.settings import Settings
from tests.hostile import crafted_bodies, hostile_bodies, registration, worst_bodies
from tests.memory import peaks_mib
from tests.stacks import signed_post, start_stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # large enough that geometry, not size, decides about the third-party files; areas as large as the world get no history
    limits = {"max_area_km2": 6e8, "max_vertices": 200_000, "max_extent_deg": 360, "max_registered_km2": 1e12}
    further = {"backfill_start": f"{datetime.now(UTC):%Y-%m-%d}", **{k: f"{v:.0f}" for k, v in limits.items()}}
    with start_stack(tmp_path_factory.mktemp("hostile"), **further) as running:
        yield running


def equal_area_m2(geometry: Any) -> float:
    """Area on the ellipsoid by an equal-area projection, edges straight in lon/lat and finely cut."""
    project = Transformer.from_crs("EPSG:4326", CRS.from_epsg(6933), always_xy=True)
    fine = segmentize(geometry, max(0.005, geometry.length / 200_000))
    return float(transform(fine, project.transform, interleaved=False).area)


def judge(stack: Stack, body: bytes | str, webhook_id: str) -> int:
    """Post a body, check the form of the answer, and return its status."""
    before = event_count(stack)
    text = body if isinstance(body, str) else body.decode("utf-8", "surrogateescape")
    response = signed_post(stack.webhook_url, stack.webhook_secret, text, webhook_id)
    assert response.status_code == 202 or 400 <= response.status_code < 500, response.text
    if response.status_code != 202:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code
        assert event_count(stack) == before
    return response.status_code


def event_count(stack: Stack) -> int:
    table = stack.warehouse.table("aoi_events")
    return int(stack.warehouse.run(f"SELECT COUNT(*) AS n FROM `{table}`", {})[0]["n"])


def test_every_third_party_geojson_is_answered_properly(stack: Stack, shared_data: Path) -> None:
    statuses: dict[int, int] = {}
    files = sorted(path for path in (shared_data / "d_aoi_geojson").rglob("*") if path.suffix in {".json", ".geojson"})
    for number, path in enumerate(files):
        raw = path.read_bytes()
        try:
            text = registration(json.loads(raw))
        except (ValueError, RecursionError):
            text = raw.decode("utf-8", "replace")
        if len(text.encode()) > 5_000_000:
            continue
        status = judge(stack, text, f"file-{number}")
        statuses[status] = statuses.get(status, 0) + 1
        if status == 202:
            for aoi in parse_event(text.encode(), stack.settings).registered:
                geometry = shape(json.loads(aoi.geometry))
                assert geometry.is_valid, path.name
                assert aoi.area_m2 == pytest.approx(equal_area_m2(geometry), rel=1e-4), path.name
    assert statuses[202] > 20
    assert statuses[422] > 50


SETTINGS = Settings(project="some-project")


def judge_parsing(raw: bytes) -> None:
    try:
        event = parse_event(raw, SETTINGS)
    except InvalidRegistrationError as refused:
        assert refused.faults
        assert all(fault.pointer == "" or fault.pointer.startswith("/") for fault in refused.faults)
        json.dumps([fault._asdict() for fault in refused.faults], allow_nan=False).encode("ascii")
        assert all(len(fault.detail) < 1_000 for fault in refused.faults)
        return
    for aoi in event.registered:
        geometry = shape(json.loads(aoi.geometry))
        assert geometry.is_valid
        assert aoi.area_m2 > 0
        assert not any(c in text for text in (aoi.label or "", *aoi.tags) for c in "\x00\x07\x1b\n\u2028")
        " ".join((aoi.label or "", *aoi.tags)).encode("utf-8")
    json.dumps([aoi.area_m2 for aoi in event.registered], allow_nan=False)


@settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(hostile_bodies())
def test_generated_bodies_are_parsed_or_refused_with_faults(raw: bytes) -> None:
    judge_parsing(raw)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(crafted_bodies())
def test_bodies_around_what_has_broken_things_are_parsed_or_refused_with_faults(raw: bytes) -> None:
    judge_parsing(raw)


def test_the_worst_bodies_take_little_memory(tmp_path: Path) -> None:
    """In a process of their own: 256 MiB with all that is imported, of the 512 MiB that an instance has."""
    script = (
        "import sys; from pathlib import Path; from shared.settings import Settings\n"
        "from shared.aois.registration import InvalidRegistrationError, parse_event\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    try: parse_event(path.read_bytes(), Settings(project='some-project'))\n"
        "    except InvalidRegistrationError: pass\n"
        "    peak(path.name)\n"
    )
    for name, body in worst_bodies().items():
        (tmp_path / name).write_bytes(body)
    peaks = peaks_mib(script, str(tmp_path))
    assert peaks.keys() == worst_bodies().keys()
    assert max(peaks.values()) < 256, peaks


boxes = st.tuples(st.floats(-179.9, 179), st.floats(-80, 79), st.floats(1e-4, 0.5), st.floats(1e-4, 0.5))


@settings(max_examples=300, deadline=None)
@given(st.lists(boxes, min_size=1, max_size=1))
def test_what_is_accepted_has_the_area_of_its_geometry(places: list[tuple[float, float, float, float]]) -> None:
    for west, south, width, height in places:
        ring = [
            [west, south],
            [west + width, south],
            [west + width, south + height],
            [west, south + height],
            [west, south],
        ]
        text = registration({"type": "Polygon", "coordinates": [ring]})
        (aoi,) = parse_event(text.encode(), SETTINGS).registered
        assert aoi.area_m2 == pytest.approx(equal_area_m2(shape(json.loads(aoi.geometry))), rel=1e-4)


# The library that cuts at ±180° ends in an assertion where such a hole lies elsewhere.
ACROSS = [[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]
FAR_FROM_IT = [[10, 10], [11, 10], [11, 11], [10, 10]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"null",
        b'{"type": "aoi.registered", "data": ' + b"[" * 50_000,
        b'{"type": "aoi.registered", "data": {"type": "Feature", "id": "a", "geometry": {"type": "Polygon", "coordinates": '
        + b"[" * 900
        + b"]" * 900
        + b"}}}",
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"type": "aoi.deleted", "data": {"aoi_id": ' + b"9" * 5_000 + b"}}",
        b'{"type": "aoi.deleted", "data": {"aoi_id": 1e999}}',
        '{"type": "aoi.deleted", "data": {"aoi_id": "\ud800"}}'.encode("utf-8", "surrogatepass"),
        b'{"type": "aoi.deleted", "data": {"aoi_id": "\\ud800"}}',
        registration({"type": "Polygon", "coordinates": [[[10**400, 0], [1, 0], [1, 1], [10**400, 0]]]}).encode(),
        registration({"type": "Polygon", "coordinates": [[[0, 0, 10**400], [1, 0], [1, 1], [0, 0]]]}).encode(),
        registration({"type": "Polygon", "coordinates": [ACROSS, FAR_FROM_IT]}).encode(),
    ],
)
def test_bodies_made_to_hurt_are_refused(stack: Stack, body: bytes) -> None:
    text = body.decode("utf-8", "replace")
    assert judge(stack, text, "hurt") in {401, 422}
