"""The bodies of `/api/conversations`: messages to append, conversations to import, and what the sender may write."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from waypost_worker.chat.prompt import characters_of, check_parts
from waypost_worker.context.auth import has_app_key
from waypost_worker.context.request_context import RequestContext
from waypost_worker.conversations.images import image_bytes
from waypost_worker.conversations.import_times import TimesReadAs
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, MessageRole, ToolCall
from waypost_worker.errors import BadInput, InvalidBody, UnknownField
from waypost_worker.handlers.message_content import images_too_large
from waypost_worker.handlers.tool_event_bodies import ToolEventBody, tool_events_of
from waypost_worker.http.json_body import Body, declared_type, decode_json, read_bytes
from waypost_worker.ids import parse_app_id, parse_message_id
from waypost_worker.limits import (
    APPEND_BYTES_PER_USE,
    IMAGE_BYTES_PER_USE,
    MAX_APPENDED_MESSAGES,
    MAX_IMAGE_BYTES,
    MAX_IMPORT_BYTES,
    MAX_IMPORTED_MESSAGES,
    MAX_MESSAGE_CHARACTERS,
    MAX_MESSAGE_ID_LENGTH,
    MAX_TOOL_NAME_LENGTH,
)

JSON_LINES = "application/x-ndjson"
CallId = Annotated[str, Meta(min_length=1, max_length=MAX_MESSAGE_ID_LENGTH)]


class ToolCallBody(Body, frozen=True):
    """A tool call in a message of the assistant."""

    id: CallId
    """The call's id; the message with its result names it as `toolCallId`."""
    name: Annotated[str, Meta(max_length=MAX_TOOL_NAME_LENGTH)] = ""
    """The tool's name."""
    args: Any = None
    """The arguments: any JSON."""


class MessageBody(Body, frozen=True):
    """A message to append.

    Only a caller with an app key may write other roles than `user`; where there are no app keys, all may but for
    `system`. Other messages, and those with `byUser`, are kept as sent and given to the model as a user's.
    """

    role: MessageRole
    """Who speaks."""
    content: Any
    """A text, parts of texts and images, or any JSON; null beside `toolCalls` only."""
    id: str | None = None
    """Makes appending idempotent. Without one the message gets a new id each time."""
    tool_calls: list[ToolCallBody] = []
    """The tools that an assistant's message calls."""
    tool_call_id: CallId | None = None
    """Of a tool's message: the call whose result it is."""
    by_user: bool = False
    """The message is a user's, whatever its role says."""


class AppendBody(Body, frozen=True):
    """Messages to append, in this order."""

    messages: Annotated[list[MessageBody], Meta(min_length=1, max_length=MAX_APPENDED_MESSAGES)]
    """The messages. Two can't have the same id."""


class ImportedMessage(MessageBody, frozen=True):
    """A message as it was exported."""

    timestamp: str | float | None = None
    """When it was made: an ISO 8601 time, in UTC if it names no offset; or Unix time, in milliseconds from
    100,000,000,000 on and in seconds below that. Default: now."""
    created_at: str | float | None = None
    """The same under the name that other programs use; not both."""
    partial: bool = False
    """An answer that the model had not finished."""
    reasoning: str = ""
    """What the model thought before its answer."""
    tool_events: list[ToolEventBody] = []
    """What the answer's calls of a tab's tools did."""


class ForkedFromBody(Body, frozen=True):
    """The thread and the message that the conversation was forked from."""

    thread_id: str
    """The thread that was forked."""
    message_id: str | None = None
    """The last of its messages that was copied."""


class ImportBody(Body, frozen=True):
    """A conversation as it was exported."""

    messages: Annotated[list[ImportedMessage], Meta(max_length=MAX_IMPORTED_MESSAGES)]
    """The messages, oldest first. Of more than are kept, the last ones are."""
    session_id: str | None = None
    """Ignored: the path names the conversation."""
    forked_from: ForkedFromBody | None = None
    """Where it was forked from."""
    truncated: bool = False
    """Older messages were cut off before it was exported."""
    before: str | None = None
    """Ignored: it is about the response that had it."""
    read_as: TimesReadAs | None = None
    """Ignored: it is about the response that had it."""


_INSTEAD = {
    "`parts`": (
        "A message's text and images are its `content`, in the form in which GET /api/conversations exports them; "
        "`parts` are how GET /api/chat shows the same to the AI SDK."
    ),
    "`metadata`": "Messages have no metadata of their own; threads have.",
}


@contextmanager
def explaining() -> Iterator[None]:
    """Around the decoding of messages: says of fields that other programs' messages have what to send instead.

    Raises:
        UnknownField
    """
    try:
        yield
    except UnknownField as error:
        hints = [hint for name, hint in _INSTEAD.items() if name in error.detail]
        raise UnknownField(" ".join([error.detail, *hints])) from error


async def read_import(context: RequestContext) -> tuple[ImportBody, int]:
    """The conversation in a body of JSON or JSON lines, and its bytes.

    Raises:
        UnsupportedMediaType, BodyTimeout, BodyTooLarge, InvalidEncoding, InvalidJson, InvalidBody, UnknownField
    """
    if declared_type(context.request) != JSON_LINES:
        text = await read_bytes(context.request, MAX_IMPORT_BYTES)
        with explaining():
            return decode_json(text or b"{}", ImportBody), len(text)
    body = await read_bytes(context.request, MAX_IMPORT_BYTES, JSON_LINES)
    # The last line may lack its line break.
    if body.removesuffix(b"\n").count(b"\n") >= MAX_IMPORTED_MESSAGES:
        raise InvalidBody(f"A conversation that is imported may have {MAX_IMPORTED_MESSAGES} lines.")
    lines = enumerate(body.split(b"\n"), 1)
    return ImportBody([_line(number, line) for number, line in lines if line.strip()]), len(body)


def _line(number: int, line: bytes) -> ImportedMessage:
    try:
        with explaining():
            return decode_json(line, ImportedMessage)
    except BadInput as error:
        raise type(error)(f"Line {number}: {error.detail}") from error


def message_of(message: MessageBody, timestamp_ms: int, new_id: Callable[[], str]) -> ChatMessage:
    """The message to store.

    Raises:
        InvalidBody, InvalidId
    """
    if message.content is None and not message.tool_calls:
        raise InvalidBody("A message without toolCalls needs a content; it may be an empty string.")
    if message.tool_calls and message.role != "assistant":
        raise InvalidBody("Only a message of the assistant may have toolCalls.")
    if (message.tool_call_id is not None) != (message.role == "tool"):
        raise InvalidBody("A message of a tool needs toolCallId, and no other message may have one.")
    return ChatMessage(
        new_id() if message.id is None else parse_message_id(message.id),
        message.role,
        # Services that write null beside tool calls take an empty text as well.
        "" if message.content is None else message.content,
        timestamp_ms,
        [ToolCall(call.id, call.name, call.args) for call in message.tool_calls],
        message.tool_call_id,
        message.by_user and message.role != "user",
    )


def imported_message(
    message: ImportedMessage, now_ms: int, new_id: Callable[[], str], times: TimesReadAs
) -> ChatMessage:
    """The message to store; `times` counts how its time was read.

    Raises:
        InvalidBody, InvalidId
    """
    if message.timestamp is not None and message.created_at is not None:
        raise InvalidBody("A message has a timestamp or a createdAt, not both.")
    time = message.created_at if message.timestamp is None else message.timestamp
    timestamp_ms = now_ms if time is None else times.milliseconds(time)
    whole = message_of(message, timestamp_ms, new_id)
    whole = msgspec.structs.replace(whole, partial=message.partial, reasoning=message.reasoning)
    return msgspec.structs.replace(whole, tool_events=tool_events_of(message.tool_events, whole))


async def checked_messages(context: RequestContext, items: Sequence[ChatMessage]) -> list[ChatMessage]:
    """`items`, marked as a user's unless the caller may write their roles: an app every role; without app keys in the
    settings, when all callers may write every conversation anyway, all of them every role but `system`.

    Raises:
        BodyTooLarge, InvalidBody, UnsupportedPart, InvalidToken, RateLimited
    """
    if len({item.id for item in items}) < len(items):
        raise InvalidBody("Two messages have the same id.")
    for number, item in enumerate(items):
        size = image_bytes([item])
        if size > MAX_IMAGE_BYTES:
            raise images_too_large()
        log = len(msgspec.json.encode(item.tool_events)) if item.tool_events else 0
        if characters_of(item) + log - size > MAX_MESSAGE_CHARACTERS:
            raise InvalidBody(f"messages[{number}] has more than {MAX_MESSAGE_CHARACTERS} characters.")
        check_parts(item, context.settings.model.parts, f"messages[{number}].content")
    if await has_app_key(context):
        return list(items)
    own = ("user",) if context.settings.app_keys else ("user", "assistant", "tool")
    return [item if item.role in own else msgspec.structs.replace(item, by_user=True) for item in items]


def uses_of(size: int, items: Sequence[ChatMessage]) -> int:
    """The uses of the APPEND budget that a body of `size` bytes with these `items` costs beyond the first."""
    images = image_bytes(items)
    return (size - images) // APPEND_BYTES_PER_USE + images // IMAGE_BYTES_PER_USE


def imported_origin(body: ForkedFromBody | None) -> ForkOrigin | None:
    """Where the imported conversation was forked from.

    Raises:
        InvalidId
    """
    if body is None:
        return None
    message_id = None if body.message_id is None else parse_message_id(body.message_id)
    return ForkOrigin(parse_app_id(body.thread_id, "threadId"), message_id)
