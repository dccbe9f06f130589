"""Exit codes, and what is said about an error. Scripts rely on the codes."""

from __future__ import annotations

from typing import Any

from waypost.errors import (
    ApiError,
    CallTimeout,
    ConfigError,
    Forbidden,
    Gone,
    NotFound,
    RateLimited,
    SessionOver,
    ToolError,
    TransportError,
    Unauthorized,
    Unavailable,
    WaypostError,
)

FAILED = 1
USAGE = 2
TOOL_ERROR = 3
NOT_FOUND = 4
NOT_ALLOWED = 5
RATE_LIMITED = 6
UNREACHABLE = 7
NO_ANSWER = 124
"""As the program `timeout` has it."""
INTERRUPTED = 130
BROKEN_PIPE = 141
"""As of `cat`, where `head` has seen enough."""
TERMINATED = 143

_CODES: tuple[tuple[tuple[type[WaypostError], ...], int], ...] = (
    ((ConfigError,), USAGE),
    ((ToolError,), TOOL_ERROR),
    ((NotFound, Gone, SessionOver), NOT_FOUND),
    ((Unauthorized, Forbidden), NOT_ALLOWED),
    ((RateLimited,), RATE_LIMITED),
    ((TransportError, Unavailable), UNREACHABLE),
    ((CallTimeout,), NO_ANSWER),
)


def exit_code(error: WaypostError) -> int:
    """The exit code for an error."""
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), FAILED)


def as_json(error: WaypostError) -> dict[str, Any]:
    """An error for `--json`: `code` is stable."""
    found: dict[str, Any] = {"code": error.code, "message": error.message}
    if isinstance(error, ToolError) and error.data is not None:
        found["data"] = error.data
    if isinstance(error, CallTimeout):
        found["id"] = error.id
    if isinstance(error, ApiError):
        found |= {"status": error.status, "requestId": error.request_id, "retryAfter": error.retry_after}
    return {"error": {name: value for name, value in found.items() if value is not None}}


def as_text(error: WaypostError) -> str:
    """An error as one sentence and the word for it."""
    known = f"{error.status} {error.code}" if isinstance(error, ApiError) else error.code
    return f"{error.message} ({known})"
