"""`/api/pages/{intentId}` and `/pages/{intentId}`: generated pages, kept for a day and shown in a sandbox."""

from __future__ import annotations

from tools.openapi.grammars import ID
from tools.openapi.operations.documents import CONDITIONAL, KNOWN, WHOSE
from tools.openapi.parts import APP, HTML, JSON, NOBODY_KNOWN, Link, Operation, Parameter, Reply
from tools.openapi.problems import APP as APP_PROBLEMS
from tools.openapi.problems import BODY, CONDITIONS, STORAGE, Errors
from waypost_worker.errors import InvalidId, PageNotFound, TooManyDocuments, WrongSession
from waypost_worker.handlers.pages import PageBody, PagesView, PageView, StoredPageView

_PAGE = {"path.intentId": "$request.path.intentId"}
_OWNED = {**_PAGE, "query.sessionId": "$request.body#/sessionId"}
_PUBLIC = "Pass the intent's id on to those who may see the page."
_PROBLEMS: Errors = (InvalidId, *CONDITIONS, *STORAGE)
_AFTER_PUT = (
    Link("readPage", _OWNED),
    Link("showPage", _PAGE),
    Link(
        "putPage",
        {**_PAGE, "header.If-Match": "$response.header.ETag"},
        {"sessionId": "$request.body#/sessionId"},
    ),
    Link("deletePage", _OWNED),
    Link("listPages", {"path.sid": "$request.body#/sessionId"}),
)
_SHOWN_HEADERS = ("ETag", "Content-Security-Policy", "Referrer-Policy")


OPERATIONS = {
    "GET /api/sessions/{sid}/pages": Operation(
        "listPages",
        "pages",
        APP,
        {200: Reply("What is known of each.", {JSON: PagesView})},
        (*APP_PROBLEMS, *STORAGE),
        description=WHOSE,
    ),
    "GET /api/pages/{intentId}": Operation(
        "readPage",
        "pages",
        NOBODY_KNOWN,
        {200: Reply("The page.", {JSON: PageView}, ("ETag",)), 304: KNOWN},
        (*_PROBLEMS, PageNotFound),
        (Parameter("sessionId", ID, "Shown again in the reply if the page belongs to it."), *CONDITIONAL),
        description=_PUBLIC,
    ),
    "PUT /api/pages/{intentId}": Operation(
        "putPage",
        "pages",
        APP,
        {
            200: Reply("The existing one was replaced.", {JSON: StoredPageView}, ("ETag",)),
            201: Reply("It was created.", {JSON: StoredPageView}, ("ETag",)),
        },
        (*BODY, *APP_PROBLEMS, *_PROBLEMS, WrongSession, TooManyDocuments),
        CONDITIONAL,
        body={JSON: PageBody},
        links={200: _AFTER_PUT, 201: _AFTER_PUT},
        description="A page belongs to the session that stored it first; only that session may replace or delete it.",
    ),
    "DELETE /api/pages/{intentId}": Operation(
        "deletePage",
        "pages",
        APP,
        {204: Reply("It is gone.")},
        (*APP_PROBLEMS, *_PROBLEMS, WrongSession, PageNotFound),
        (Parameter("sessionId", ID, "The session that it belongs to.", required=True), *CONDITIONAL),
        links={204: (Link("readPage", _PAGE, description="404 from now on."), Link("showPage", _PAGE))},
        description="Only the session that a page belongs to may delete it.",
    ),
    "GET /pages/{intentId}": Operation(
        "showPage",
        "pages",
        NOBODY_KNOWN,
        {
            200: Reply("The HTML as it was stored.", {HTML: {"type": "string"}}, _SHOWN_HEADERS),
            202: Reply(
                "Another site sent the browser here, and the browser does not say that a person clicked: a link to the "
                "page, for a person to follow. Nothing was read or counted.",
                {HTML: {"type": "string"}},
            ),
            304: Reply("The client has this version already.", headers=_SHOWN_HEADERS),
        },
        (*_PROBLEMS, PageNotFound),
        CONDITIONAL,
        description="Sandboxed: the page can't reach what this origin stores in the browser.",
    ),
}
