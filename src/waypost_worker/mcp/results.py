"""Maps a host's response to the result of an MCP tool.

A result of MCP's own passes as it is: an object whose `content` consists of MCP's blocks. If one of them is broken, the
model gets an error that says which. Any other JSON becomes text, and `structuredContent`, with nothing of it lost: also
an object whose `content` means something else (a document of an editor, a message of a chat). So does one whose blocks
are texts, or that has none, if it has fields that MCP does not know: a model would not see them. Beside an image, a
sound or a resource they pass as they are, since as text those were of no use.

An error of the tool becomes `isError: true`, for the model to read. An unknown tool and a cancelled call are errors of
the protocol.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from waypost_worker.http.json_body import count_objects
from waypost_worker.limits import MAX_CONTENT_OBJECTS
from waypost_worker.mcp.content_blocks import first_byte, json_size, present, read_blocks
from waypost_worker.mcp.jsonrpc import CANCELLED, INVALID_PARAMS, RpcError
from waypost_worker.queues.message import ErrorBody, Message

ERROR_KEY = "waypost/error"
UNKNOWN_TOOL = "unknown_tool"
"""The error code of `waypost.js` for a tool that the tab does not have."""

INVALID_RESULT = "invalid_result"
"""The error code for a result that is meant to be MCP's and breaks its schema."""

MAX_SMALL_BYTES = 64 * 1024
"""Bytes of `_meta`, and of fields that MCP does not know: these are decoded."""

_FIELDS = ("content", "structuredContent", "isError", "_meta", "resultType")
_Result = msgspec.defstruct("_Result", [(name, Raw | UnsetType, UNSET) for name in _FIELDS])
_read_result = msgspec.json.Decoder(_Result).decode
_NULL = Raw(b"null")


def tool_result(response: Message, *, any_structure: bool) -> dict[str, Any]:
    """The result of `tools/call`. `any_structure`: `structuredContent` may be any JSON value, not only an object.

    Raises:
        RpcError: the host has no such tool, or the call was cancelled.
    """
    if response.error is not UNSET:
        return _failed(response.error)
    value = _NULL if response.result is UNSET else response.result
    return _of_mcp(value, any_structure=any_structure) or {
        "content": [{"type": "text", "text": _as_text(value)}],
        "structuredContent": _structured(value, any_structure=any_structure),
    }


def complete_result(result: dict[str, Any]) -> dict[str, Any]:
    """`result` with the `resultType` that 2026-07-28 requires: `complete`, unless `result` has its own."""
    return {"resultType": "complete", **result}


def _of_mcp(value: Raw, *, any_structure: bool) -> dict[str, Any] | None:
    """The result of MCP's that `value` is, or the error that tells the model how it is broken; `None` if it is the
    tool's own JSON."""
    if first_byte(value) != b"{":
        return None
    fields = present(_read_result(value), _FIELDS)
    own_bytes = len(value) - json_size(fields)
    if fields.pop("resultType", _COMPLETE) != _COMPLETE or own_bytes > MAX_SMALL_BYTES:
        return None
    # Python writes null for what is absent.
    fields = {name: part for name, part in fields.items() if part != _NULL}
    content = fields.get("content", _NULL)
    if first_byte(content) != b"[" or count_objects(content) > MAX_CONTENT_OBJECTS:
        return None
    blocks = read_blocks(content)
    if blocks is None or (own_bytes and blocks.problem) or ((own_bytes or blocks.has_own) and not blocks.has_media):
        return None
    if problem := blocks.problem or _problem(fields):
        return error_result(ErrorBody(INVALID_RESULT, f"The tool's answer is not a valid result of MCP: {problem}"))
    if own_bytes:
        fields = msgspec.json.decode(value, type=dict[str, Raw]) | fields
    result: dict[str, Any] = {**fields, "content": blocks.json}
    if "structuredContent" in fields:
        result["structuredContent"] = _structured(fields["structuredContent"], any_structure=any_structure)
    if "_meta" in fields:
        result["_meta"] = msgspec.json.decode(fields["_meta"], type=dict[str, Raw])
    return result


def _problem(fields: dict[str, Raw]) -> str | None:
    if fields.get("isError", _FALSE) not in (_FALSE, _TRUE):
        return "isError is neither true nor false."
    meta = fields.get("_meta", _EMPTY)
    if first_byte(meta) != b"{" or len(meta) > MAX_SMALL_BYTES:
        return f"_meta is not an object of at most {MAX_SMALL_BYTES} bytes."
    return None


_COMPLETE = Raw(b'"complete"')
_TRUE = Raw(b"true")
_FALSE = Raw(b"false")
_EMPTY = Raw(b"{}")


def _structured(value: Raw, *, any_structure: bool) -> Any:
    # Up to 2025-11-25 it must be an object, so any other value is wrapped in one.
    return value if any_structure or first_byte(value) == b"{" else {"result": value}


def _as_text(value: Raw) -> Raw:
    """`value` as a JSON string of its own text, or as it is if it is a string. It is compact, so it has no other
    characters that a string has to escape."""
    if first_byte(value) == b'"':
        return value
    return Raw(b'"%s"' % bytes(value).replace(b"\\", b"\\\\").replace(b'"', b'\\"'))


def error_result(error: ErrorBody) -> dict[str, Any]:
    """`error` as the result of a tool, for the model to read."""
    return {
        "content": [{"type": "text", "text": error.message}],
        "isError": True,
        "_meta": {ERROR_KEY: msgspec.to_builtins(error)},
    }


def _failed(error: ErrorBody) -> dict[str, Any]:
    if error.code == "cancelled":
        raise RpcError(CANCELLED, "The request was cancelled.")
    if error.code == UNKNOWN_TOOL:
        raise RpcError(INVALID_PARAMS, error.message)
    return error_result(error)
