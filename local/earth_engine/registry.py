"""The real service's signatures, and which of its algorithms are implemented here.

Signatures come from the recorded ``algorithms.list`` answer that the earthengine-api package ships for its tests.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from local.earth_engine.errors import EngineError


class Argument(NamedTuple):
    """One argument of a real signature."""

    name: str
    type: str
    optional: bool
    default: Any


Implementation = Callable[..., Any]
_IMPLEMENTATIONS: dict[str, Implementation] = {}


def algorithm(*names: str) -> Callable[[Implementation], Implementation]:
    """Register a function as the implementation of algorithms; it takes the signature's arguments by name."""

    def register(function: Implementation) -> Implementation:
        for name in names:
            _IMPLEMENTATIONS[name] = function
        return function

    return register


@lru_cache(maxsize=1)
def algorithms_document() -> dict[str, Any]:
    """The ``algorithms.list`` answer."""
    return json.loads(files("ee").joinpath("tests/algorithms.json").read_text())  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def discovery_document() -> dict[str, Any]:
    """The REST discovery document."""
    text = files("ee").joinpath("tests/cloud_api_discovery_document.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def signatures() -> dict[str, tuple[Argument, ...]]:
    """Every real algorithm's arguments, by name."""
    return {
        entry["name"].removeprefix("algorithms/"): tuple(
            Argument(a["argumentName"], a.get("type", "Object"), a.get("optional", False), a.get("defaultValue"))
            for a in entry.get("arguments", [])
        )
        for entry in algorithms_document()["algorithms"]
    }


def implemented() -> list[str]:
    """Names of the algorithms that can be evaluated here."""
    return sorted(_IMPLEMENTATIONS)


def invoke(name: str, arguments: dict[str, Any]) -> Any:
    """Check arguments against the real signature and evaluate. Raises EngineError in the service's words."""
    signature = signatures().get(name)
    if signature is None:
        raise EngineError(f"Function '{name}' not found.")
    if name not in _IMPLEMENTATIONS:
        raise EngineError(f"Algorithm '{name}' not found: the local Earth Engine does not implement it.")
    known = {argument.name for argument in signature}
    for extra in arguments.keys() - known:
        raise EngineError(f"Unrecognized argument ({extra}) to function: {name}")
    bound = {}
    for argument in signature:
        if arguments.get(argument.name) is not None:
            bound[argument.name] = arguments[argument.name]
        elif argument.optional:
            bound[argument.name] = argument.default
        elif argument.name in arguments and argument.type == "Object":
            bound[argument.name] = None
        else:
            raise EngineError(f"{name}: Parameter '{argument.name}' is required and may not be null.")
    try:
        return _IMPLEMENTATIONS[name](**bound)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise EngineError(f"{name}: Invalid argument: {error}") from error
