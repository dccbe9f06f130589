"""What both drivers share: how requests of the core become those of httpx2, and its errors ours."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata
from typing import Any

import httpx2

from waypost._core.messages import Request
from waypost.errors import Closed, TransportError

CONNECT_SECONDS = 15.0

FAILURES = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, httpx2.CookieConflict, OSError)
"""What httpx2 raises where a connection fails."""

_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.ProxyError,
)


def client_options() -> dict[str, Any]:
    """Each call that waits has a connection, so their number is not limited; a request says how long it waits."""
    return {
        "limits": httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=30.0),
        "timeout": httpx2.Timeout(CONNECT_SECONDS),
        "headers": {"user-agent": f"waypost-python/{version()}"},
        "follow_redirects": False,
    }


def version() -> str:
    """This distribution's version; 0 where it is not installed."""
    try:
        return metadata.version("waypost")
    except metadata.PackageNotFoundError:
        return "0"


def request_options(base_url: str, request: Request, app_key: str | None, read_seconds: float) -> dict[str, Any]:
    """The arguments of `build_request`."""
    headers = dict(request.headers)
    token = request.token or app_key
    if token:
        headers["authorization"] = f"Bearer {token}"
    return {
        "method": request.method,
        "url": base_url + request.path,
        "params": request.query or None,
        "headers": headers,
        "content": request.body,
        # A body is written in pieces, each of which has this time.
        "timeout": httpx2.Timeout(read_seconds, connect=CONNECT_SECONDS, write=read_seconds, pool=None),
    }


def failure(error: Exception, base_url: str) -> TransportError:
    """What a failed connection means for the caller."""
    never_sent = isinstance(error, _NEVER_SENT)
    what = "can't be reached" if never_sent else "broke the connection"
    if isinstance(error, httpx2.TimeoutException) and not never_sent:
        what = "went silent"
    return TransportError(f"The server at {base_url} {what}: {error or type(error).__name__}", never_sent)


def lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Header fields by their names in lower case."""
    return {name.lower(): value for name, value in headers}


def closed() -> Closed:
    """The error of a client that was closed."""
    return Closed("closed", "This client was closed: make a new one.")
