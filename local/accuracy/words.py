"""An estimate as tables for the terminal."""

import numpy as np
from rich.table import Table

from local.accuracy.areas import AreaEstimate, Result
from local.accuracy.design import Design
from local.accuracy.estimates import Estimate
from shared.classes import CLASSES


def tables(design: Design, result: Result) -> list[Table]:
    """The error matrix where there is one, and the areas."""
    return [*([] if result.matrix is None else [_matrix(result.matrix)]), _areas(design, result)]


def name_of(row: AreaEstimate) -> str:
    """``trees``, ``trees → bare``, ``change``."""
    if row.class_id is None:
        return row.quantity
    after = CLASSES[row.class_id].name
    return after if row.from_class_id is None else f"{CLASSES[row.from_class_id].name} → {after}"


def _matrix(matrix: np.ndarray) -> Table:
    table = Table(title="Error matrix, % of the area: rows as mapped, columns as interpreted", title_justify="left")
    columns = [c for c in CLASSES if matrix[:, c.class_id].any()]
    table.add_column("")
    for c in columns:
        table.add_column(c.name.replace("_", " "), justify="right")
    for name, row in zip([*(c.name for c in CLASSES), "not seen"], matrix, strict=True):
        if row.any():
            table.add_row(name, *(f"{row[c.class_id]:.2%}"[:-1] for c in columns))
    return table


def _areas(design: Design, result: Result) -> Table:
    table = Table(
        title=f"{design.aoi_id} version {design.aoi_version}, {design.period}: hectares ± half of the 95 % interval",
        title_justify="left",
    )
    for head in ("", "mapped", "estimated", "by ½", "missed at most", "with probabilities", "user's", "producer's"):
        table.add_column(head, justify="right" if head else "left")

    def hectares(share: float) -> str:
        return f"{share * design.aoi_area_m2 / 10_000:,.1f}"

    def interval(found: Estimate | None) -> str:
        return "" if found is None else f"{hectares(found.value)} ± {hectares(found.half_width)}"

    for row in result.estimates:
        if row.share.value == 0 and row.mapped_share == 0:
            continue
        by_half = Estimate(row.share.value, row.careful.standard_error) if row.careful else None
        missed = row.careful.missed_at_most if row.careful else None
        table.add_row(
            name_of(row),
            hectares(row.mapped_share),
            interval(row.share),
            f"± {hectares(by_half.half_width)}" if by_half else "",
            "" if missed is None else hectares(missed),
            interval(row.regression),
            _percent(row.users),
            _percent(row.producers),
        )
    return table


def _percent(found: Estimate | None) -> str:
    return "" if found is None else f"{found.value:.0%} ± {found.half_width:.0%}"
