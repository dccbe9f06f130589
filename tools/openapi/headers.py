"""The headers of replies, as components of the document."""

from __future__ import annotations

from tools.openapi.grammars import ETAG, Json
from waypost_worker.chat.ui_stream import UI_HEADERS
from waypost_worker.handlers.pages import POLICY
from waypost_worker.http.security_headers import BROWSER_HEADERS

HEADERS: dict[str, Json] = {
    "X-Request-Id": {
        "description": "The id of this request in the operator's log.",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    },
    "Server-Timing": {
        "description": (
            "The number of KV operations, and the milliseconds spent waiting for them; where the request ran, if the "
            "Worker is placed; and, to a request with the header `Waypost-Diagnostics`, the name of the isolate that "
            "served it, eight random characters. To a request with a "
            "`traceparent` also `trace`, with the operation's id in that trace: the first 16 digits of `X-Request-Id`."
        ),
        "required": True,
        "schema": {
            "type": "string",
            "pattern": (
                r'^kv;desc="\d+ operations";dur=\d+(, placement;desc="[A-Za-z0-9-]{1,32}")?'
                r'(, isolate;desc="[0-9a-f]{8}")?(, trace;desc="00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]")?$'
            ),
        },
    },
    **{
        name: {"description": "For browsers.", "required": True, "schema": {"const": value}}
        for name, value in BROWSER_HEADERS.items()
    },
    "Waypost-Storage": {
        "description": "Present if the deployment has no KV namespace: data is lost with the isolate.",
        "schema": {"const": "memory"},
    },
    "ETag": {"description": "The version, a strong validator.", "required": True, "schema": ETAG},
    "Location": {
        "description": "The URL of the new resource.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {
        "description": "Seconds to wait before a retry.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Policy": {
        "description": (
            "The rate limit that this request has spent: `q` uses in `w` seconds. How many are left is not known. "
            "https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/"
        ),
        "schema": {"type": "string", "pattern": r'^"[a-z]+";q=\d+;w=\d+$'},
    },
    "RateLimit": {
        "description": "The rate limit that is spent: nothing remains (`r`), for at most `t` seconds.",
        "schema": {"type": "string", "pattern": r'^"[a-z]+";r=0;t=\d+$'},
    },
    "Waypost-Truncated": {
        "description": "`truncated` of a response that is not JSON: whether older messages were cut off.",
        "schema": {"enum": ["true", "false"]},
    },
    "Waypost-Before": {
        "description": "`before` of a response that is not JSON, percent-encoded.",
        "schema": {"type": "string", "minLength": 1},
    },
    "WWW-Authenticate": {
        "description": "How to send a token.",
        "required": True,
        "schema": {"const": "Bearer"},
    },
    "Content-Disposition": {
        "description": "The file name of a download.",
        "schema": {"type": "string", "pattern": '^attachment; filename="[^"]+"$'},
    },
    "Content-Security-Policy": {
        "description": "Generated pages have their own policy.",
        "required": True,
        "schema": {"enum": [BROWSER_HEADERS["Content-Security-Policy"], POLICY]},
    },
    **{
        name: {"description": "Present in the AI SDK's format.", "schema": {"const": value}}
        for name, value in UI_HEADERS.items()
    },
}

ALWAYS = ("X-Request-Id", "Server-Timing", *BROWSER_HEADERS, "Waypost-Storage")
OF_PROBLEMS = {401: ("WWW-Authenticate",), 429: ("Retry-After", "RateLimit-Policy", "RateLimit"), 503: ("Retry-After",)}


def referred(names: tuple[str, ...]) -> Json:
    """References to the headers of these names."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
