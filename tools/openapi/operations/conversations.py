"""`/api/conversations/{sessionId}`: what was said; read, added to, taken along, brought back, forgotten."""

from __future__ import annotations

from tools.openapi.operations.documents import WHOSE
from tools.openapi.parts import APP, JSON, MARKDOWN, NDJSON, Link, Operation, Parameter, Reply
from tools.openapi.problems import APP as APP_PROBLEMS
from tools.openapi.problems import BODY, STORAGE
from waypost_worker.conversations.export_json import ConversationView, MessageView
from waypost_worker.handlers.conversations import AppendBody, AppendedView, ImportBody, ImportedMessage

_SAME = {"path.sessionId": "$request.path.sessionId"}
_READ = (Link("readConversation", _SAME), Link("appendMessages", _SAME), Link("forgetConversation", _SAME))

OPERATIONS = {
    "GET /api/conversations/{sessionId}": Operation(
        "readConversation",
        "conversations",
        APP,
        {
            200: Reply(
                "The messages, oldest first; none if the conversation is empty, deleted or expired.",
                {JSON: ConversationView, NDJSON: {"type": "array", "items": MessageView}, MARKDOWN: {"type": "string"}},
                ("Content-Disposition",),
            )
        },
        (*APP_PROBLEMS, *STORAGE),
        parameters=(
            Parameter(
                "format",
                {"type": "string", "enum": ["json", "jsonl", "markdown"], "default": "json"},
                "`jsonl`: one message a line. `markdown`: for people.",
            ),
        ),
        description=WHOSE,
    ),
    "PUT /api/conversations/{sessionId}": Operation(
        "importConversation",
        "conversations",
        APP,
        {200: Reply("The conversation as it is now.", {JSON: ConversationView})},
        (*BODY, *APP_PROBLEMS, *STORAGE),
        body={JSON: ImportBody, NDJSON: {"type": "array", "items": ImportedMessage}},
        links={200: _READ},
        description=f"Takes exports in `?format=json` and `?format=jsonl`. {WHOSE}",
    ),
    "DELETE /api/conversations/{sessionId}": Operation(
        "forgetConversation",
        "conversations",
        APP,
        {204: Reply("There is nothing left, also where there was nothing.")},
        (*APP_PROBLEMS, *STORAGE),
        links={204: (Link("readConversation", _SAME, description="It is empty."),)},
        description=WHOSE,
    ),
    "POST /api/conversations/{sessionId}/messages": Operation(
        "appendMessages",
        "conversations",
        APP,
        {201: Reply("They are in KV.", {JSON: AppendedView})},
        (*BODY, *APP_PROBLEMS, *STORAGE),
        body={JSON: AppendBody},
        links={201: _READ},
        description=WHOSE,
    ),
}
