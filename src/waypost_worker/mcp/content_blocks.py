"""MCP's content blocks: whether a tool's `content` consists of them, and what is wrong with one that is broken.

The kinds and their fields are those of https://modelcontextprotocol.io/specification/2026-07-28/schema; the two
revisions before have the same ones. Checked is what clients check: one bad field makes them throw all of a result away.
A block's large texts are looked at as bytes and never decoded.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

REQUIRED = {
    "text": ("text",),
    "image": ("data", "mimeType"),
    "audio": ("data", "mimeType"),
    "resource": ("resource",),
    "resource_link": ("uri", "name"),
}
"""The fields that a block of each kind needs."""

_OPTIONAL = ("annotations", "_meta")
_OF_LINKS = ("title", "description", "mimeType", "size", "icons")
_FIELDS = ("type", *dict.fromkeys(name for names in (*REQUIRED.values(), _OF_LINKS, _OPTIONAL) for name in names))


class _Kind(msgspec.Struct):
    type: Literal["text", "image", "audio", "resource", "resource_link"]


class _Annotations(msgspec.Struct, rename="camel", omit_defaults=True):
    audience: list[Literal["user", "assistant"]] | None = None
    priority: float | None = None
    last_modified: str | None = None


class _Icon(msgspec.Struct, rename="camel"):
    src: str
    mime_type: str | UnsetType = UNSET
    sizes: list[str] | UnsetType = UNSET
    theme: Literal["light", "dark"] | UnsetType = UNSET


def _raw_fields(name: str, fields: Iterable[str]) -> type[msgspec.Struct]:
    return msgspec.defstruct(name, [(field, Raw | UnsetType, UNSET) for field in fields])


_OF_RESOURCES = ("uri", "mimeType", "text", "blob", "_meta")
_Block = _raw_fields("_Block", _FIELDS)
_Resource = _raw_fields("_Resource", _OF_RESOURCES)

_read_kinds = msgspec.json.Decoder(list[_Kind]).decode
_read_blocks = msgspec.json.Decoder(list[_Block]).decode  # type: ignore[valid-type]
_read_raws = msgspec.json.Decoder(list[Raw]).decode
_read_annotations = msgspec.json.Decoder(_Annotations).decode
_read_icons = msgspec.json.Decoder(list[_Icon]).decode
_read_resource = msgspec.json.Decoder(_Resource).decode

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)")


class Blocks(msgspec.Struct):
    """A `content` whose every element is meant to be a block: it has the type of one, and a field that this type needs.

    `problem`: what is wrong with the first broken one; `None` if all are MCP's. `has_media`: some are no texts.
    `has_own`: some have fields that MCP does not know, which clients drop.
    """

    json: Raw
    has_media: bool
    problem: str | None = None
    has_own: bool = False


def read_blocks(content: Raw) -> Blocks | None:
    """The blocks of the list `content`; `None` if it has an element that is not meant to be one."""
    try:
        # First, since it ends at the first element that is no block: the others are decoded only if there are none.
        kinds = [each.type for each in _read_kinds(content)]
    except msgspec.ValidationError:
        return None
    blocks = Blocks(content, has_media=any(kind != "text" for kind in kinds))
    kept: list[dict[str, Raw]] = []
    has_nulls = False
    for index, (kind, block, raw) in enumerate(zip(kinds, _read_blocks(content), _read_raws(content), strict=True)):
        fields = present(block, _FIELDS)
        if not fields.keys() & REQUIRED[kind]:
            return None
        names = (*REQUIRED[kind], *_OPTIONAL, *(_OF_LINKS if kind == "resource_link" else ()))
        known = {name: value for name, value in fields.items() if name in names and value != _NULL}
        blocks.has_own |= json_size(fields) != len(raw) or not fields.keys() <= {"type", *names}
        problem = _problem(known, REQUIRED[kind])
        if problem is None:
            known = {name: _without_nulls(name, value) for name, value in known.items()}
        elif blocks.problem is None:
            blocks.problem = f"content[{index}], of type {kind}, {problem}."
        kept.append({"type": fields["type"], **known})
        has_nulls |= json_size(kept[-1]) != json_size(fields)
    if has_nulls and not blocks.has_own:
        # Python writes null for what is absent; other clients take no null there.
        blocks.json = Raw(msgspec.json.encode(kept))
    return blocks


def first_byte(value: Raw) -> bytes:
    """The byte that tells the type of a JSON value: `"` a string, `{` an object, `[` an array."""
    return bytes(memoryview(value)[:1])


def present(struct: Any, names: Iterable[str]) -> dict[str, Raw]:
    """The fields of a struct of raw JSON that are there."""
    return {name: value for name in names if (value := getattr(struct, name)) is not UNSET}


def json_size(fields: dict[str, Raw]) -> int:
    """The bytes of an object with just these `fields`, as compact JSON. A text of more has other fields too."""
    return 1 + sum(len(name) + len(value) + 4 for name, value in fields.items())


def _problem(fields: dict[str, Raw], required: tuple[str, ...]) -> str | None:
    for name in required:
        if name not in fields:
            return f"has no {name}: it needs {' and '.join(required)}"
    for name, value in fields.items():
        problem = _CHECKS[name](value)
        if problem is not None:
            return f"has a {name} that {problem}"
    return None


def _without_nulls(name: str, value: Raw) -> Raw:
    if name == "annotations":
        return Raw(msgspec.json.encode(_read_annotations(value)))
    if name == "resource":
        fields = present(_read_resource(value), _OF_RESOURCES)
        kept = {part: text for part, text in fields.items() if text != _NULL}
        return Raw(msgspec.json.encode(kept)) if len(kept) < len(fields) else value
    return value


_NULL = Raw(b"null")


def _text(value: Raw) -> str | None:
    return None if first_byte(value) == b'"' else "is not a string"


def _object(value: Raw) -> str | None:
    return None if first_byte(value) == b"{" else "is not an object"


def _number(value: Raw) -> str | None:
    return None if first_byte(value) in b"-0123456789" else "is not a number"


def _base64(value: Raw) -> str | None:
    text = bytes(value)
    if text[:1] != b'"':
        return "is not a string"
    if text[:6] == b'"data:':
        return "is a data: URL; send only the base64 after its comma"
    text = text[1:-1]
    if b"\\" in text:
        # Written with escapes: / may be, and line breaks must be.
        text = b"".join(msgspec.json.decode(value, type=str).encode().split())
    digits = text.rstrip(b"=")
    if digits.translate(None, _BASE64) or len(digits) % 4 == 1 or len(text) - len(digits) > 2:
        return "is not base64"
    return None


def _uri(value: Raw) -> str | None:
    return _text(value) or (None if b":" in bytes(value) else "is not a URI")


def _annotations(value: Raw) -> str | None:
    try:
        annotations = _read_annotations(value)
    except msgspec.ValidationError as error:
        return f"is not valid: {error}"
    if annotations.priority is not None and not 0 <= annotations.priority <= 1:
        return "is not valid: priority is from 0 to 1"
    if annotations.last_modified is not None and not _MOMENT.fullmatch(annotations.last_modified):
        return "is not valid: lastModified is an ISO 8601 time with its zone"
    return None


def _icons(value: Raw) -> str | None:
    try:
        _read_icons(value)
    except msgspec.ValidationError as error:
        return f"is not valid: {error}"
    return None


def _resource(value: Raw) -> str | None:
    if problem := _object(value):
        return problem
    fields = {name: part for name, part in present(_read_resource(value), _OF_RESOURCES).items() if part != _NULL}
    content = ("blob",) if "blob" in fields else ("text",)
    if problem := _problem(fields, ("uri", *content)):
        return f"is not valid: it {problem}"
    return None


_CHECKS: dict[str, Callable[[Raw], str | None]] = {
    "text": _text,
    "data": _base64,
    "blob": _base64,
    "mimeType": _text,
    "resource": _resource,
    "uri": _uri,
    "name": _text,
    "title": _text,
    "description": _text,
    "size": _number,
    "icons": _icons,
    "annotations": _annotations,
    "_meta": _object,
}
