"""How often 95 % intervals from reference samples hold the truth: python -m benchmarks.accuracy

Places of 10 km² at 10 m whose true classes are known, a map with exactly the confusion of Brown et al. 2022, Table 7,
in patches, and mean probabilities; a clearing of 2 % between two years. Samples are drawn, answered with the truth and
estimated by the code of ``landcover accuracy``. Seeded; a thousand samples of each kind, a quarter of an hour.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from affine import Affine
from pyproj import Transformer
from scipy.ndimage import gaussian_filter
from scipy.stats import norm

from local.accuracy.areas import Result, estimate
from local.accuracy.design import Design
from local.accuracy.drawing import Asked, draw
from local.accuracy.estimates import Z_95
from local.accuracy.interpreted import Reference
from local.accuracy.maps import Part, YearMap
from shared.aois.aoi import Aoi
from shared.classes import CLASSES

# How ground of a class (by experts' consensus) is mapped, in percent by class.
CONFUSION = {
    0: (94.3, 1.5, 0.1, 0.6, 0.3, 0.2, 0.1, 2.1, 0.8),
    1: (0.3, 93.2, 0.4, 0.4, 0.5, 3.3, 0.8, 0.1, 1.0),
    4: (2.0, 15.6, 8.2, 0.7, 60.0, 7.4, 3.7, 1.9, 0.4),
    5: (0.7, 31.9, 3.9, 0.7, 7.2, 44.7, 1.2, 8.3, 1.3),
    7: (3.3, 3.5, 2.9, 1.0, 7.0, 12.7, 2.2, 63.9, 3.5),
}
SIDE = 320
LASTING = 0.985  # of the variance of a year's errors: unchanged ground differs on some tenth of it from year to year
TRUE_SHARES = {0: 0.05, 1: 0.5, 4: 0.3, 5: 0.15}
CLEARED = 0.02
_TREES, _BARE = 1, 7


class Place(NamedTuple):
    """Truth of two years, and their maps."""

    truth: tuple[np.ndarray, np.ndarray]
    maps: tuple[YearMap, YearMap]


def place(rng: np.random.Generator) -> Place:
    """Half forest, crops, shrub, water; in the second year a compact clearing."""
    rank = _field(rng, 14).ravel().argsort().argsort().reshape(SIDE, SIDE) / SIDE**2
    truth = np.full((SIDE, SIDE), _TREES)
    edge = 0.0
    for c in (0, 4, 5):
        truth[(rank >= edge) & (rank < edge + TRUE_SHARES[c])] = c
        edge += TRUE_SHARES[c]
    later = truth.copy()
    forest = np.argwhere(truth == _TREES)
    distance = ((forest - forest[rng.integers(len(forest))]) ** 2).sum(1)
    cleared = forest[distance.argsort()[: round(CLEARED * SIDE**2)]]
    later[cleared[:, 0], cleared[:, 1]] = _BARE
    lasting = _noise(rng)
    maps = []
    for year, shown in ((2020, truth), (2021, later)):
        noise = np.sqrt(LASTING) * lasting + np.sqrt(1 - LASTING) * _noise(rng)
        maps.append(_map(year, shown, noise))
    return Place((truth, later), (maps[0], maps[1]))


def _field(rng: np.random.Generator, smoothness: float, layers: int = 1) -> np.ndarray:
    field = gaussian_filter(rng.standard_normal((layers, SIDE, SIDE)), (0, smoothness, smoothness), mode="wrap")
    return field / field.std(axis=(1, 2), keepdims=True)


def _noise(rng: np.random.Generator) -> np.ndarray:
    return np.sqrt(0.5) * (_field(rng, 3, 9) + rng.standard_normal((9, SIDE, SIDE)))


def _map(year: int, truth: np.ndarray, noise: np.ndarray) -> YearMap:
    """The class with the largest log share + Gumbel noise has exactly the table's confusion."""
    shares = np.full((9, 9), 1 / 9)
    for c, percent in CONFUSION.items():
        shares[c] = np.array(percent) / sum(percent)
    told = np.log(shares[truth]).transpose(2, 0, 1) - np.log(-np.log(norm.cdf(noise).clip(1e-12, 1 - 1e-12)))
    e = np.exp(told - told.max(0))
    probabilities = (0.8 * e / e.sum(0) + 0.2 / 9).astype(np.float32)
    inside, areas = np.ones((SIDE, SIDE), bool), np.full((SIDE, SIDE), 100.0)
    transform = Affine(10, 0, 500_000, 0, -10, 5_000_000)
    part = Part("EPSG:32651", transform, inside, told.argmax(0).astype(np.int8), probabilities, areas)
    return YearMap(year, [part], [], [])


def answered(design: Design, truth: tuple[np.ndarray, np.ndarray]) -> Result:
    """What the sample says when the interpreter sees the truth."""
    to_rows = Transformer.from_crs("EPSG:4326", "EPSG:32651", always_xy=True)
    x, y = to_rows.transform([p.lon for p in design.points], [p.lat for p in design.points])
    columns, rows = ((np.array(x) - 500_000) / 10).astype(int), ((5_000_000 - np.array(y)) / 10).astype(int)
    before, after = (year[rows, columns].tolist() for year in truth)
    if design.strata_kind == "classes":
        return estimate(design, [Reference(c, None, None, None, None) for c in after])
    return estimate(design, [Reference(new, old, None, None, None) for old, new in zip(before, after, strict=True)])


class Held(NamedTuple):
    """Of one kind of interval: how many held the truth, of how many, and the mean half-width as a share of the area."""

    held: int
    of: int
    half_width: float

    @property
    def share(self) -> float:
        return self.held / self.of


def coverage(places: int, samples: int, seed: int = 1) -> dict[str, Held]:
    """Intervals of so many samples of classes (300 points) and of change (400 points) in each of so many places."""
    found: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    rng = np.random.default_rng(seed)
    aoi = Aoi("place", 1, SIDE**2 * 100.0, {})
    for number in range(places):
        here = place(rng)
        for draw_number in range(samples):
            asked = Asked(None, 0.02, number * samples + draw_number)
            classes = draw(aoi, here.maps[1], None, asked._replace(points=450))
            for row in answered(classes, here.truth).estimates:
                true = float((here.truth[1] == row.class_id).mean())
                if true >= 0.04:
                    name = CLASSES[row.class_id or 0].name
                    found[f"classes: {name}, strata"].append(_held(row.share.value, row.share.half_width, true))
                    if row.regression is not None:
                        helped = row.regression
                        found[f"classes: {name}, regression"].append(_held(helped.value, helped.half_width, true))
            change = draw(aoi, here.maps[1], here.maps[0], asked._replace(points=400))
            row = answered(change, here.truth).estimates[0]
            true = float((here.truth[0] != here.truth[1]).mean())
            found["change: textbook"].append(_held(row.share.value, row.share.half_width, true))
            by_half = Z_95 * (row.careful.standard_error if row.careful else row.share.standard_error)
            found["change: with ½"].append(_held(row.share.value, by_half, true))
    return {
        name: Held(sum(h for h, _ in rows), len(rows), float(np.mean([w for _, w in rows])))
        for name, rows in sorted(found.items())
    }


def _held(value: float, half_width: float, true: float) -> tuple[bool, float]:
    return abs(value - true) <= half_width, half_width


def main() -> None:
    """Print the table of a thousand samples of each kind."""
    print("| 95 % interval | holds the truth | half-width, points |\n|---|---:|---:|")
    for name, held in coverage(places=40, samples=25).items():
        print(f"| {name} | {held.share:.1%} | {100 * held.half_width:.2f} |")


if __name__ == "__main__":
    main()
