"""The JSON Schema of a tool's arguments or results: whether clients can use it.

Two kinds of readers drop more than the one tool that has a broken schema. Clients of MCP check a whole list, and
compile each output schema (TypeScript SDK 1, with Ajv: draft-07). Model APIs refuse a chat for one input schema that is
not valid (draft 2020-12). So a keyword needs a value of the type that these drafts require. Keywords that they do not
have are the author's own, and pass unchanged.
"""

import re
from typing import Any
from urllib.parse import unquote

from waypost_worker.sessions.patterns import is_pattern
from waypost_worker.sessions.tool_fault import ToolFault, step

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_NUMBER, _TEXT, _FLAG, _TEXTS = "a number", "a string", "true or false", "a list of strings"
_ONE, _MANY, _NAMED = "a schema", "a list of schemas", "an object of schemas"

_VALUES = {
    **dict.fromkeys(("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf"), _NUMBER),
    **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"), _NUMBER),
    **dict.fromkeys(("maxContains", "minContains"), _NUMBER),
    **dict.fromkeys(("$schema", "$id", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$comment"), _TEXT),
    **dict.fromkeys(("title", "description", "format", "pattern", "contentEncoding", "contentMediaType"), _TEXT),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), _FLAG),
    "required": _TEXTS,
    "enum": "a list that is not empty",
    "type": f"one of {', '.join(_TYPES)}, or a list of some of them",
    "items": "a schema, or a list of schemas",
    "dependencies": "an object of schemas or lists of strings",
    **dict.fromkeys(("additionalItems", "additionalProperties", "contains", "contentSchema", "propertyNames"), _ONE),
    **dict.fromkeys(("else", "if", "not", "then", "unevaluatedItems", "unevaluatedProperties"), _ONE),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _MANY),
    **dict.fromkeys(("$defs", "definitions", "dependentSchemas", "patternProperties", "properties"), _NAMED),
}
"""Keyword -> what its value must be."""

_ANCHOR = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")
_NO_PERCENT_CODE = re.compile(r"%(?![0-9a-fA-F]{2})")
_DATA = ("const", "default", "examples")
_IDENTIFIERS = ("$id", "$anchor", "$dynamicAnchor")
_NOT_NAMED = "must be left out: refer to a schema by its place, like #/$defs/name"
_STOPS_COMPILER = {
    "id": "left out: since draft-06 its name is $id",
    **dict.fromkeys(
        ("$async", "formatMaximum", "formatMinimum", "formatExclusiveMaximum", "formatExclusiveMinimum"),
        "left out: it belongs to no draft of JSON Schema",
    ),
}


def checked_schema(schema: dict[str, Any], pointer: str, *, is_compiled: bool) -> dict[str, Any]:
    """`schema`, which is at `pointer` in its tool, without keywords that are null. `is_compiled`: clients compile it.

    Raises:
        ToolFault: it is not a JSON Schema, or one of its references leads nowhere or back to itself.
    """
    reader = _Reader(pointer, is_compiled)
    result = reader.read_object(schema, "")
    if is_compiled:
        # A client caches compiled schemas by `$id`, and would check one tool's results against another's schema.
        result.pop("$id", None)
    reader.check_references()
    return result


class _Reader:
    """Reads the schemas inside one schema. Places in it are pointers from its root."""

    def __init__(self, pointer: str, is_compiled: bool) -> None:
        self._pointer = pointer
        self._is_compiled = is_compiled
        self._places: set[str] = set()
        self._anchors: dict[str, str] = {}
        self._references: dict[str, str] = {}

    def read(self, node: Any, at: str) -> Any:
        if isinstance(node, dict):
            return self.read_object(node, at)
        self._require(isinstance(node, bool), at, "a schema: an object, or true or false")
        self._places.add(at)
        return node

    def read_object(self, node: dict[str, Any], at: str) -> dict[str, Any]:
        self._places.add(at)
        known = {name: value for name, value in node.items() if value is not None or name not in _VALUES}
        if self._is_compiled:
            self._check_for_compiler(known, at)
        return {name: self._value(name, value, at) for name, value in known.items()}

    def check_references(self) -> None:
        targets = {at: self._target(ref) for at, ref in self._references.items()}
        for at, target in targets.items():
            self._require(target is not None, step(at, "$ref"), "the place of a schema in this one, like #/$defs/name")
        ends: set[str] = set()
        for at in targets:
            path, place = {at}, targets[at] or ""
            while place in targets and place not in ends and place not in path:
                path.add(place)
                place = targets[place] or ""
            self._require(place not in path, step(at, "$ref"), "a reference that does not lead back to itself")
            ends |= path

    def _value(self, name: str, value: Any, at: str) -> Any:
        expected = _VALUES.get(name)
        if expected is None:
            if self._is_compiled and name not in _DATA and isinstance(value, dict):
                self._check_unknown(value, step(at, name))
            return value
        if expected is _ONE or (name == "items" and not isinstance(value, list)):
            return self.read(value, step(at, name))
        if expected is _MANY or name == "items":
            here = self._required(isinstance(value, list), at, name, expected)
            return [self.read(each, step(here, index)) for index, each in enumerate(value)]
        if expected is _NAMED or name == "dependencies":
            here = self._required(isinstance(value, dict), at, name, expected)
            return {key: self._named(name, each, step(here, key), key) for key, each in value.items()}
        if not _is_valid(name, expected, value):
            raise ToolFault(step(self._pointer + at, name), f"must be {expected}")
        if name == "$ref":
            self._references[at] = value
        elif name in ("$anchor", "$dynamicAnchor"):
            self._required(bool(_ANCHOR.fullmatch(value)), at, name, "a name of letters, digits and . _ -")
            self._anchors[value] = at
        elif name == "pattern":
            self._check_pattern(value, step(at, name))
        return value

    def _named(self, keyword: str, value: Any, here: str, key: str) -> Any:
        is_safe = key != "__proto__" or not self._is_compiled
        self._require(is_safe, here, "called something else: JavaScript has another use for this name")
        if keyword == "patternProperties":
            self._check_pattern(key, here)
        if keyword == "dependencies" and isinstance(value, list):
            self._require(_are_texts(value), here, _TEXTS)
            return value
        return self.read(value, here)

    def _check_pattern(self, text: str, here: str) -> None:
        if self._is_compiled:
            self._require(is_pattern(text), here, "a regular expression for JavaScript, with its flag u")

    def _check_for_compiler(self, node: dict[str, Any], at: str) -> None:
        """Refuses what is harmless in JSON Schema and stops the compiler of a client."""
        for name, expected in _STOPS_COMPILER.items():
            if name in node:
                raise ToolFault(step(self._pointer + at, name), f"must be {expected}")
        self._check_unnamed(node, at)
        if "nullable" in node:
            types = node.get("type")
            is_plain = node["nullable"] is True or (node["nullable"] is False and "null" not in (types or ()))
            self._require(is_plain and types is not None, step(at, "nullable"), "true, or false, as its type says")

    def _check_unnamed(self, node: dict[str, Any], at: str) -> None:
        """Refuses names of schemas: compilers of different drafts find them in different places. Only the root has one,
        which is left out."""
        for name in _IDENTIFIERS:
            if name in node and (name != "$id" or at):
                raise ToolFault(step(self._pointer + at, name), _NOT_NAMED)

    def _check_unknown(self, value: dict[str, Any], at: str) -> None:
        """Refuses names of schemas in a keyword of the author's own: a compiler finds them there too."""
        self._check_unnamed(value, at)
        for name, below in value.items():
            if isinstance(below, dict):
                self._check_unknown(below, step(at, name))

    def _target(self, reference: str) -> str | None:
        if not reference.startswith("#") or _NO_PERCENT_CODE.search(reference):
            return None
        try:
            fragment = unquote(reference[1:], errors="strict")
        except UnicodeDecodeError:
            return None
        if fragment and not fragment.startswith("/"):
            return self._anchors.get(fragment)
        return fragment if fragment in self._places else None

    def _required(self, holds: bool, at: str, name: str, expected: str) -> str:
        here = step(at, name)
        self._require(holds, here, expected)
        return here

    def _require(self, holds: bool, at: str, expected: str) -> None:
        if not holds:
            raise ToolFault(self._pointer + at, f"must be {expected}")


def _is_valid(name: str, expected: str, value: Any) -> bool:
    if name == "type":
        types = value if isinstance(value, list) else [value]
        return bool(types) and all(each in _TYPES for each in types)
    if name == "enum":
        return isinstance(value, list) and bool(value)
    if expected is _TEXTS:
        return _are_texts(value)
    if expected is _NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, bool if expected is _FLAG else str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
