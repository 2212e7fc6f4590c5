"""What algorithms take and return: images, features, collections, geometries, projections, dates."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import shapely
from affine import Affine
from numpy.typing import DTypeLike
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

METRES_PER_DEGREE = 6378137 * math.pi / 180


@lru_cache(maxsize=256)
def parse_crs(code: str) -> CRS:
    """A pyproj CRS from an authority code or WKT."""
    return CRS.from_user_input(code)


class Projection(NamedTuple):
    """A CRS code and the affine transform from pixel to CRS coordinates."""

    crs: str
    transform: Affine

    @property
    def is_geographic(self) -> bool:
        return bool(parse_crs(self.crs).is_geographic)

    def nominal_scale_m(self) -> float:
        """Pixel size in metres, degrees taken at the equator."""
        size = math.sqrt(abs(self.transform.determinant))
        return size * METRES_PER_DEGREE if self.is_geographic else size

    def at_scale(self, scale_m: float) -> "Projection":
        """The same CRS with pixels of a nominal size and the origin at zero, as the service does."""
        size = scale_m / METRES_PER_DEGREE if self.is_geographic else scale_m
        return Projection(self.crs, Affine(size, 0, 0, 0, -size, 0))


WGS84_ONE_DEGREE = Projection("EPSG:4326", Affine(1, 0, 0, 0, 1, 0))


class Pixels(NamedTuple):
    """Values of one band on a grid window and, where not all are valid, a mask of weights 0..1 or booleans."""

    values: np.ndarray
    mask: np.ndarray | None

    @property
    def valid(self) -> np.ndarray:
        if self.mask is None:
            return np.ones(self.values.shape, dtype=bool)
        return self.mask if self.mask.dtype == bool else self.mask > 0


Computation: TypeAlias = "Callable[[Window], Pixels]"
# left, top, right, bottom, in pixels
Sides: TypeAlias = tuple[int, int, int, int]


def nothing_seen(shape: tuple[int, int], dtype: DTypeLike) -> Pixels:
    """Masked pixels only; they take no memory."""
    return Pixels(np.broadcast_to(np.zeros((), dtype), shape), np.broadcast_to(np.False_, shape))


class Window:
    """A rectangle of pixels of a projection; remembers what was read on it so that shared bands are read once, until
    everyone has read them who was announced.
    """

    def __init__(self, projection: Projection, col: int, row: int, width: int, height: int) -> None:
        self.projection = projection
        self.col, self.row, self.width, self.height = col, row, width, height
        # by how they are computed: a band under another name is the same
        self._read: dict[Computation, Pixels] = {}
        self._readers: Counter[Computation] = Counter()
        self._grown: dict[Sides, Window] = {}

    @property
    def shape(self) -> tuple[int, int]:
        return (self.height, self.width)

    @cached_property
    def transform(self) -> Affine:
        return self.projection.transform @ Affine.translation(self.col, self.row)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) in CRS units."""
        a, b = self.transform @ (0, 0), self.transform @ (self.width, self.height)
        return min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])

    def announce(self, bands: Iterable["Band"]) -> None:
        """Say which bands will be read, each once: what their computation has read for the last time is forgotten. Of
        years of images hundreds of times as much is read as is needed at once.
        """
        waiting = list(bands)
        while waiting:
            band = waiting.pop()
            self._readers[band.read] += 1
            if self._readers[band.read] == 1:
                waiting.extend(band.sources)
                for sides, source in band.around:
                    self.grown(*sides).announce([source])

    def read_alone(self, band: "Band") -> Pixels:
        """Pixels of the only band that is asked of this window."""
        self.announce([band])
        return self.read(band)

    def grown(self, left: int, top: int, right: int, bottom: int) -> "Window":
        """The window with so many pixels more on each side; the same for all bands, so that what they share is read
        once.
        """
        sides = (left, top, right, bottom)
        if sides not in self._grown:
            width, height = self.width + left + right, self.height + top + bottom
            self._grown[sides] = Window(self.projection, self.col - left, self.row - top, width, height)
        return self._grown[sides]

    def read(self, band: "Band") -> Pixels:
        """Pixels of a band on this window."""
        key = band.read
        pixels = self._read.get(key)
        if pixels is None:
            pixels = self._read[key] = key(self)
        if key in self._readers:
            self._readers[key] -= 1
            if not self._readers[key]:
                del self._readers[key], self._read[key]
        return pixels


@dataclass(frozen=True, eq=False)
class Band:
    """One lazy band: its name, its own projection, and how to read it on any window.

    ``leaves`` are the stored bands that it is computed from, each with the bytes of a value; ``value_bytes`` are those
    of its own. ``sources`` are the bands that ``read`` asks the same window for, and ``around`` those that it asks a
    window for that is grown by so much, each as often as it does.
    """

    name: str
    projection: Projection
    read: Computation
    dimensions: tuple[int, int] | None = None
    data_type: dict[str, Any] = field(default_factory=lambda: {"type": "PixelType", "precision": "double"})
    leaves: frozenset[tuple[str, int]] = frozenset()
    value_bytes: int = 8
    sources: tuple["Band", ...] = ()
    around: tuple[tuple[Sides, "Band"], ...] = ()

    def computed(
        self, read: Computation, *sources: "Band", around: Sequence[tuple[Sides, "Band"]] = (), **changes: Any
    ) -> "Band":
        """The same band but for how its pixels come about."""
        return replace(self, read=read, sources=sources, around=tuple(around), **changes)


@dataclass(frozen=True)
class Geometry:
    """A lon/lat geometry; ``geodesic`` says how its edges run, ``as_ring`` that it is told as its outline only."""

    shape: BaseGeometry
    geodesic: bool = True
    as_ring: bool = False


@dataclass(frozen=True, eq=False)
class Element:
    """Anything with properties and perhaps a geometry."""

    properties: dict[str, Any] = field(default_factory=dict)
    geometry: Geometry | None = None

    def with_properties(self, **changes: Any) -> Any:
        return replace(self, properties={**self.properties, **changes})


@dataclass(frozen=True, eq=False)
class Feature(Element):
    """A geometry, or none, with properties."""


@dataclass(frozen=True, eq=False)
class Image(Element):
    """Bands with properties and a footprint."""

    bands: tuple[Band, ...] = ()
    asset_id: str | None = None

    def band(self, name: str) -> Band:
        return next(band for band in self.bands if band.name == name)


@dataclass(frozen=True, eq=False)
class Collection:
    """Elements in order."""

    elements: Sequence[Any]
    asset_id: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)


class Date(NamedTuple):
    """Milliseconds since 1970 UTC."""

    millis: int


class DateRange(NamedTuple):
    """[start, end) in milliseconds since 1970 UTC."""

    start: int
    end: int


class Filter(NamedTuple):
    """A predicate on elements."""

    accepts: Callable[[Any], bool]


class Function(NamedTuple):
    """A user's function from the expression graph."""

    argument_names: tuple[str, ...]
    call: Callable[..., Any]


def union_of(geometries: Sequence[Geometry]) -> Geometry:
    """The union of geometries, planar in lon/lat."""
    return Geometry(shapely.union_all([g.shape for g in geometries]), geodesic=False)
