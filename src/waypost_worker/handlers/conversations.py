"""`/api/conversations`: reads, appends to, exports, imports and deletes a conversation."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from waypost_worker.chat.prompt import characters_of, check_parts
from waypost_worker.context.auth import has_app_key, owned_id
from waypost_worker.context.request_context import RequestContext
from waypost_worker.conversations.export_json import conversation_view, parse_timestamp, to_json_lines
from waypost_worker.conversations.export_markdown import to_markdown
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, MessageRole, ToolCall, last_messages
from waypost_worker.errors import BadInput, InvalidBody, InvalidParameter
from waypost_worker.handlers.chat_response import shown
from waypost_worker.http.json_body import Body, declared_type, decode_json, read_bytes
from waypost_worker.http.messages import Response, json_response
from waypost_worker.ids import parse_app_id, parse_message_id
from waypost_worker.kv.keys import snapshot_key
from waypost_worker.limits import (
    APPEND_BYTES_PER_USE,
    MAX_APPENDED_MESSAGES,
    MAX_IMPORT_BYTES,
    MAX_IMPORTED_MESSAGES,
    MAX_MESSAGE_CHARACTERS,
    MAX_MESSAGE_ID_LENGTH,
    MAX_TOOL_NAME_LENGTH,
)
from waypost_worker.security.rate_limits import Limit

JSON_LINES = "application/x-ndjson"
CallId = Annotated[str, Meta(min_length=1, max_length=MAX_MESSAGE_ID_LENGTH)]


class ToolCallBody(Body, frozen=True):
    """A tool call in a message of the assistant."""

    id: CallId
    name: Annotated[str, Meta(max_length=MAX_TOOL_NAME_LENGTH)] = ""
    args: Any = None


class MessageBody(Body, frozen=True):
    """A message to append. Idempotent by `id`; without one the message gets a new id each time.

    Only a caller with an app key may write other roles than `user`; where there are no app keys, all may but for
    `system`. Other messages, and those with `byUser`, are kept as sent and given to the model as a user's.
    """

    role: MessageRole
    content: Any
    id: str | None = None
    tool_calls: list[ToolCallBody] = []
    tool_call_id: CallId | None = None
    by_user: bool = False


class AppendBody(Body, frozen=True):
    """Messages to append, in this order."""

    messages: Annotated[list[MessageBody], Meta(min_length=1, max_length=MAX_APPENDED_MESSAGES)]


class ImportedMessage(MessageBody, frozen=True):
    """A message as it was exported; `timestamp` defaults to the current time."""

    timestamp: str | None = None
    partial: bool = False
    reasoning: str = ""


class ForkedFromBody(Body, frozen=True):
    """The thread and the message that the conversation was forked from."""

    thread_id: str
    message_id: str | None = None


class ImportBody(Body, frozen=True):
    """A conversation as it was exported. Its `sessionId` is ignored: the path names it."""

    messages: Annotated[list[ImportedMessage], Meta(max_length=MAX_IMPORTED_MESSAGES)]
    session_id: str | None = None
    forked_from: ForkedFromBody | None = None


class AppendedView(msgspec.Struct, rename="camel"):
    """The ids of the appended messages, which are now in KV."""

    session_id: str
    ids: list[str]


async def read(context: RequestContext) -> Response:
    """Read the last messages: as JSON, JSON lines or Markdown (`?format=`)."""
    session_id = await _session_id(context)
    format_name = context.query.get("format", "json")
    if format_name not in ("json", "jsonl", "markdown"):
        raise InvalidParameter("format is one of json, jsonl, markdown.")
    history = await context.conversation(session_id).history()
    view = conversation_view(session_id, await shown(context, history.items), history.origin)
    if format_name == "json":
        return json_response(view)
    if format_name == "jsonl":
        return _file(to_json_lines(view.messages), JSON_LINES, "conversation.jsonl")
    return _file(to_markdown(view), "text/markdown; charset=utf-8", "conversation.md")


async def append(context: RequestContext) -> Response:
    """Append messages. A message whose id exists already is not appended again."""
    session_id = await _session_id(context)
    text = await read_bytes(context.request)
    body = decode_json(text or b"{}", AppendBody)
    conversation = context.conversation(session_id)
    now = context.clock.now_ms()
    items = [_item(message, now, conversation.new_cursor) for message in body.messages]
    items = await _checked(context, items)
    await _spend(context, session_id, len(text))
    await conversation.append(items)
    await conversation.compact_if_due()
    return json_response(AppendedView(session_id, [item.id for item in items]), 201)


async def replace(context: RequestContext) -> Response:
    """Import a conversation that was exported. It replaces the existing messages."""
    session_id = await _session_id(context)
    body, size = await _imported(context)
    conversation = context.conversation(session_id)
    now = context.clock.now_ms()
    items = [_imported_item(message, now, conversation.new_cursor) for message in body.messages]
    items = await _checked(context, items)
    origin = _origin(body.forked_from)
    await _spend(context, session_id, size)
    await conversation.replace(items, origin)
    await conversation.compact_if_due()
    # Not read from KV: a location may not see its own write yet.
    return json_response(conversation_view(session_id, last_messages(items, context.settings.history_limit), origin))


async def delete(context: RequestContext) -> Response:
    """Delete the messages of a conversation."""
    session_id = await _session_id(context)
    await _spend(context, session_id, 0)
    await context.conversation(session_id).forget()
    return Response(204)


async def _imported(context: RequestContext) -> tuple[ImportBody, int]:
    if declared_type(context.request) != JSON_LINES:
        text = await read_bytes(context.request, MAX_IMPORT_BYTES)
        return decode_json(text or b"{}", ImportBody), len(text)
    body = await read_bytes(context.request, MAX_IMPORT_BYTES, JSON_LINES)
    # The last line may lack its line break.
    if body.removesuffix(b"\n").count(b"\n") >= MAX_IMPORTED_MESSAGES:
        raise InvalidBody(f"A conversation that is imported may have {MAX_IMPORTED_MESSAGES} lines.")
    lines = enumerate(body.split(b"\n"), 1)
    return ImportBody([_line(number, line) for number, line in lines if line.strip()]), len(body)


def _line(number: int, line: bytes) -> ImportedMessage:
    try:
        return decode_json(line, ImportedMessage)
    except BadInput as error:
        raise type(error)(f"Line {number}: {error.detail}") from error


def _item(message: MessageBody, timestamp_ms: int, new_id: Callable[[], str]) -> ChatMessage:
    if message.content is None:
        raise InvalidBody("A message needs a content; it may be an empty string.")
    if message.tool_calls and message.role != "assistant":
        raise InvalidBody("Only a message of the assistant may have toolCalls.")
    if (message.tool_call_id is not None) != (message.role == "tool"):
        raise InvalidBody("A message of a tool needs toolCallId, and no other message may have one.")
    return ChatMessage(
        new_id() if message.id is None else parse_message_id(message.id),
        message.role,
        message.content,
        timestamp_ms,
        [ToolCall(call.id, call.name, call.args) for call in message.tool_calls],
        message.tool_call_id,
        message.by_user and message.role != "user",
    )


def _imported_item(message: ImportedMessage, now_ms: int, new_id: Callable[[], str]) -> ChatMessage:
    timestamp_ms = now_ms if message.timestamp is None else parse_timestamp(message.timestamp)
    return msgspec.structs.replace(
        _item(message, timestamp_ms, new_id), partial=message.partial, reasoning=message.reasoning
    )


async def _checked(context: RequestContext, items: Sequence[ChatMessage]) -> list[ChatMessage]:
    """`items`, marked as a user's unless the caller may write their roles: an app every role; without app keys in the
    settings, when all callers may write every conversation anyway, all of them every role but `system`."""
    if len({item.id for item in items}) < len(items):
        raise InvalidBody("Two messages have the same id.")
    for number, item in enumerate(items):
        if characters_of(item) > MAX_MESSAGE_CHARACTERS:
            raise InvalidBody(f"messages[{number}] has more than {MAX_MESSAGE_CHARACTERS} characters.")
        check_parts(item, context.settings.model.parts, f"messages[{number}].content")
    if await has_app_key(context):
        return list(items)
    own = ("user",) if context.settings.app_keys else ("user", "assistant", "tool")
    return [item if item.role in own else msgspec.structs.replace(item, by_user=True) for item in items]


def _origin(body: ForkedFromBody | None) -> ForkOrigin | None:
    if body is None:
        return None
    message_id = None if body.message_id is None else parse_message_id(body.message_id)
    return ForkOrigin(parse_app_id(body.thread_id, "threadId"), message_id)


async def _spend(context: RequestContext, session_id: str, size: int) -> None:
    # Every read loads what was written in the last minutes, so a large write costs more of the budget.
    await context.limits.spend(Limit.APPEND, snapshot_key(session_id), 1 + size // APPEND_BYTES_PER_USE)


async def _session_id(context: RequestContext) -> str:
    return await owned_id(context, context.params["sessionId"], "sessionId")


def _file(body: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(200, body, {"Content-Type": media_type, **headers})
