"""What a tool returns or raises, as the answer on the wire: the JSON of an object with `result` or `error`."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from waypost._core.plain_json import Unsendable, to_json
from waypost.errors import ApiError, ToolError, WaypostError, is_final

MAX_RESULT_BYTES = 8 * 1024 * 1024
"""The largest result that the server takes, as JSON."""

_MAX_CODE_LENGTH = 64
_MAX_MESSAGE_LENGTH = 4000
_MAX_DATA_BYTES = 64 * 1024
_OWN_CODES = (b'"answer_too_large"', b'"answer_refused"')


class Media(msgspec.Struct, frozen=True):
    """An image or a sound as a tool's result, alone or in its list `content`: MCP clients get it as such.
    `mime_type`: `image/png`, `audio/wav`, …"""

    data: bytes
    mime_type: str

    def block(self) -> dict[str, str]:
        """The content block of MCP."""
        kind = "audio" if self.mime_type.startswith("audio/") else "image"
        return {"type": kind, "data": base64.b64encode(self.data).decode(), "mimeType": self.mime_type}


def result_answer(value: Any, max_bytes: int = MAX_RESULT_BYTES) -> bytes:
    """The answer for a result. One that can't be sent becomes an error that says what to return."""
    try:
        result = to_json(_with_media(value))
    except Unsendable as error:
        return error_answer("tool_error", f"The tool's result can't be sent. {error}")
    if len(result) > max_bytes:
        size, limit = len(result) / 1024**2, max_bytes / 1024**2
        message = f"The tool's result has {size:.1f} MiB of JSON, and may have {limit:.1f}. Return a part of it."
        return error_answer("answer_too_large", message)
    return b'{"result":%b}' % result


def error_answer(code: str, message: str, data: Any = None) -> bytes:
    """The answer for an error."""
    error: dict[str, Any] = {"code": code[:_MAX_CODE_LENGTH] or "tool_error", "message": message[:_MAX_MESSAGE_LENGTH]}
    if data is not None:
        try:
            text = to_json(data)
            error["data"] = data if len(text) <= _MAX_DATA_BYTES else f"{len(text)} bytes of data were left out."
        except Unsendable as unsendable:
            error["data"] = f"The data can't be sent. {unsendable}"
    return to_json({"error": error})


def exception_answer(error: BaseException) -> bytes:
    """The answer for what a tool raises: its message, and never its stack."""
    if isinstance(error, ToolError):
        return error_answer(error.code, error.message, error.data)
    return error_answer("tool_error", str(error) or type(error).__name__)


def substitute(answer: bytes, error: WaypostError) -> bytes | None:
    """The answer to send instead of one that the server refuses for good; `None` if there is none."""
    if not isinstance(error, ApiError) or is_final(error):
        return None
    if any(code in answer[:100] for code in _OWN_CODES):
        return None
    code = "answer_too_large" if error.status == 413 else "answer_refused"
    return error_answer(code, f"The tool's answer could not be delivered: {error.message}"[:1000])


def _with_media(value: Any) -> Any:
    if isinstance(value, Media):
        return {"content": [value.block()]}
    if isinstance(value, dict) and isinstance(value.get("content"), list):
        blocks = [block.block() if isinstance(block, Media) else block for block in value["content"]]
        return value | {"content": blocks}
    return value
