"""CORS: what the pages that may call (page_access.py) may send, and read of a reply.

https://fetch.spec.whatwg.org/#http-cors-protocol. Tokens are sent in a header that a page sets itself, so
credentials (cookies) are never allowed; there are none.
"""

import re

from waypost_worker.http.messages import Request, Response
from waypost_worker.limits import MAX_PARAMETER_HEADERS, PREFLIGHT_MAX_AGE_SECONDS

METHODS = "GET, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = (
    "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, "
    "MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, traceparent, tracestate, baggage"
)
"""What pages send. The last three are of W3C Trace Context: libraries that trace add them to every request."""

RESPONSE_HEADERS = (
    "Content-Disposition, ETag, Location, Mcp-Session-Id, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, "
    "Waypost-Before, Waypost-Storage, Waypost-Truncated, WWW-Authenticate, X-Request-Id"
)
"""What pages may read."""

_PARAMETER = re.compile(r"mcp-param-[!#$%&'*+.^_`|~0-9a-z-]{1,64}", re.IGNORECASE)
"""A header that repeats an argument of a tool (MCP 2026-07-28): the tool chooses its name."""


def is_preflight(request: Request) -> bool:
    """Whether `request` is a CORS preflight."""
    return request.method == "OPTIONS" and request.headers.get("access-control-request-method") is not None


def preflight_response(request: Request) -> Response:
    """The reply to the preflight `request`: methods and headers that pages may send. `allow_origin` adds the origin."""
    parameters = [name for name in _requested_headers(request) if _PARAMETER.fullmatch(name)]
    return Response(
        204,
        None,
        {
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": ", ".join([REQUEST_HEADERS, *parameters[:MAX_PARAMETER_HEADERS]]),
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_SECONDS),
        },
    )


def asks_for_authorization(request: Request) -> bool:
    """Whether the page behind the preflight `request` wants to send a token."""
    return "authorization" in map(str.lower, _requested_headers(request))


def allow_origin(response: Response, origin: str) -> None:
    """Lets pages of `origin` read `response`."""
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = RESPONSE_HEADERS


def _requested_headers(request: Request) -> list[str]:
    return [name.strip() for name in (request.headers.get("access-control-request-headers") or "").split(",")]
