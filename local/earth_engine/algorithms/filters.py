"""Filters: predicates on the properties, times and places of elements."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import shapely

from local.earth_engine.algorithms.collections import collection_geometry
from local.earth_engine.algorithms.objects import as_date
from local.earth_engine.registry import algorithm
from local.earth_engine.values import (
    Collection,
    Date,
    DateRange,
    Element,
    Filter,
)

_MISSING = object()
# Images have it as a property to read; that a filter finds it is documented nowhere, and here it does not.
_INGESTED = "system:version"


def _value(element: Any, name: str) -> Any:
    if name == ".all":
        return element.geometry
    if name == _INGESTED:
        return _MISSING
    return element.properties.get(name, _MISSING)


def _comparison(test: Callable[[Any, Any], bool]) -> Callable[..., Filter]:
    def build(
        leftField: Any = None,
        rightValue: Any = None,
        rightField: Any = None,
        leftValue: Any = None,
        maxError: Any = None,
    ) -> Filter:
        def accepts(element: Any) -> bool:
            left = _value(element, leftField) if leftField is not None else leftValue
            right = _value(element, rightField) if rightField is not None else rightValue
            return left is not _MISSING and right is not _MISSING and bool(test(left, right))

        return Filter(accepts)

    return build


def _shape(value: Any) -> Any:
    geometry = value.geometry if isinstance(value, Element) else value
    if isinstance(value, Collection):
        geometry = collection_geometry(value)
    return geometry.shape if geometry is not None else shapely.Polygon()


def _in_range(date_range: Any, moment: Any) -> bool:
    when = moment.millis if isinstance(moment, Date) else moment
    return isinstance(date_range, DateRange) and date_range.start <= when < date_range.end


for _names, _test in {
    ("Filter.equals", "Filter.eq"): lambda a, b: a == b,
    ("Filter.notEquals", "Filter.neq"): lambda a, b: a != b,
    ("Filter.lessThan", "Filter.lt"): lambda a, b: a < b,
    ("Filter.lessThanOrEquals", "Filter.lte"): lambda a, b: a <= b,
    ("Filter.greaterThan", "Filter.gt"): lambda a, b: a > b,
    ("Filter.greaterThanOrEquals", "Filter.gte"): lambda a, b: a >= b,
    ("Filter.inList",): lambda a, b: a in b if isinstance(b, list) else b in a,
    ("Filter.listContains",): lambda a, b: b in a if isinstance(a, list) else a in b,
    ("Filter.stringStartsWith",): lambda a, b: str(a).startswith(b),
    ("Filter.stringEndsWith",): lambda a, b: str(a).endswith(b),
    ("Filter.stringContains",): lambda a, b: b in str(a),
    ("Filter.dateRangeContains",): _in_range,
    ("Filter.intersects",): lambda a, b: _shape(a).intersects(_shape(b)),
    ("Filter.contains",): lambda a, b: _shape(a).contains(_shape(b)),
}.items():
    algorithm(*_names)(_comparison(_test))


@algorithm("Filter.and")
def filter_and(filters: list[Filter]) -> Filter:
    return Filter(lambda element: all(f.accepts(element) for f in filters))


@algorithm("Filter.or")
def filter_or(filters: list[Filter]) -> Filter:
    return Filter(lambda element: any(f.accepts(element) for f in filters))


@algorithm("Filter.not")
def filter_not(filter: Filter) -> Filter:
    return Filter(lambda element: not filter.accepts(element))


@algorithm("Filter.notNull")
def filter_not_null(properties: list[str]) -> Filter:
    return Filter(lambda element: all(element.properties.get(name) is not None for name in properties))


@algorithm("Filter.calendarRange")
def calendar_range(start: int, end: int | None = None, field: str = "day_of_year") -> Filter:
    last = start if end is None else end

    def part(moment: dt.datetime) -> int:
        return {
            "year": moment.year,
            "month": moment.month,
            "day_of_month": moment.day,
            "day_of_year": moment.timetuple().tm_yday,
            "hour": moment.hour,
        }[field]

    def accepts(element: Any) -> bool:
        millis = element.properties.get("system:time_start")
        if millis is None:
            return False
        value = part(dt.datetime.fromtimestamp(millis / 1000, dt.UTC))
        return start <= value <= last if start <= last else value >= start or value <= last

    return Filter(accepts)


@algorithm("DateRange")
def date_range(start: Any, end: Any = None, timeZone: Any = None) -> DateRange:
    first = as_date(start).millis
    return DateRange(first, first + 1 if end is None else as_date(end).millis)
