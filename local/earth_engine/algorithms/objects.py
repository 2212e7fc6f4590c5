"""Features, lists, dictionaries, numbers, strings and dates."""

import datetime as dt
import functools
import math
import operator
import re
from collections.abc import Callable
from typing import Any

from local.earth_engine.errors import EngineError
from local.earth_engine.registry import algorithm
from local.earth_engine.values import Date, Feature, Function, Geometry

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNIT_MILLIS = {"second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}


@algorithm("Feature")
def make_feature(geometry: Any = None, metadata: dict[str, Any] | None = None, geometryKey: Any = None) -> Feature:
    return Feature(dict(metadata or {}), geometry)


@algorithm("Feature.select")
def select_properties(
    input: Any, propertySelectors: list[str], newProperties: Any = None, retainGeometry: bool = True
) -> Feature:
    names = [n for s in propertySelectors for n in _selected(input, s)]
    renamed = newProperties or names
    properties = {new: input.properties[old] for old, new in zip(names, renamed, strict=True)}
    return Feature(properties, input.geometry if retainGeometry else None)


def _selected(element: Any, selector: str) -> list[str]:
    if selector in element.properties:
        return [selector]
    return [name for name in element.properties if re.fullmatch(selector, name)]


@algorithm("Feature.geometry")
def feature_geometry(feature: Any, maxError: Any = None, proj: Any = None, geodesics: Any = None) -> Geometry | None:
    return feature.geometry  # type: ignore[no-any-return]


@algorithm("Element.get", "Element.getNumber")
def get_property(object: Any, property: str) -> Any:
    return object.properties.get(property)


@algorithm("Element.set")
def set_property(object: Any, key: str, value: Any = None) -> Any:
    return object.with_properties(**{key: value})


@algorithm("Element.setMulti")
def set_properties(object: Any, properties: dict[str, Any]) -> Any:
    return object.with_properties(**properties)


@algorithm("Element.propertyNames")
def property_names(element: Any) -> list[str]:
    return list(element.properties)


@algorithm("Element.toDictionary")
def element_dictionary(element: Any, properties: list[str] | None = None) -> dict[str, Any]:
    names = properties or [n for n in element.properties if not n.startswith("system:")]
    return {name: element.properties[name] for name in names}


@algorithm("Element.copyProperties")
def copy_properties(destination: Any = None, source: Any = None, properties: Any = None, exclude: Any = None) -> Any:
    names = properties or [n for n in source.properties if not n.startswith("system:")]
    taken = {n: source.properties[n] for n in names if n in source.properties and n not in (exclude or [])}
    return destination.with_properties(**taken)


def as_date(value: Any) -> Date:
    """A date from milliseconds, an ISO string or a date."""
    if isinstance(value, Date):
        return value
    if isinstance(value, int | float):
        return Date(int(value))
    try:
        moment = dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        raise EngineError(f"Date: Bad date/time '{value}'.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return Date(round((moment - _EPOCH).total_seconds() * 1000))


def _moment(date: Any) -> dt.datetime:
    return _EPOCH + dt.timedelta(milliseconds=as_date(date).millis)


@algorithm("Date")
def make_date(value: Any, timeZone: Any = None) -> Date:
    return as_date(value)


@algorithm("Date.fromYMD")
def from_ymd(year: int, month: int, day: int, timeZone: Any = None) -> Date:
    return as_date(f"{int(year):04d}-{int(month):02d}-{int(day):02d}")


_JODA = {
    "yyyy": "%Y",
    "YYYY": "%Y",
    "MM": "%m",
    "MMM": "%b",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "DDD": "%j",
}


@algorithm("Date.format")
def format_date(date: Any, format: str | None = None, timeZone: Any = None) -> str:
    if format is None:
        return _moment(date).strftime("%Y-%m-%dT%H:%M:%S")
    pattern = re.sub(r"([A-Za-z])\1*|'([^']*)'", lambda m: m[2] or _JODA.get(m[0], m[0]), format)
    return _moment(date).strftime(pattern)


@algorithm("Date.millis")
def millis(date: Any) -> int:
    return as_date(date).millis


@algorithm("Date.advance")
def advance(date: Any, delta: float, unit: str, timeZone: Any = None) -> Date:
    name = unit.rstrip("s")
    if name in _UNIT_MILLIS:
        return Date(as_date(date).millis + round(delta * _UNIT_MILLIS[name]))
    moment = _moment(date)
    months = moment.month - 1 + int(delta) * (12 if name == "year" else 1)
    year, month = moment.year + months // 12, months % 12 + 1
    last = (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)).day
    return as_date(moment.replace(year=year, month=month, day=min(moment.day, last)).isoformat())


@algorithm("Date.get")
def date_part(date: Any, unit: str, timeZone: Any = None) -> int:
    return int(getattr(_moment(date), unit))


@algorithm("Date.difference")
def difference(date: Any, start: Any, unit: str) -> float:
    return (as_date(date).millis - as_date(start).millis) / _UNIT_MILLIS[unit.rstrip("s")]


@algorithm("List.map")
def map_list(list: list[Any], baseAlgorithm: Function, dropNulls: bool = False) -> list[Any]:
    mapped = [baseAlgorithm.call(item) for item in list]
    return [m for m in mapped if m is not None] if dropNulls else mapped


@algorithm("List.iterate")
def iterate_list(list: list[Any], function: Function, first: Any) -> Any:
    return functools.reduce(lambda state, item: function.call(item, state), list, first)


@algorithm("List.sequence")
def sequence(start: float, end: float | None = None, step: float = 1, count: int | None = None) -> list[float]:
    if end is None:
        return [start + step * i for i in range(int(count or 0))]
    return [start + step * i for i in range(math.floor((end - start) / step + 1e-9) + 1)]


@algorithm("Dictionary")
def make_dictionary(input: Any = None) -> dict[str, Any]:
    return dict(input or {})


@algorithm("Dictionary.get")
def dictionary_get(dictionary: dict[str, Any], key: str, defaultValue: Any = None) -> Any:
    if key not in dictionary and defaultValue is None:
        raise EngineError(f"Dictionary.get: Dictionary does not contain key: '{key}'.")
    return dictionary.get(key, defaultValue)


@algorithm("Dictionary.map")
def map_dictionary(dictionary: dict[str, Any], baseAlgorithm: Function) -> dict[str, Any]:
    return {key: baseAlgorithm.call(key, value) for key, value in dictionary.items()}


@algorithm("If")
def if_(condition: Any = None, trueCase: Any = None, falseCase: Any = None) -> Any:
    return trueCase if condition else falseCase


_first = operator.itemgetter(0)


def _first_named(function: Callable[..., Any]) -> Callable[..., Any]:
    """Call with the arguments in signature order, whatever their names."""
    return lambda **arguments: function(*arguments.values())


_PLAIN: dict[str, Callable[..., Any]] = {
    "List.get": lambda items, index: items[int(index)],
    "List.size": len,
    "List.length": len,
    "List.add": lambda items, item: [*items, item],
    "List.cat": lambda items, other: [*items, *other],
    "List.zip": lambda items, other: [list(pair) for pair in zip(items, other, strict=False)],
    "List.reverse": lambda items: items[::-1],
    "List.contains": lambda items, item: item in items,
    "List.indexOf": lambda items, item: items.index(item) if item in items else -1,
    "List.sort": lambda items, keys=None: [
        item for _, item in sorted(zip(keys or items, items, strict=True), key=_first)
    ],
    "List.join": lambda items, separator="": str(separator).join(str(i) for i in items),
    "Dictionary.keys": sorted,
    "Dictionary.values": lambda d, keys=None: [d[k] for k in (keys or sorted(d))],
    "Dictionary.set": lambda d, key, value: {**d, key: value},
    "Dictionary.combine": lambda a, b, overwrite=True: {**a, **b} if overwrite else {**b, **a},
    "Dictionary.contains": lambda d, key: key in d,
    "Dictionary.size": len,
    "Dictionary.fromLists": lambda keys, values: dict(zip(keys, values, strict=True)),
    "Dictionary.select": lambda d, selectors, *_: {k: d[k] for k in selectors},
    "Number.add": operator.add,
    "Number.subtract": operator.sub,
    "Number.multiply": operator.mul,
    "Number.divide": lambda a, b: a / b if b else 0,
    "Number.mod": operator.mod,
    "Number.pow": operator.pow,
    "Number.max": max,
    "Number.min": min,
    "Number.eq": lambda a, b: int(a == b),
    "Number.gt": lambda a, b: int(a > b),
    "Number.gte": lambda a, b: int(a >= b),
    "Number.lt": lambda a, b: int(a < b),
    "Number.lte": lambda a, b: int(a <= b),
    "Number.round": lambda v: math.floor(v + 0.5),
    "Number.floor": math.floor,
    "Number.ceil": math.ceil,
    "Number.abs": abs,
    "Number.toInt": int,
    "Number.format": lambda v, pattern="%s": str(pattern) % (int(v) if pattern == "%s" and v == int(v) else v),
    "Number.parse": lambda text, radix=10: float(text) if radix == 10 else int(text, int(radix)),
    "String": str,
    "String.cat": lambda a, b: str(a) + str(b),
    "String.compareTo": lambda a, b: (a > b) - (a < b),
    "String.slice": lambda s, start, end=None: s[int(start) : None if end is None else int(end)],
    "String.split": lambda s, regex, flags="": re.split(regex, s),
    "String.replace": lambda s, regex, by, flags="": re.sub(regex, by, s, count=0 if "g" in flags else 1),
    "String.length": len,
    "String.toLowerCase": lambda s: s.lower(),
    "String.toUpperCase": lambda s: s.upper(),
}
for _name, _function in _PLAIN.items():
    algorithm(_name)(_first_named(_function))
