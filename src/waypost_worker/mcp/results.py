"""Maps a host's response to the result of an MCP tool.

A result with a list `content` is passed through unchanged. Any other JSON becomes text, and `structuredContent`. An
error of the tool becomes `isError: true`, for the model to read. An unknown tool and a cancelled call are errors of the
protocol.
"""

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
