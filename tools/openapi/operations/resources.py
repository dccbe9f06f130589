"""`/api/resources/{resourceId}`: all threads of a resource, deleted and exported."""

from __future__ import annotations

from tools.openapi.parts import APP, JSON, NDJSON, Link, Operation, Parameter, Reply
from tools.openapi.problems import APP as APP_PROBLEMS
from tools.openapi.problems import STORAGE
from waypost_worker.errors import InvalidCursor
from waypost_worker.handlers.resource_export import (
    ConversationLine,
    DocumentLine,
    EndLine,
    MoreLine,
    PageLine,
    ThreadLine,
)
from waypost_worker.handlers.resources import DeletedResourceView

_SAME = {"path.resourceId": "$request.path.resourceId"}
_LINES = (ThreadLine, ConversationLine, DocumentLine, PageLine, MoreLine, EndLine)

OPERATIONS = {
    "DELETE /api/resources/{resourceId}": Operation(
        "deleteResource",
        "threads",
        APP,
        {200: Reply("What was deleted; `done` once nothing is left.", {JSON: DeletedResourceView})},
        (*APP_PROBLEMS, *STORAGE),
        links={200: (Link("deleteResource", _SAME, description="Goes on, if it is not done."),)},
        description=(
            "One request deletes as much as its KV operations allow; repeat it until the response says `done`. Pages "
            "and documents that the threads do not own stay."
        ),
    ),
    "GET /api/resources/{resourceId}/export": Operation(
        "exportResource",
        "threads",
        APP,
        {
            200: Reply(
                "A line for each thread, conversation, document and page; then one that says how to go on, or that "
                "this was all.",
                {NDJSON: {"type": "array", "items": {"anyOf": list(_LINES)}}},
                ("Content-Disposition",),
            )
        },
        (*APP_PROBLEMS, InvalidCursor, *STORAGE),
        description=(
            "The last line says how to go on: one of the kind `more` has the `cursor` of the next request, one of the "
            "kind `end` says that this was all."
        ),
        parameters=(
            Parameter(
                "cursor",
                {"type": "string", "format": "threads-cursor"},
                "The `cursor` in the last line of the part before, for the same resource.",
            ),
        ),
    ),
}
