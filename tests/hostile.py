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

# Around what has broken things: numbers of any length, texts that are none, combs, and outlines across ±180°.
_long_numbers = st.builds(lambda digits, sign: sign * 10**digits, st.integers(0, 400), st.sampled_from([1, -1]))
_odd_texts = st.text(
    st.one_of(st.sampled_from("=+-@＝[]\\/\"' \x00\x07\x1b\n\t\u2028\u202e\ud800\udfff\ufffe"), st.characters()),
    max_size=600,
)
_across = st.one_of(st.floats(175, 180), st.floats(-180, -175), st.sampled_from([180, -180, 179.9999999, -179.9999999]))
_anywhere = st.tuples(
    st.one_of(_across, st.floats(-180, 180)), st.one_of(st.floats(-90, 90), st.sampled_from([90, -90]))
)


def _closed(positions: list[Any]) -> list[list[float]]:
    return [list(position) for position in [*positions, positions[0]]]


def _comb(west: float, south: float, width: float, height: float, teeth: int) -> list[list[float]]:
    """A comb whose back lies in the south; its outline grows by the teeth's height with each of them."""
    xs = [west + width * i / (2 * teeth) for i in range(2 * teeth + 1)]
    tips = [[x, south + height] if i % 2 else [x, south + height / 100] for i, x in enumerate(xs)]
    return _closed([*tips, [west + width, south], [west, south]])


def _zigzag(crossings: int, step: float) -> list[list[float]]:
    """A ring that crosses ±180° so often."""
    teeth = [[179.5, 2 * i * step] if i % 2 else [-179.5, (2 * i + 1) * step] for i in range(crossings)]
    return _closed([*teeth, [178.0, 2 * crossings * step], [178.0, -step]])


_crafted_rings = st.one_of(
    st.lists(_anywhere, min_size=3, max_size=12).map(_closed),
    st.builds(
        _comb, st.floats(-180, 100), st.floats(-80, 40), st.floats(1e-6, 200), st.floats(1e-6, 170), st.integers(1, 400)
    ),
    st.builds(_zigzag, st.integers(1, 1_200), st.floats(1e-9, 0.03)),
    st.lists(st.tuples(_long_numbers, st.floats(-1, 1), _long_numbers), min_size=3, max_size=5).map(_closed),
    st.sampled_from([_closed([[179, 0], [-179, 0], [-179, 1], [179, 1]]), _closed([[10, 10], [11, 10], [11, 11]])]),
)
_crafted_geometries = st.one_of(
    st.lists(_crafted_rings, min_size=1, max_size=4).map(lambda found: {"type": "Polygon", "coordinates": found}),
    st.lists(st.lists(_crafted_rings, min_size=1, max_size=2), min_size=1, max_size=3).map(
        lambda found: {"type": "MultiPolygon", "coordinates": found}
    ),
)
_deep = st.builds(lambda depth, inner: json.loads("[" * depth + json.dumps(inner) + "]" * depth), st.integers(0, 900), leaves.filter(lambda v: v == v))  # fmt: skip
_crafted_features = st.fixed_dictionaries(
    {
        "type": st.just("Feature"),
        "geometry": _crafted_geometries,
        "id": st.one_of(st.integers(0, 99).map(str), _odd_texts),
    },
    optional={
        "properties": st.fixed_dictionaries(
            {},
            optional={
                "label": _odd_texts,
                "name": st.one_of(_odd_texts, _long_numbers, _deep),
                "tags": st.one_of(st.lists(_odd_texts, max_size=3), _deep),
                "backfill_start": st.one_of(_odd_texts, st.dates().map(str), _long_numbers),
            },
        )
    },
)


@st.composite
def crafted_bodies(draw: st.DrawFn) -> bytes:
    """Registrations and deletions that are well formed as JSON and near a registration, and break something else."""
    members = draw(
        st.fixed_dictionaries(
            {
                "type": st.one_of(st.just("aoi.registered"), st.just("aoi.registered"), st.just("aoi.deleted"), _deep),
                "timestamp": st.one_of(st.just("2026-01-01T00:00:00Z"), _odd_texts, _long_numbers, _deep),
                "data": st.one_of(
                    _crafted_features,
                    st.lists(_crafted_features, min_size=1, max_size=4).map(
                        lambda found: {"type": "FeatureCollection", "features": found}
                    ),
                    st.fixed_dictionaries(
                        {"aoi_ids": st.lists(st.one_of(_odd_texts, _long_numbers, _deep), max_size=4)}
                    ),
                    _deep,
                ),
            }
        )
    )
    return json.dumps(members).encode()


def worst_bodies() -> dict[str, bytes]:
    """What takes the most time or memory that a body within the limits can take, each nearly 5 MB where that helps."""

    def registered(*found: dict[str, Any]) -> bytes:
        numbered = [{"type": "Feature", "id": f"w{n}", "geometry": geometry} for n, geometry in enumerate(found)]
        data = {"type": "FeatureCollection", "features": numbered}
        body = {"type": "aoi.registered", "timestamp": "2026-01-01T00:00:00Z", "data": data}
        return json.dumps(body, separators=(",", ":")).encode()

    def polygon(*found: list[list[float]]) -> dict[str, Any]:
        return {"type": "Polygon", "coordinates": list(found)}

    def holed(holes: int) -> dict[str, Any]:
        return polygon(
            _closed([[0, 0], [10, 0], [10, 1], [0, 1]]),
            *(_closed([[i * 2e-3, 0.1], [i * 2e-3, 0.9], [i * 2e-3 + 1e-3, 0.5]]) for i in range(1, holes)),
        )

    start = b'{"type":"aoi.registered","timestamp":"2026-01-01T00:00:00Z","data":'
    return {
        "a comb over half the globe": registered(polygon(_comb(-85, -79, 170, 159, 9_990))),
        "long narrow teeth": registered(polygon(_comb(0, 0, 1e-3, 19.9, 9_990))),
        "long outlines in each of many": registered(*(polygon(_comb(0, 0, 0.1, 19.9, 50)) for _ in range(1_000))),
        "outlines as long as may be": registered(*(polygon(_comb(i / 10, 0, 1e-6, 19.9, 5)) for i in range(99))),
        "many crossings": registered(polygon(_zigzag(1_000, 1e-3))),
        "crossings in each of many": registered(*(polygon(_zigzag(100, 1e-3)) for _ in range(1_000))),
        "a long outline across": registered(
            polygon(
                _closed([[179.5, i * 1e-3] for i in range(9_900)] + [[-179.5, i * 1e-3] for i in range(9_900, 0, -1)])
            )
        ),
        "holes": registered(holed(4_900)),
        "many parts": registered(
            {"type": "MultiPolygon", "coordinates": [[_closed([[i, 0], [i + 1, 0], [i, 1]])] for i in range(180)] * 27}
        ),
        "empty lists": start + b"[" + b"[]," * 1_650_000 + b"0]}",
        "deep lists": start + b"[" + (b"[" * 400 + b"]" * 400 + b",") * 6_000 + b"0]}",
        "a wide object": start + b"{" + b",".join(b'"%x":1' % n for n in range(245_000)) + b"}}",
        "many texts": start + b"[" + b'"ab",' * 990_000 + b"0]}",
        "many numbers": start + b"[" + b"1.5," * 1_240_000 + b"0]}",
        "long numbers": start + b"[" + (b"1" + b"0" * 4_000 + b",") * 1_240 + b"0]}",
        "long texts": start + b'[{"type":"' + b"\xc3\xa9" * 2_400_000 + b'"}]}',
    }


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
