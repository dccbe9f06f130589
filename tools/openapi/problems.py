"""Which errors a route can answer with, in groups that handlers share."""

from __future__ import annotations

import re
from collections.abc import Iterable

from waypost_worker import errors
from waypost_worker.errors import (
    AddressNotFound,
    BodyTimeout,
    BodyTooLarge,
    BudgetSpent,
    Busy,
    DailyLimit,
    HeaderTooLarge,
    HostNotAllowed,
    InvalidBody,
    InvalidCode,
    InvalidEncoding,
    InvalidHeader,
    InvalidId,
    InvalidJson,
    InvalidParameter,
    InvalidToken,
    MethodNotAllowed,
    ModelBusy,
    ModelFailed,
    ModelTimedOut,
    OriginNotAllowed,
    PreconditionFailed,
    PromptTooLong,
    RateLimited,
    Restarting,
    SessionEnded,
    SessionNotFound,
    StorageUnavailable,
    TokenExpired,
    TokenRequired,
    TooManyStreams,
    Unconfigured,
    UnknownField,
    UnsupportedMediaType,
    UriTooLong,
    WaypostError,
    WrongResource,
    WrongRole,
    WrongSession,
)
from waypost_worker.http.messages import STATUS

Errors = tuple[type[WaypostError], ...]

ROUTING: Errors = (InvalidParameter, RateLimited, UriTooLong, HeaderTooLarge, OriginNotAllowed, HostNotAllowed)
"""Every route: its address has sent too much, or a page of another origin; a name that is not accepted; a path that is
not percent-encoded UTF-8, a query parameter that stands there twice, a long query, path or header field."""
ALWAYS: Errors = (*ROUTING, Unconfigured, Restarting)
STORAGE: Errors = (StorageUnavailable, DailyLimit, BudgetSpent)
JSON_TEXT: Errors = (UnsupportedMediaType, BodyTimeout, BodyTooLarge, Busy, InvalidEncoding, InvalidJson)
BODY: Errors = (*JSON_TEXT, InvalidBody, UnknownField)
STREAMS: Errors = (TooManyStreams, Busy)
"""Streams, and what waits."""
CODE: Errors = (InvalidCode, RateLimited, SessionNotFound, SessionEnded)
"""Who shows nothing but a code."""
TOKEN: Errors = (
    InvalidCode,
    InvalidToken,
    TokenExpired,
    RateLimited,
    WrongSession,
    WrongRole,
    SessionNotFound,
    SessionEnded,
)
HOST: Errors = (TokenRequired, *TOKEN)
GUEST: Errors = (TokenRequired, RateLimited, *TOKEN)
APP_ITSELF: Errors = (TokenRequired, InvalidToken, TokenExpired, WrongRole, RateLimited)
APP: Errors = (*APP_ITSELF, WrongResource, InvalidId)
CONDITIONS: Errors = (InvalidHeader, PreconditionFailed)
MODEL: Errors = (ModelFailed, ModelBusy, ModelTimedOut, PromptTooLong)

INTERNAL = "internal"
"""The code of an unexpected failure."""

OF_NO_ROUTE: frozenset[str] = frozenset({MethodNotAllowed.code, AddressNotFound.code})
"""What only a method that no route has can bring about; and what MCP alone has, in a JSON-RPC error."""


def codes_by_status(errors: Iterable[type[WaypostError]]) -> dict[int, list[str]]:
    """Status -> the problem codes it can come with, both in the order of the table of statuses."""
    named = {error.code for error in errors}
    found: dict[int, list[str]] = {}
    for code, status in STATUS.items():
        if code in named:
            found.setdefault(status, []).append(code)
    found[500] = [INTERNAL]
    return dict(sorted(found.items()))


_CAMEL = re.compile(r"_([a-z])")


def meanings() -> dict[str, str]:
    """What each problem code says: the docstrings of the errors, but what they say of attributes in Python."""
    found = {
        error.code: _meaning(error.__doc__ or "")
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, WaypostError) and getattr(error, "code", "") in STATUS
    }
    found[INTERNAL] = "An unexpected failure, which the operator finds in the log under the response's `X-Request-Id`."
    return {code: found[code] for code in (*STATUS, INTERNAL)}


def _meaning(text: str) -> str:
    sentences = re.split(r"(?<=[.]) ", " ".join(text.split()))
    words = " ".join(sentence for sentence in sentences if not re.match(r"`\w+`:", sentence))
    words = re.sub(r"; raised [^.]*|; retry after `retry_after_seconds`", "", words)
    return re.sub(r"`\w+`", lambda match: _CAMEL.sub(lambda letter: letter[1].upper(), match[0]), words)
