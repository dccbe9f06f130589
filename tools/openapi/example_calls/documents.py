"""Documents and pages are put, changed by two, and removed."""

from __future__ import annotations

from tools.openapi.example_calls.step import Step

_SID = {"sid": "$session_id"}
_NOTES = {"sid": "$session_id", "name": "notes"}
_PAGE = {"intentId": "q3-report-$code"}
_HTML = "<!doctype html><title>Q3</title><h1>Up 4 %</h1>"

DOCUMENTS = (
    Step("GET /api/sessions/{sid}/intents", "before", 404, path=_SID),
    Step(
        "PUT /api/sessions/{sid}/intents",
        "only if there are none",
        201,
        ["plan the trip", "book a train"],
        _SID,
        headers={"If-None-Match": "*"},
        keep={"intents_etag": "header:ETag"},
    ),
    Step("GET /api/sessions/{sid}/intents", "after", 200, path=_SID),
    Step("GET /api/sessions/{sid}/intents", "unchanged", 304, path=_SID, headers={"If-None-Match": "$intents_etag"}),
    Step("DELETE /api/sessions/{sid}/intents", "them all", 204, path=_SID),
    Step("PUT /api/sessions/{sid}/theme", "a theme", 201, {"accent": "teal", "dark": True}, _SID),
    Step("GET /api/sessions/{sid}/theme", "the theme", 200, path=_SID),
    Step("DELETE /api/sessions/{sid}/theme", "the theme", 204, path=_SID),
    Step(
        "PUT /api/sessions/{sid}/documents/{name}",
        "a new one",
        201,
        {"lines": ["Oslo", "Bergen"]},
        _NOTES,
        keep={"notes_etag": "header:ETag"},
    ),
    Step(
        "PUT /api/sessions/{sid}/documents/{name}",
        "that version",
        200,
        {"lines": ["Oslo"]},
        _NOTES,
        headers={"If-Match": "$notes_etag"},
    ),
    Step(
        "PUT /api/sessions/{sid}/documents/{name}",
        "an older version",
        412,
        {"lines": []},
        _NOTES,
        headers={"If-Match": '"00000000000000000000000000000000"'},
    ),
    Step("GET /api/sessions/{sid}/documents/{name}", "as it was put", 200, path=_NOTES),
    Step("GET /api/sessions/{sid}/documents", "all", 200, path=_SID),
    Step("DELETE /api/sessions/{sid}/documents/{name}", "by its name", 204, path=_NOTES),
)

PAGES = (
    Step(
        "PUT /api/pages/{intentId}",
        "a new one",
        201,
        {"html": _HTML, "title": "Q3", "sessionId": "$session_id"},
        _PAGE,
        keep={"page_etag": "header:ETag"},
    ),
    Step(
        "PUT /api/pages/{intentId}", "another's", 403, {"html": _HTML, "sessionId": "a-session-of-another-tab"}, _PAGE
    ),
    Step("GET /api/pages/{intentId}", "by its owner", 200, path=_PAGE, query={"sessionId": "$session_id"}),
    Step("GET /api/pages/{intentId}", "unchanged", 304, path=_PAGE, headers={"If-None-Match": "$page_etag"}),
    Step("GET /pages/{intentId}", "for a browser", 200, path=_PAGE),
    Step("GET /api/sessions/{sid}/pages", "all", 200, path=_SID),
    Step("DELETE /api/pages/{intentId}", "by its owner", 204, path=_PAGE, query={"sessionId": "$session_id"}),
    Step("GET /pages/{intentId}", "after that", 404, path=_PAGE),
)
