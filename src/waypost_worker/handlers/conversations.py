"""`/api/conversations/{sessionId}`: reads, exports, imports and deletes a conversation."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import msgspec

from waypost_worker.context.auth import owned_id
from waypost_worker.context.request_context import RequestContext
from waypost_worker.conversations.conversation import History
from waypost_worker.conversations.export_json import conversation_view, to_json_lines
from waypost_worker.conversations.export_markdown import to_markdown
from waypost_worker.conversations.import_times import TimesReadAs
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.window import HistoryPage, page_of
from waypost_worker.errors import InvalidParameter, MessageNotFound
from waypost_worker.handlers.chat_response import shown
from waypost_worker.handlers.conversation_bodies import (
    JSON_LINES,
    checked_messages,
    imported_message,
    imported_origin,
    read_import,
    uses_of,
)
from waypost_worker.http.messages import Response, json_response
from waypost_worker.http.query import whole_number
from waypost_worker.ids import parse_message_id
from waypost_worker.kv.keys import snapshot_key
from waypost_worker.limits import MAX_THREAD_HISTORY_LIMIT
from waypost_worker.security.rate_limits import Limit

TRUNCATED = "Waypost-Truncated"
BEFORE = "Waypost-Before"
"""The fields `truncated` and `before`, percent-encoded, of a response that is not JSON."""


async def read(context: RequestContext) -> Response:
    """Read the last messages: as JSON, JSON lines or Markdown (`?format=`), all of them or a page."""
    session_id = await owned_id(context, context.params["sessionId"], "sessionId")
    format_name = context.query.get("format", "json")
    if format_name not in ("json", "jsonl", "markdown"):
        raise InvalidParameter("format is one of json, jsonl, markdown.")
    limit = whole_number(context.query, "limit", MAX_THREAD_HISTORY_LIMIT, MAX_THREAD_HISTORY_LIMIT)
    before = context.query.get("before")
    conversation = context.conversation(session_id)
    history = await conversation.history()
    page = page_of(history.items if before is None else _preceding(history.items, parse_message_id(before)), limit)
    items = await shown(context, conversation, page.items)
    view = conversation_view(session_id, history._replace(items=items), page.before)
    if format_name == "json":
        return json_response(view)
    headers = _headers(history, page)
    if format_name == "jsonl":
        return _file(to_json_lines(view.messages), JSON_LINES, "conversation.jsonl", headers)
    return _file(to_markdown(view), "text/markdown; charset=utf-8", "conversation.md", headers)


async def replace(context: RequestContext) -> Response:
    """Import a conversation that was exported. It replaces the existing messages."""
    session_id = await owned_id(context, context.params["sessionId"], "sessionId")
    body, size = await read_import(context)
    conversation = context.conversation(session_id)
    now, times = context.clock.now_ms(), TimesReadAs()
    items = [imported_message(message, now, conversation.new_cursor, times) for message in body.messages]
    items = await checked_messages(context, items)
    origin = imported_origin(body.forked_from)
    await context.limits.spend(Limit.APPEND, snapshot_key(session_id), 1 + uses_of(size, items))
    history = await conversation.replace(items, origin, truncated=body.truncated)
    conversation.compact_later(context.background)
    # Not read from KV: a location may not see its own write yet.
    view = conversation_view(session_id, history)
    return json_response(view if times == TimesReadAs() else msgspec.structs.replace(view, read_as=times))


async def delete(context: RequestContext) -> Response:
    """Delete the messages of a conversation."""
    session_id = await owned_id(context, context.params["sessionId"], "sessionId")
    await context.limits.spend(Limit.APPEND, snapshot_key(session_id))
    await context.conversation(session_id).forget()
    return Response(204)


def _preceding(items: Sequence[ChatMessage], message_id: str) -> Sequence[ChatMessage]:
    index = next((index for index, item in enumerate(items) if item.id == message_id), None)
    if index is None:
        raise MessageNotFound("No message that is kept has the id in `before`: read without it.")
    return items[:index]


def _headers(history: History, page: HistoryPage) -> dict[str, str]:
    # An id may have characters that no header can carry.
    before = {} if page.before is None else {BEFORE: quote(page.before, safe="")}
    return {TRUNCATED: "true" if history.truncated else "false", **before}


def _file(body: bytes, media_type: str, name: str, headers: Mapping[str, str]) -> Response:
    fields = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(200, body, {"Content-Type": media_type, **fields, **headers})
