"""`/api/sessions` of an app: lists, describes and deletes its threads."""

from __future__ import annotations

from tools.openapi.grammars import APP_ID
from tools.openapi.parts import APP, JSON, Link, Operation, Parameter, Reply
from tools.openapi.problems import APP as APP_PROBLEMS
from tools.openapi.problems import BODY, STORAGE
from waypost_worker.errors import InvalidCursor, ThreadNotFound, UnknownAgent
from waypost_worker.handlers.thread_changes import BeginBody, ChangeBody
from waypost_worker.handlers.thread_view import DescribedThread
from waypost_worker.handlers.threads import FILTER, DeletedView, DescribeBody, ThreadBody, ThreadsView
from waypost_worker.limits import DEFAULT_LISTED_THREADS, MAX_LISTED_THREADS

_NAME = {"threadId": "$request.body#/threadId", "resourceId": "$request.body#/resourceId"}

OPERATIONS = {
    "GET /api/sessions": Operation(
        "listThreads",
        "threads",
        APP,
        {200: Reply("A page of threads; without a `cursor` it is the last.", {JSON: ThreadsView})},
        (*APP_PROBLEMS, InvalidCursor, *STORAGE),
        description="What was written in another location may be missing for a minute or two.",
        links={
            200: (
                Link(
                    "listThreads",
                    {"query.resourceId": "$request.query.resourceId", "query.cursor": "$response.body#/cursor"},
                    description="The next page.",
                ),
            )
        },
        parameters=(
            Parameter("resourceId", APP_ID, "The resource; may be left out with an app token.", required=True),
            Parameter(
                "limit",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_LISTED_THREADS,
                    "default": DEFAULT_LISTED_THREADS,
                },
                "The greatest number of threads.",
            ),
            Parameter(
                "cursor",
                {"type": "string", "format": "threads-cursor"},
                "The cursor of the page before, for the same resource.",
            ),
            Parameter(
                "archived",
                {"type": "string", "enum": ["true", "false"]},
                "Only threads that are archived, or only those that are not.",
            ),
            Parameter(
                "filters",
                {
                    "type": "object",
                    "patternProperties": {f"^{FILTER.replace('.', '[.]')}": {"type": "string"}},
                    "additionalProperties": False,
                },
                f"Only threads whose metadata has all of these: `{FILTER}{{name}}=value`, one parameter each. A string "
                "must equal its filter exactly, any other value by its JSON text.",
                style={"style": "form", "explode": True},
            ),
        ),
    ),
    "POST /api/threads": Operation(
        "beginThread",
        "threads",
        APP,
        {
            200: Reply("There is a thread of this name.", {JSON: DescribedThread}),
            201: Reply("The thread, which has no messages yet.", {JSON: DescribedThread}),
        },
        (*BODY, *APP_PROBLEMS, UnknownAgent, *STORAGE),
        body={JSON: BeginBody},
        links={
            201: (
                Link("describeThread", body=_NAME),
                Link("readConversation", {"path.sessionId": "$response.body#/session/sessionId"}),
            )
        },
        description=(
            "A thread that was not used for a day counts as used now: with an agent that only appends to the "
            "conversation, repeat this at each start."
        ),
    ),
    "PATCH /api/threads/{threadId}": Operation(
        "changeThread",
        "threads",
        APP,
        {200: Reply("The thread as it is now.", {JSON: DescribedThread})},
        (*BODY, *APP_PROBLEMS, ThreadNotFound, *STORAGE),
        body={JSON: ChangeBody},
        description="An archived thread can be used as before; lists can be filtered by it.",
    ),
    "DELETE /api/sessions": Operation(
        "deleteThread",
        "threads",
        APP,
        {200: Reply("Whether the thread existed.", {JSON: DeletedView})},
        (*BODY, *APP_PROBLEMS, *STORAGE),
        body={JSON: ThreadBody},
        links={200: (Link("describeThread", body=_NAME, description="Refused with 404 from now on."),)},
        description="Deleting what does not exist succeeds too, with `success` false.",
    ),
    "POST /api/sessions/metadata": Operation(
        "describeThread",
        "threads",
        APP,
        {200: Reply("The thread as it is now.", {JSON: DescribedThread})},
        (*BODY, *APP_PROBLEMS, ThreadNotFound, *STORAGE),
        body={JSON: DescribeBody},
        description=(
            "`sessionId` in the reply is the secret that owns the thread's conversation: `/api/conversations` takes it."
        ),
    ),
}
