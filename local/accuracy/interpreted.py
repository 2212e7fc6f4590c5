"""Reading an interpreted sample back: whatever makes it another sample than was drawn is refused in one sentence."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from local.accuracy.design import Design
from local.accuracy.files import ANSWERS, KEYS, REMARKS, keys_of
from shared.classes import CLASS_NAMES
from shared.errors import UserInputError

# Spreadsheets round: a tenth of a metre, and a millionth of a weight, are no alteration.
_SAME_DEG, _SAME_WEIGHT = 1e-6, 1e-6
_WHEN = re.compile(r"(?P<year>[0-9]{4})(?:-[0-9]{2}){0,2}")


class Reference(NamedTuple):
    """What the interpreter saw at one point: class values, that of the earlier year for change, and when it changed."""

    class_id: int
    from_class_id: int | None
    changed_on: str | None
    interpreter: str | None
    remark: str | None


def read_interpreted(path: Path, design: Design) -> list[Reference]:
    """The answers in the order of the design's points.

    Raises UserInputError for a file that is incomplete, altered, of another sample, version or period, names an unknown
    class or a point twice.
    """
    rows = _rows(path, (*KEYS, *ANSWERS[design.strata_kind]))
    _check_whose(path, rows, design)
    by_id = _by_id(path, rows, design)
    for point in design.points:
        _check_unaltered(path, by_id[point.point_id], keys_of(design, point))
    first = ANSWERS[design.strata_kind][: 1 if design.strata_kind == "classes" else 2]
    empty = [p.point_id for p in design.points if any(not by_id[p.point_id][name].strip() for name in first)]
    if empty:
        raise UserInputError(
            f"{path}: not complete: {len(empty)} of {len(design.points)} points have no class{_such(empty)}"
        )
    return [_reference(path, by_id[point.point_id], design) for point in design.points]


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = [{k: v or "" for k, v in row.items() if k} for row in reader]
            found = set(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error):
        raise UserInputError(f"{path}: expected the points.csv of a sample, interpreted") from None
    if missing := [column for column in columns if column not in found]:
        raise UserInputError(f"{path}: column {missing[0]} is missing; expected {', '.join(columns)}")
    return rows


def _check_whose(path: Path, rows: list[dict[str, str]], design: Design) -> None:
    own = {"aoi_id": design.aoi_id, "aoi_version": str(design.aoi_version), "period": design.period}
    words = {"aoi_id": "AOI", "aoi_version": "version", "period": "period"}
    for row in rows:
        for name, expected in own.items():
            if row[name].strip() != expected:
                raise UserInputError(
                    f"{path}: point {row['point_id']} is of {words[name]} {row[name]}, the sample of {expected}"
                )
        if row["sample_id"].strip() != design.sample_id:
            raise UserInputError(
                f"{path}: point {row['point_id']} is of {row['sample_id'] or 'no sample'}, expected {design.sample_id}"
            )


def _by_id(path: Path, rows: list[dict[str, str]], design: Design) -> dict[int, dict[str, str]]:
    ids = [row["point_id"].strip() for row in rows]
    known = {str(point.point_id) for point in design.points}
    if strange := [i for i in ids if i not in known]:
        raise UserInputError(f"{path}: altered: point {strange[0]} was not drawn")
    if twice := [i for i, count in Counter(ids).items() if count > 1]:
        raise UserInputError(f"{path}: {len(twice)} points stand there more than once{_such(twice)}")
    if lacking := sorted(map(int, known - set(ids))):
        raise UserInputError(f"{path}: not complete: {len(lacking)} of {len(known)} points are missing{_such(lacking)}")
    return dict(zip(map(int, ids), rows, strict=True))


def _check_unaltered(path: Path, row: dict[str, str], drawn: dict[str, object]) -> None:
    for name, tolerance in (("lon", _SAME_DEG), ("lat", _SAME_DEG), ("weight_m2", None)):
        expected = float(str(drawn[name]))
        try:
            same = abs(float(row[name]) - expected) <= (_SAME_WEIGHT * expected if tolerance is None else tolerance)
        except ValueError:
            same = False
        if not same:
            raise UserInputError(
                f"{path}: altered: {name} of point {row['point_id']} is {row[name] or 'empty'}, drawn was {drawn[name]}"
            )
    if row["stratum"].strip() != drawn["stratum"]:
        raise UserInputError(
            f"{path}: altered: stratum of point {row['point_id']} is {row['stratum'] or 'empty'}, drawn was "
            f"{drawn['stratum']}"
        )


def _reference(path: Path, row: dict[str, str], design: Design) -> Reference:
    interpreter, remark = (row.get(name, "").strip() or None for name in REMARKS)
    if design.strata_kind == "classes":
        return Reference(_class(path, row, "reference_class"), None, None, interpreter, remark)
    before, after = _class(path, row, "reference_class_from"), _class(path, row, "reference_class_to")
    when = row["changed_on"].strip() or None
    if when is not None:
        match = _WHEN.fullmatch(when)
        if match is None or not design.from_year <= int(match["year"]) <= design.year:  # type: ignore[operator]
            raise UserInputError(
                f"{path}: point {row['point_id']} changed on {when!r}; expected a day, month or year (2021-05-14, "
                f"2021-05, 2021) within {design.period}"
            )
    return Reference(after, before, when, interpreter, remark)


def _class(path: Path, row: dict[str, str], column: str) -> int:
    text = row[column].strip().lower().replace(" ", "_")
    if text in CLASS_NAMES:
        return CLASS_NAMES.index(text)
    if text.isdecimal() and int(text) < len(CLASS_NAMES):
        return int(text)
    raise UserInputError(
        f"{path}: {column} of point {row['point_id']} is {row[column]!r}, which is no class; expected one of "
        f"{', '.join(CLASS_NAMES)}"
    )


def _such(ids: Sequence[object]) -> str:
    return f", such as {', '.join(map(str, ids[:3]))}"
