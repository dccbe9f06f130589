"""The introduction of the document: rules for all routes, tags, and security schemes."""

from __future__ import annotations

from tools.openapi.grammars import Json
from waypost_worker.limits import MAX_BODY_BYTES, MAX_JSON_DEPTH, MAX_QUERY_BYTES

DESCRIPTION = f"""JSON in and out (UTF-8). Errors are problem documents (RFC 9457); programs branch on `code`. \
Times are ISO 8601 in UTC, with milliseconds. Integers are \
written as such: `2`, not `2.0`.

A body has at most {MAX_BODY_BYTES // 1024} KiB (messages, pages and results of tools may have more), \
{MAX_JSON_DEPTH} levels of arrays and objects, and no unknown fields. A query has at most \
{MAX_QUERY_BYTES // 1024} KiB, and each parameter once. \
Every `GET` also takes `HEAD`. Any other method of a path gets 405, with `Allow` and the code \
`method_not_allowed`; any other path 404, with `not_found`.

A request that got 503 with `Retry-After` can be sent again safely.
"""

TAGS = {
    "sessions": "A host (a tab, or any program) opens a session; guests reach it by its code.",
    "calls": "Requests to the host of a session, and its responses.",
    "mcp": "The tools of a tab, for clients of the Model Context Protocol.",
    "chats": "Messages to a model. Its answers are streams that continue without a reader.",
    "threads": "An app's threads, by ids that the app chooses.",
    "conversations": "Conversations, by the secret id that owns them.",
    "documents": "JSON documents of a session, stored for a day.",
    "pages": "Generated pages, stored for a day.",
    "service": "For the operator.",
}

SECURITY: dict[str, Json] = {
    "hostToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The `hostToken` from opening the session.",
    },
    "guestToken": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "The `guestToken` from joining. Without a token the code alone is enough for a guest, unless the "
            "deployment sets `REQUIRE_TOKEN`; if that is `once`, reading the session needs a token too."
        ),
    },
    "addressSecret": {
        "type": "http",
        "scheme": "bearer",
        "description": "The secret of an MCP address, which its browser made and keeps.",
    },
    "queryToken": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "A session's token in the URL, for EventSource, which can't set headers. On `/api/stream` only.",
    },
    "appKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "One of the keys in `APP_KEYS`. If the deployment sets none, none is needed.",
    },
    "appToken": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "The `token` that an app's backend requests from `/api/tokens` for a browser: it reaches the threads of "
            "one resource, which is the default for `resourceId`."
        ),
    },
}
