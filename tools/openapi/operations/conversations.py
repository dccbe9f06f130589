"""`/api/conversations/{sessionId}`: what was said; read, added to, taken along, brought back, forgotten."""

from __future__ import annotations

from tools.openapi.grammars import MESSAGE_ID
from tools.openapi.operations.documents import WHOSE
from tools.openapi.parts import APP, JSON, MARKDOWN, NDJSON, Link, Operation, Parameter, Reply
from tools.openapi.problems import APP as APP_PROBLEMS
from tools.openapi.problems import BODY, STORAGE
from waypost_worker.conversations.export_json import ConversationView, MessageView
from waypost_worker.errors import MessageNotFound, UnsupportedPart
from waypost_worker.handlers.conversation_bodies import AppendBody, ImportBody, ImportedMessage
from waypost_worker.handlers.conversation_messages import AppendedView, PopBody, PoppedView
from waypost_worker.limits import MAX_THREAD_HISTORY_LIMIT, POP_REPEAT_SECONDS

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
                ("Content-Disposition", "Waypost-Truncated", "Waypost-Before"),
            )
        },
        (*APP_PROBLEMS, MessageNotFound, *STORAGE),
        links={
            200: (
                Link(
                    "readConversation",
                    {**_SAME, "query.before": "$response.body#/before"},
                    description="The messages before these.",
                ),
            )
        },
        parameters=(
            Parameter(
                "format",
                {"type": "string", "enum": ["json", "jsonl", "markdown"], "default": "json"},
                "`jsonl`: one message a line. `markdown`: for people.",
            ),
            Parameter(
                "limit",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_THREAD_HISTORY_LIMIT,
                    "default": MAX_THREAD_HISTORY_LIMIT,
                },
                "The greatest number of messages. Only whole groups are returned (calls with their results, reasoning "
                "with what follows it): perhaps fewer messages, and more if the last group is longer.",
            ),
            Parameter("before", MESSAGE_ID, "Only messages before the one with this id."),
        ),
        description=WHOSE,
    ),
    "PUT /api/conversations/{sessionId}": Operation(
        "importConversation",
        "conversations",
        APP,
        {200: Reply("The conversation as it is now.", {JSON: ConversationView})},
        (*BODY, *APP_PROBLEMS, UnsupportedPart, *STORAGE),
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
    "DELETE /api/conversations/{sessionId}/messages/{messageId}": Operation(
        "deleteMessage",
        "conversations",
        APP,
        {204: Reply("It is not there any more, or never was.", headers=("RateLimit-Policy",))},
        (*APP_PROBLEMS, *STORAGE),
        links={204: (Link("readConversation", _SAME),)},
        description=WHOSE,
    ),
    "POST /api/conversations/{sessionId}/pop": Operation(
        "popMessage",
        "conversations",
        APP,
        {200: Reply("The message, which is not there any more.", {JSON: PoppedView}, ("RateLimit-Policy",))},
        (*BODY, *APP_PROBLEMS, *STORAGE),
        body={JSON: PopBody},
        links={200: _READ},
        description=(
            f"Repeatable for {POP_REPEAT_SECONDS // 60} minutes. What others add meanwhile stays. Two pops in two "
            f"locations within about two minutes may return the same message. {WHOSE}"
        ),
    ),
    "POST /api/conversations/{sessionId}/messages": Operation(
        "appendMessages",
        "conversations",
        APP,
        {201: Reply("They are in KV.", {JSON: AppendedView}, ("RateLimit-Policy",))},
        (*BODY, *APP_PROBLEMS, UnsupportedPart, *STORAGE),
        body={JSON: AppendBody},
        links={201: _READ},
        description=WHOSE,
    ),
}
