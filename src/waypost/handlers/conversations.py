"""`/api/conversations`: what was said, read, added to, taken along and brought back, and forgotten."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from waypost.clock import to_iso
from waypost.errors import InvalidBody, InvalidParameter, Unavailable
from waypost.handlers.answers import shown
from waypost.handlers.bodies import Body, declared_type, decode_json, read_body, read_bytes
from waypost.handlers.call import Call
from waypost.http import Response, json_response
from waypost.ids import parse_id, parse_message_id
from waypost.item import Item, Origin, Role, ToolCall, cut
from waypost.keys import snapshot_key
from waypost.limits import MAX_APPENDED_MESSAGES
from waypost.transcript import (
    ConversationView,
    MessageView,
    item_of,
    parse_timestamp,
    to_json_lines,
    to_markdown,
    view_of,
)

JSON_LINES = "application/x-ndjson"


class MessageBody(Body, frozen=True):
    """A message to be added. Without an `id` it gets one, and adding it again adds it twice."""

    role: Role
    content: Any
    id: str | None = None
    tool_calls: list[ToolCall] = []
    tool_call_id: str | None = None


class AppendBody(Body, frozen=True):
    """Messages that are added together, in their order."""

    messages: Annotated[list[MessageBody], Meta(min_length=1, max_length=MAX_APPENDED_MESSAGES)]


class ImportedMessage(MessageBody, frozen=True):
    """A message as it was exported; `timestamp` is now if it has none."""

    timestamp: str | None = None
    partial: bool = False


class ImportBody(Body, frozen=True):
    """A conversation as it was exported. Its session id is that of the address, whatever it was."""

    messages: list[ImportedMessage]
    session_id: str | None = None
    forked_from: Origin | None = None


class AppendedView(msgspec.Struct, rename="camel"):
    """The ids of the messages that are in KV now."""

    session_id: str
    ids: list[str]


async def read(call: Call) -> Response:
    """The last messages; `?format=` as JSON, JSON lines or Markdown."""
    wanted = call.query.get("format", "json")
    if wanted not in ("json", "jsonl", "markdown"):
        raise InvalidParameter("format is one of json, jsonl, markdown.")
    view = await _view(call, _session_id(call))
    if wanted == "json":
        return json_response(view)
    if wanted == "jsonl":
        return _file(to_json_lines(view.messages), JSON_LINES, f"{view.session_id}.jsonl")
    return _file(to_markdown(view), "text/markdown; charset=utf-8", f"{view.session_id}.md")


async def append(call: Call) -> Response:
    """Add messages; those whose id is there already are not added again."""
    session_id = _session_id(call)
    body = await read_body(call.request, AppendBody)
    now = call.clock.now_ms()
    items = [_item(call, session_id, message, now) for message in body.messages]
    _check(items)
    conversation = call.conversation(session_id)
    await conversation.append(items)
    try:
        await conversation.tidy()
    except Unavailable as failure:
        # The messages are in KV, and that is what must be said.
        call.log(f"a conversation was not folded: {failure.code}")
    return json_response(AppendedView(session_id, [item.id for item in items]), 201)


async def replace(call: Call) -> Response:
    """Bring a conversation that was exported; what there was is forgotten."""
    session_id = _session_id(call)
    body = await _imported(call)
    now = call.clock.now_ms()
    items = [_imported_item(call, session_id, message, now) for message in body.messages]
    _check(items)
    await call.conversation(session_id).replace(items, body.forked_from)
    kept = cut(items, call.settings.history_limit)
    return json_response(ConversationView(session_id, [view_of(item) for item in kept], body.forked_from))


async def delete(call: Call) -> Response:
    """Forget what was said."""
    await call.conversation(_session_id(call)).forget()
    return Response(204)


async def _view(call: Call, session_id: str) -> ConversationView:
    history = await call.conversation(session_id).history()
    items = await shown(call, history.items)
    return ConversationView(session_id, [view_of(item) for item in items], history.origin)


async def _imported(call: Call) -> ImportBody:
    if declared_type(call.request) != JSON_LINES:
        return await read_body(call.request, ImportBody)
    lines = (await read_bytes(call.request, media_type=JSON_LINES)).splitlines()
    return ImportBody([decode_json(line, ImportedMessage) for line in lines if line.strip()])


def _item(call: Call, session_id: str, message: MessageBody, timestamp_ms: int) -> Item:
    if message.content is None:
        raise InvalidBody("A message has a content; it may be an empty text.")
    if message.tool_calls and message.role != "assistant":
        raise InvalidBody("Only an assistant's message calls tools.")
    if (message.tool_call_id is not None) != (message.role == "tool"):
        raise InvalidBody("A tool's message names the call that it answers in toolCallId, and only a tool's does.")
    given = call.isolate.cursors.issue(snapshot_key(session_id)) if message.id is None else parse_message_id(message.id)
    view = MessageView(
        given, message.role, message.content, "", tool_calls=message.tool_calls, tool_call_id=message.tool_call_id
    )
    return item_of(view, timestamp_ms)


def _imported_item(call: Call, session_id: str, message: ImportedMessage, now_ms: int) -> Item:
    try:
        timestamp_ms = now_ms if message.timestamp is None else parse_timestamp(message.timestamp)
        to_iso(timestamp_ms)
    except (ValueError, OverflowError) as error:
        raise InvalidBody("timestamp is a time like 2026-01-01T00:00:00.000Z.") from error
    item = _item(call, session_id, message, timestamp_ms)
    return msgspec.structs.replace(item, partial=message.partial)


def _check(items: list[Item]) -> None:
    if len({item.id for item in items}) < len(items):
        raise InvalidBody("Two messages have the same id.")


def _session_id(call: Call) -> str:
    return parse_id(call.params["sessionId"], "sessionId")


def _file(body: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(200, body, {"Content-Type": media_type, **headers})
