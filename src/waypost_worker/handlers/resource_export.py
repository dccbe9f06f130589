"""The export of a resource: lines for its threads, in parts that fit into one invocation's memory and operations.

For each thread, in the order of their keys: the thread, its conversation, its documents, its pages. A cursor names the
last line of its part, not an offset, so that what is deleted or added between two parts shifts nothing.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal, NamedTuple

import msgspec

from waypost_worker.base64url import decode_base64url, encode_base64url
from waypost_worker.clock import to_iso
from waypost_worker.context.request_context import RequestContext
from waypost_worker.conversations.export_json import ConversationView, conversation_view
from waypost_worker.conversations.thread import Thread
from waypost_worker.conversations.thread_list import all_threads
from waypost_worker.documents.document import SINGLE, DocumentId, DocumentStore
from waypost_worker.documents.etag import UNCONDITIONAL
from waypost_worker.documents.page import PageStore
from waypost_worker.documents.versioned_text import Version
from waypost_worker.errors import DocumentNotFound, InvalidCursor, PageNotFound
from waypost_worker.handlers.chat_response import shown
from waypost_worker.handlers.thread_view import ThreadView, thread_view
from waypost_worker.kv.cursor import scope_tag
from waypost_worker.kv.keys import thread_key, threads_prefix
from waypost_worker.limits import EXPORT_RESERVED_OPERATIONS, MAX_EXPORT_PART_BYTES, REORDER_WINDOW_SECONDS

KINDS = ("thread", "conversation", *SINGLE, "doc", "page")


class Position(NamedTuple):
    """The place of a line; they are sorted."""

    thread_key: str = ""
    kind: int = 0
    name: str = ""


class ThreadLine(msgspec.Struct, rename="camel", tag="thread", tag_field="kind"):
    """A thread."""

    thread: ThreadView
    """The thread."""


class ConversationLine(msgspec.Struct, rename="camel", tag="conversation", tag_field="kind"):
    """The conversation of the thread."""

    thread_id: str
    """The thread that it belongs to."""
    conversation: ConversationView
    """Its messages."""


class DocumentLine(msgspec.Struct, rename="camel", tag="document", tag_field="kind"):
    """A document of the thread."""

    thread_id: str
    """The thread that it belongs to."""
    type: Literal["intents", "theme", "doc"]
    """`doc`, or `intents` or `theme`, of which a thread has one each."""
    name: str
    """The document's name."""
    etag: str
    """Its version."""
    updated_at: str
    """When it was last put."""
    expires_at: str
    """When it expires, unless it is put again."""
    content: Any
    """Its content: any JSON."""


class PageLine(msgspec.Struct, rename="camel", tag="page", tag_field="kind"):
    """A page of the thread."""

    thread_id: str
    """The thread that it belongs to."""
    intent_id: str
    """The id under which the page is shown."""
    title: str
    """Its name for lists; may be empty."""
    etag: str
    """Its version."""
    updated_at: str
    """When it was last put."""
    expires_at: str
    """When it expires, unless it is put again."""
    html: str
    """Its HTML."""


class MoreLine(msgspec.Struct, rename="camel", tag="more", tag_field="kind"):
    """The last line of a part that is not the last."""

    cursor: str
    """The rest comes with this `cursor`."""


class EndLine(msgspec.Struct, rename="camel", tag="end", tag_field="kind"):
    """The last line of the last part."""

    resource_id: str
    """The resource that was exported."""
    complete_until: str
    """What was written in another location after this time may be missing."""


Line = ThreadLine | ConversationLine | DocumentLine | PageLine


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """`tag` marks the resource; it guards against mix-ups, it is no credential."""

    tag: int
    thread_key: str
    kind: int
    name: str


_decode_cursor = msgspec.json.Decoder(_Cursor).decode


async def export_part(context: RequestContext, resource_id: str, cursor: str | None) -> bytes:
    """The lines after `cursor`, each with its line break.

    Raises:
        InvalidCursor: the cursor was not issued for this resource.
        StorageUnavailable, BudgetSpent
    """
    tag = scope_tag(threads_prefix(resource_id))
    after = Position() if cursor is None else _parse(cursor, tag)
    lines: list[bytes] = []
    size = 0
    async with aclosing(_lines(context, resource_id, after)) as found:
        async for position, line in found:
            lines.append(msgspec.json.encode(line) + b"\n")
            size += len(lines[-1])
            if size > MAX_EXPORT_PART_BYTES or context.invocation.meter.remaining < EXPORT_RESERVED_OPERATIONS:
                more = MoreLine(_format(_Cursor(tag, *position)))
                return b"".join([*lines, msgspec.json.encode(more), b"\n"])
    complete_until = to_iso(context.clock.now_ms() - REORDER_WINDOW_SECONDS * 1000)
    return b"".join([*lines, msgspec.json.encode(EndLine(resource_id, complete_until)) + b"\n"])


async def _lines(
    context: RequestContext, resource_id: str, after: Position
) -> AsyncGenerator[tuple[Position, Line], None]:
    async for thread in all_threads(context.kv, resource_id):
        key = thread_key(resource_id, thread.thread_id)
        if key < after.thread_key:
            continue
        rest = after if key == after.thread_key else Position(key, -1)
        async for kind, name, line in _of_thread(context, thread, rest):
            yield Position(key, kind, name), line


async def _of_thread(
    context: RequestContext, thread: Thread, after: Position
) -> AsyncGenerator[tuple[int, str, Line], None]:
    if after.kind < 0:
        yield 0, "", ThreadLine(thread_view(thread))
    if after.kind < 1:
        conversation = context.conversation(thread.session_id)
        history = await conversation.history()
        items = await shown(context, conversation, history.items)
        view = conversation_view(thread.session_id, history._replace(items=items))
        yield 1, "", ConversationLine(thread.thread_id, view)
    async for number, document in _documents(context, thread, after):
        try:
            version, text = await DocumentStore(context.kv, context.clock).read(document, UNCONDITIONAL)
        except DocumentNotFound:
            continue
        content = msgspec.Raw((text or "null").encode())
        line = DocumentLine(thread.thread_id, document.kind, document.name, *_times(version), content)
        yield number, document.name, line
    pages = PageStore(context.kv, context.clock)
    number = KINDS.index("page")
    for intent_id in await pages.list(thread.session_id):
        if (after.kind, after.name) >= (number, intent_id):
            continue
        try:
            version, html = await pages.read(intent_id, UNCONDITIONAL)
        except PageNotFound:
            continue
        yield number, intent_id, PageLine(thread.thread_id, intent_id, version.title, *_times(version), html or "")


async def _documents(
    context: RequestContext, thread: Thread, after: Position
) -> AsyncGenerator[tuple[int, DocumentId], None]:
    for kind in SINGLE:
        if after.kind < KINDS.index(kind):
            yield KINDS.index(kind), DocumentId(thread.session_id, kind, kind)
    number = KINDS.index("doc")
    if after.kind <= number:
        for name in await DocumentStore(context.kv, context.clock).list(thread.session_id):
            if (after.kind, after.name) < (number, name):
                yield number, DocumentId(thread.session_id, "doc", name)


def _times(version: Version) -> tuple[str, str, str]:
    return version.etag, to_iso(version.updated_ms), to_iso(version.expires_ms)


def _format(cursor: _Cursor) -> str:
    return encode_base64url(msgspec.json.encode(cursor))


def _parse(text: str, tag: int) -> Position:
    try:
        cursor = _decode_cursor(decode_base64url(text))
    except ValueError:
        cursor = None
    # Encoded again and compared, since both decoders ignore some malformed input.
    if cursor is None or cursor.tag != tag or _format(cursor) != text:
        raise InvalidCursor("The cursor was not issued for this resource's export; leave it out to start over.")
    return Position(cursor.thread_key, cursor.kind, cursor.name)
