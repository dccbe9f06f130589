"""The events of streams: one schema for each, in the two wire formats and as a poll returns them."""

from __future__ import annotations

from typing import get_args

from tools.openapi.grammars import CODE, CURSOR, Json
from tools.openapi.schemas import Components
from waypost_worker.chat.answer_events import Start
from waypost_worker.chat.live_answer import FinishReason
from waypost_worker.chat.wire_formats import _ChatToolCall, _ChatToolProgress, _ChatToolResult, _Delta, _Done, _Error
from waypost_worker.limits import DAILY_LIMIT_RETRY_MILLISECONDS, STREAM_RETRY_MILLISECONDS
from waypost_worker.queues.event_stream import _Ready, _Unavailable
from waypost_worker.queues.message import _EventData
from waypost_worker.queues.reader import _Gap
from waypost_worker.sessions.host_seat import _Superseded
from waypost_worker.sessions.watch import _Change, _End

RETRY: Json = {
    "enum": [STREAM_RETRY_MILLISECONDS, DAILY_LIMIT_RETRY_MILLISECONDS],
    "description": "Milliseconds to wait before a reader connects again; the longer ones after `unavailable`.",
}

SHOWN = {
    "Request": ("A tool call for the host.", ["tool", "args"], ["producer", "seq", "traceparent", "tracestate"]),
    "Cancel": ("A request was taken back.", [], []),
    "Answer": ("A response for a guest: a result or an error, final or progress.", ["final"], ["result", "error"]),
}
"""The three that are one type in the service: name -> description, fields that it always has, fields that it may."""

SESSION_EVENTS = {
    "ready": "The first one: who the reader is, and where it stands.",
    "request": "For the host: a tool call. Its `id:` is the cursor, `id` in the data the request's.",
    "cancel": "For the host: a request was taken back.",
    "response": "For a guest: a result or an error, final or progress.",
    "gap": "The reader may have missed something: its cursor is older than what is kept, or numbers never came.",
    "session": "The session changed: its time to live, its label, its tools.",
    "superseded": "For a host that names its instance: a newer one has taken over. The last one; don't come back.",
    "unavailable": "The last one: the operations of today are used up (`daily_limit`). Come back after `retry`.",
    "end": "The last one: the session is over; don't come back.",
}
CHAT_EVENTS = {
    "start": "The first one: which answer, in which thread.",
    "reasoning": "What the model thinks before it answers; not all models do. No part of the answer.",
    "delta": "Words of the answer. Come back with its `id:` as `Last-Event-ID`, and the stream goes on behind it.",
    "tool_call": "The model calls a tool of the tab. `step`: which of its replies in this answer asks for it, from 0.",
    "tool_progress": "What the tab reports before the result. Any number of them.",
    "tool_result": "What the tool returned, or why it failed (`isError`). A call that has none at `done` was cut off.",
    "error": "The model failed. `partial`: its text so far was kept. If not, the question was not kept either: send it "
    "again. `done` follows.",
    "done": "The last one.",
}


def add_events(components: Components) -> None:
    """Add the schemas of all events; `SessionEvent` and `ChatEvent`: one of them as Server-Sent Events carry it; and
    `Line`: one as an object."""
    components.reference(_EventData)
    shown = components.schemas.pop("EventData")
    for name, (description, always, perhaps) in SHOWN.items():
        names = ["id", "cursor", *always, "timestamp", *perhaps, "replay"]
        components.add(
            name,
            {
                "title": name,
                "description": description,
                "type": "object",
                "properties": {field: shown["properties"][field] for field in names},
                "required": ["id", "cursor", *always, "timestamp"],
            },
        )
    for type_ in (_Ready, _Gap, _Change, _Superseded, _Unavailable, _End):
        reference = components.reference(type_)
        if type_ in (_Ready, _Change):
            components.schemas[_name(reference)]["properties"]["code"] |= CODE
    for chat_type in (Start, _Delta, _ChatToolCall, _ChatToolProgress, _ChatToolResult, _Error, _Done):
        components.reference(chat_type)
    components.schemas["Done"]["properties"]["finishReason"]["enum"] = list(get_args(FinishReason))
    components.add("SessionEvent", _event(SESSION_EVENTS, _data(SESSION_EVENTS), CURSOR))
    components.add("Line", _lines(SESSION_EVENTS, _data(SESSION_EVENTS)))
    own = _event(CHAT_EVENTS, _data(CHAT_EVENTS), _POSITION)
    components.add("ChatEvent", {**own, "anyOf": [*own["anyOf"], _CHUNK]})


def session_event() -> Json:
    """One event of a session's stream, as Server-Sent Events carry it."""
    return {"$ref": "#/components/schemas/SessionEvent"}


def session_lines() -> Json:
    """A session's stream as NDJSON: its lines, each an event or a comment."""
    comment = {
        "title": "comment",
        "description": "A sign of life.",
        "type": "object",
        "properties": {
            "event": {"enum": ["heartbeat", "comment"], "description": "Which kind of comment."},
            "comment": {"type": "string", "description": "Its text."},
        },
        "required": ["event"],
    }
    return {"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/Line"}, comment]}}


def chat_event() -> Json:
    """One event of an answer: Waypost's own, or a chunk of the AI SDK's UI message stream, which has no name."""
    return {"$ref": "#/components/schemas/ChatEvent"}


_POSITION: Json = {
    "type": "string",
    "description": "How much of the answer has been sent: a reader that comes back sends it as `Last-Event-ID`.",
}
_CHUNK: Json = {
    "title": "A chunk of the AI SDK",
    "description": (
        "https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol: `start`, `start-step`, `reasoning-start`, "
        "`reasoning-delta`, `reasoning-end`, `text-start`, `text-delta`, `text-end`, "
        "`tool-input-start`, `tool-input-available`, `tool-output-available`, `tool-output-error`, "
        "`data-tool-progress`, `finish-step`, `message-metadata`, `error`, `finish`, and `[DONE]`."
    ),
    "type": "object",
    "properties": {"data": {"type": "string", "description": "The chunk as JSON, or `[DONE]`."}},
    "required": ["data"],
}


def _data(events: dict[str, str]) -> dict[str, str]:
    names = {"response": "Answer", "session": "Change", "reasoning": "Delta"}
    names |= {"tool_call": "ChatToolCall", "tool_progress": "ChatToolProgress", "tool_result": "ChatToolResult"}
    return {name: f"#/components/schemas/{names.get(name, name.capitalize())}" for name in events}


def _event(events: dict[str, str], data: dict[str, str], id_: Json) -> Json:
    return {
        "description": "One event; the stream is any number of them, with comments as signs of life in between.",
        "anyOf": [
            _wrapped(
                name,
                description,
                {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": {"$ref": data[name]},
                    "description": "JSON on one line.",
                },
                id_,
            )
            for name, description in events.items()
        ],
    }


def _lines(events: dict[str, str], data: dict[str, str]) -> Json:
    return {
        "title": "Line",
        "description": "An event as one JSON object.",
        "anyOf": [
            _wrapped(name, description, {"$ref": data[name], "description": "What it says."}, CURSOR)
            for name, description in events.items()
        ],
    }


def _wrapped(name: str, description: str, data: Json, id_: Json) -> Json:
    return {
        "title": name,
        "description": description,
        "type": "object",
        "properties": {
            "event": {"const": name, "description": "The event's name."},
            "data": data,
            "id": id_,
            "retry": RETRY,
        },
        "required": ["event", "data"],
    }


def _name(reference: Json) -> str:
    return str(reference["$ref"]).rpartition("/")[2]
