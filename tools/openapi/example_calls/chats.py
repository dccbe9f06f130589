"""A trip is talked over; a conversation is taken along and brought back."""

from __future__ import annotations

from tools.openapi.example_calls.step import Step
from tools.openapi.parts import NDJSON

_THREAD = {"threadId": "trip-to-oslo-$code", "resourceId": "ada-$code"}
_EMPTY = {"threadId": "packing-$code", "resourceId": "ada-$code"}

CHATS = (
    Step("POST /api/tokens", "without an app's key", 401, {"resourceId": "ada-$code", "ttl": 900}),
    Step(
        "POST /api/chat",
        "a question",
        200,
        {"message": "I live in Oslo.", "messageId": "m-1", **_THREAD},
        keep={"heard": "event:1:id"},
    ),
    Step(
        "GET /api/chat/{threadId}/stream",
        "from what was heard last",
        200,
        path={"threadId": "trip-to-oslo-$code"},
        query={"resourceId": "ada-$code"},
        headers={"Last-Event-ID": "$heard"},
    ),
    Step(
        "POST /api/chat",
        "from the AI SDK",
        200,
        {
            "id": "packing-list-$code",
            "trigger": "submit-message",
            "messages": [{"id": "u-1", "role": "user", "parts": [{"type": "text", "text": "What do I pack?"}]}],
        },
    ),
    Step(
        "GET /api/chat/{threadId}",
        "for the first render",
        200,
        path={"threadId": "packing-list-$code"},
        query={"format": "ui"},
    ),
    Step(
        "GET /api/chat/{threadId}/stream",
        "when none runs",
        204,
        path={"threadId": "trip-to-oslo-$code"},
        query={"resourceId": "ada-$code"},
    ),
    Step(
        "POST /api/chat/{threadId}/stop",
        "when none runs",
        200,
        {"resourceId": "ada-$code"},
        {"threadId": "trip-to-oslo-$code"},
    ),
    Step("POST /api/sessions/metadata", "new metadata", 200, {**_THREAD, "metadata": {"topic": "travel"}}),
    Step("GET /api/sessions", "by topic", 200, query={"resourceId": "ada-$code", "metadata.topic": "travel"}),
    Step(
        "POST /api/chat/fork",
        "without a message",
        201,
        {"forkFromThreadId": "trip-to-oslo-$code", "threadId": "trip-to-bergen-$code", "resourceId": "ada-$code"},
    ),
    Step(
        "POST /api/chat/fork",
        "a second time",
        409,
        {"forkFromThreadId": "trip-to-oslo-$code", "threadId": "trip-to-bergen-$code", "resourceId": "ada-$code"},
    ),
    Step("POST /api/threads", "an empty one", 201, {**_EMPTY, "title": "To be named"}),
    Step("POST /api/threads", "once more", 200, _EMPTY),
    Step(
        "PATCH /api/threads/{threadId}",
        "a title, and archived",
        200,
        {"resourceId": "ada-$code", "title": "Packing", "archived": True},
        {"threadId": _EMPTY["threadId"]},
    ),
    Step("DELETE /api/sessions", "the parent", 200, _THREAD),
    Step("POST /api/sessions/metadata", "after that", 404, _THREAD),
    Step("GET /api/resources/{resourceId}/export", "all of it", 200, path={"resourceId": "ada-$code"}),
    Step("DELETE /api/resources/{resourceId}", "all of it", 200, path={"resourceId": "ada-$code"}),
    Step(
        "POST /api/voice-agent/chat",
        "a question",
        200,
        {"question": "My name is Ada.", "sessionId": "voice-$session_id"},
    ),
    Step("POST /api/voice-agent/chat", "without its session", 400, {"question": "My name is Ada."}),
)

_TALK = {"sessionId": "talk-$session_id"}
_SAID = [
    {"id": "m-1", "role": "user", "content": "What is the weather in Oslo?"},
    {
        "id": "m-2",
        "role": "assistant",
        "content": "",
        "toolCalls": [{"id": "t-1", "name": "weather", "args": {"city": "Oslo"}}],
    },
    {"id": "m-3", "role": "tool", "content": {"celsius": 4}, "toolCallId": "t-1"},
]
_LINES = (
    '{"id":"m-1","role":"user","content":"Hello","timestamp":"2026-01-01T00:00:00.000Z"}\n'
    '{"id":"m-2","role":"assistant","content":"One moment. Noted.","timestamp":"2026-01-01T00:00:01.000Z","toolEvents":'
    '[{"kind":"call","id":"c-1","name":"add_note","value":{"text":"Milk"},"text":12},'
    '{"kind":"result","id":"c-1","value":{"noted":"Milk"},"text":12}]}\n'
)

CONVERSATIONS = (
    Step("POST /api/conversations/{sessionId}/messages", "with a tool call", 201, {"messages": _SAID}, _TALK),
    Step("GET /api/conversations/{sessionId}", "as JSON", 200, path=_TALK),
    Step("GET /api/conversations/{sessionId}", "as lines", 200, path=_TALK, query={"format": "jsonl"}),
    Step("GET /api/conversations/{sessionId}", "for reading", 200, path=_TALK, query={"format": "markdown"}),
    Step(
        "GET /api/conversations/{sessionId}",
        "a page",
        200,
        path=_TALK,
        query={"before": "m-3"},
    ),
    Step("POST /api/conversations/{sessionId}/pop", "the last message", 200, {"id": "pop-1"}, _TALK),
    Step(
        "DELETE /api/conversations/{sessionId}/messages/{messageId}",
        "one message",
        204,
        path={**_TALK, "messageId": "m-2"},
    ),
    Step("PUT /api/conversations/{sessionId}", "from JSON", 200, {"messages": _SAID[:1]}, _TALK),
    Step("PUT /api/conversations/{sessionId}", "from lines", 200, _LINES, _TALK, media_type=NDJSON),
    Step("DELETE /api/conversations/{sessionId}", "all of it", 204, path=_TALK),
)
