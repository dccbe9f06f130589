"""Requests and replies as plain values, and the one table from error code to HTTP status."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol
from urllib.parse import parse_qsl

import msgspec

from waypost.errors import InvalidParameter, MethodNotAllowed, RateLimited, Unavailable, WaypostError
from waypost.limits import MAX_QUERY_BYTES

STATUS: Mapping[str, int] = MappingProxyType({
    "invalid_json": 400,
    "invalid_encoding": 400,
    "invalid_body": 400,
    "unknown_field": 400,
    "invalid_parameter": 400,
    "invalid_code": 400,
    "invalid_id": 400,
    "invalid_cursor": 400,
    "token_required": 401,
    "invalid_token": 401,
    "token_expired": 401,
    "wrong_role": 403,
    "wrong_session": 403,
    "not_found": 404,
    "session_not_found": 404,
    "method_not_allowed": 405,
    "already_answered": 409,
    "session_too_old": 409,
    "session_ended": 410,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "rate_limited": 429,
    "unconfigured": 503,
    "storage_unavailable": 503,
    "budget_spent": 503,
})  # fmt: skip
"""https://www.rfc-editor.org/rfc/rfc9110#section-15"""


class Headers(Protocol):
    """Header fields by name, in lower case."""

    def get(self, name: str) -> str | None:
        """The field's value; repeated fields are joined with commas."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `read_body(limit)` returns the whole body, or `None` once it is known to be over `limit` bytes."""

    method: str
    path: str
    query_string: str
    headers: Headers
    read_body: Callable[[int], Awaitable[bytes | None]]
    client_ip: str | None = None

    def query(self) -> dict[str, str]:
        """The query parameters.

        Raises:
            InvalidParameter: one stands there twice, which one party may read one way and the next another; or there
                are too many.
        """
        if len(self.query_string) > MAX_QUERY_BYTES:
            raise InvalidParameter(f"The query string may have {MAX_QUERY_BYTES} bytes.")
        pairs = parse_qsl(self.query_string, keep_blank_values=True)
        if len({name for name, _ in pairs}) < len(pairs):
            raise InvalidParameter("Each query parameter may be given once.")
        return dict(pairs)


@dataclass(slots=True)
class Response:
    """A reply: bytes, or a stream of them. Closing the stream frees what it holds."""

    status: int
    body: bytes | AsyncGenerator[bytes, None] | None = None
    headers: dict[str, str] = field(default_factory=dict)


class _Problem(msgspec.Struct):
    type: str
    title: str
    status: int
    detail: str
    code: str


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON; never to be cached, since every answer is about a moment."""
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return Response(status, body, {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})})


def problem_response(error: WaypostError) -> Response:
    """The problem document of `error`: https://www.rfc-editor.org/rfc/rfc9457"""
    status = STATUS[error.code]
    response = problem(status, error.code, error.title, error.detail)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, RateLimited | Unavailable) and error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def problem(status: int, code: str, title: str, detail: str) -> Response:
    """A problem document; `code` is what programs should look at."""
    response = json_response(_Problem("about:blank", title, status, detail, code), status)
    response.headers["Content-Type"] = "application/problem+json"
    return response
