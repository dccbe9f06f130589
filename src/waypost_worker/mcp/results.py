"""Maps a host's response to the result of an MCP tool.

A result with a list `content` is passed through unchanged. Any other JSON becomes text, and `structuredContent`. An
error of the tool becomes `isError: true`, for the model to read. An unknown tool and a cancelled call are errors of the
protocol.
"""

import math
from typing import Any

import msgspec

from waypost_worker.mcp.jsonrpc import CANCELLED, INVALID_PARAMS, RpcError
from waypost_worker.queues.message import ErrorBody, Message

ERROR_KEY = "waypost/error"
UNKNOWN_TOOL = "unknown_tool"
"""The error code of `waypost.js` for a tool that the tab does not have."""


def tool_result(response: Message, *, any_structure: bool) -> dict[str, Any]:
    """The result of `tools/call`. `any_structure`: `structuredContent` may be any JSON value, not only an object.

    Raises:
        RpcError: the host has no such tool, or the call was cancelled.
    """
    if response.error is not msgspec.UNSET:
        return _failed(response.error)
    value = None if response.result is msgspec.UNSET else response.result
    if isinstance(value, dict) and isinstance(value.get("content"), list):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    # Up to 2025-11-25 it must be an object, so any other value is wrapped in one.
    structured = value if any_structure or isinstance(value, dict) else {"result": value}
    return {"content": [{"type": "text", "text": text}], "structuredContent": structured}


def complete_result(result: dict[str, Any]) -> dict[str, Any]:
    """`result` with the `resultType` that 2026-07-28 requires: `complete`, unless `result` has its own."""
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
    """Turns a host's progress reports into MCP progress, which must increase with each notification."""

    def __init__(self) -> None:
        self._last = 0.0
        self._is_new = True

    def next(self, token: str | int, report: Any) -> dict[str, Any]:
        """The parameters of the next notification. A `report` with a number `progress` keeps its numbers; any other
        report counts as one step, and becomes the message."""
        fields: dict[str, Any] = report if isinstance(report, dict) else {}
        progress: Any = fields.get("progress")
        if not _is_number(progress):
            progress = math.floor(self._last) + 1
            message = report if isinstance(report, str) else msgspec.json.encode(report).decode()
            fields = {"message": fields.get("message", message)}
        elif not self._is_new and progress <= self._last:
            progress = math.nextafter(self._last, math.inf)
        self._last, self._is_new = progress, False
        params: dict[str, Any] = {"progressToken": token, "progress": progress}
        if _is_number(fields.get("total")):
            params["total"] = fields["total"]
        if isinstance(fields.get("message"), str):
            params["message"] = fields["message"]
        return params


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
