"""What the document says at its beginning: the rules that hold everywhere, who is who, and what belongs where."""

from __future__ import annotations

from tools.openapi.grammars import Json
from waypost_worker.limits import MAX_BODY_BYTES, MAX_JSON_DEPTH, MAX_PAGE_BODY_BYTES, MAX_QUERY_BYTES

DESCRIPTION = f"""JSON in and out (UTF-8). Errors are problem documents (RFC 9457); `code` is the word for programs. \
Times are ISO 8601 in UTC, with milliseconds. Integers are \
written as such: `2`, not `2.0`.

A body has at most {MAX_BODY_BYTES} bytes ({MAX_PAGE_BODY_BYTES} for a page), {MAX_JSON_DEPTH} levels of arrays and \
objects, and no fields that are not named here. A query has at most {MAX_QUERY_BYTES} bytes, and each parameter once. \
Every `GET` also takes `HEAD`. Any other method of a path is answered 405, with `Allow` and the code \
`method_not_allowed`; any other path 404, with `not_found`.

Where a reply says 503 with `Retry-After`, sending the same again is safe.
"""

TAGS = {
    "sessions": "A tab, or any program, that may be called; reached by its code.",
    "calls": "Requests to the host of a session, and its answers.",
    "mcp": "The tools of a tab, for any client of the Model Context Protocol.",
    "chats": "Questions to a model, answers as streams that outlive their reader.",
    "threads": "An app's threads, by the ids that it chose.",
    "conversations": "What was said, by the secret id that owns it.",
    "documents": "JSON of a session, kept for a day.",
    "pages": "Generated pages, kept for a day.",
    "service": "For whoever runs it.",
}

SECURITY: dict[str, Json] = {
    "hostToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The `hostToken` of who opened the session.",
    },
    "guestToken": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "The `guestToken` of who joined. Without it the code alone makes a guest, unless the deployment has set "
            "`REQUIRE_TOKEN`; where that is `once`, reading the session needs a token too."
        ),
    },
    "queryToken": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "A session's token, for an EventSource, which can't set a header. On `/api/stream` only.",
    },
    "appKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "One of the keys in `APP_KEYS`. Where the deployment has set none, nothing is asked for.",
    },
    "appToken": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "The `token` that an app's backend got from `/api/tokens`, for a browser: it reaches the threads of one "
            "resource. A call that names no `resourceId` then means that one."
        ),
    },
}
