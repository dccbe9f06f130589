"""What a model is given of a tool's result: JSON if it is small, otherwise the beginning of its text.

A result in MCP's form becomes its texts; pictures and sounds in it are replaced by notes.
"""

from contextlib import suppress
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from waypost_worker.limits import MAX_TOOL_RESULT_BYTES

_NULL = Raw(b"null")

LEFT_OUT = "[The results of this answer's tools are longer than fits: this one is left out.]"


class _Resource(msgspec.Struct):
    uri: str = ""
    text: str | UnsetType = UNSET


class _Block(msgspec.Struct):
    # What else it has, such as the picture itself, is not decoded.
    type: str
    text: str | UnsetType = UNSET
    mimeType: str = ""
    uri: str = ""
    resource: _Resource | UnsetType = UNSET


class _McpResult(msgspec.Struct, forbid_unknown_fields=True):
    content: list[_Block]
    structuredContent: Raw = _NULL
    isError: bool = False
    resultType: Raw = _NULL
    _meta: Raw = _NULL


_read_mcp = msgspec.json.Decoder(_McpResult).decode
_BLOCKS = {"text", "image", "audio", "resource", "resource_link"}


def kept(result: Raw, room: int) -> tuple[Any, bool]:
    """What an answer keeps of `result`, whose log has `room` for so many bytes; and whether it is an error."""
    limit = min(room, MAX_TOOL_RESULT_BYTES)
    return shown(result, limit) if limit > 0 else (LEFT_OUT, False)


def shown(result: Raw, limit: int) -> tuple[Any, bool]:
    """`result`, as JSON or as a text of at most `limit` bytes and a note that says what was cut; and whether it is an
    error by MCP's form."""
    if bytes(memoryview(result)[:1]) == b"{":
        with suppress(msgspec.ValidationError):
            mcp = _read_mcp(result)
            if mcp.content and all(block.type in _BLOCKS for block in mcp.content):
                return cut("\n".join(map(_told, mcp.content)), limit), mcp.isError
            if not mcp.content and mcp.structuredContent != _NULL:
                return _json(mcp.structuredContent, limit), mcp.isError
    return _json(result, limit), False


def cut(text: str, limit: int) -> str:
    """`text`, or its first `limit` bytes and a note that says so."""
    if len(text) * 4 <= limit or len(encoded := text.encode()) <= limit:
        return text
    return f"{encoded[:limit].decode(errors='ignore')}\n{_note(len(encoded), limit)}"


def _note(size: int, limit: int) -> str:
    return f"[The result was cut here: it has {size} bytes, of which {limit} are shown.]"


def _told(block: _Block) -> str:
    if block.type == "text" and block.text is not UNSET:
        return block.text
    if block.resource is not UNSET and block.resource.text is not UNSET:
        return block.resource.text
    about = block.mimeType or block.uri or (block.resource.uri if block.resource is not UNSET else "")
    return f"[{block.type}{f' {about[:200]}' if about else ''}: only text of a result is shown]"


def _json(value: Raw, limit: int) -> Any:
    size = len(memoryview(value))
    if size <= limit:
        return msgspec.json.decode(value)
    beginning = bytes(memoryview(value)[:limit])
    if beginning.startswith(b'"'):
        # Perhaps it was cut in the middle of a character, or of its escape.
        while (text := _string(beginning)) is None:
            beginning = beginning[:-1]
        return f"{text}\n{_note(size, limit)}"
    return f"{beginning.decode(errors='ignore')}\n{_note(size, limit)}"


def _string(beginning: bytes) -> str | None:
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.decode(beginning + b'"', type=str)
    return None
