"""What a host answered, as the result of an MCP tool: what is MCP's already is not touched, nothing is read into it.

A result with a list `content` passes as it is. Any other JSON becomes text, and `structuredContent`. An error of the
tool becomes `isError: true`, for the model to read; that there is no such tool, or that the call was taken back, is an
error of the protocol.
"""

import math
from typing import Any

import msgspec

from waypost_worker.mcp.jsonrpc import CANCELLED, INVALID_PARAMS, RpcError
from waypost_worker.queues.message import ErrorBody, Message

ERROR_KEY = "waypost/error"
UNKNOWN_TOOL = "unknown_tool"
"""The code with which `waypost.js` answers for a tool that it does not have."""


def tool_result(answer: Message, *, any_structure: bool) -> dict[str, Any]:
    """The result of `tools/call`. `any_structure`: `structuredContent` may be any JSON, and not only an object.

    Raises:
        RpcError: the host has no such tool, or the call was taken back.
    """
    if answer.error is not msgspec.UNSET:
        return _failed(answer.error)
    value = None if answer.result is msgspec.UNSET else answer.result
    if isinstance(value, dict) and isinstance(value.get("content"), list):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    # Up to 2025-11-25 it is an object or nothing, so what is none is put into one.
    structured = value if any_structure or isinstance(value, dict) else {"result": value}
    return {"content": [{"type": "text", "text": text}], "structuredContent": structured}


def complete_result(result: dict[str, Any]) -> dict[str, Any]:
    """`result` as 2026-07-28 has it, which says that it is complete unless it says what it is."""
    return {"resultType": "complete", **result}


def _failed(error: ErrorBody) -> dict[str, Any]:
    if error.code == "cancelled":
        raise RpcError(CANCELLED, "The request was cancelled.")
    if error.code == UNKNOWN_TOOL:
        raise RpcError(INVALID_PARAMS, error.message)
    return {
        "content": [{"type": "text", "text": error.message}],
        "isError": True,
        "_meta": {ERROR_KEY: msgspec.to_builtins(error)},
    }


class ProgressCounter:
    """Turns what a host reports on the way into MCP's progress, which must grow with each notification."""

    def __init__(self) -> None:
        self._last = 0.0
        self._is_new = True

    def next(self, token: str | int, report: Any) -> dict[str, Any]:
        """The parameters of the notification. A `report` with a number `progress` is taken at its word; any other
        counts as one step more, and is the message."""
        told: dict[str, Any] = report if isinstance(report, dict) else {}
        progress: Any = told.get("progress")
        if not _is_number(progress):
            progress = math.floor(self._last) + 1
            message = report if isinstance(report, str) else msgspec.json.encode(report).decode()
            told = {"message": told.get("message", message)}
        elif not self._is_new and progress <= self._last:
            progress = math.nextafter(self._last, math.inf)
        self._last, self._is_new = progress, False
        found: dict[str, Any] = {"progressToken": token, "progress": progress}
        if _is_number(told.get("total")):
            found["total"] = told["total"]
        if isinstance(told.get("message"), str):
            found["message"] = told["message"]
        return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
