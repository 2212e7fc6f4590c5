"""How much work a history or a month is: requests, rows, pixels, and the EECU-hours that they may take."""

from typing import Any, NamedTuple

from shared.aois.feature import RegisteredAoi

# EECU-hours for 10⁹ pixels × bands. No page tells and no request was measured for it: a guess over a factor of five, to
# be replaced by what ``landcover probe --write`` measures.
_GUESSED_RATE = (0.1, 0.5)
OBSERVED_BANDS = 10  # nine probabilities and the label, as in a year's composite; a month's reads labels alone
# What a tile of the network reads: its nine bands and, for the mask, five bands on pixels of 20 m as far around as a
# shadow reaches and cloud grows, 5 km and 16 pixels.
_NETWORK_BANDS, _MASK_BANDS = 9, 5
_MASK_PIXEL_M, _MASK_REACH_M = 20, 5_000 + 16 * 20
_PIXEL_M = 10


class Work(NamedTuple):
    """Work of one kind. Rows: observations (``overpasses``, one for each AOI and overpass), composites, pairs of years
    that are compared, and years whose patches are found. Requests to Earth Engine: those that list, compute, or fetch
    pixels. Then AOI pixels × overpasses of observations, pixels × bands that composites, comparisons and patches read,
    pixels that the network looks at, margins included, and pixels × bands that are read for it.
    """

    overpasses: int = 0
    composites: int = 0
    pairs: int = 0
    years: int = 0
    listings: int = 0
    computations: int = 0
    fetches: int = 0
    pixels: int = 0
    label_pixels: int = 0
    network_pixels: int = 0
    network_band_pixels: int = 0

    def plus(self, other: "Work") -> "Work":
        """Both together."""
        return Work(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, count: int) -> "Work":
        """So many times the same."""
        return Work(*(amount * count for amount in self))

    @property
    def requests(self) -> int:
        """Earth Engine requests."""
        return self.listings + self.computations + self.fetches

    @property
    def rows(self) -> int:
        """Rows that are appended."""
        return self.overpasses + self.composites + self.pairs + self.years

    @property
    def band_pixels(self) -> int:
        """Pixels × bands that Earth Engine reads."""
        return self.pixels * OBSERVED_BANDS + self.label_pixels + self.network_band_pixels


class Workload(NamedTuple):
    """Work by what it is for: observations, composites and pairs of years; passes that the network classifies; years
    whose patches of changed ground are found.
    """

    measuring: Work = Work()
    classifying: Work = Work()
    finding: Work = Work()

    @property
    def together(self) -> Work:
        """All of it."""
        return self.measuring.plus(self.classifying).plus(self.finding)


def network_tile(height: int, width: int) -> Work:
    """The fetching of one tile for the network, by the size of its window in pixels of 10 m."""
    mask_pixels = [(side * _PIXEL_M + 2 * _MASK_REACH_M) // _MASK_PIXEL_M for side in (height, width)]
    return Work(
        fetches=1,
        network_pixels=height * width,
        network_band_pixels=height * width * _NETWORK_BANDS + mask_pixels[0] * mask_pixels[1] * _MASK_BANDS,
    )


class Rate(NamedTuple):
    """EECU-hours for 10⁹ pixels × bands, from and to, and where that is from."""

    low: float
    high: float
    source: str


GUESS = Rate(*_GUESSED_RATE, "a guess that nobody measured; landcover probe --write measures")


def eecu_hours(work: tuple[Work, Work], rate: Rate) -> tuple[float, float]:
    """EECU-hours of work that lies between two amounts, from and to."""
    low, high = work
    return low.band_pixels / 1e9 * rate.low, high.band_pixels / 1e9 * rate.high


def history_row(aoi: RegisteredAoi) -> dict[str, Any]:
    """As ``histories_wanted.sql`` answers for an AOI that is new."""
    west_deg, south_deg, _, _ = aoi.bounds_deg
    return {
        "aoi_id": aoi.aoi_id,
        "aoi_version": 1,
        "backfill_start": aoi.backfill_start,
        "south_deg": south_deg,
        "west_deg": west_deg,
    }
