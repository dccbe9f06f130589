"""Which web pages may call the API: those of this origin, and of the origins that were named, letter by letter.

https://fetch.spec.whatwg.org/#http-cors-protocol. Tokens travel in a header that a page has to set itself, so no
credentials (cookies) are ever allowed.
"""

from waypost_worker.http.messages import Request, Response
from waypost_worker.limits import PREFLIGHT_MAX_AGE_SECONDS


def is_preflight(request: Request) -> bool:
    """Whether a browser asks if it may send what a page wants to send."""
    return request.method == "OPTIONS" and request.headers.get("access-control-request-method") is not None


def preflight_response() -> Response:
    """What may be sent; to whom, `allow_origin` adds."""
    return Response(
        204,
        None,
        {
            "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
            "Access-Control-Allow-Headers": (
                "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, "
                "MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name"
            ),
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_SECONDS),
        },
    )


def allow_origin(request: Request, response: Response, allowed: frozenset[str]) -> None:
    """Let the page that asks read `response`, if its origin is one of `allowed`."""
    if not allowed:
        return
    response.headers["Vary"] = "Origin"
    origin = request.headers.get("origin")
    if origin in allowed:
        response.headers["Access-Control-Allow-Origin"] = str(origin)
        response.headers["Access-Control-Expose-Headers"] = (
            "ETag, Location, Mcp-Session-Id, Retry-After, Server-Timing, Waypost-Storage"
        )
