"""Pixels that lie together: connected over their sides, not over their corners."""

from typing import NamedTuple

import numpy as np
from shapely import MultiPolygon, STRtree, box, get_parts, points, union_all
from shapely.geometry.base import BaseGeometry


def squares(cells: np.ndarray) -> BaseGeometry:
    """The area of the true cells of a mask (rows, columns), one unit a cell, x along columns and y along rows.

    Cells that touch in a corner only come out as parts of their own: the inside of a valid polygon is connected.
    """
    edges = np.diff(np.pad(cells, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, begins = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    return union_all(box(begins, rows, ends, rows + 1)) if rows.size else MultiPolygon()


class Patches(NamedTuple):
    """Connected patches, each as a mask, upper left ones first; and the cells of the largest, among them or not."""

    masks: list[np.ndarray]
    largest: int


def patches(cells: np.ndarray, fewest: int) -> Patches:
    """The connected patches of a mask (rows, columns) that have at least so many cells."""
    every = get_parts(squares(cells))
    parts = [part for part in every if part.area >= fewest]
    largest = round(max((part.area for part in every), default=0))
    if not parts:
        return Patches([], largest)
    rows, columns = np.nonzero(cells)
    inside, number = STRtree(points(columns + 0.5, rows + 0.5)).query(parts, predicate="intersects")
    found = []
    for part in range(len(parts)):
        mask = np.zeros_like(cells)
        of_part = number[inside == part]
        mask[rows[of_part], columns[of_part]] = True
        found.append(mask)
    return Patches(sorted(found, key=lambda mask: int(np.flatnonzero(mask)[0])), largest)
