"""Requests and replies as values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from waypost import errors
from waypost.errors import ApiError, TransportError

T = TypeVar("T")

UPLOAD_BYTES_PER_SECOND = 47_000
"""The slowest upload that is waited for: 8 MiB in three minutes, as the server does."""

REPLY_SECONDS = 30.0
"""How long a reply may take to begin, or between two parts of it, if nothing else is said."""

MAX_RETRY_AFTER_SECONDS = 24 * 3600.0
"""The longest Retry-After that is heeded."""

_BY_STATUS: dict[int, type[ApiError]] = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Gone,
    412: errors.PreconditionFailed,
    413: errors.TooLarge,
    429: errors.RateLimited,
}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request. `token`: what it presents. `seconds`: how long the reply may take to begin."""

    method: str
    path: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: bytes | None = None
    token: str | None = None
    seconds: float = REPLY_SECONDS

    @property
    def patience(self) -> float:
        """`seconds`, and the time that a large body may take."""
        return self.seconds + len(self.body or b"") / UPLOAD_BYTES_PER_SECOND

    def with_token(self, token: str | None) -> Request:
        """The same request, presenting `token` unless it presents one already."""
        return self if self.token or not token else msgspec.structs.replace(self, token=token)


class Reply(msgspec.Struct, frozen=True):
    """One HTTP reply, read whole. The names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self, type: Any = Any) -> Any:
        """The body as `type`.

        Raises:
            TransportError: it is none, so what replied is no Waypost server.
        """
        try:
            return msgspec.json.decode(self.body, type=type)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise TransportError(f"What replied is no Waypost server, or another version: {error}") from error


class Call(msgspec.Struct, Generic[T], frozen=True):
    """A request, how to read its reply, and whether it may be sent twice: `repeatable` ones take effect once."""

    request: Request
    read: Callable[[Reply], T]
    repeatable: bool = True


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="-._~")


def refusal(reply: Reply, now: float) -> ApiError:
    """The error that a reply without success means. `now`: Unix seconds."""
    problem: dict[str, Any] = {}
    try:
        parsed = msgspec.json.decode(reply.body)
        problem = parsed if isinstance(parsed, dict) else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        # A proxy's page, or cut off. The status says enough.
        pass
    status = reply.status
    detail = problem.get("detail") or problem.get("title") or f"The server replied {status}."
    if 300 <= status < 400:
        detail = f"The server redirects to {reply.headers.get('location', 'elsewhere')}: use that address."
    kind = _BY_STATUS.get(status, errors.Unavailable if status >= 500 else errors.BadRequest)
    wait = parse_retry_after(reply.headers.get("retry-after"), now)
    code = problem.get("code")
    return kind(
        status,
        code if isinstance(code, str) else f"http_{status}",
        str(detail),
        str(problem.get("title") or ""),
        wait,
        reply.headers.get("x-request-id"),
        problem,
    )


def parse_retry_after(value: str | None, now: float) -> float | None:
    """The seconds of a Retry-After field, which has seconds or a date (RFC 9110, 10.2.3): a day at most. `None` if
    there is none that can be read."""
    if value is None:
        return None
    if re.fullmatch(r"\s*\d{1,12}\s*", value, re.ASCII):
        return min(float(value), MAX_RETRY_AFTER_SECONDS)
    try:
        return min(max(0.0, parsedate_to_datetime(value).timestamp() - now), MAX_RETRY_AFTER_SECONDS)
    except ValueError:
        return None
