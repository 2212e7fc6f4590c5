"""Webhook bodies made to break things: generated ones, and GeoJSON documents wrapped as registrations."""

import json
from typing import Any

from hypothesis import strategies as st

numbers = st.one_of(
    st.floats(-181, 181),
    st.integers(-(10**30), 10**30),
    st.sampled_from([float("nan"), float("inf"), 1e308, -0.0, True]),
)
leaves = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=8))
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=12,
)
positions = st.one_of(
    st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list), st.lists(numbers, max_size=4), anything
)
rings = st.lists(positions, max_size=8).map(lambda ring: [*ring, ring[0]] if ring else ring)
geometries = st.fixed_dictionaries(
    {"type": st.sampled_from(["Polygon", "MultiPolygon", "Point", "GeometryCollection", 7, None])},
    optional={
        "coordinates": st.one_of(
            st.lists(rings, max_size=3), st.lists(st.lists(rings, max_size=2), max_size=2), anything
        ),
        "crs": anything,
    },
)
features = st.fixed_dictionaries(
    {"type": st.sampled_from(["Feature", "feature", None]), "geometry": st.one_of(geometries, anything)},
    optional={
        "id": st.one_of(st.sampled_from(["a", "b-1", 7]), anything),
        "properties": st.one_of(
            st.fixed_dictionaries(
                {}, optional={"name": anything, "tags": anything, "aoi_id": anything, "backfill_start": anything}
            ),
            anything,
        ),
    },
)
bodies = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["aoi.registered", "aoi.registered", "aoi.deleted", "x", None]),
        "timestamp": st.one_of(
            st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01", "0001-01-01T00:00:00+23:59"]), anything
        ),
    },
    optional={
        "data": st.one_of(
            features,
            st.fixed_dictionaries(
                {"type": st.just("FeatureCollection"), "features": st.one_of(st.lists(features, max_size=3), anything)}
            ),
            st.fixed_dictionaries({"aoi_ids": anything}),
            anything,
        ),
    },
)

_ENCODINGS = {"whole": "utf-8", "utf-16": "utf-16", "latin-1": "latin-1"}


@st.composite
def hostile_bodies(draw: st.DrawFn) -> bytes:
    """Anything from a valid registration to noise: cut short, doubled names, other encodings."""
    text = json.dumps(draw(st.one_of(bodies, anything)))
    damage = draw(st.sampled_from([*_ENCODINGS, "cut", "doubled"]))
    if damage == "cut":
        return text[: draw(st.integers(0, 400))].encode()
    if damage == "doubled":
        return text.replace('"type":', '"type": "x", "type":', 1).encode()
    return text.encode(_ENCODINGS[damage], "replace")


def registration(document: Any) -> str:
    """A webhook body around a GeoJSON document, with an id where there is none."""
    if isinstance(document, dict) and document.get("type") == "Feature":
        document = {**document, "id": "a"}
    elif isinstance(document, dict) and document.get("type") == "FeatureCollection":
        features = document.get("features")
        if isinstance(features, list):
            numbered = [{**f, "id": f"a{n}"} if isinstance(f, dict) else f for n, f in enumerate(features)]
            document = {**document, "features": numbered}
    else:
        document = {"type": "Feature", "id": "a", "properties": {}, "geometry": document}
    return json.dumps({"type": "aoi.registered", "timestamp": "2026-01-01T00:00:00Z", "data": document})
