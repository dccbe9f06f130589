"""A function as a tool: its JSON Schema, and the check of the arguments that come for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Union

import msgspec

from waypost._core.plain_json import Unsendable, plain_value
from waypost.errors import ConfigError, ToolError
from waypost.host.call import Call
from waypost.host.docstrings import read_docstring

_NAMELESS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY)


class Signature:
    """What a function takes. `schema`: of its arguments; `description`: of the function.

    Raises `ConfigError` for a function whose arguments have no names, or whose types have no JSON.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.description, described = read_docstring(inspect.getdoc(function))
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - not whether it can be called, but what a call is
        )
        self._call_name: str | None = None
        self._takes_others = False
        fields: list[tuple[str, Any, Any]] = []
        defaults: dict[str, Any] = {}
        for parameter in _parameters(function, name):
            kind = Any if parameter.annotation is parameter.empty else parameter.annotation
            if kind is Call:
                self._call_name = parameter.name
            elif parameter.kind is parameter.VAR_KEYWORD:
                self._takes_others = True
            elif parameter.kind in _NAMELESS:
                raise _unfit(name, f"its parameter {parameter.name!r} has no name for callers")
            elif parameter.default is parameter.empty:
                fields.append((parameter.name, kind, msgspec.NODEFAULT))
            else:
                # Left out, it is the function's own default, whatever that is.
                fields.append((parameter.name, Union[kind, msgspec.UnsetType], msgspec.UNSET))  # noqa: UP007
                defaults[parameter.name] = parameter.default
        self._arguments = msgspec.defstruct(
            "Arguments", fields, kw_only=True, forbid_unknown_fields=not self._takes_others
        )
        self._names = [field for field, _, _ in fields]
        try:
            self.schema = _schema_of(self._arguments)
        except (TypeError, NameError) as error:
            raise _unfit(name, f"{error}") from error
        for parameter_name, member in self.schema.get("properties", {}).items():
            _describe(member, described.get(parameter_name), defaults.get(parameter_name, msgspec.UNSET))

    def bind(self, args: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """The function's keyword arguments. Raises `ToolError` (`invalid_arguments`) with the place of what is
        wrong."""
        checked = self._checked(args)
        values = {name: getattr(checked, name) for name in self._names}
        bound = {name: value for name, value in values.items() if value is not msgspec.UNSET}
        if self._takes_others:
            bound |= {name: value for name, value in args.items() if name not in values}
        if self._call_name:
            bound[self._call_name] = call
        return bound

    def _checked(self, args: Mapping[str, Any]) -> Any:
        try:
            return _convert(args, self._arguments)
        except msgspec.ValidationError as error:
            try:
                # In JSON Schema, 1.0 is an integer.
                return _convert(_integral(args), self._arguments)
            except msgspec.ValidationError:
                raise ToolError("invalid_arguments", f"The arguments are not those of this tool. {error}") from error


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function, eval_str=True).parameters.values())
    except (NameError, ValueError, TypeError) as error:
        raise _unfit(name, f"its signature can't be read: {error}. Define its types at the top of a module") from error


def _convert(args: Any, kind: Any) -> Any:
    return msgspec.convert(args, kind, str_keys=True, dec_hook=_model_of)


def _model_of(kind: Any, value: Any) -> Any:
    validate = getattr(kind, "model_validate", None)
    if callable(validate):
        return validate(value)
    raise TypeError(f"{kind} has no JSON")


def _schema_of(kind: Any) -> dict[str, Any]:
    whole = msgspec.json.schema(kind, schema_hook=_model_schema)
    definitions: dict[str, Any] = whole["$defs"]
    schema: dict[str, Any] = definitions.pop(whole["$ref"].rsplit("/", 1)[1])
    del schema["title"]
    _hoist(schema, definitions)
    for definition in list(definitions.values()):
        _hoist(definition, definitions)
    return schema | ({"$defs": definitions} if definitions else {})


def _model_schema(kind: Any) -> dict[str, Any]:
    schema = getattr(kind, "model_json_schema", None)
    if callable(schema):
        found: dict[str, Any] = schema()
        return found
    raise NotImplementedError


def _hoist(node: Any, definitions: dict[str, Any]) -> None:
    """Moves the definitions inside of a schema to its root, where their references look for them."""
    if isinstance(node, dict):
        for name, definition in node.pop("$defs", {}).items():
            definitions.setdefault(name, definition)
            _hoist(definition, definitions)
        for part in node.values():
            _hoist(part, definitions)
    elif isinstance(node, list):
        for part in node:
            _hoist(part, definitions)


def _describe(member: dict[str, Any], description: str | None, default: Any) -> None:
    if description:
        member.setdefault("description", description)
    if default is msgspec.UNSET or default is None:
        return
    try:
        member["default"] = plain_value(default)
    except Unsendable:
        # It is the function's own, and callers need not know it.
        return


def _integral(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _integral(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_integral(part) for part in value]
    return value


def _unfit(name: str, reason: str) -> ConfigError:
    return ConfigError("invalid_tool", f"The tool {name!r} can't be offered: {reason}.")
