"""`/api/sessions/{sid}/…`: JSON documents of a session, kept for a day."""

from __future__ import annotations

from tools.openapi.grammars import ETAGS
from tools.openapi.parts import APP, JSON, Link, Operation, Parameter, Reply
from tools.openapi.problems import APP as APP_PROBLEMS
from tools.openapi.problems import CONDITIONS, JSON_TEXT, STORAGE, Errors
from waypost_worker.errors import DocumentNotFound, InvalidBody, TooManyDocuments
from waypost_worker.handlers.documents import DocumentsView, DocumentView

IF_MATCH = Parameter("If-Match", ETAGS, "`*`, or ETags: only if one of them is the version now; else 412.", "header")
IF_NONE_MATCH = Parameter(
    "If-None-Match",
    ETAGS,
    "`*`, or ETags: only if none of them is the current version; otherwise 304 for a read, 412 for a write.",
    "header",
)
CONDITIONAL = (IF_MATCH, IF_NONE_MATCH)
KNOWN = Reply("The client has this version already.", headers=("ETag",))
WHOSE = "Everyone who knows the session's id may read and write: the id is the secret."

_ANY_JSON = {"description": "Any JSON; what was put is what is read, byte for byte."}
_PUT_HEADERS = ("ETag",)


def _operations(kind: str, what: str, tail: str) -> dict[str, Operation]:
    same = {"path.sid": "$request.path.sid"}
    if tail.endswith("{name}"):
        same["path.name"] = "$request.path.name"
    name = kind.capitalize()
    changed = (
        Link(f"read{name}", same),
        Link(f"put{name}", {**same, "header.If-Match": "$response.header.ETag"}),
        Link(f"delete{name}", {**same, "header.If-Match": "$response.header.ETag"}),
        Link("listDocuments", {"path.sid": "$request.path.sid"}),
    )
    problems: Errors = (*APP_PROBLEMS, *CONDITIONS, *STORAGE)
    return {
        f"GET {tail}": Operation(
            f"read{name}",
            "documents",
            APP,
            {200: Reply("The document.", {JSON: _ANY_JSON}, ("ETag",)), 304: KNOWN},
            (*problems, DocumentNotFound),
            CONDITIONAL,
            summary=f"{what}, byte for byte as it was put.",
            description=WHOSE,
        ),
        f"PUT {tail}": Operation(
            f"put{name}",
            "documents",
            APP,
            {
                200: Reply("The existing one was replaced.", {JSON: DocumentView}, _PUT_HEADERS),
                201: Reply("It was created.", {JSON: DocumentView}, _PUT_HEADERS),
            },
            (*JSON_TEXT, InvalidBody, *problems, *((TooManyDocuments,) if "{name}" in tail else ())),
            CONDITIONAL,
            body={JSON: _ANY_JSON},
            links={200: changed, 201: changed},
            summary=f"Store {what[0].lower()}{what[1:]}, for a day from now.",
            description=WHOSE,
        ),
        f"DELETE {tail}": Operation(
            f"delete{name}",
            "documents",
            APP,
            {204: Reply("It is gone.")},
            (*problems, DocumentNotFound),
            CONDITIONAL,
            links={204: (Link(f"read{name}", same, description="404 from now on."),)},
            summary=f"Remove {what[0].lower()}{what[1:]}.",
            description=WHOSE,
        ),
    }


OPERATIONS = {
    **_operations("intents", "The session's intents", "/api/sessions/{sid}/intents"),
    **_operations("theme", "The session's theme", "/api/sessions/{sid}/theme"),
    **_operations("document", "A document of the session", "/api/sessions/{sid}/documents/{name}"),
    "GET /api/sessions/{sid}/documents": Operation(
        "listDocuments",
        "documents",
        APP,
        {200: Reply("What is known of each; intents and theme are not among them.", {JSON: DocumentsView})},
        (*APP_PROBLEMS, *STORAGE),
        description=WHOSE,
    ),
}
