"""What one request has used so far, and the refusals that follow from it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from local.earth_engine import limits
from local.earth_engine.errors import EngineError
from local.earth_engine.values import Band


class Meter:
    """Counts the aggregations of a request and adds up its modelled seconds."""

    def __init__(self) -> None:
        self.seconds = limits.SECONDS_PER_REQUEST
        self._aggregations = 0

    def elements(self, count: int) -> None:
        """Charge elements of a collection that are computed or answered."""
        self._spend(limits.SECONDS_PER_ELEMENT * count)

    def aggregate(self, bands: Sequence[Band], region_pixels: Sequence[int], tile_scale: float) -> None:
        """Charge one reduction of an image over regions, before any pixel of it is read.

        Raises EngineError for the first limit that it exceeds: aggregations, tile memory, working memory, time.
        """
        self._aggregations += 1
        if self._aggregations > limits.MOST_AGGREGATIONS:
            raise EngineError(limits.TOO_MANY_AGGREGATIONS, 429)
        lowest, highest = limits.TILE_SCALES
        if not lowest <= tile_scale <= highest:
            raise EngineError(f"Valid tileScales are {lowest:.0f} to {highest:.0f}, found {tile_scale:g}.")
        pixels = sum(region_pixels)
        leaves = {leaf for band in bands for leaf in band.leaves}
        self._check_memory(bands, dict(leaves), max(region_pixels, default=0), tile_scale)
        self._spend(
            limits.SECONDS_PER_LAYER
            + limits.SECONDS_PER_REGION * len(region_pixels)
            + limits.SECONDS_PER_PIXEL_READ * pixels * len(leaves)
            + limits.SECONDS_PER_PIXEL_WRITTEN * pixels * len(bands)
        )

    def pixels(self, bands: Sequence[Band], count: int) -> None:
        """Charge so many pixels of each band, before any of them is read. Raises EngineError for the time."""
        leaves = {leaf for band in bands for leaf in band.leaves}
        self._spend(
            limits.SECONDS_PER_PIXEL_READ * count * len(leaves) + limits.SECONDS_PER_PIXEL_WRITTEN * count * len(bands)
        )

    def _check_memory(
        self, bands: Sequence[Band], leaves: dict[str, int], largest_region: int, tile_scale: float
    ) -> None:
        tile = min(largest_region, int(limits.TILE_PIXELS / tile_scale**2))
        output = tile * sum(band.value_bytes for band in bands)
        if output > limits.MOST_TILE_BYTES:
            raise EngineError(
                f"Output of image computation is too large ({len(bands)} bands for {tile:,} pixels = "
                f"{output / 2**20:.1f} MiB > {limits.MOST_TILE_BYTES / 2**20:.1f} MiB).  If this is a reduction, try "
                "specifying a larger 'tileScale' parameter."
            )
        if tile * sum(leaves.values()) > limits.MOST_WORKING_BYTES:
            raise EngineError(limits.OUT_OF_MEMORY)

    def _spend(self, seconds: float) -> None:
        self.seconds += seconds
        if self.seconds > limits.MOST_SECONDS:
            self.seconds = limits.MOST_SECONDS
            raise EngineError(limits.TIMED_OUT)


_METER: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    """Everything computed inside is charged to the meter."""
    token = _METER.set(meter)
    try:
        yield
    finally:
        _METER.reset(token)


def meter() -> Meter:
    """The meter of the request at hand; a fresh one where an expression is evaluated without a request."""
    return _METER.get() or Meter()
