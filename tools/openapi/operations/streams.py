"""`/api/stream` and `/api/poll`: messages for the host, or for a guest."""

from __future__ import annotations

from tools.openapi.events import session_event, session_lines
from tools.openapi.grammars import CODE_AS_TYPED, CURSOR, INSTANCE
from tools.openapi.operations.queues import WAIT
from tools.openapi.parts import EITHER, EITHER_BY_QUERY, EVENTS, JSON, NDJSON, Link, Operation, Parameter, Reply
from tools.openapi.problems import GUEST, STORAGE, STREAMS
from waypost_worker.errors import InvalidCursor
from waypost_worker.handlers.streams import PollView

_CODE = Parameter("code", CODE_AS_TYPED, "The session.", required=True)
_AFTER = Parameter("after", CURSOR, "Where to go on: the last event's id, or a poll's cursor.")

OPERATIONS = {
    "GET /api/stream": Operation(
        "streamMessages",
        "calls",
        EITHER_BY_QUERY,
        {
            200: Reply(
                "Events, until the session ends or the budget of the connection is spent.",
                {EVENTS: session_event(), NDJSON: session_lines()},
            )
        },
        (*GUEST, InvalidCursor, *STREAMS, *STORAGE),
        parameters=(
            _CODE,
            _AFTER,
            Parameter("Last-Event-ID", CURSOR, "Sent by an EventSource; overrides `after`.", where="header"),
            Parameter("instance", INSTANCE, "Which run of the host this is. Of a guest, it is ignored."),
        ),
        description=(
            "The first bytes are sent immediately, then a comment every 15 s of silence. With "
            "`Accept: application/x-ndjson` the same events are lines of JSON. A host gets every request that is not "
            "answered or acknowledged, whatever its cursor; one that may have been sent before has `replay: true`. A "
            "host makes up an `instance` when it starts, and reconnects with the one of its event `ready`. Of two "
            "instances, the older one is sent `superseded` and nothing more; a host that names none neither supersedes "
            "nor is superseded."
        ),
    ),
    "GET /api/poll": Operation(
        "pollMessages",
        "calls",
        EITHER,
        {200: Reply("Messages, and the cursor to come back with.", {JSON: PollView})},
        (*GUEST, InvalidCursor, *STREAMS, *STORAGE),
        parameters=(_CODE, _AFTER, WAIT),
        description=(
            "With `wait`, the reply comes with the first message, or without any after so many seconds. A host gets "
            "every request that is not answered or acknowledged, whatever its cursor."
        ),
        links={
            200: (
                Link(
                    "pollMessages",
                    {"query.code": "$request.query.code", "query.after": "$response.body#/cursor"},
                ),
            )
        },
    ),
}
