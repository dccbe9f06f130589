"""`/api/conversations/{sessionId}`: what was said; read, added to, taken along, brought back, forgotten."""

from __future__ import annotations

from tools.openapi.operations.documents import WHOSE
from tools.openapi.parts import JSON, MARKDOWN, NDJSON, NOBODY_KNOWN, Link, Operation, Parameter, Reply
from tools.openapi.problems import BODY, STORAGE
from waypost.errors import InvalidId
from waypost.handlers.conversations import AppendBody, AppendedView, ImportBody, ImportedMessage
from waypost.transcript import ConversationView, MessageView

_SAME = {"path.sessionId": "$request.path.sessionId"}
_READ = (Link("readConversation", _SAME), Link("appendMessages", _SAME), Link("forgetConversation", _SAME))

OPERATIONS = {
    "GET /api/conversations/{sessionId}": Operation(
        "readConversation",
        "conversations",
        NOBODY_KNOWN,
        {
            200: Reply(
                "The messages, oldest first; none where nothing was said, or it was forgotten.",
                {JSON: ConversationView, NDJSON: {"type": "array", "items": MessageView}, MARKDOWN: {"type": "string"}},
                ("Content-Disposition",),
            )
        },
        (InvalidId, *STORAGE),
        parameters=(
            Parameter(
                "format",
                {"type": "string", "enum": ["json", "jsonl", "markdown"], "default": "json"},
                "`jsonl`: a message a line. `markdown`: for reading.",
            ),
        ),
        description=WHOSE,
    ),
    "PUT /api/conversations/{sessionId}": Operation(
        "importConversation",
        "conversations",
        NOBODY_KNOWN,
        {200: Reply("The conversation as it is now.", {JSON: ConversationView})},
        (*BODY, InvalidId, *STORAGE),
        body={JSON: ImportBody, NDJSON: {"type": "array", "items": ImportedMessage}},
        links={200: _READ},
        description=f"Takes what `?format=json` and `?format=jsonl` gave. {WHOSE}",
    ),
    "DELETE /api/conversations/{sessionId}": Operation(
        "forgetConversation",
        "conversations",
        NOBODY_KNOWN,
        {204: Reply("There is nothing left, also where there was nothing.")},
        (InvalidId, *STORAGE),
        links={204: (Link("readConversation", _SAME, description="It is empty."),)},
        description=WHOSE,
    ),
    "POST /api/conversations/{sessionId}/messages": Operation(
        "appendMessages",
        "conversations",
        NOBODY_KNOWN,
        {201: Reply("They are in KV.", {JSON: AppendedView})},
        (*BODY, InvalidId, *STORAGE),
        body={JSON: AppendBody},
        links={201: _READ},
        description=WHOSE,
    ),
}
