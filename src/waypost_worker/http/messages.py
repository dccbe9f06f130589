"""HTTP requests and responses as plain values, and the one table from error code to HTTP status."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from waypost_worker.errors import (
    AnswerRunning,
    HeaderTooLarge,
    InvalidParameter,
    InvalidTool,
    MethodNotAllowed,
    RateLimited,
    ToolProblem,
    UriTooLong,
    WaypostError,
)
from waypost_worker.limits import MAX_HEADER_LENGTH, MAX_PATH_BYTES, MAX_QUERY_BYTES, MAX_QUERY_PARAMETERS

STATUS: Mapping[str, int] = MappingProxyType({
    "invalid_json": 400,
    "invalid_encoding": 400,
    "invalid_body": 400,
    "unknown_field": 400,
    "invalid_parameter": 400,
    "invalid_header": 400,
    "invalid_code": 400,
    "invalid_id": 400,
    "invalid_cursor": 400,
    "invalid_tool": 400,
    "session_id_required": 400,
    "unknown_agent": 400,
    "unsupported_part": 400,
    "token_required": 401,
    "invalid_token": 401,
    "token_expired": 401,
    "wrong_role": 403,
    "wrong_session": 403,
    "wrong_resource": 403,
    "wrong_secret": 403,
    "code_closed": 403,
    "address_not_allowed": 403,
    "origin_not_allowed": 403,
    "not_found": 404,
    "session_not_found": 404,
    "thread_not_found": 404,
    "message_not_found": 404,
    "document_not_found": 404,
    "page_not_found": 404,
    "method_not_allowed": 405,
    "body_timeout": 408,
    "already_answered": 409,
    "id_in_use": 409,
    "session_too_old": 409,
    "newer_session": 409,
    "answer_running": 409,
    "thread_exists": 409,
    "too_many_documents": 409,
    "session_ended": 410,
    # Not 404: MCP clients take that for a server of an older kind, try its transport, and hide what this error says.
    "address_not_found": 410,
    "address_withdrawn": 410,
    "precondition_failed": 412,
    "body_too_large": 413,
    "prompt_too_long": 413,
    "uri_too_long": 414,
    "unsupported_media_type": 415,
    "host_not_allowed": 421,
    "rate_limited": 429,
    "too_many_streams": 429,
    "model_busy": 429,
    "header_too_large": 431,
    "model_failed": 502,
    "unconfigured": 503,
    "storage_unavailable": 503,
    "daily_limit": 503,
    "budget_spent": 503,
    "busy": 503,
    "restarting": 503,
    "model_timed_out": 504,
})  # fmt: skip
"""https://www.rfc-editor.org/rfc/rfc9110#section-15"""


class Headers(Protocol):
    """Header fields by name, in lower case."""

    def get(self, name: str) -> str | None:
        """The field's value; repeated fields are joined with commas."""
        ...


def content_length(headers: Headers) -> int | None:
    """The Content-Length of a body; `None` if it is missing, or no number."""
    declared = headers.get("content-length") or ""
    # A longer number than any body needs may be cut off.
    return int(declared[:20]) if declared.isascii() and declared.isdigit() else None


def _unknown() -> None:
    return None


class Request(msgspec.Struct, frozen=True):
    """A request. `read_body(limit)` returns the whole body, or `None` once it is known to exceed `limit` bytes; it
    raises `BodyTimeout` if the body does not arrive in time.

    `background(work)` runs `work` concurrently with the response, and for up to 30 s after the client has left.

    `colo()` is the data centre that the request came to, by the code of its airport; `None` if that is not known.
    """

    method: str
    path: str
    query_string: str
    headers: Headers
    read_body: Callable[[int], Awaitable[bytes | None]]
    background: Callable[[Coroutine[Any, Any, None]], None]
    client_ip: str | None = None
    scheme: str = "https"
    colo: Callable[[], str | None] = _unknown

    def query(self) -> dict[str, str]:
        """The query parameters.

        Raises:
            InvalidParameter: a parameter occurs twice, so that readers would differ in its value; or there are too
                many; or they are not percent-encoded UTF-8.
        """
        if len(self.query_string) > MAX_QUERY_BYTES:
            raise InvalidParameter(f"The query string may have {MAX_QUERY_BYTES} bytes.")
        if self.query_string.count("&") >= MAX_QUERY_PARAMETERS:
            raise InvalidParameter(f"A query may have {MAX_QUERY_PARAMETERS} parameters.")
        if not self.query_string:
            return {}
        try:
            # Strict: with replacement characters, two different ids could become the same.
            pairs = parse_qsl(self.query_string, keep_blank_values=True, errors="strict")
        except UnicodeDecodeError as error:
            raise InvalidParameter("The query is not percent-encoded UTF-8.") from error
        if len({name for name, _ in pairs}) < len(pairs):
            raise InvalidParameter("Each query parameter may be given once.")
        return dict(pairs)


class _BoundedHeaders:
    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def get(self, name: str) -> str | None:
        value = self._headers.get(name)
        if value is not None and len(value) > MAX_HEADER_LENGTH:
            raise HeaderTooLarge(f"The header field {name} may have {MAX_HEADER_LENGTH} characters.")
        return value


def bounded(request: Request) -> Request:
    """`request`, with its path checked, and with headers that raise `HeaderTooLarge` when a field is read that is too
    long.

    Raises:
        UriTooLong
    """
    if len(request.path) > MAX_PATH_BYTES:
        raise UriTooLong(f"A path may have {MAX_PATH_BYTES} bytes.")
    headers = request.headers
    # Nearly always: then no read of a field needs to be looked after.
    if isinstance(headers, dict) and max(map(len, headers.values()), default=0) <= MAX_HEADER_LENGTH:
        return request
    return msgspec.structs.replace(request, headers=_BoundedHeaders(headers))


class Response(msgspec.Struct):
    """A response: bytes, or a stream of them. Closing the stream frees its resources. `code`: that of its problem."""

    status: int
    body: bytes | AsyncGenerator[bytes, None] | None = None
    headers: dict[str, str] = {}
    code: str = ""


class _Problem(msgspec.Struct, omit_defaults=True, rename="camel"):
    """What went wrong, as a problem document: https://www.rfc-editor.org/rfc/rfc9457"""

    type: str
    """Always `about:blank`: `code` says which problem it is."""
    title: str
    """The kind of the problem in a few words, the same for each problem with this `code`."""
    status: int
    """The status of the response."""
    detail: str
    """A sentence for a person: what is wrong with this request, and what to do."""
    code: str
    """The problem in a word that does not change. Programs branch on it."""
    generation_id: str | None = None
    """With `answer_running`: the answer that is not finished."""
    tools: tuple[ToolProblem, ...] = ()
    """With `invalid_tool`: each faulty tool, and the place in it."""


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON, or bytes that are JSON. Never cached, since its data may change at any time."""
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return Response(status, body, {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})})


def tagged_response(body: bytes | None, etag: str, headers: Mapping[str, str]) -> Response:
    """`body` with its ETag, to be cached by the client and revalidated each time; `None`: the client has it (304).

    A 304 has the same headers: they replace those of the cached copy, so that a stricter policy takes effect.
    """
    fields = {"ETag": etag, "Cache-Control": "private, no-cache", **headers}
    return Response(304, None, fields) if body is None else Response(200, body, fields)


def problem_response(error: WaypostError) -> Response:
    """The problem document of `error`: https://www.rfc-editor.org/rfc/rfc9457"""
    status = STATUS[error.code]
    generation_id = error.generation_id if isinstance(error, AnswerRunning) else None
    tools = error.tools if isinstance(error, InvalidTool) else ()
    response = problem(status, error.code, error.title, error.detail, generation_id, tools)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.allowed)
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, RateLimited) and error.policy:
        # The one moment at which the rest of a budget is known:
        # https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
        response.headers["RateLimit-Policy"] = error.policy
        response.headers["RateLimit"] = f"{error.policy.partition(';')[0]};r=0;t={error.retry_after_seconds}"
    return response


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    generation_id: str | None = None,
    tools: tuple[ToolProblem, ...] = (),
) -> Response:
    """A problem document; programs branch on `code`. `generation_id`: the answer that the request conflicts with;
    `tools`: what is wrong with which tool."""
    response = json_response(_Problem("about:blank", title, status, detail, code, generation_id, tools), status)
    response.headers["Content-Type"] = "application/problem+json"
    response.code = code
    return response
