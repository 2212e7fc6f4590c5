"""What one Earth Engine request may hold, and cutting a list of work into requests.

Earth Engine publishes few of its limits. The budgets start well inside what is known to work
(``docs/real-services.md``) and are settings.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from shared.classes import CLASSES
from shared.geometry.cutting import SMALLEST_PIECE_PIXELS
from shared.measurement.pieces import Layer, Piece
from shared.settings import Settings

_MOST_HALVINGS_BY_ATTEMPT = 4
# Some ten tiles of the network: with their fetching a minute or two of one core, of which an invocation makes four.
_NETWORK_PIXELS = 1_500_000
T = TypeVar("T")


class Budget(NamedTuple):
    """Limits, or a use, of one request: layers (reduceRegions), AOI × layer pairs, pixels × overpasses, bytes."""

    layers: int
    pairs: int
    pixels: int
    payload_bytes: int

    def divided(self, divisor: int) -> "Budget":
        """The same limits for smaller requests. Bytes stay: a geometry is as large as it is."""
        return Budget(
            max(1, self.layers // divisor),
            max(1, self.pairs // divisor),
            max(SMALLEST_PIECE_PIXELS, self.pixels // divisor),
            self.payload_bytes,
        )

    def plus(self, other: "Budget") -> "Budget":
        """Both uses together."""
        return Budget(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, requests: int) -> "Budget":
        """What this many requests hold."""
        return Budget(*(limit * requests for limit in self))

    def holds(self, use: "Budget") -> bool:
        """Whether a use stays within these limits."""
        return all(used <= limit for used, limit in zip(use, self, strict=True))


def observation_budget(settings: Settings) -> Budget:
    """What one request for observations may hold: labels and probabilities of single overpasses."""
    return Budget(settings.layer_budget, settings.pair_budget, settings.pixel_budget, settings.payload_budget_bytes)


def classification_budget(settings: Settings) -> Budget:
    """What the network classifies at once, before the rows of what is complete are written."""
    return observation_budget(settings)._replace(pixels=_NETWORK_PIXELS)


def composite_budget(settings: Settings, years: bool = False) -> Budget:
    """What one request for composites may hold: labels of many overpasses; of years nine probabilities of them."""
    if years:
        return transition_budget(settings)
    return observation_budget(settings)._replace(pixels=settings.label_pixel_budget)


def transition_budget(settings: Settings) -> Budget:
    """What one request for transitions may hold: nine probabilities of many overpasses in place of their labels."""
    return observation_budget(settings)._replace(pixels=settings.label_pixel_budget // len(CLASSES))


def halved_by_attempt(divisor: int, attempt: int) -> int:
    """The divisor of budgets at a delivery attempt: what failed, for whatever reason, is tried in smaller requests."""
    return int(divisor * 2 ** min(attempt - 1, _MOST_HALVINGS_BY_ATTEMPT))


def divisor_to_split(use: Budget, budget: Budget) -> int:
    """The power of two that budgets are to be divided by so that work of this use takes two requests or more.

    Looks at what is closest to its limit and can be less than it is: one layer or one pair can't.
    """
    rooms = [budget.pixels / use.pixels]
    rooms += [budget.layers / use.layers] if use.layers > 1 else []
    rooms += [budget.pairs / use.pairs] if use.pairs > 1 else []
    divisor = 1
    while divisor < 2 * min(rooms):
        divisor *= 2
    return divisor


def chunked(items: Iterable[T], budget: Budget, cost: Callable[[T], Budget]) -> Iterator[list[T]]:
    """Split items, in order, into the longest runs whose summed cost stays within the budget.

    An item that exceeds the budget by itself gets a run of its own.
    """
    run: list[T] = []
    spent = Budget(0, 0, 0, 0)
    for item in items:
        after = spent.plus(cost(item))
        if run and not budget.holds(after):
            yield run
            run, after = [], cost(item)
        run.append(item)
        spent = after
    if run:
        yield run


def packed(pieces: Iterable[Piece], budget: Budget) -> Iterator[list[Piece]]:
    """Split pieces, in order, into requests. A layer or a geometry that several pieces share counts once."""
    run: list[Piece] = []
    spent = Tally()
    for piece in pieces:
        if run and not budget.holds(spent.with_piece(piece)):
            yield run
            run, spent = [], Tally()
        spent.add(piece)
        run.append(piece)
    if run:
        yield run


class Tally:
    """What the pieces of one request use so far."""

    def __init__(self, pieces: Iterable[Piece] = ()) -> None:
        self._layers: set[Layer] = set()
        self._geometries: set[int] = set()
        self.use = Budget(0, 0, 0, 0)
        for piece in pieces:
            self.add(piece)

    def with_piece(self, piece: Piece) -> Budget:
        """The use with one piece more."""
        new_layer = piece.layer not in self._layers
        new_geometry = id(piece.part.geometry) not in self._geometries
        more = Budget(
            int(new_layer),
            1,
            piece.part.pixels * (len(piece.layer.overpasses) + len(piece.layer.earlier)),
            piece.part.payload_bytes if new_geometry else 0,
        )
        return self.use.plus(more)

    def add(self, piece: Piece) -> None:
        """Count one piece more."""
        self.use = self.with_piece(piece)
        self._layers.add(piece.layer)
        self._geometries.add(id(piece.part.geometry))
