"""Decoding and evaluating an expression graph (``{"result": KEY, "values": {KEY: node}}``)."""

from typing import Any

from local.earth_engine import registry
from local.earth_engine.errors import EngineError
from local.earth_engine.values import Function

Scope = dict[str, Any]


def evaluate(expression: dict[str, Any]) -> Any:
    """The value of an expression; nodes that depend on no function argument are evaluated once."""
    try:
        graph = _Graph(expression["values"])
        return graph.value(expression["result"], {})
    except RecursionError:
        raise EngineError("Expression graph is nested too deeply.") from None
    except KeyError as error:
        raise EngineError(f"Invalid JSON payload received: expression lacks {error}") from error


class _Graph:
    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values
        self._known: dict[str, Any] = {}
        self._closed: dict[str, bool] = {}

    def value(self, key: str, scope: Scope) -> Any:
        if key in self._known:
            return self._known[key]
        result = self._node(self._values[key], scope)
        if not scope or self._is_closed(key):
            self._known[key] = result
        return result

    def _is_closed(self, key: str) -> bool:
        if key not in self._closed:
            self._closed[key] = True
            self._closed[key] = not self._mentions_argument(self._values[key])
        return self._closed[key]

    def _mentions_argument(self, node: Any) -> bool:
        if isinstance(node, list):
            return any(self._mentions_argument(item) for item in node)
        if not isinstance(node, dict):
            return False
        if "argumentReference" in node:
            return True
        if "valueReference" in node:
            return not self._is_closed(node["valueReference"])
        if "functionDefinitionValue" in node:
            return not self._is_closed(node["functionDefinitionValue"]["body"])
        return any(self._mentions_argument(item) for key, item in node.items() if key != "constantValue")

    def _node(self, node: dict[str, Any], scope: Scope) -> Any:
        ((kind, body),) = node.items()
        match kind:
            case "constantValue":
                return body
            case "integerValue":
                return int(body)
            case "valueReference":
                return self.value(body, scope)
            case "argumentReference":
                return scope[body]
            case "arrayValue":
                return [self._node(item, scope) for item in body.get("values", [])]
            case "dictionaryValue":
                return {key: self._node(item, scope) for key, item in body.get("values", {}).items()}
            case "functionDefinitionValue":
                return self._function(body, scope)
            case "functionInvocationValue":
                arguments = {name: self._node(item, scope) for name, item in body.get("arguments", {}).items()}
                if "functionName" in body:
                    return registry.invoke(body["functionName"], arguments)
                function = self.value(body["functionReference"], scope)
                return function.call(*(arguments[name] for name in function.argument_names))
        raise EngineError(f"Invalid JSON payload received. Unknown value node '{kind}'.")

    def _function(self, body: dict[str, Any], scope: Scope) -> Function:
        names = tuple(body["argumentNames"])
        return Function(
            names,
            lambda *values: self.value(body["body"], {**scope, **dict(zip(names, values, strict=False))}),
        )
