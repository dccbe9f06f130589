"""CORS: which web pages may read replies. Pages of this origin may, and of the origins in ALLOWED_ORIGINS, exactly.

https://fetch.spec.whatwg.org/#http-cors-protocol. Tokens are sent in a header that a page sets itself, so
credentials (cookies) are never allowed.
"""

from waypost_worker.http.messages import Request, Response
from waypost_worker.limits import PREFLIGHT_MAX_AGE_SECONDS


def is_preflight(request: Request) -> bool:
    """Whether `request` is a CORS preflight."""
    return request.method == "OPTIONS" and request.headers.get("access-control-request-method") is not None


def preflight_response() -> Response:
    """The reply to a preflight: methods and headers that a page may send. `allow_origin` adds the origin."""
    return Response(
        204,
        None,
        {
            "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": (
                "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, "
                "MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name"
            ),
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_SECONDS),
        },
    )


def allow_origin(request: Request, response: Response, allowed: frozenset[str]) -> None:
    """Lets the calling page read `response`, if its origin is one of `allowed`."""
    if not allowed:
        return
    response.headers["Vary"] = "Origin"
    origin = request.headers.get("origin")
    if origin in allowed:
        response.headers["Access-Control-Allow-Origin"] = str(origin)
        response.headers["Access-Control-Expose-Headers"] = (
            "ETag, Location, Mcp-Session-Id, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, Waypost-Before, "
            "Waypost-Storage, Waypost-Truncated"
        )
