"""Drawing a sample: points at random from the strata of a map, in an order that says nothing of them."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from local.accuracy.allocation import CHANGED_SHARE, USERS_ACCURACY, allocated, expected_se, points_for
from local.accuracy.design import Design, Mapped, Point, Stratum
from local.accuracy.maps import NOT_SEEN, Part, YearMap
from local.accuracy.strata import DOUBTFUL, REST, SUPPORTED, UNSEEN, Strata, change_strata, class_strata
from local.earth_engine.raster import transformer
from shared.aois.aoi import Aoi

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Asked(NamedTuple):
    """What was asked for: points, or else the standard error (a share) that the number follows from."""

    points: int | None
    target_se: float
    seed: int
    agreement: Mapping[str, float] = {}


class _Pixels(NamedTuple):
    """The pixels inside an AOI, one behind the other, whatever part they are of."""

    part: np.ndarray
    row: np.ndarray
    column: np.ndarray
    areas_m2: np.ndarray
    labels: np.ndarray


def draw(aoi: Aoi, year: YearMap, before: YearMap | None, asked: Asked) -> Design:
    """A sample of one year's classes, or of the change between two years. The same seed draws the same points."""
    pixels = _pixels(year)
    earlier = None if before is None else _pixels(before).labels
    strata = class_strata(pixels.labels, pixels.areas_m2) if before is None else _changes(before, year)
    known = strata.names.index
    counts = {name: int((strata.number == known(name)).sum()) for name in strata.names}
    whole = float(pixels.areas_m2.sum())
    areas = {name: float(pixels.areas_m2[strata.number == known(name)].sum()) for name in strata.names}
    agreement = CHANGED_SHARE if before is not None else USERS_ACCURACY | dict(asked.agreement)
    weights = {name: area / whole for name, area in areas.items()}
    needed = points_for(weights, agreement, asked.target_se)
    given = allocated(asked.points, needed, counts, areas)
    # the rare strata's minima are taken from the others: more points, until the target is met
    while asked.points is None and expected_se(weights, agreement, given) > asked.target_se and given != counts:
        needed = math.ceil(needed * 1.05)
        given = allocated(None, needed, counts, areas)
    rng = np.random.default_rng(asked.seed)
    codes = dict(zip(strata.names, rng.permutation(list(_ALPHABET[: len(strata.names)])).tolist(), strict=True))
    chosen = [
        rng.choice(np.flatnonzero(strata.number == known(name)), given[name], replace=False) for name in strata.names
    ]
    order = rng.permutation(np.concatenate(chosen))
    scale = aoi.area_m2 / whole
    seen = pixels.labels != NOT_SEEN
    return Design(
        aoi_id=aoi.aoi_id,
        aoi_version=aoi.aoi_version,
        aoi_area_m2=aoi.area_m2,
        strata_kind="classes" if before is None else "change",
        from_year=None if before is None else before.year,
        year=year.year,
        composites_sha256=tuple(m.digest for m in (before, year) if m is not None),
        seed=asked.seed,
        strata=tuple(
            Stratum(code=codes[n], name=n, pixels=counts[n], area_m2=areas[n] * scale, points=given[n])
            for n in strata.names
        ),
        points=tuple(
            _point(number, int(at), pixels, earlier, year.parts, codes[strata.names[strata.number[at]]])
            for number, at in enumerate(order, 1)
        ),
        mapped=_mapped(pixels, earlier, scale),
        seen_share=float(pixels.areas_m2[seen].sum() / whole),
        mean_probabilities=_mean_probabilities(year.parts) if before is None else None,
    )


def explained(design: Design) -> list[str]:
    """The allocation in words, a line a stratum."""
    lines = []
    for s in sorted(design.strata, key=lambda s: -s.area_m2):
        share = s.area_m2 / design.aoi_area_m2
        lines.append(
            f"{s.name}: {share:.1%} of the area, {s.points} points, one for {s.weight_m2 / 10_000:,.2f} ha "
            f"(stratum {s.code} in the files)"
        )
    return lines


def _pixels(year: YearMap) -> _Pixels:
    at = [np.nonzero(part.inside) for part in year.parts]
    return _Pixels(
        np.concatenate([np.full(rows.size, number) for number, (rows, _) in enumerate(at)]),
        np.concatenate([rows for rows, _ in at]),
        np.concatenate([columns for _, columns in at]),
        np.concatenate([part.areas_m2[part.inside] for part in year.parts]),
        np.concatenate([part.labels[part.inside] for part in year.parts]),
    )


def _changes(before: YearMap, after: YearMap) -> Strata:
    found = []
    for one, other in zip(before.parts, after.parts, strict=True):
        both = one.probabilities is not None and other.probabilities is not None
        probabilities = (one.probabilities, other.probabilities) if both else None
        stratum = change_strata((one.labels, other.labels), probabilities, other.inside, other.areas_m2)  # type: ignore[arg-type]
        found.append(stratum[other.inside])
    number = np.concatenate(found)
    present = [(n, name) for n, name in enumerate((SUPPORTED, DOUBTFUL, REST, UNSEEN)) if (number == n).any()]
    renumbered = np.searchsorted([n for n, _ in present], number)
    return Strata(renumbered, [name for _, name in present])


def _point(
    number: int, at: int, pixels: _Pixels, earlier: np.ndarray | None, parts: Sequence[Part], code: str
) -> Point:
    part, row, column = parts[pixels.part[at]], int(pixels.row[at]), int(pixels.column[at])
    lon, lat = centre_of(part, row, column)
    means = part.probabilities if earlier is None and pixels.labels[at] != NOT_SEEN else None
    return Point(
        point_id=number,
        lon=round(lon, 7),
        lat=round(lat, 7),
        stratum=code,
        map_class_id=_class_or_none(pixels.labels[at]),
        map_from_class_id=None if earlier is None else _class_or_none(earlier[at]),
        probabilities=None if means is None else tuple(round(float(p), 6) for p in means[:, row, column]),
    )


def centre_of(part: Part, row: int, column: int) -> tuple[float, float]:
    """Longitude and latitude of a pixel's centre."""
    lon, lat = transformer(part.crs, "EPSG:4326").transform(*(part.transform @ (column + 0.5, row + 0.5)))
    return float(lon), float(lat)


def _class_or_none(label: int) -> int | None:
    return None if label == NOT_SEEN else int(label)


def _mapped(pixels: _Pixels, earlier: np.ndarray | None, scale: float) -> tuple[Mapped, ...]:
    codes = pixels.labels.astype(int) + 1
    codes = codes if earlier is None else codes + 10 * (earlier.astype(int) + 1)
    sums = np.bincount(codes, pixels.areas_m2)
    found = [(divmod(code, 10), float(area) * scale) for code, area in enumerate(sums) if area > 0]
    return tuple(
        Mapped(class_id=to - 1, from_class_id=None if earlier is None else old - 1, area_m2=area)
        for (old, to), area in found
        if to and (old or earlier is None)
    )


def _mean_probabilities(parts: Sequence[Part]) -> tuple[float, ...] | None:
    """Means over the ground that was seen, weighted by area; None where some scenes have labels only."""
    total, weight = np.zeros(9), 0.0
    for part in parts:
        if part.probabilities is None:
            return None
        seen = part.inside & (part.labels != NOT_SEEN)
        total += (part.probabilities[:, seen] * part.areas_m2[seen]).sum(1)
        weight += float(part.areas_m2[seen].sum())
    return tuple((total / weight).tolist()) if weight else None
