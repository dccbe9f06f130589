"""`/api/chat`: questions to threads, and answers as streams."""

from __future__ import annotations

from tools.openapi.events import chat_event
from tools.openapi.grammars import APP_ID
from tools.openapi.parts import APP, EVENTS, JSON, Link, Operation, Parameter, Reply
from tools.openapi.problems import APP as APP_PROBLEMS
from tools.openapi.problems import BODY, GUEST, STORAGE, STREAMS
from waypost_worker.chat.wire_formats import FORMATS
from waypost_worker.errors import (
    AnswerRunning,
    InvalidTool,
    MessageNotFound,
    ThreadExists,
    ThreadNotFound,
    UnknownAgent,
    UnsupportedPart,
)
from waypost_worker.handlers.chat import ForkedView, StopBody, StopView
from waypost_worker.handlers.chat_history import UiHistoryView
from waypost_worker.handlers.chat_request import ChatBody, ForkBody
from waypost_worker.handlers.ui_request import UiBody

_FORMAT = Parameter(
    "format",
    {"type": "string", "enum": sorted(FORMATS)},
    "`events`: Waypost's own. `ui`: the AI SDK's UI message stream, as with `Accept: text/x-vercel-ai-ui-message-"
    "stream`. Default: the format of the question.",
)
_ANSWER = Reply("The answer, as it is said.", {EVENTS: chat_event()}, ("x-vercel-ai-ui-message-stream",))
_NAME = {"threadId": "$request.body#/threadId", "resourceId": "$request.body#/resourceId"}
_AFTER_ASKING = (
    Link(
        "streamAnswer",
        {"path.threadId": "$request.body#/threadId", "query.resourceId": "$request.body#/resourceId"},
    ),
    Link(
        "stopAnswer",
        {"path.threadId": "$request.body#/threadId"},
        {"resourceId": "$request.body#/resourceId"},
    ),
    Link("listThreads", {"query.resourceId": "$request.body#/resourceId"}),
    Link("describeThread", body=_NAME),
    Link(
        "forkThread",
        body={"forkFromThreadId": "$request.body#/threadId", "resourceId": "$request.body#/resourceId"},
    ),
    Link("deleteThread", body=_NAME),
)

OPERATIONS = {
    "POST /api/chat": Operation(
        "ask",
        "chats",
        APP,
        {200: _ANSWER},
        (
            *BODY,
            *APP_PROBLEMS,
            MessageNotFound,
            UnknownAgent,
            UnsupportedPart,
            InvalidTool,
            AnswerRunning,
            *GUEST,
            *STREAMS,
            *STORAGE,
        ),
        parameters=(
            _FORMAT,
            Parameter(
                "Last-Event-ID",
                {"type": "string"},
                "For a question that is sent again while its answer is heard: goes on after the event with this id.",
                where="header",
            ),
        ),
        body={
            JSON: {
                "anyOf": [ChatBody, UiBody],
                "description": "Waypost's own body, or (if it has `messages` or `trigger`) that of the AI SDK.",
            }
        },
        links={200: _AFTER_ASKING},
        description=(
            "The answer continues for 25 s without a reader, and is stored in the history either way. The same "
            "`messageId` again returns the answer to the first request, finished or not. With a `session`, the model "
            "may call the tools of its tab. An answer that broke off goes on where it was, and no call is made twice. "
            "With `tools`, it may call those of the page: the answer then waits, and goes on when it is sent back with "
            "their outputs as the last of the `messages`."
        ),
    ),
    "POST /api/chat/fork": Operation(
        "forkThread",
        "chats",
        APP,
        {
            200: Reply("The answer to `message`, in the new thread.", _ANSWER.content, _ANSWER.headers),
            201: Reply("The new thread, without a `message` to it.", {JSON: ForkedView}),
        },
        (
            *BODY,
            *APP_PROBLEMS,
            ThreadNotFound,
            MessageNotFound,
            ThreadExists,
            UnknownAgent,
            AnswerRunning,
            *GUEST,
            *STREAMS,
            *STORAGE,
        ),
        parameters=(_FORMAT,),
        body={JSON: ForkBody},
        links={201: (Link("describeThread", body=_NAME), Link("deleteThread", body=_NAME))},
        description=(
            "The fork has copies of the parent's messages up to `atMessageId`, and of its documents; from then on each "
            "changes without the other. Pages stay with the parent."
        ),
    ),
    "GET /api/chat/{threadId}": Operation(
        "readChat",
        "chats",
        APP,
        {200: Reply("The messages, and whether an answer is running.", {JSON: UiHistoryView})},
        (*APP_PROBLEMS, *STORAGE),
        parameters=(
            Parameter(
                "resourceId",
                APP_ID,
                "The thread's resource. Default: the token's, or else one named as the thread.",
            ),
            Parameter("format", {"type": "string", "enum": ["ui"]}, "The AI SDK's; the only one."),
        ),
        description=(
            "For the first `messages` of `useChat`. If `running` names an answer, `GET /api/chat/{threadId}/stream` "
            "streams it."
        ),
    ),
    "GET /api/chat/{threadId}/stream": Operation(
        "streamAnswer",
        "chats",
        APP,
        {200: _ANSWER, 204: Reply("No answer is running.")},
        (*APP_PROBLEMS, *STREAMS, *STORAGE),
        description=(
            "Waypost's own events go on after `Last-Event-ID`. The AI SDK's stream always begins with its first chunk: "
            "its reader takes nothing else."
        ),
        parameters=(
            Parameter(
                "resourceId",
                APP_ID,
                "The thread's resource. Default: the token's, or else one named as the thread.",
            ),
            _FORMAT,
            Parameter(
                "Last-Event-ID",
                {"type": "string"},
                "Resumes after the event with this id.",
                where="header",
            ),
        ),
    ),
    "POST /api/chat/{threadId}/stop": Operation(
        "stopAnswer",
        "chats",
        APP,
        {200: Reply("Whether there was one to stop.", {JSON: StopView})},
        (*BODY, *APP_PROBLEMS, *STORAGE),
        body={JSON: StopBody},
        body_is_needed=False,
        description=(
            "A client that leaves does not stop an answer; this does. With `generationId`, an answer that has begun "
            "since is not stopped."
        ),
    ),
}
