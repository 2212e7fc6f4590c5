"""Decoding and evaluating an expression graph (``{"result": KEY, "values": {KEY: node}}``)."""

from typing import Any

from local.earth_engine import registry
from local.earth_engine.errors import EngineError
from local.earth_engine.values import Function


class _Scope:
    """The arguments of a function call, inside those of the calls around it, and what was evaluated with them."""

    def __init__(self, arguments: dict[str, Any], around: "_Scope | None" = None) -> None:
        self.arguments = arguments
        self.around = around
        self.known: dict[str, Any] = {}

    def argument(self, name: str) -> Any:
        if name in self.arguments:
            return self.arguments[name]
        if self.around is None:
            raise KeyError(name)
        return self.around.argument(name)

    def home_of(self, arguments: frozenset[str]) -> "_Scope":
        """The outermost scope in which something that depends on these arguments has its value."""
        scope = self
        while scope.around is not None and not arguments & scope.arguments.keys():
            scope = scope.around
        return scope


def evaluate(expression: dict[str, Any]) -> Any:
    """The value of an expression; a node is evaluated once for each value of the arguments that it depends on."""
    try:
        graph = _Graph(expression["values"])
        return graph.value(expression["result"], _Scope({}))
    except RecursionError:
        raise EngineError("Expression graph is nested too deeply.") from None
    except KeyError as error:
        raise EngineError(f"Invalid JSON payload received: expression lacks {error}") from error


class _Graph:
    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values
        self._free: dict[str, frozenset[str]] = {}

    def value(self, key: str, scope: _Scope) -> Any:
        home = scope.home_of(self._free_arguments(key))
        if key not in home.known:
            home.known[key] = self._node(self._values[key], home)
        return home.known[key]

    def _free_arguments(self, key: str) -> frozenset[str]:
        if key not in self._free:
            self._free[key] = frozenset()
            self._free[key] = self._mentioned(self._values[key])
        return self._free[key]

    def _mentioned(self, node: Any) -> frozenset[str]:
        """The arguments that a node depends on and does not bind itself."""
        if isinstance(node, list):
            return frozenset().union(*map(self._mentioned, node))
        if not isinstance(node, dict):
            return frozenset()
        if "argumentReference" in node:
            return frozenset([node["argumentReference"]])
        if "valueReference" in node:
            return self._free_arguments(node["valueReference"])
        if "functionDefinitionValue" in node:
            function = node["functionDefinitionValue"]
            return self._free_arguments(function["body"]) - frozenset(function["argumentNames"])
        return frozenset().union(*(self._mentioned(item) for key, item in node.items() if key != "constantValue"))

    def _node(self, node: dict[str, Any], scope: _Scope) -> Any:
        ((kind, body),) = node.items()
        match kind:
            case "constantValue":
                return body
            case "integerValue":
                return int(body)
            case "valueReference":
                return self.value(body, scope)
            case "argumentReference":
                return scope.argument(body)
            case "arrayValue":
                return [self._node(item, scope) for item in body.get("values", [])]
            case "dictionaryValue":
                return {key: self._node(item, scope) for key, item in body.get("values", {}).items()}
            case "functionDefinitionValue":
                return self._function(body, scope)
            case "functionInvocationValue":
                given = body.get("arguments", {})
                if body.get("functionName") == "If":
                    given = self._chosen(given, scope)
                arguments = {name: self._node(item, scope) for name, item in given.items()}
                if "functionName" in body:
                    return registry.invoke(body["functionName"], arguments)
                function = self.value(body["functionReference"], scope)
                return function.call(*(arguments[name] for name in function.argument_names))
        raise EngineError(f"Invalid JSON payload received. Unknown value node '{kind}'.")

    def _chosen(self, arguments: dict[str, Any], scope: _Scope) -> dict[str, Any]:
        """The arguments of ``If`` without the branch not taken, which may not be computable at all."""
        condition = self._node(arguments["condition"], scope) if "condition" in arguments else None
        left_out = "falseCase" if condition else "trueCase"
        return {name: item for name, item in arguments.items() if name != left_out}

    def _function(self, body: dict[str, Any], scope: _Scope) -> Function:
        names = tuple(body["argumentNames"])
        return Function(
            names,
            lambda *values: self.value(body["body"], _Scope(dict(zip(names, values, strict=False)), scope)),
        )
